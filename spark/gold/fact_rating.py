"""fact_rating: user ratings that reach a movie."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark.dropped import DROPPED, reason_if

REASONS = ("no_movie",)


def judged_ratings(rating: DataFrame, movielens_movie: DataFrame, movie: DataFrame) -> DataFrame:
    """Every rating with the movie that its MovieLens id links to; without one it is dropped."""
    linked = movielens_movie.select("movie_id", "tmdb_id").join(movie.select("tmdb_id"), "tmdb_id")
    # Without the hint all ratings are shuffled before Spark finds out how few movies there are.
    return rating.join(F.broadcast(linked), "movie_id", "left").withColumn(
        DROPPED, reason_if(F.col("tmdb_id").isNull(), "no_movie")
    )


def fact_rating(ratings: DataFrame) -> DataFrame:
    """One row per user and MovieLens movie; several of these may be one movie."""
    return ratings.select("user_id", "movie_id", "tmdb_id", "rating", "rated_at")
