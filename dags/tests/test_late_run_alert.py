"""What is said of a late run, with what Airflow hands to the callback of a deadline."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from boxoffice_tasks import webhook
from boxoffice_tasks.late_run_alert import report_late_run
from http_service import http_service

TOKEN = "token-that-nobody-may-read"
DUE = datetime(2026, 11, 24, 4, 0, 1, tzinfo=UTC)
DOCUMENT = {
    "alert": "late_run",
    "id": "01a20caf-610c-74c6-ac12-4b441e53340e",
    "text": "boxoffice run daily-20261124T030000 is late: it was due at 2026-11-24T04:00:01Z "
    "and is running",
    "dag": "boxoffice",
    "run_id": "daily-20261124T030000",
    "state": "running",
    "queued_at": "2026-11-24T03:00:01Z",
    "deadline": "2026-11-24T04:00:01Z",
    "url": "http://127.0.0.1:18080/dags/boxoffice/runs/daily-20261124T030000",
}


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "http://127.0.0.1:18080")
    monkeypatch.delenv("ALERT_WEBHOOK_URL", raising=False)
    monkeypatch.setattr(webhook, "FIRST_PAUSE_SECONDS", 0)
    caplog.set_level(logging.DEBUG)


def context(state: str = "running", due: datetime | str = DUE) -> dict[str, Any]:
    return {
        "dag_run": {
            "dag_id": "boxoffice",
            "dag_run_id": "daily-20261124T030000",
            "state": state,
            "queued_at": "2026-11-24T03:00:01Z",
        },
        "deadline": {"id": DOCUMENT["id"], "deadline_time": due},
    }


def said(caplog: pytest.LogCaptureFixture, word: str) -> list[dict[str, Any]]:
    """The documents of the lines that begin with a word."""
    lines = [record.getMessage() for record in caplog.records]
    return [json.loads(line.split(" ", 1)[1]) for line in lines if line.split(" ")[0] == word]


@pytest.mark.parametrize("due", [DUE, DUE.isoformat()])
def test_without_a_webhook_one_line_of_the_log_says_it(
    caplog: pytest.LogCaptureFixture, due: datetime | str
) -> None:
    report_late_run(context(due=due))
    assert said(caplog, "late_run") == [DOCUMENT]
    assert not said(caplog, "late_run_webhook_sent")


def test_the_webhook_gets_the_document_of_the_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http_service((200, b"ok")) as hook:
        monkeypatch.setenv("ALERT_WEBHOOK_URL", f"{hook.url}/{TOKEN}")
        report_late_run(context())
    assert hook.asked == [("POST", f"/{TOKEN}", DOCUMENT)]
    assert said(caplog, "late_run") == [DOCUMENT]
    assert len(said(caplog, "late_run_webhook_sent")) == 1


def test_a_webhook_that_fails_is_logged_without_its_address_and_raises_nothing(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http_service((404, b"")) as hook:
        monkeypatch.setenv("ALERT_WEBHOOK_URL", f"{hook.url}/{TOKEN}")
        report_late_run(context())
    assert said(caplog, "late_run") == [DOCUMENT]
    assert [failure["reason"] for failure in said(caplog, "late_run_webhook_failed")] == [
        "HTTP 404"
    ]
    own = [record.getMessage() for record in caplog.records if "late_run" in record.getMessage()]
    assert TOKEN not in "".join(own)


def test_a_failed_run_is_late_too_because_its_answers_are_missing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    report_late_run(context("failed"))
    assert [document["state"] for document in said(caplog, "late_run")] == ["failed"]


def test_a_run_that_has_succeeded_in_between_is_not_late(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http_service() as hook:
        monkeypatch.setenv("ALERT_WEBHOOK_URL", hook.url)
        report_late_run(context("success"))
    assert hook.asked == []
    assert not said(caplog, "late_run")
