"""Ratings added up by movie and by genre. Each mean is an exact sum divided once."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

BITS = 64


SUMS = ("tmdb_id", "ratings", "rating_sum")


def agg_movie_rating(sums: DataFrame) -> DataFrame:
    """One row per movie with at least one rating, of sums of which several may be of one movie."""
    by_movie = sums.groupBy("tmdb_id").agg(
        F.sum("ratings").alias("ratings"), F.sum("rating_sum").alias("rating_sum")
    )
    return by_movie.select("tmdb_id", "ratings", _stars("rating_sum"), _mean_rating())


def agg_movie_rating_after(before: DataFrame, added: DataFrame, replaced: DataFrame) -> DataFrame:
    """The same, once the sums of ratings were added that came, some of them in place of others."""
    gone = replaced.select(
        "tmdb_id", (-F.col("ratings")).alias("ratings"), (-F.col("rating_sum")).alias("rating_sum")
    )
    now = before.select(*SUMS).unionByName(added.select(*SUMS))
    return agg_movie_rating(now.unionByName(gone))


def agg_genre_rating(
    dim_genre: DataFrame,
    bridge_movie_genre: DataFrame,
    dim_movie: DataFrame,
    movie_ratings: DataFrame,
    user_genre: DataFrame,
) -> DataFrame:
    """One row per genre, zeros where it has no rating. A movie counts in each of its genres."""
    votes = (
        bridge_movie_genre.join(dim_movie, "tmdb_id")
        .groupBy("genre_id")
        .agg(F.count("*").alias("movies"), F.sum("vote_count").alias("tmdb_votes"))
    )
    rated = (
        movie_ratings.join(bridge_movie_genre, "tmdb_id")
        .groupBy("genre_id")
        .agg(F.sum("ratings").alias("ratings"), F.sum("rating_sum").alias("rating_sum"))
    )
    genres = (
        dim_genre.join(votes, "genre_id", "left")
        .join(rated, "genre_id", "left")
        .join(_users_of_genres(dim_genre, user_genre), "genre_id", "left")
    )
    return genres.fillna(0).select(
        "genre_id",
        "ratings",
        "users",
        _stars("rating_sum"),
        _mean_rating(),
        "movies",
        "tmdb_votes",
    )


def user_genre(
    dim_genre: DataFrame,
    bridge_movie_genre: DataFrame,
    bridge_movielens_movie: DataFrame,
    rating: DataFrame,
) -> DataFrame:
    """The genres of the movies that a user rated, as bits of a mask: one row per user and word,
    which has the bits of 64 genres.

    A movie's genres are such a mask too: one row per rating in place of one per rating and genre.
    """
    masks = (
        bridge_movie_genre.join(_bits(dim_genre), "genre_id")
        .groupBy("tmdb_id", "word")
        .agg(F.bit_or("bit").alias("mask"))
        .join(bridge_movielens_movie, "tmdb_id")
    )
    # As in fact_rating: no shuffle of all ratings.
    return _by_user(rating.join(F.broadcast(masks), "movie_id"))


def user_genre_after(before: DataFrame, added: DataFrame) -> DataFrame:
    """The same, once ratings were added. One that is replaced is so by one of the same movie, so
    no user loses a genre.
    """
    return _by_user(before.unionByName(added))


def _by_user(masks: DataFrame) -> DataFrame:
    return masks.groupBy("user_id", "word").agg(F.bit_or("mask").alias("mask"))


def _users_of_genres(dim_genre: DataFrame, user_genre: DataFrame) -> DataFrame:
    """Distinct users of each genre that has any."""
    has_genre = F.col("mask").bitwiseAND(F.col("bit")) != 0
    of_genre = user_genre.join(_bits(dim_genre), "word").where(has_genre)
    return of_genre.groupBy("genre_id").agg(F.count("*").alias("users"))


def _bits(dim_genre: DataFrame) -> DataFrame:
    place = F.row_number().over(Window.orderBy("genre_id")) - 1
    return dim_genre.select(
        "genre_id",
        F.floor(place / BITS).alias("word"),
        F.call_function("shiftleft", F.lit(1).cast("bigint"), place % BITS).alias("bit"),
    )


def _stars(name: str) -> Column:
    return F.col(name).cast("decimal(18,1)").alias(name)


def _mean_rating() -> Column:
    mean = F.col("rating_sum").cast("double") / F.col("ratings")
    return F.when(F.col("ratings") > 0, mean).alias("mean_rating")
