"""Box office added up by genre and by period of release. Money in US dollars.

Sums are exact, each mean is an exact sum divided once, medians are exact percentiles.
Real figures are over adjustable movies alone, and null where there is none.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark.gold.release_period import release_period


def agg_genre_box_office(fact_box_office: DataFrame, bridge_movie_genre: DataFrame) -> DataFrame:
    """One row per genre that has a movie of revenue > 0. A movie counts in each of its genres."""
    sums = fact_box_office.join(bridge_movie_genre, "tmdb_id").groupBy("genre_id").agg(*_sums())
    return sums.select(
        "genre_id",
        "movies",
        "revenue",
        "median_revenue",
        "adjustable",
        (F.col("movies") - F.col("adjustable")).alias("not_adjustable"),
        "revenue_real",
        "median_revenue_real",
    )


def agg_release_period(fact_box_office: DataFrame) -> DataFrame:
    """One row per month (1-12), quarter (1-4) and year in which such a movie was released."""
    periods = F.explode(F.array(*map(release_period, ("month", "quarter", "year"))))
    dated = fact_box_office.where(F.col("release_date").isNotNull())
    sums = (
        dated.withColumn("entry", periods)
        .groupBy("entry.period_type", "entry.period")
        .agg(*_sums())
    )
    return sums.select(
        "period_type",
        "period",
        "movies",
        "revenue",
        (F.col("revenue").cast("double") / F.col("movies")).alias("mean_revenue"),
        "median_revenue",
        "adjustable",
        "revenue_real",
        _mean_real(),
        "median_revenue_real",
    )


def _sums() -> list[Column]:
    return [
        F.count("*").alias("movies"),
        F.sum("revenue").alias("revenue"),
        F.median("revenue").alias("median_revenue"),
        F.count("revenue_real").alias("adjustable"),
        F.sum("revenue_real").cast("decimal(30,8)").alias("revenue_real"),
        F.median("revenue_real").alias("median_revenue_real"),
    ]


def _mean_real() -> Column:
    mean = F.col("revenue_real").cast("double") / F.col("adjustable")
    return F.when(F.col("adjustable") > 0, mean).alias("mean_revenue_real")
