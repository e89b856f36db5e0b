"""Ratings added up by movie and by genre. Each mean is an exact sum divided once."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

BITS = 64


def agg_movie_rating(fact_rating: DataFrame) -> DataFrame:
    """One row per movie with at least one rating."""
    return _by_movie(fact_rating, F.count("*"), F.sum("rating"))


def agg_movie_rating_after(before: DataFrame, added: DataFrame, replaced: DataFrame) -> DataFrame:
    """The same, once ratings were added, some of them in place of those that are replaced."""
    names = ("tmdb_id", "ratings", "rating_sum")
    gone = agg_movie_rating(replaced).select(
        "tmdb_id", (-F.col("ratings")).alias("ratings"), (-F.col("rating_sum")).alias("rating_sum")
    )
    sums = before.select(*names).unionByName(agg_movie_rating(added).select(*names))
    return _by_movie(sums.unionByName(gone), F.sum("ratings"), F.sum("rating_sum"))


def _by_movie(rows: DataFrame, ratings: Column, rating_sum: Column) -> DataFrame:
    sums = rows.groupBy("tmdb_id").agg(ratings.alias("ratings"), rating_sum.alias("rating_sum"))
    return sums.select("tmdb_id", "ratings", _stars("rating_sum"), _mean_rating())


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
    dim_genre: DataFrame, bridge_movie_genre: DataFrame, fact_rating: DataFrame
) -> DataFrame:
    """The genres of the movies that a user rated, as bits of a mask: one row per user and word,
    which has the bits of 64 genres.

    A movie's genres are such a mask too: one row per rating in place of one per rating and genre.
    """
    masks = (
        bridge_movie_genre.join(_bits(dim_genre), "genre_id")
        .groupBy("tmdb_id", "word")
        .agg(F.bit_or("bit").alias("mask"))
    )
    # As in fact_rating: no shuffle of all ratings.
    return _by_user(fact_rating.join(F.broadcast(masks), "tmdb_id"))


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
