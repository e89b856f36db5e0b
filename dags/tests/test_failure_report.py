"""What a client reads of a failure."""

import json
import logging

import pytest
from boxoffice_tasks.failure_report import code_of, failure_report, message_of
from boxoffice_tasks.service_job import ServiceFailed, ServiceRefused

from spark.jobs.outlived_try import OutlivedTry


class RpcError(Exception):
    """As gRPC's, whose code is a method."""

    def code(self) -> int:
        return 14


def test_a_message_written_for_people_is_kept_whole() -> None:
    message = "movies.csv is empty\n  expected: a header and records"
    assert message_of(ServiceRefused("empty_source", message)) == message


def test_of_any_other_failure_the_kind_and_the_first_line_are_shown() -> None:
    failure = RuntimeError("[TABLE_NOT_FOUND] no table\n\nJVM stacktrace:\n\tat org.apache…")
    assert message_of(failure) == "RuntimeError: [TABLE_NOT_FOUND] no table"


def test_a_failure_without_a_message_is_named() -> None:
    assert message_of(KeyboardInterrupt()) == "KeyboardInterrupt"


def test_only_a_text_is_a_code() -> None:
    assert code_of(ServiceRefused("empty_source", "")) == "empty_source"
    assert code_of(RpcError()) is code_of(SystemExit(1)) is code_of(KeyError()) is None
    assert message_of(RpcError("away\nmore")) == "RpcError: away"


def test_a_failure_is_in_the_log_where_the_lake_takes_no_report(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # Without it there is no lake to write to.
    monkeypatch.delenv("S3_BUCKET", raising=False)
    refused = ServiceRefused("disk_full", "the lake's disk has no space left")
    with (
        caplog.at_level(logging.ERROR),
        pytest.raises(ServiceRefused),
        failure_report("run-1", dag="ingest", task="ingest.load_movies"),
    ):
        raise refused
    first, second = [record.getMessage() for record in caplog.records]
    marker, report = first.split(" ", 1)
    assert marker == "run_failure"
    assert (
        json.loads(report).items()
        >= {
            "run_id": "run-1",
            "dag": "ingest",
            "task": "ingest.load_movies",
            "code": "disk_full",
            "message": str(refused),
        }.items()
    )
    assert second == "the failure could not be written to the lake"


def test_a_try_that_a_newer_one_took_over_from_is_no_failure_of_the_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with (
        caplog.at_level(logging.ERROR),
        pytest.raises(OutlivedTry),
        failure_report("run-1", dag="boxoffice", task="transform.silver"),
    ):
        raise OutlivedTry("a newer try has begun")
    assert not caplog.records


@pytest.mark.parametrize(
    ("failure", "has_more_tries", "tried_again"),
    [
        (ServiceFailed("unreachable", "no answer"), True, True),
        (ServiceFailed("unreachable", "no answer"), False, False),
        (ServiceRefused("empty_source", "movies.csv is empty"), True, False),
    ],
)
def test_a_report_says_whether_the_task_is_tried_again(
    failure: Exception,
    has_more_tries: bool,
    tried_again: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.delenv("S3_BUCKET", raising=False)
    with (
        caplog.at_level(logging.ERROR),
        pytest.raises(type(failure)),
        failure_report("run-1", dag="ingest", task="load", has_more_tries=has_more_tries),
    ):
        raise failure
    assert json.loads(caplog.records[0].getMessage().split(" ", 1)[1])["tried_again"] is tried_again
