"""fact_rating: user ratings that reach a movie.

Its rows are where silver has them, and nobody writes them again: the bridge says which movie each
is of. A rating whose MovieLens movie is not in the bridge is none of its rows.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark.dropped import DROPPED, reason_if

REASONS = ("no_movie",)


def sums(rating: DataFrame) -> DataFrame:
    """Ratings added up by MovieLens movie: one row per movie with at least one rating."""
    return rating.groupBy("movie_id").agg(
        F.count("*").alias("ratings"), F.sum("rating").alias("rating_sum")
    )


def judged_sums(rating: DataFrame, bridge_movielens_movie: DataFrame) -> DataFrame:
    """The same with the movie that the MovieLens id links to; without one its ratings are dropped.
    Several of these rows may be one movie.
    """
    # Without the hint all is shuffled before Spark finds out how few movies there are.
    return (
        sums(rating)
        .join(F.broadcast(bridge_movielens_movie), "movie_id", "left")
        .withColumn(DROPPED, reason_if(F.col("tmdb_id").isNull(), "no_movie"))
    )
