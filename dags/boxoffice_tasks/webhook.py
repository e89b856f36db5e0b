"""Sends a JSON document to a webhook, in bounded time."""

import random
import time
from typing import Any

import httpx

TRIES = 3
FIRST_PAUSE_SECONDS = 1.0
#: Of each step of a try: connect, send, wait for the answer. docker-compose.yml bounds the whole.
TIMEOUT_SECONDS = 5.0


class WebhookFailed(Exception):
    """The document was not accepted. Says why, without the address, which may hold a token."""


def post_document(url: str, document: dict[str, Any]) -> None:
    """Posts the document; tries again when nobody answers, or the server is at fault or busy."""
    pause = FIRST_PAUSE_SECONDS
    for tries_left in reversed(range(TRIES)):
        reason, may_help = _post(url, document)
        if reason is None:
            return
        if tries_left == 0 or not may_help:
            raise WebhookFailed(reason)
        time.sleep(pause * random.uniform(0.5, 1.0))
        pause *= 2


def _post(url: str, document: dict[str, Any]) -> tuple[str | None, bool]:
    """Why the document was not accepted, and whether another try may help."""
    try:
        # The answer's body is of no interest, and may have no end.
        with httpx.stream("POST", url, json=document, timeout=TIMEOUT_SECONDS) as answer:
            if answer.is_success:
                return None, False
            busy = answer.status_code == httpx.codes.TOO_MANY_REQUESTS
            return f"HTTP {answer.status_code}", busy or answer.is_server_error
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as failure:
        return type(failure).__name__, False
    except httpx.HTTPError as failure:
        return type(failure).__name__, True
    except Exception as failure:  # Airflow would log it with the address in its text
        return type(failure).__name__, False
