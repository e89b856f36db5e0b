"""Which objects below a prefix are a table's."""

import shutil
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet
from pyspark.sql import SparkSession

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
