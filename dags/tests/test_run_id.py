"""Run ids: every DAG run has one that each hop accepts."""

import re

import pytest
from boxoffice_tasks.run_id import RUN_ID_PATTERN, run_id_of


def test_the_run_id_that_was_asked_for_is_kept() -> None:
    assert run_id_of("spring-2026", "manual__2026-11-23T20:25:48.804164+00:00") == "spring-2026"


@pytest.mark.parametrize("requested", [None, ""])
def test_without_one_it_is_made_from_the_dag_run(requested: str | None) -> None:
    made = run_id_of(requested, "manual__2026-11-23T20:25:48.804164+00:00")
    assert made == "manual__2026-11-23T20-25-48.804164-00-00"


def test_two_dag_runs_of_one_second_have_two_run_ids() -> None:
    first = run_id_of(None, "manual__2026-11-23T20:35:40.547170+00:00")
    second = run_id_of(None, "manual__2026-11-23T20:35:40.548279+00:00")
    assert first != second


@pytest.mark.parametrize("dag_run_id", ["scheduled__2026-11-23T03:00:00+00:00", "a~b:c+d", "é" * 9])
def test_what_is_made_is_a_run_id(dag_run_id: str) -> None:
    assert re.match(RUN_ID_PATTERN, run_id_of(None, dag_run_id))


def test_a_long_id_is_cut_to_what_a_run_id_may_have() -> None:
    assert run_id_of(None, "x" * 250) == "x" * 100


@pytest.mark.parametrize("refused", ["", "a b", "a/b", "a..b", ".", "x" * 101])
def test_what_a_hop_or_airflow_would_refuse_is_no_run_id(refused: str) -> None:
    assert not re.match(RUN_ID_PATTERN, refused)
