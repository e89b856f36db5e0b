"""cpi_month: the price index of each month beside that of the base month."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def cpi_month(silver_cpi_month: DataFrame) -> DataFrame:
    """One row per month; the base is the newest month with a value."""
    base = silver_cpi_month.where(F.col("value").isNotNull()).agg(
        F.max("month").alias("base_month"), F.max_by("value", "month").alias("base_value")
    )
    return silver_cpi_month.crossJoin(F.broadcast(base)).select(
        "month", "value", "base_month", "base_value"
    )
