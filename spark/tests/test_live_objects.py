"""Which objects of live ratings are read: a compacted one in place of those that it holds."""

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from pyspark.sql import SparkSession

from spark.live_objects import without_repeated
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


def test_each_row_is_read_and_counted_once(spark: SparkSession, tmp_path: Path) -> None:
    lake = LocalLake.at(tmp_path)
    (tmp_path / BUCKET / PREFIX).mkdir(parents=True)
    for path, offsets in {
        single(0, 0): range(5),
        single(0, 5): range(5, 9),
        compacted(0, 0, 9): range(9),
        single(0, 9): range(9, 12),
    }.items():
        parquet.write_table(pa.table({"kafka_offset": list(offsets)}), tmp_path / path)
    assert lake.count_rows(PREFIX) == 12
    rows = lake.read_table(spark, PREFIX).collect()
    assert sorted(row.kafka_offset for row in rows) == list(range(12))
