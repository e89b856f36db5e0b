"""What a run's inputs.json names (`RunInputs` in contracts)."""

from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark.lake import Json, Lake

#: More than a load can have, whose row numbers are ints.
ROWS_OF_A_LOAD = 2**32


@dataclass(frozen=True)
class Load:
    """A load in bronze, and the repaired records of its source, if there are any."""

    prefix: str
    repaired: str | None

    @property
    def prefixes(self) -> list[str]:
        """Of the tables that hold its rows."""
        return [self.prefix, *([self.repaired] if self.repaired else [])]


def loads_of(inputs: Json, dataset: str) -> list[Load]:
    """The base of a dataset, then what was appended to it, in the order it arrived."""
    repaired = {
        one["source"]: one["prefix"] for one in fixes_of(inputs, dataset) if one["repaired"]
    }
    return [
        Load(load["prefix"], repaired.get(source_of(load["load_id"])))
        for load in _named(inputs, dataset)
    ]


def load_ids(inputs: Json, dataset: str) -> list[str]:
    """Of the same loads."""
    return [load["load_id"] for load in _named(inputs, dataset)]


def fixes_of(inputs: Json, dataset: str) -> list[Json]:
    """What was decided about dead letters of these loads, by source."""
    fixes = inputs.get("fixes", {}).get(dataset, [])
    # Before loads could be appended there was one source, and its fixes stood alone.
    return fixes if isinstance(fixes, list) else [fixes]


def _named(inputs: Json, dataset: str) -> list[Json]:
    return [inputs["loads"][dataset], *inputs.get("appended", {}).get(dataset, [])]


def source_of(load_id: str) -> str:
    """As in contracts/src/loadId.ts."""
    return "-".join(load_id.split("-")[:2])


def rows_of(lake: Lake, spark: SparkSession, loads: list[Load], known: int = 0) -> list[DataFrame]:
    """The rows of each table that loads have in bronze, numbered so that those of a load are later
    than all of the loads before; of the first `known` loads none are read.
    """
    return [
        _in_place(lake.read_table(spark, prefix), place)
        for place, load in enumerate(loads)
        if place >= known
        for prefix in load.prefixes
    ]


def _in_place(rows: DataFrame, place: int) -> DataFrame:
    return rows.withColumn("row_number", F.col("row_number") + F.lit(place * ROWS_OF_A_LOAD))
