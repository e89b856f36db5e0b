"""Ratings added up by movie and by genre. Each mean is an exact sum divided once."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

BITS = 64


def agg_movie_rating(fact_rating: DataFrame) -> DataFrame:
    """One row per movie with at least one rating."""
    sums = fact_rating.groupBy("tmdb_id").agg(
        F.count("*").alias("ratings"), F.sum("rating").alias("rating_sum")
    )
    return sums.select("tmdb_id", "ratings", _stars("rating_sum"), _mean_rating())


def agg_genre_rating(
    dim_genre: DataFrame,
    bridge_movie_genre: DataFrame,
    dim_movie: DataFrame,
    fact_rating: DataFrame,
) -> DataFrame:
    """One row per genre, zeros where it has no rating. A movie counts in each of its genres."""
    votes = (
        bridge_movie_genre.join(dim_movie, "tmdb_id")
        .groupBy("genre_id")
        .agg(F.count("*").alias("movies"), F.sum("vote_count").alias("tmdb_votes"))
    )
    rated = (
        agg_movie_rating(fact_rating)
        .join(bridge_movie_genre, "tmdb_id")
        .groupBy("genre_id")
        .agg(F.sum("ratings").alias("ratings"), F.sum("rating_sum").alias("rating_sum"))
    )
    users = _users_of_genres(dim_genre, bridge_movie_genre, fact_rating)
    genres = (
        dim_genre.join(votes, "genre_id", "left")
        .join(rated, "genre_id", "left")
        .join(users, "genre_id", "left")
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


def _users_of_genres(
    dim_genre: DataFrame, bridge_movie_genre: DataFrame, fact_rating: DataFrame
) -> DataFrame:
    """Distinct users of each genre that has any.

    A movie's genres are bits of a mask, and a user's those of any movie: one row per rating and
    user in place of one per rating and genre. A word of a mask has the bits of 64 genres.
    """
    place = F.row_number().over(Window.orderBy("genre_id")) - 1
    bits = dim_genre.select(
        "genre_id",
        F.floor(place / BITS).alias("word"),
        F.call_function("shiftleft", F.lit(1).cast("bigint"), place % BITS).alias("bit"),
    )
    masks = (
        bridge_movie_genre.join(bits, "genre_id")
        .groupBy("tmdb_id", "word")
        .agg(F.bit_or("bit").alias("mask"))
    )
    by_user = (
        fact_rating.join(masks, "tmdb_id")
        .groupBy("user_id", "word")
        .agg(F.bit_or("mask").alias("mask"))
    )
    of_genre = by_user.join(bits, "word").where(F.col("mask").bitwiseAND(F.col("bit")) != 0)
    return of_genre.groupBy("genre_id").agg(F.count("*").alias("users"))


def _stars(name: str) -> Column:
    return F.col(name).cast("decimal(18,1)").alias(name)


def _mean_rating() -> Column:
    mean = F.col("rating_sum").cast("double") / F.col("ratings")
    return F.when(F.col("ratings") > 0, mean).alias("mean_rating")
