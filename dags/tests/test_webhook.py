"""Posting to a webhook, against a real server: bounded, and its address in no message."""

import socket

import pytest
from boxoffice_tasks import webhook
from boxoffice_tasks.webhook import WebhookFailed, post_document
from http_service import http_service

DOCUMENT = {"alert": "late_run", "run_id": "r1"}
PATH = "/hook/token-that-nobody-may-read"


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "FIRST_PAUSE_SECONDS", 0)


def test_the_document_is_posted_once_when_it_is_accepted() -> None:
    with http_service((204, b"")) as hook:
        post_document(f"{hook.url}{PATH}", DOCUMENT)
    assert hook.asked == [("POST", PATH, DOCUMENT)]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_or_broken_server_is_asked_again(status: int) -> None:
    with http_service((status, b""), (200, b"")) as hook:
        post_document(f"{hook.url}{PATH}", DOCUMENT)
    assert len(hook.asked) == 2


def test_tries_have_an_end() -> None:
    with http_service(*[(503, b"")] * 9) as hook, pytest.raises(WebhookFailed, match=r"^HTTP 503$"):
        post_document(f"{hook.url}{PATH}", DOCUMENT)
    assert len(hook.asked) == webhook.TRIES


@pytest.mark.parametrize("status", [301, 400, 404])
def test_an_answer_that_will_not_change_ends_it(status: int) -> None:
    answer = (status, b"<html>")
    with (
        http_service(answer, answer) as hook,
        pytest.raises(WebhookFailed, match=rf"^HTTP {status}$"),
    ):
        post_document(f"{hook.url}{PATH}", DOCUMENT)
    assert len(hook.asked) == 1


def test_a_server_that_never_answers_is_given_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(WebhookFailed, match=r"^ReadTimeout$"):
            post_document(f"http://127.0.0.1:{port}{PATH}", DOCUMENT)


@pytest.mark.parametrize("url", [f"ftp://host{PATH}", "no address at all", "http://[::1"])
def test_what_is_no_address_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(WebhookFailed) as raised:
        post_document(url, DOCUMENT)
    assert str(raised.value) in {"UnsupportedProtocol", "InvalidURL"}
