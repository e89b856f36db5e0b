"""dbt is followed while it runs: its lines go to the task's log, its nodes to the progress."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from boxoffice_tasks.dbt_process import nodes_when_one_ended, run_dbt

#: Lines of dbt 1.11.
OUTPUT = """\
20:28:20  Running with dbt=1.11.16
20:28:22  Found 20 models, 4 data tests, 12 sources, 500 macros
20:28:22  Concurrency: 4 threads (target='warehouse')
20:28:22  1 of 1 START hook: boxoffice.on-run-start.0 ............................ [RUN]
20:28:22  1 of 1 OK hook: boxoffice.on-run-start.0 ............................... [OK in 0.02s]
20:28:22  1 of 5 START sql incremental model mart_versions.genre_revenue ......... [RUN]
20:28:22  2 of 5 START test is_key_stg_dim_genre_genre_id ........................ [RUN]
20:28:23  2 of 5 PASS is_key_stg_dim_genre_genre_id .............................. [PASS in 0.05s]
20:28:23  1 of 5 OK created sql incremental model mart_versions.genre_revenue .... [INSERT 0 20 in 0.30s]
20:28:23  3 of 5 FAIL 2 genre_revenue_adds_up .................................... [FAIL 2 in 0.05s]
20:28:23  4 of 5 ERROR creating sql incremental model mart_versions.release_timing [ERROR in 0.05s]
20:28:23  5 of 5 SKIP relation mart_versions.highest_rated ....................... [SKIP]
20:28:24  Done. PASS=2 WARN=0 ERROR=2 SKIP=1 NO-OP=0 TOTAL=5
"""  # noqa: E501


class Counted:
    """Takes the place of the progress that is told in the lake."""

    def __init__(self, then: Callable[[int], None]) -> None:
        self.count = 0
        self.then = then

    def one_done(self, *, of: int) -> None:
        self.count += 1
        assert of == 5
        self.then(self.count)


class OutOfTime(BaseException):
    """As Airflow raises it in a task."""


#: Says what dbt says, then goes on until the given file is there, or for a minute.
DBT = """
import pathlib, sys, time
print(sys.argv[1], end="", flush=True)
answer = pathlib.Path(sys.argv[2])
for _ in range(600):
    if answer.exists():
        sys.exit(1)
    time.sleep(0.1)
answer.with_name("to-its-end").touch()
"""


def dbt(answer: Path) -> list[str]:
    return [sys.executable, "-c", DBT, OUTPUT, str(answer)]


def test_nodes_count_when_they_end_and_not_when_they_start_and_hooks_never() -> None:
    ended = [line for line in OUTPUT.splitlines() if nodes_when_one_ended(line)]
    assert [line.split()[4] for line in ended] == ["PASS", "OK", "FAIL", "ERROR", "SKIP"]
    assert {nodes_when_one_ended(line) for line in ended} == {5}


def test_lines_and_progress_come_while_dbt_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = tmp_path / "answer"
    progress = Counted(lambda count: answer.touch() if count == 5 else None)
    assert run_dbt(dbt(answer), os.environ, progress) == (1, OUTPUT)
    assert capsys.readouterr().out == OUTPUT
    assert progress.count == 5


def test_a_task_that_is_stopped_leaves_no_dbt_behind(tmp_path: Path) -> None:
    def stop(_count: int) -> None:
        raise OutOfTime

    with pytest.raises(OutOfTime):
        run_dbt(dbt(tmp_path / "answer"), os.environ, Counted(stop))
    assert not (tmp_path / "to-its-end").exists()
