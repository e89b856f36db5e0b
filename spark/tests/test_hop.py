"""Tables that a hop writes side by side."""

import time
from pathlib import Path
from threading import Event

import pytest
from pyspark.sql import DataFrame

from spark.jobs.hop import TABLES_AT_ONCE, Hop
from spark.tests.local_lake import LocalLake

PATIENCE_SECONDS = 60
#: Which Spark would write to the end while a test waits for it.
ROWS_OF_A_MINUTE = 300_000_000


class Full(Exception):
    """What the store says of one table."""


def test_when_a_table_fails_those_being_written_are_and_no_other_is_begun(tmp_path: Path) -> None:
    class Lake(LocalLake):
        def write_table(self, table: DataFrame, prefix: str) -> int:
            del table
            name = prefix.rpartition("/")[2]
            begun.append(name)
            if name == "bad":
                assert is_writing.wait(PATIENCE_SECONDS)
                raise Full
            is_writing.set()
            deadline = time.monotonic() + PATIENCE_SECONDS
            while hop.failure is None:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            return 7

    begun: list[str] = []
    is_writing = Event()
    hop = Hop(Lake.at(tmp_path), "gold", "r1")
    hop.will_write(3)

    def others() -> None:
        hop.write({"first": None})
        hop.write({"second": None})

    with pytest.raises(Full):
        hop.side_by_side(others, lambda: hop.write({"bad": None}))
    assert sorted(begun) == ["bad", "first"]
    assert hop.tables == {"first": 7}


def test_when_a_table_fails_spark_gives_up_the_others(
    tmp_path: Path, remote: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lake(LocalLake):
        def write_table(self, table: DataFrame, prefix: str) -> int:
            if not prefix.endswith("/bad"):
                return super().write_table(table, prefix)
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not any(tmp_path.rglob("long/**/*.parquet")):
                assert time.monotonic() < deadline
                time.sleep(0.01)
            raise Full

    monkeypatch.setenv("SPARK_REMOTE", remote)
    hop = Hop(Lake.at(tmp_path), "gold", "r1")
    hop.will_write(2)
    with hop.session() as spark, pytest.raises(Full):
        hop.write({"long": spark.range(ROWS_OF_A_MINUTE), "bad": None})
    assert not any(tmp_path.rglob("long/_SUCCESS"))


def test_the_error_is_that_of_the_table_though_its_work_ends_after_the_others(
    tmp_path: Path,
) -> None:
    class Lake(LocalLake):
        def write_table(self, table: DataFrame, prefix: str) -> int:
            del table
            name = prefix.rpartition("/")[2]
            if name == "bad":
                raise Full
            if name == "beside":
                assert others_ended.wait(PATIENCE_SECONDS)
            return 0

    others_ended = Event()
    hop = Hop(Lake.at(tmp_path), "gold", "r1")
    hop.will_write(3)

    def others() -> None:
        try:
            while True:
                hop.write({"good": None})
        finally:
            others_ended.set()

    with pytest.raises(Full):
        hop.side_by_side(others, lambda: hop.write({"bad": None, "beside": None}))


def test_no_more_tables_are_written_at_once_than_there_are_slots(tmp_path: Path) -> None:
    class Lake(LocalLake):
        def write_table(self, table: DataFrame, prefix: str) -> int:
            del table, prefix
            writing.append(1)
            most.append(len(writing))
            if len(writing) >= TABLES_AT_ONCE:
                is_full.set()
            assert is_full.wait(PATIENCE_SECONDS)
            writing.pop()
            return 0

    writing: list[int] = []
    most: list[int] = []
    is_full = Event()
    hop = Hop(Lake.at(tmp_path), "gold", "r1")
    hop.will_write(12)
    hop.side_by_side(
        *(lambda at=at: hop.write({f"{at}-{n}": None for n in range(4)}) for at in "abc")
    )
    assert max(most) == TABLES_AT_ONCE
    assert len(hop.tables) == 12
