"""What is made of dbt's results: the run's report, and one error that names what failed."""

from datetime import UTC, datetime
from typing import Any

import pytest
from boxoffice_tasks.dbt_build import (
    UNFINISHED,
    DataTestsFailed,
    DbtFailed,
    dbt_report,
    raise_for_failures,
    with_remedy,
)

STARTED_AT = datetime(2026, 11, 23, 20, tzinfo=UTC)
PREFIX = "gold/r1/try1"


def result(node: str, status: str, message: str | None = None) -> dict[str, Any]:
    return {"unique_id": node, "status": status, "message": message}


BUILT = [
    result("model.boxoffice.genre_revenue", "success", "INSERT 0 20"),
    result("test.boxoffice.not_null_genre_revenue_genre.0a1b", "pass"),
]
FAILED_TEST = result("test.boxoffice.gold_adds_up.2c3d", "fail", "Got 2 results, expected 0")
SKIPPED = result("model.boxoffice.popular_genres", "skipped")


def test_the_report_counts_models_and_tests_and_names_failures_but_not_what_they_held_up() -> None:
    report = dbt_report("r1", PREFIX, STARTED_AT, [*BUILT, FAILED_TEST, SKIPPED])
    assert {
        name: report[name] for name in ("hop", "run_id", "prefix", "models", "tests_passed")
    } == {
        "hop": "dbt",
        "run_id": "r1",
        "prefix": PREFIX,
        "models": 1,
        "tests_passed": 1,
    }
    assert report["failures"] == [
        {"name": "gold_adds_up", "status": "fail", "message": "Got 2 results, expected 0"}
    ]


def test_a_failed_test_is_not_tried_again_for_the_data_stays_the_same() -> None:
    failures = dbt_report("r1", PREFIX, STARTED_AT, [*BUILT, FAILED_TEST])["failures"]
    with pytest.raises(DataTestsFailed) as raised:
        raise_for_failures(failures)
    assert str(raised.value).splitlines() == [
        "dbt: 1 failed: gold_adds_up",
        "gold_adds_up: Got 2 results, expected 0",
    ]


def test_an_error_of_the_warehouse_is_tried_again() -> None:
    failures = dbt_report(
        "r1",
        PREFIX,
        STARTED_AT,
        [result("model.boxoffice.genre_revenue", "error", "connection lost")],
    )["failures"]
    with pytest.raises(DbtFailed, match="genre_revenue"):
        raise_for_failures(failures)


def test_what_was_skipped_fails_the_run_when_nothing_says_why() -> None:
    failures = dbt_report("r1", PREFIX, STARTED_AT, [*BUILT, SKIPPED])["failures"]
    assert failures == [{"name": "popular_genres", "status": "skipped", "message": ""}]
    with pytest.raises(DbtFailed, match="popular_genres"):
        raise_for_failures(failures)


def test_until_dbt_has_ended_its_report_is_a_failure() -> None:
    report = dbt_report("r1", PREFIX, STARTED_AT, [UNFINISHED])
    assert report["tests_passed"] == 0
    assert [failure["name"] for failure in report["failures"]] == ["dbt did not finish"]


def test_nothing_is_raised_when_nothing_failed() -> None:
    raise_for_failures(dbt_report("r1", PREFIX, STARTED_AT, BUILT)["failures"])


@pytest.mark.parametrize(
    "said",
    [
        'connection to server at "warehouse", port 5432 failed: FATAL:  the database system is in '
        "recovery mode",
        "server closed the connection unexpectedly",
    ],
)
def test_a_warehouse_that_ended_is_told_with_what_to_do(said: str) -> None:
    failures = [
        {"name": "genre_revenue", "status": "error", "message": f"Database Error\n  {said}"}
    ]
    with pytest.raises(DbtFailed, match=r"(?s)genre_revenue.*logs warehouse.*WAREHOUSE_MEMORY"):
        raise_for_failures(failures)


def test_another_failure_of_dbt_is_told_as_it_is() -> None:
    assert with_remedy("dbt stopped: syntax error") == "dbt stopped: syntax error"
