"""Ratings added up by movie and by genre. Each mean is an exact sum divided once."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


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
    # Adding up by genre and user first makes counting distinct users a plain count.
    by_user = (
        fact_rating.join(bridge_movie_genre, "tmdb_id")
        .groupBy("genre_id", "user_id")
        .agg(F.count("*").alias("ratings"), F.sum("rating").alias("rating_sum"))
    )
    rated = by_user.groupBy("genre_id").agg(
        F.sum("ratings").alias("ratings"),
        F.count("*").alias("users"),
        F.sum("rating_sum").alias("rating_sum"),
    )
    genres = dim_genre.join(votes, "genre_id", "left").join(rated, "genre_id", "left")
    return genres.fillna(0).select(
        "genre_id",
        "ratings",
        "users",
        _stars("rating_sum"),
        _mean_rating(),
        "movies",
        "tmdb_votes",
    )


def _stars(name: str) -> Column:
    return F.col(name).cast("decimal(18,1)").alias(name)


def _mean_rating() -> Column:
    mean = F.col("rating_sum").cast("double") / F.col("ratings")
    return F.when(F.col("ratings") > 0, mean).alias("mean_rating")
