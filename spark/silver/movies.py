"""movie: one row per TMDB id."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from spark.dropped import DROPPED, is_not_first, reason_if

REASONS = ("duplicate_id",)


def judged_movies(bronze: DataFrame) -> DataFrame:
    """Of several movies with one id the most votes win, ties go to the later row."""
    copies = Window.partitionBy("id").orderBy(
        F.col("vote_count").desc_nulls_last(), F.col("row_number").desc()
    )
    return bronze.withColumn(DROPPED, reason_if(is_not_first(copies), "duplicate_id"))


def movie(movies: DataFrame) -> DataFrame:
    """The typed facts of each movie. Money in whole US dollars."""
    return movies.select(
        F.col("id").alias("tmdb_id"),
        "imdb_id",
        "title",
        "original_title",
        "original_language",
        "status",
        _flag("adult"),
        _flag("video"),
        "release_date",
        _dollars("budget"),
        _dollars("revenue"),
        F.col("runtime").alias("runtime_minutes"),
        "popularity",
        F.col("vote_average").try_cast("decimal(6,3)").alias("vote_average"),
        F.round("vote_count").try_cast("bigint").alias("vote_count"),
    )


def _flag(name: str) -> Column:
    """True or False in any spelling of case; another text is unknown."""
    text = F.lower(F.trim(name))
    return F.when(text == "true", True).when(text == "false", False).alias(name)


def _dollars(name: str) -> Column:
    """Whole dollars. An amount beyond 14 digits is no amount of money: unknown."""
    return F.round(name).try_cast("decimal(14,0)").cast("bigint").alias(name)
