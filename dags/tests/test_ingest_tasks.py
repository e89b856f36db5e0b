"""The tasks from source to bronze, called as Airflow calls them."""

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException
from boxoffice_tasks import this_run
from boxoffice_tasks.ingest_tasks import ingest_tasks
from http_service import Service, http_service

LOAD = {"id": "r1.links", "state": "done", "result": {"load_id": "0123-v1"}}


def load_links(
    monkeypatch: pytest.MonkeyPatch, service: Service, **params: object
) -> list[tuple[str, Any]]:
    """Runs the task of the links; what it asked the services for."""
    monkeypatch.setenv("INGEST_URL", service.url)
    monkeypatch.setenv("LOADER_URL", service.url)
    context = {
        "params": {"run_id": "r1", **params},
        "dag_run": SimpleNamespace(run_id="r1"),
        "ti": SimpleNamespace(dag_id="ingest", task_id="load_links", try_number=1, max_tries=2),
    }
    monkeypatch.setattr(this_run, "get_current_context", lambda: context)
    with DAG("ingest") as dag:
        ingest_tasks()
    dag.get_task("load_links").python_callable("links")
    return [(path, request) for _, path, request in service.asked]


def test_a_dataset_is_loaded_and_then_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    with http_service((202, LOAD), (202, {**LOAD, "result": {}})) as service:
        asked = load_links(monkeypatch, service, edition="/editions/may")
    load = {"run_id": "r1", "dataset": "links", "full_refresh": False, "edition": "/editions/may"}
    assert asked == [
        ("/loads", load),
        ("/seals", {"run_id": "r1", "dataset": "links", "load_id": "0123-v1"}),
    ]


def test_a_dataset_without_a_file_to_append_is_not_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    with http_service((202, {**LOAD, "result": {"load_id": None}})) as service:
        asked = load_links(monkeypatch, service, append="/more")
    load = {"run_id": "r1", "dataset": "links", "full_refresh": False, "append": "/more"}
    assert asked == [("/loads", load)]


def test_nothing_is_loaded_where_the_loads_of_before_are_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with http_service() as service:
        assert load_links(monkeypatch, service, reuse_loads=True) == []


def test_nothing_can_be_appended_to_loads_that_are_reused(monkeypatch: pytest.MonkeyPatch) -> None:
    with http_service() as service, pytest.raises(AirflowFailException, match="ask for one"):
        load_links(monkeypatch, service, append="/more", reuse_loads=True)
    assert service.asked == []
