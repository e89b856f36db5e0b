"""cpi_month: the consumer price index by month."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from spark.dropped import DROPPED, is_not_first, reason_if

REASONS = ("duplicate_month",)


def judged_cpi(bronze: DataFrame) -> DataFrame:
    """Of several observations in a month the later row wins."""
    months = bronze.withColumn("month", F.trunc("observation_date", "month"))
    copies = Window.partitionBy("month").orderBy(F.col("row_number").desc())
    return months.withColumn(DROPPED, reason_if(is_not_first(copies), "duplicate_month"))


def cpi_month(cpi: DataFrame) -> DataFrame:
    """One row per month, named by its first day. An index is above 0: anything else is no value."""
    value = F.col("value").try_cast("decimal(12,3)")
    return cpi.select("month", F.when(value > 0, value).alias("value"))
