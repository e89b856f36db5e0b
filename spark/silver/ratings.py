"""rating: what a user gave a MovieLens movie, in stars."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from spark.dropped import DROPPED, is_not_first, reason_if

REASONS = ("no_rating", "duplicate_rating")


def judged_ratings(bronze: DataFrame) -> DataFrame:
    """Rows without a rating go; then the newest of a user and movie wins, then the later row."""
    typed = bronze.withColumn("rating", F.col("rating").try_cast("decimal(2,1)"))
    no_rating = F.col("rating").isNull()
    # Rows without a rating are apart, so that they never win over one with a rating.
    copies = Window.partitionBy("user_id", "movie_id", no_rating).orderBy(
        F.col("timestamp").desc_nulls_last(), F.col("row_number").desc()
    )
    reason = F.coalesce(
        reason_if(no_rating, "no_rating"),
        reason_if(is_not_first(copies), "duplicate_rating"),
    )
    return typed.withColumn(DROPPED, reason)


def rating(ratings: DataFrame) -> DataFrame:
    """One row per user and MovieLens movie; `rated_at` is null where the source has no time."""
    return ratings.select(
        "user_id",
        "movie_id",
        "rating",
        F.timestamp_seconds("timestamp").alias("rated_at"),
    )
