"""Which objects of live ratings are read: a compacted one in place of those that it holds."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from pyspark.sql import DataFrame, SparkSession

from spark.jobs.silver import is_below
from spark.live_objects import without_repeated
from spark.silver.ratings import live_below
from spark.tests.local_lake import BUCKET, LocalLake

PREFIX = "bronze/ratings-live"


def single(partition: int, begin: int) -> str:
    return f"{BUCKET}/{PREFIX}/partition-{partition}-offset-{begin:016}.parquet"


def compacted(partition: int, begin: int, end: int) -> str:
    return f"{BUCKET}/{PREFIX}/partition-{partition}-offset-{begin:016}-to-{end:016}.parquet"


def test_objects_of_other_tables_are_all_read() -> None:
    paths = [f"{BUCKET}/bronze/ratings/load=a/group-0000{n}-rows-3.parquet" for n in range(3)]
    assert without_repeated(paths) == paths


def test_a_compacted_object_takes_the_place_of_all_that_begin_within_it_on_its_partition() -> None:
    kept = [compacted(0, 0, 20), compacted(0, 20, 35), single(0, 35), single(0, 40), single(1, 10)]
    held = [single(0, 0), single(0, 10), compacted(0, 0, 10), single(0, 20), single(0, 33)]
    assert sorted(without_repeated(held + kept)) == sorted(kept)


def test_objects_of_which_none_holds_the_other_are_refused() -> None:
    with pytest.raises(ValueError, match="begins before 20"):
        without_repeated([compacted(0, 0, 20), compacted(0, 10, 30)])


def put(folder: Path, path: str, offsets: Iterable[int]) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    rows = [{"kafka_partition": 0, "kafka_offset": offset} for offset in offsets]
    parquet.write_table(pa.Table.from_pylist(rows), folder / path)


def offsets_of(table: DataFrame) -> list[int]:
    return sorted(row.kafka_offset for row in table.collect())


def test_each_row_is_read_and_counted_once(spark: SparkSession, tmp_path: Path) -> None:
    lake = LocalLake.at(tmp_path)
    put(tmp_path, single(0, 0), range(5))
    put(tmp_path, single(0, 5), range(5, 9))
    put(tmp_path, compacted(0, 0, 9), range(9))
    put(tmp_path, single(0, 9), range(9, 12))
    assert lake.count_rows(PREFIX) == 12
    assert offsets_of(lake.read_table(spark, PREFIX)) == list(range(12))


def test_what_is_compacted_while_a_job_runs_is_read_once_and_counted_as_before(
    spark: SparkSession, tmp_path: Path
) -> None:
    lake = LocalLake.at(tmp_path)
    put(tmp_path, single(0, 0), range(5))
    put(tmp_path, single(0, 5), range(5, 9))
    counted = lake.count_rows(PREFIX, is_below([7]))
    table = lake.read_table(spark, PREFIX)
    put(tmp_path, compacted(0, 0, 9), range(9))
    put(tmp_path, single(0, 9), range(9, 12))
    assert offsets_of(table) == list(range(9))
    assert offsets_of(live_below(table, [7])) == list(range(7))
    later = live_below(lake.read_table(spark, PREFIX), [7])
    assert offsets_of(later) == list(range(7))
    assert counted == lake.count_rows(PREFIX, is_below([7])) == 7
