"""A try of a hop whose task was given up, and that goes on when the next try has reported."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from types import ModuleType

import pytest
from pyarrow import parquet
from pyspark.sql import DataFrame

from spark.jobs import gold, silver
from spark.jobs.outlived_try import OutlivedTry
from spark.lake import Lake
from spark.tests.local_lake import BUCKET, LocalLake
from spark.tests.test_jobs import RUN, put_bronze

PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class SleepyLake(LocalLake):
    """Of a try that falls asleep while it writes ratings."""

    is_asleep: Event = field(default_factory=Event)
    may_wake: Event = field(default_factory=Event)

    def write_table(self, table: DataFrame, prefix: str) -> int:
        if prefix.endswith("rating"):
            self.is_asleep.set()
            assert self.may_wake.wait(PATIENCE_SECONDS)
        return super().write_table(table, prefix)


@pytest.mark.parametrize(("hop", "table"), [(silver, "rating"), (gold, "agg_movie_rating")])
def test_a_try_that_wakes_after_the_next_has_reported_neither_reports_nor_writes_where_it_does(
    hop: ModuleType,
    table: str,
    tmp_path: Path,
    remote: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lake = LocalLake.at(tmp_path)
    sleepy = SleepyLake.at(tmp_path)
    put_bronze(tmp_path, lake)
    monkeypatch.setenv("SPARK_REMOTE", remote)
    monkeypatch.setattr(Lake, "from_environment", lambda: lake)
    if hop is gold:
        silver.run(RUN)
    lakes = iter([sleepy, lake, lake])
    monkeypatch.setattr(Lake, "from_environment", lambda: next(lakes))

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(hop.run, RUN)
        assert sleepy.is_asleep.wait(PATIENCE_SECONDS)
        second = hop.run(RUN)
        sleepy.may_wake.set()
        with pytest.raises(OutlivedTry, match=f"newer try of {second['hop']} of run {RUN}"):
            first.result(PATIENCE_SECONDS)

    assert lake.read_json(f"_runs/{RUN}/{second['hop']}.json") == second
    tries = sorted((tmp_path / BUCKET / second["hop"] / RUN).iterdir())
    assert len(tries) == 2
    for attempt in tries:
        assert parquet.read_table(attempt / table).num_rows == second["tables"][table]
    if hop is silver:
        rows = gold.run(RUN)["rows"]
        assert rows["fact_rating"] == {"rows_in": 4, "rows_out": 3, "dropped": {"no_movie": 1}}
