"""The HTTP client of the services, against a real server that answers as a service can."""

import socket
import threading
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from boxoffice_tasks import service_job
from boxoffice_tasks.service_job import ServiceFailed, ServiceRefused, ask, run_job
from http_service import http_service

REQUEST = {"run_id": "r1", "dataset": "movies"}


def job(state: str, **more: object) -> dict[str, Any]:
    progress = {"done": 0, "total": None, "unit": "rows"}
    started_at = "2026-11-23T20:00:00.000Z"
    return {
        "id": "r1.movies",
        "state": state,
        "progress": progress,
        "started_at": started_at,
        **more,
    }


def failed(message: str, *, retryable: bool) -> dict[str, Any]:
    return job("failed", error={"code": "bad", "message": message, "retryable": retryable})


UNKNOWN = {"error": {"code": "unknown_load", "message": "post it again", "retryable": False}}
DONE = job("done", result={"load_id": "abc-v1"})


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_job_is_started_polled_until_it_is_done_and_gives_its_result() -> None:
    running = job("running")
    with http_service((202, running), (200, running), (200, DONE)) as service:
        assert run_job(f"{service.url}/loads", REQUEST) == {"load_id": "abc-v1"}
    assert service.asked == [
        ("POST", "/loads", REQUEST),
        ("GET", "/loads/r1.movies", None),
        ("GET", "/loads/r1.movies", None),
    ]


def test_a_job_that_is_done_already_is_not_polled() -> None:
    with http_service((202, DONE)) as service:
        assert run_job(f"{service.url}/loads", REQUEST) == {"load_id": "abc-v1"}
    assert len(service.asked) == 1


def test_what_no_retry_helps_fails_the_task_at_once_with_the_services_own_words() -> None:
    message = "movies.csv has no column 'id'\n  expected: id\n  found: ident"
    answers = [(202, job("running")), (200, failed(message, retryable=False))]
    with http_service(*answers) as service, pytest.raises(ServiceRefused) as raised:
        run_job(f"{service.url}/loads", REQUEST)
    assert isinstance(raised.value, AirflowFailException)
    assert str(raised.value) == message
    assert raised.value.code == "bad"


def test_what_a_retry_may_help_is_left_to_airflow() -> None:
    answers = [(202, job("running")), (200, failed("connection lost", retryable=True))]
    with http_service(*answers) as service, pytest.raises(ServiceFailed) as raised:
        run_job(f"{service.url}/loads", REQUEST)
    assert not isinstance(raised.value, AirflowFailException)
    assert str(raised.value) == "connection lost"


def test_a_job_that_a_restarted_service_has_forgotten_is_asked_for_again() -> None:
    with http_service((202, job("running")), (404, UNKNOWN), (202, DONE)) as service:
        assert run_job(f"{service.url}/loads", REQUEST) == {"load_id": "abc-v1"}
    assert [method for method, _, _ in service.asked] == ["POST", "GET", "POST"]


def test_a_job_of_an_earlier_try_that_the_service_stops_is_asked_for_again() -> None:
    left = job("failed", error={"code": "unasked", "message": "nobody asked", "retryable": True})
    with http_service((202, job("running")), (200, left), (202, DONE)) as service:
        assert run_job(f"{service.url}/loads", REQUEST) == {"load_id": "abc-v1"}
    assert [method for method, _, _ in service.asked] == ["POST", "GET", "POST"]


def test_a_service_that_restarts_again_and_again_does_not_hold_the_task_for_ever() -> None:
    answers = [(202, job("running")), (404, UNKNOWN)] * service_job.MOST_STARTS
    with http_service(*answers) as service, pytest.raises(ServiceFailed, match="restarted"):
        run_job(f"{service.url}/loads", REQUEST)


def test_a_service_that_is_still_starting_is_waited_for(free_port: int) -> None:
    results: list[dict[str, Any]] = []
    url = f"http://127.0.0.1:{free_port}/loads"
    client = threading.Thread(target=lambda: results.append(run_job(url, REQUEST)))
    client.start()
    client.join(0.3)
    with http_service((202, DONE), port=free_port):
        client.join(20)
    assert results == [{"load_id": "abc-v1"}]


def test_a_service_that_goes_away_during_a_job_is_waited_for_and_asked_again(
    free_port: int,
) -> None:
    results: list[dict[str, Any]] = []
    url = f"http://127.0.0.1:{free_port}/loads"
    client = threading.Thread(target=lambda: results.append(run_job(url, REQUEST)))
    with http_service((202, job("running")), port=free_port) as before:
        client.start()
        while not before.asked:
            client.join(0.01)
    with http_service((404, UNKNOWN), (202, DONE), port=free_port) as after:
        client.join(20)
    assert results == [{"load_id": "abc-v1"}]
    assert [method for method, _, _ in after.asked] == ["GET", "POST"]


def test_a_service_that_stays_away_is_named(
    free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_job, "UNREACHABLE_SECONDS", 0.5)
    with pytest.raises(ServiceFailed, match=f"no answer from http://127.0.0.1:{free_port}/loads"):
        run_job(f"http://127.0.0.1:{free_port}/loads", REQUEST)


def test_a_refused_question_fails_the_task_at_once_with_the_services_own_words() -> None:
    error = {"code": "sums_differ", "message": "silver: 10 in, 9 out", "retryable": False}
    with http_service((409, {"error": error})) as service, pytest.raises(ServiceRefused) as raised:
        ask(f"{service.url}/publications", {"run_id": "r1"})
    assert str(raised.value) == "silver: 10 in, 9 out"


def test_an_answer_is_returned() -> None:
    with http_service((200, {"run_id": "r1", "previous_run_id": None})) as service:
        answer = ask(f"{service.url}/publications", {"run_id": "r1"})
    assert answer == {"run_id": "r1", "previous_run_id": None}


@pytest.mark.parametrize(("status", "kind"), [(502, ServiceFailed), (418, ServiceRefused)])
def test_an_answer_that_is_not_the_services_own_is_shown_with_its_status(
    status: int, kind: type[Exception]
) -> None:
    with http_service((status, b"<html>proxy</html>")) as service, pytest.raises(kind) as raised:
        ask(f"{service.url}/inputs", {"run_id": "r1"})
    assert f"answered {status}: <html>proxy</html>" in str(raised.value)
