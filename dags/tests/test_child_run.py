"""A hop of the whole road: another try must find the run that the first one started."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, DagRunTriggerException
from boxoffice_tasks import child_run
from boxoffice_tasks.child_run import ChildRunOperator

PARAMS = {"run_id": "r1", "edition": None, "full_refresh": True, "allow_older": False}


class AirflowAsSeenByATask:
    """What Airflow tells a task about another DAG's runs: the states of one run, in turn."""

    def __init__(self, *states: str) -> None:
        self.states = list(states)
        self.asked: list[tuple[str, str]] = []

    def get_dr_count(self, dag_id: str, run_ids: list[str]) -> int:
        return 1 if self.states else 0

    def get_dagrun_state(self, dag_id: str, run_id: str) -> str:
        self.asked.append((dag_id, run_id))
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def get_dag(self, dag_id: str) -> SimpleNamespace:
        return SimpleNamespace(is_paused=False)


@pytest.fixture
def ingest(monkeypatch: pytest.MonkeyPatch) -> ChildRunOperator:
    monkeypatch.setattr(child_run, "POLL_SECONDS", 0)
    return ChildRunOperator(
        task_id="ingest", trigger_dag_id="ingest", execution_timeout=timedelta(hours=1)
    )


def context(airflow: AirflowAsSeenByATask, params: dict[str, Any] = PARAMS) -> Any:  # noqa: ANN401
    return {
        "params": params,
        "ti": airflow,
        "dag_run": SimpleNamespace(run_id="manual__2026-11-23T20:25:48+00:00"),
    }


def test_the_first_try_triggers_a_run_named_by_the_run_id_and_waits(
    ingest: ChildRunOperator,
) -> None:
    with pytest.raises(DagRunTriggerException) as raised:
        ingest.execute(context(AirflowAsSeenByATask()))
    assert raised.value.dag_run_id == "r1"
    assert raised.value.conf == PARAMS
    assert raised.value.logical_date is None
    assert raised.value.wait_for_completion


def test_without_a_run_id_all_children_get_the_one_made_from_the_parent(
    ingest: ChildRunOperator,
) -> None:
    with pytest.raises(DagRunTriggerException) as raised:
        ingest.execute(context(AirflowAsSeenByATask(), {**PARAMS, "run_id": None}))
    assert raised.value.dag_run_id == "manual__2026-11-23T20-25-48-00-00"
    assert raised.value.conf["run_id"] == "manual__2026-11-23T20-25-48-00-00"


def test_there_is_no_child_where_the_run_asks_for_none() -> None:
    ingest = ChildRunOperator(
        task_id="ingest",
        trigger_dag_id="ingest",
        unless="reuse_loads",
        execution_timeout=timedelta(hours=1),
    )
    ingest.execute(context(AirflowAsSeenByATask(), {**PARAMS, "reuse_loads": True}))
    with pytest.raises(DagRunTriggerException):
        ingest.execute(context(AirflowAsSeenByATask(), {**PARAMS, "reuse_loads": False}))


def test_another_try_waits_for_the_child_that_runs(ingest: ChildRunOperator) -> None:
    airflow = AirflowAsSeenByATask("queued", "running", "success")
    ingest.execute(context(airflow))
    assert airflow.asked == [("ingest", "r1")] * 3


def test_another_try_is_content_with_the_child_that_succeeded(ingest: ChildRunOperator) -> None:
    ingest.execute(context(AirflowAsSeenByATask("success")))


def test_another_try_clears_the_child_that_failed(ingest: ChildRunOperator) -> None:
    with pytest.raises(DagRunTriggerException) as raised:
        ingest.execute(context(AirflowAsSeenByATask("failed")))
    assert raised.value.reset_dag_run


def test_a_child_that_fails_while_it_is_waited_for_fails_the_task_for_good(
    ingest: ChildRunOperator,
) -> None:
    airflow = AirflowAsSeenByATask("running", "failed")
    with pytest.raises(AirflowFailException, match="the ingest run r1 failed"):
        ingest.execute(context(airflow))
