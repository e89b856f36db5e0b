"""The ratings of silver: bronze's own objects where nothing in them would be otherwise."""

from functools import reduce

from pyspark.sql import DataFrame, SparkSession

from spark.footers import Footers
from spark.jobs.parts import Parts
from spark.jobs.run_inputs import Load, rows_of
from spark.lake import Json, Lake
from spark.silver import ratings

TABLE = "rating"
BRONZE = "bronze/"


def as_in_bronze(loads: list[Load], live: int, footers: Footers) -> Parts | None:
    """The one load that a run's ratings are, where its footers prove that each key comes once and
    each row has a rating: every row goes on. None where anything is to be judged.
    """
    prefixes = [prefix for load in loads for prefix in load.prefixes]
    if live or len(prefixes) > 1 or not footers.of_objects:
        return None
    is_proven = footers.have_unique_keys(ratings.KEY) and footers.have_values_within(
        *ratings.LIMITS
    )
    return Parts((prefixes[0],)) if is_proven else None


def judged(
    lake: Lake, spark: SparkSession, loads: list[Load], live: Json, footers: Footers
) -> DataFrame:
    """Every row of the loads, and of the live ratings that the inputs name, with why it is dropped;
    the footers are those of the first load.
    """
    base, *beside = rows_of(lake, spark, loads)
    bronze = reduce(DataFrame.unionByName, beside, base)
    if live["bronze"]:
        before = ratings.live_below(lake.read_table(spark, live["prefix"]), live["offsets"])
        bronze = ratings.with_live(bronze, before)
        beside.append(before)
    if footers.have_unique_keys(ratings.KEY):
        return ratings.judge_beside(beside)(bronze)
    return ratings.judged_ratings(bronze)


def read(lake: Lake, spark: SparkSession, of_silver: Json) -> DataFrame:
    """The ratings of the run that silver reports, as silver's columns."""
    return Parts.of(of_silver, TABLE).read(lake, spark, ratings.KEY, as_silver)


def as_silver(rows: DataFrame, prefix: str) -> DataFrame:
    """Rows at a prefix of silver, or of bronze."""
    if not prefix.startswith(BRONZE):
        return rows
    return ratings.rating(ratings.with_stars(rows))
