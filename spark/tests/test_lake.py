"""Which objects below a prefix are a table's, and what their footers prove."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from pyspark.sql import SparkSession

from spark.lake import ASCENDING_KEYS
from spark.tests.conftest import rows_of
from spark.tests.local_lake import BUCKET, LocalLake


def test_an_object_that_is_being_written_under_a_temporary_name_is_no_part_of_a_table(
    tmp_path: Path, spark: SparkSession
) -> None:
    lake = LocalLake.at(tmp_path)
    folder = tmp_path / BUCKET / "table"
    folder.mkdir(parents=True)
    parquet.write_table(pa.table({"n": [1, 2]}), folder / "group-0.parquet")
    shutil.copy(folder / "group-0.parquet", folder / "group-0.parquet-5c2c1c5e")
    assert lake.count_rows("table") == 2
    assert rows_of(lake.read_table(spark, "table")) == [(1,), (2,)]


KEY = ("user_id", "movie_id")


def write_group(folder: Path, group: int, *pairs: tuple[int, int], stated: bool = True) -> None:
    """An object as the loader writes it, whose footer states the keys unless it is not to."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = {"columns": KEY, "first": pairs[0], "last": pairs[-1]} if pairs and stated else None
    footer = {ASCENDING_KEYS: json.dumps(keys)} if keys else None
    columns = {name: [pair[at] for pair in pairs] for at, name in enumerate(KEY)}
    schema = pa.schema([(name, pa.int32()) for name in KEY], metadata=footer)
    parquet.write_table(pa.table(columns, schema=schema), folder / f"group-{group}.parquet")


def test_keys_are_unique_when_each_object_ascends_and_begins_after_the_one_before(
    tmp_path: Path,
) -> None:
    lake = LocalLake.at(tmp_path)
    folder = tmp_path / BUCKET / "ratings"
    write_group(folder, 0, (1, 5), (2, 1))
    # Of an object without rows nothing is stated.
    write_group(folder, 2)
    write_group(folder, 1, (2, 3), (9, 9))
    assert lake.has_unique_keys("ratings", KEY)
    assert not lake.has_unique_keys("ratings", ("movie_id", "user_id"))


@pytest.mark.parametrize(
    "group",
    [
        pytest.param({"pairs": [(2, 1), (9, 9)]}, id="begins with the last key of the one before"),
        pytest.param({"pairs": [(1, 7), (9, 9)]}, id="begins within the one before"),
        pytest.param({"pairs": [(7, 1), (9, 9)], "stated": False}, id="states nothing"),
    ],
)
def test_keys_may_repeat_when_an_object(tmp_path: Path, group: dict[str, Any]) -> None:
    lake = LocalLake.at(tmp_path)
    folder = tmp_path / BUCKET / "ratings"
    write_group(folder, 0, (1, 5), (2, 1))
    write_group(folder, 1, *group["pairs"], stated=group.get("stated", True))
    assert not lake.has_unique_keys("ratings", KEY)
