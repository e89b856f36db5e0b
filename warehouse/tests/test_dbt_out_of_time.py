"""A task that runs out of time while dbt waits in the warehouse ends, and so do dbt's queries."""

import signal
import time
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowTaskTimeout
from boxoffice_tasks.dbt_invocation import run_dbt
from psycopg2.extensions import connection as Connection

PROJECT = Path(__file__).parents[1] / "dbt"
QUERIES = "select count(*) from pg_stat_activity where application_name = 'boxoffice-dbt'"


def queries(connection: Connection) -> int:
    """How many dbt has in the warehouse. Ends the transaction, in which Postgres repeats itself."""
    connection.rollback()
    with connection.cursor() as cursor:
        cursor.execute(QUERIES)
        return cursor.fetchone()[0]


class Uncounted:
    """Takes the place of the progress that is told in the lake."""

    def one_done(self, *, of: int) -> None:
        """Nobody looks."""


def test_a_task_out_of_time_ends_with_dbts_queries(
    warehouse: dict[str, str],
    connection: Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {**warehouse, "RUN_ID": "r1"}.items():
        monkeypatch.setenv(name, value)

    def alarm(_number: int, _frame: object) -> None:
        raise AirflowTaskTimeout

    before = signal.signal(signal.SIGALRM, alarm)
    looks = connection.cursor()
    looks.execute("lock table gold.dim_genre in access exclusive mode")
    places = ("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT))
    written = ("--target-path", str(tmp_path / "target"), "--log-path", str(tmp_path / "logs"))
    begin = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, 10)
    try:
        with pytest.raises(AirflowTaskTimeout):
            run_dbt(["--quiet", "build", *places, *written], Uncounted())
    finally:
        signal.signal(signal.SIGALRM, before)
    assert 10 <= time.monotonic() - begin < 30
    until = time.monotonic() + 10
    while queries(connection) > 0:
        assert time.monotonic() < until, "dbt's queries go on"
        time.sleep(0.1)
