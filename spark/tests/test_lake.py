"""Which objects below a prefix are a table's, and what their footers prove."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from pyspark.sql import SparkSession

from spark.footers import ASCENDING_KEYS
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
    footers = lake.footers("ratings")
    assert footers.have_unique_keys(KEY)
    assert not footers.have_unique_keys(("movie_id", "user_id"))
    assert footers.range_of("user_id") == (1, 9)
    assert footers.range_of("movie_id") == (1, 9)


def test_no_range_is_known_of_nothing_and_of_what_has_no_statistics(tmp_path: Path) -> None:
    folder = tmp_path / BUCKET / "ratings"
    write_group(folder, 0)
    assert LocalLake.at(tmp_path).footers("ratings").range_of("user_id") is None
    write_group(folder, 1, (1, 5))
    table = pa.table({"user_id": [7], "movie_id": [7]})
    parquet.write_table(table, folder / "group-2.parquet", write_statistics=False)
    assert LocalLake.at(tmp_path).footers("ratings").range_of("user_id") is None


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
    assert not lake.footers("ratings").have_unique_keys(KEY)


@pytest.mark.parametrize(
    ("stars", "is_within"),
    [
        pytest.param([0.5, 5.0], True, id="each from least to most"),
        pytest.param([0.5, None], False, id="one is missing"),
        pytest.param([0.5, 10.0], False, id="one is above most"),
        pytest.param([-0.5, 5.0], False, id="one is below least"),
        pytest.param([], True, id="no row"),
    ],
)
def test_footers_tell_whether_every_row_has_a_value_within_limits(
    tmp_path: Path, stars: list[float | None], is_within: bool
) -> None:
    folder = tmp_path / BUCKET / "ratings"
    folder.mkdir(parents=True)
    for number, values in enumerate([[1.0], stars]):
        table = pa.table({"rating": pa.array(values, pa.float64())})
        parquet.write_table(table, folder / f"group-{number}.parquet")
    footers = LocalLake.at(tmp_path).footers("ratings")
    assert footers.have_values_within("rating", 0.0, 9.9) is is_within


def test_footers_without_statistics_prove_nothing(tmp_path: Path) -> None:
    folder = tmp_path / BUCKET / "ratings"
    folder.mkdir(parents=True)
    parquet.write_table(
        pa.table({"rating": [1.0]}), folder / "group-0.parquet", write_statistics=False
    )
    assert not LocalLake.at(tmp_path).footers("ratings").have_values_within("rating", 0.0, 9.9)
