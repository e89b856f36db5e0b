"""The kinds of period in which movies are released."""

from pyspark.sql import Column
from pyspark.sql import functions as F


def release_period(period_type: str) -> Column:
    """Month, quarter or year of fact_box_office: its type, and which one it is."""
    return F.struct(
        F.lit(period_type).alias("period_type"), F.col(f"release_{period_type}").alias("period")
    )
