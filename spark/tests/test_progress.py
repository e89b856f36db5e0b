import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pyarrow.fs import LocalFileSystem, SubTreeFileSystem

from spark.lake import Lake
from spark.progress import Progress
from spark.tests.local_lake import LocalLake

KEY = "_progress/r1/silver.json"


def test_what_is_done_is_told_from_the_beginning_and_from_any_thread(tmp_path: Path) -> None:
    lake = LocalLake.at(tmp_path)
    progress = Progress(lake, "r1", "silver", "tables", total=20)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(20):
            pool.submit(progress.one_done)
    assert lake.read_json(KEY) == {"done": 20, "total": 20, "unit": "tables"}
    assert [told["done"] for told in lake.written[KEY]] == list(range(21))


def test_a_total_may_come_later_and_many_steps_are_told_now_and_then_but_the_last_one_always(
    tmp_path: Path,
) -> None:
    lake = LocalLake.at(tmp_path)
    progress = Progress(lake, "r1", "silver", "nodes", seconds_between=3600)
    for _ in range(50):
        progress.one_done(of=50)
    assert lake.written[KEY] == [
        {"done": 0, "total": None, "unit": "nodes"},
        {"done": 50, "total": 50, "unit": "nodes"},
    ]


def test_a_lake_that_does_not_take_it_stops_nothing_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    no_such_folder = SubTreeFileSystem(str(tmp_path / "none"), LocalFileSystem())
    with caplog.at_level(logging.WARNING):
        Progress(Lake("lake", no_such_folder), "r1", "silver", "tables", total=1).one_done()
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "could not be written" in caplog.text
