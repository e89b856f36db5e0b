"""The DAG files: they parse, and what they state is what the box relies on."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, CronTriggerTimetable
from airflow.serialization.decoders import decode_timetable
from airflow.serialization.encoders import encode_timetable
from airflow.timetables.base import TimeRestriction
from airflow.utils.timezone import coerce_datetime
from boxoffice_tasks.ingest_tasks import DATASETS

DAGS = Path(__file__).parents[1]
ROADS = ["boxoffice", "ingest", "transform", "publish"]
SCHEDULES = {"boxoffice_daily": "0 3 * * *", "boxoffice_weekly": "0 3 * * 1"}


@pytest.fixture(scope="module")
def dag_bag() -> DagBag:
    return DagBag(str(DAGS))


@pytest.fixture(scope="module")
def dags(dag_bag: DagBag) -> dict[str, DAG]:
    return dag_bag.dags


def test_every_dag_file_is_imported_without_an_error(dag_bag: DagBag) -> None:
    assert dag_bag.import_errors == {}
    assert sorted(dag_bag.dags) == sorted([*ROADS, *SCHEDULES])


def test_parsing_costs_less_than_a_second_of_work_because_the_processor_repeats_it() -> None:
    DagBag(str(DAGS))
    started = time.process_time()
    DagBag(str(DAGS))
    assert time.process_time() - started < 1


def test_parsing_imports_nothing_that_only_tasks_need() -> None:
    script = (
        "import sys, runpy\n"
        "for file in sys.argv[1:]: runpy.run_path(file)\n"
        "print([m for m in ('pyspark', 'dbt', 'pyarrow', 'pandas', 'scipy') if m in sys.modules])"
    )
    files = [str(file) for file in DAGS.glob("*.py")]
    parsed = subprocess.run(
        [sys.executable, "-c", script, *files],
        env={**os.environ, "PYTHONPATH": f"{DAGS.parent}:{DAGS}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert parsed.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("dag_id", "edges"),
    [
        (
            "boxoffice",
            {
                **{f"ingest.load_{name}": {"transform.silver"} for name in DATASETS},
                "transform.silver": {"transform.gold"},
                "transform.gold": {"publish.load_warehouse"},
                "publish.load_warehouse": {"publish.dbt_build"},
                "publish.dbt_build": {"publish.publish_version"},
                "publish.publish_version": set(),
            },
        ),
        ("ingest", {f"load_{name}": set() for name in DATASETS}),
        ("transform", {"silver": {"gold"}, "gold": set()}),
        (
            "publish",
            {
                "load_warehouse": {"dbt_build"},
                "dbt_build": {"publish_version"},
                "publish_version": set(),
            },
        ),
        ("boxoffice_daily", {"start": set()}),
        ("boxoffice_weekly", {"start": set()}),
    ],
)
def test_tasks_run_in_the_order_of_the_road(
    dags: dict[str, DAG], dag_id: str, edges: dict[str, set[str]]
) -> None:
    assert {task.task_id: task.downstream_task_ids for task in dags[dag_id].tasks} == edges


def test_every_task_is_tried_again_soon_and_ends_in_time(dags: dict[str, DAG]) -> None:
    for dag in dags.values():
        assert dag.dagrun_timeout is not None, dag.dag_id
        for task in dag.tasks:
            assert task.retries == 2, task
            assert task.retry_delay == timedelta(seconds=5), task
            assert task.retry_exponential_backoff == 2.0, task
            assert task.execution_timeout is not None, task


def test_every_dag_says_what_it_does_and_from_what_to_what(dags: dict[str, DAG]) -> None:
    for dag in dags.values():
        assert dag.doc_md is not None
        assert "**In:**" in dag.doc_md
        assert "**Out:**" in dag.doc_md


def test_only_the_schedules_are_paused_at_first_so_that_nothing_runs_unasked(
    dags: dict[str, DAG],
) -> None:
    assert {name: dag.is_paused_upon_creation for name, dag in dags.items()} == {
        **dict.fromkeys(ROADS, False),
        **dict.fromkeys(SCHEDULES, True),
    }


def test_daily_and_weekly_runs_start_at_three_and_make_up_for_nothing(
    dags: dict[str, DAG],
) -> None:
    for name, cron in SCHEDULES.items():
        assert isinstance(dags[name].schedule, CronTriggerTimetable)
        assert dags[name].schedule.expression == cron
        assert not dags[name].catchup
        assert dags[name].get_task("start").trigger_dag_id == "boxoffice"
    for name in ROADS:
        assert dags[name].schedule is None


def test_a_schedule_that_is_first_wanted_soon_after_its_time_begins_with_the_next(
    dags: dict[str, DAG], monkeypatch: pytest.MonkeyPatch
) -> None:
    monday_at_four = datetime(2026, 11, 23, 4, tzinfo=UTC)
    now = coerce_datetime(monday_at_four)
    monkeypatch.setattr("airflow.timetables.trigger.utcnow", lambda: now)
    for name, days in {"boxoffice_daily": 1, "boxoffice_weekly": 7}.items():
        timetable = decode_timetable(encode_timetable(dags[name].schedule))
        first = timetable.next_dagrun_info(
            last_automated_data_interval=None,
            restriction=TimeRestriction(earliest=None, latest=None, catchup=False),
        )
        assert first is not None
        assert first.run_after == monday_at_four + timedelta(days=days, hours=-1)


def test_whole_runs_and_publications_are_one_at_a_time(dags: dict[str, DAG]) -> None:
    assert {name: dags[name].max_active_runs for name in ROADS} == {
        "boxoffice": 1,
        "ingest": 2,
        "transform": 2,
        "publish": 1,
    }


def test_what_a_schedule_starts_has_a_deadline_and_so_has_the_start(dags: dict[str, DAG]) -> None:
    with_deadline = sorted(name for name, dag in dags.items() if dag.deadline)
    assert with_deadline == ["boxoffice", *sorted(SCHEDULES)]
    for name in with_deadline:
        assert [alert.name for alert in dags[name].deadline] == ["late run"]


def test_a_run_can_be_asked_for_what_the_services_understand(dags: dict[str, DAG]) -> None:
    asked = {"edition": None, "append": None, "full_refresh": False, "allow_older": False}
    defaults = {"run_id": None, **asked}
    assert dags["boxoffice"].params.dump() == {**defaults, "reuse_loads": False}
    assert dags["ingest"].params.dump() == defaults
    assert dags["transform"].params.dump() == {"run_id": None, "allow_older": False}
    assert set(dags["publish"].params) == {"run_id", "allow_older"}
