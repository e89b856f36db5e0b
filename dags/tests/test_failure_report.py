"""What a client reads of a failure."""

from boxoffice_tasks.failure_report import message_of
from boxoffice_tasks.service_job import ServiceRefused


def test_a_message_written_for_people_is_kept_whole() -> None:
    message = "movies.csv is empty\n  expected: a header and records"
    assert message_of(ServiceRefused("empty_source", message)) == message


def test_of_any_other_failure_the_kind_and_the_first_line_are_shown() -> None:
    failure = RuntimeError("[TABLE_NOT_FOUND] no table\n\nJVM stacktrace:\n\tat org.apache…")
    assert message_of(failure) == "RuntimeError: [TABLE_NOT_FOUND] no table"


def test_a_failure_without_a_message_is_named() -> None:
    assert message_of(KeyboardInterrupt()) == "KeyboardInterrupt"
