"""fact_box_office: what movies of known revenue earned, nominal and real."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark.dropped import DROPPED, reason_if

REASONS = ("no_revenue",)
LARGEST_SUSPECT_REVENUE = 1000


def judged_movies(movie: DataFrame) -> DataFrame:
    """Every movie; one whose revenue is not known to be above 0 is dropped."""
    is_earning = F.coalesce(F.col("revenue") > 0, F.lit(False))
    return movie.withColumn(DROPPED, reason_if(~is_earning, "no_revenue"))


def fact_box_office(movies: DataFrame, cpi_month: DataFrame) -> DataFrame:
    """One row per movie of revenue > 0, with gold's `cpi_month` of its release month.

    Revenue up to 1000 dollars is often thousands or millions mistyped: kept, and flagged.
    """
    released = movies.withColumn("month", F.trunc("release_date", "month"))
    real = _real_revenue()
    return released.join(F.broadcast(cpi_month), "month", "left").select(
        "tmdb_id",
        "release_date",
        F.year("release_date").alias("release_year"),
        F.quarter("release_date").alias("release_quarter"),
        F.month("release_date").alias("release_month"),
        "budget",
        "revenue",
        F.col("value").alias("cpi_value"),
        real.alias("revenue_real"),
        real.isNotNull().alias("is_adjustable"),
        (F.col("revenue") <= LARGEST_SUSPECT_REVENUE).alias("is_scale_suspect"),
    )


def _real_revenue() -> Column:
    """revenue x base / value, rounded half up once; null without a value for the month.

    Spark gives the quotient of decimal(30,3) and decimal(12,3) exactly 8 places, and a
    decimal(17,0) holds every revenue of silver and makes the product a decimal(30,3).
    """
    inflated = F.col("revenue").cast("decimal(17,0)") * F.col("base_value")
    return (inflated / F.col("value")).cast("decimal(24,8)")
