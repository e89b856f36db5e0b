"""A try of a hop that goes on when its task was given up and the next try has reported."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pytest
from pyarrow import parquet
from pyspark.sql import DataFrame

from spark.jobs import gold, silver
from spark.lake import Json, Lake
from spark.tests.local_lake import BUCKET, LocalLake
from spark.tests.test_jobs import RUN, put_bronze

PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class OutlivedLake(LocalLake):
    """Of a try whose task dies while Spark writes: its ratings come late, its report never."""

    is_writing: Event = field(default_factory=Event)
    may_write: Event = field(default_factory=Event)

    def write_table(self, table: DataFrame, prefix: str) -> int:
        if prefix.endswith("/rating"):
            self.is_writing.set()
            assert self.may_write.wait(PATIENCE_SECONDS)
        return super().write_table(table, prefix)

    def write_json(self, key: str, value: Json) -> None:
        if key == f"_runs/{RUN}/silver.json":
            raise ConnectionError("the task was killed")
        super().write_json(key, value)


def test_a_try_that_outlives_its_task_writes_where_nobody_looks(
    tmp_path: Path, remote: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = LocalLake.at(tmp_path)
    outlived = OutlivedLake.at(tmp_path)
    put_bronze(tmp_path, lake)
    lakes = iter([outlived, lake, lake])
    monkeypatch.setenv("SPARK_REMOTE", remote)
    monkeypatch.setattr(Lake, "from_environment", lambda: next(lakes))

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(silver.run, RUN)
        assert outlived.is_writing.wait(PATIENCE_SECONDS)
        second = silver.run(RUN)
        outlived.may_write.set()
        with pytest.raises(ConnectionError):
            first.result(PATIENCE_SECONDS)

    tries = sorted((tmp_path / BUCKET / "silver" / RUN).iterdir())
    assert len(tries) == 2
    for attempt in tries:
        assert parquet.read_table(attempt / "rating").num_rows == 4
    assert lake.read_json(f"_runs/{RUN}/silver.json")["prefix"] == second["prefix"]
    rows = gold.run(RUN)["rows"]
    assert rows["fact_rating"] == {"rows_in": 4, "rows_out": 3, "dropped": {"no_movie": 1}}
