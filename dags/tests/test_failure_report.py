"""What a client reads of a failure."""

from boxoffice_tasks.failure_report import code_of, message_of
from boxoffice_tasks.service_job import ServiceRefused


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
