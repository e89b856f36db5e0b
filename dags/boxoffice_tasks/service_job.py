"""Work that the ingest and loader services do: asked for over HTTP, polled until it ends."""

import logging
import time
from typing import Any
from urllib.parse import quote

import httpx
from airflow.sdk.exceptions import AirflowException, AirflowFailException

log = logging.getLogger(__name__)

Json = dict[str, Any]

UNREACHABLE_SECONDS = 60.0
SHORTEST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 1.0
MOST_STARTS = 5
#: A publication adds up every sum before it answers.
TIMEOUT = httpx.Timeout(10.0, read=300.0)


class ServiceRefused(AirflowFailException):
    """The service says that the same again does not help: the task fails at once."""

    def __init__(self, code: str, message: str) -> None:
        """Carries the service's own code and message."""
        super().__init__(message)
        self.code = code


class ServiceFailed(AirflowException):
    """The service is away, or says that the same again may help: Airflow tries the task again."""

    def __init__(self, code: str, message: str) -> None:
        """Carries the service's own code and message."""
        super().__init__(message)
        self.code = code


def ask(url: str, request: Json) -> Json:
    """Posts a request and returns the answer."""
    with httpx.Client(timeout=TIMEOUT) as client:
        return _body(_send(client, "POST", url, request))


def run_job(url: str, request: Json) -> Json:
    """Starts a job in the collection at `url`, waits until it is done, and returns its result.

    The same request names the same job, so it is sent again when a restarted service has
    forgotten the job, and when the service stops one that an earlier try left.
    """
    with httpx.Client(timeout=TIMEOUT) as client:
        for _ in range(MOST_STARTS):
            job = _body(_send(client, "POST", url, request))
            log.info("job %s at %s", job["id"], url)
            ended = _ended(client, url, job)
            if ended is not None:
                log.info("job %s done: %s", ended["id"], ended.get("result"))
                return ended.get("result", {})
            log.warning("%s no longer has job %s", url, job["id"])
    raise ServiceFailed("restarting", f"{url}: restarted {MOST_STARTS} times during one job")


def _ended(client: httpx.Client, url: str, job: Json) -> Json | None:
    """The job when it is done, or None when the service has forgotten or stopped it."""
    pause = SHORTEST_PAUSE_SECONDS
    while job["state"] == "running":
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
        response = _send(client, "GET", f"{url}/{quote(job['id'], safe='')}")
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        job = _body(response)
    if job["state"] == "failed":
        if job["error"]["code"] == "unasked":
            return None
        raise _error(job["error"])
    return job


def _send(
    client: httpx.Client, method: str, url: str, request: Json | None = None
) -> httpx.Response:
    """Sends a request; while nobody answers, again and again: the service may be starting."""
    deadline = time.monotonic() + UNREACHABLE_SECONDS
    pause = SHORTEST_PAUSE_SECONDS
    while True:
        try:
            return client.request(method, url, json=request)
        except httpx.TransportError as error:
            if time.monotonic() + pause > deadline:
                message = f"no answer from {url} in {UNREACHABLE_SECONDS:.0f} seconds: {error}"
                raise ServiceFailed("unreachable", message) from error
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)


def _body(response: httpx.Response) -> Json:
    if response.is_success:
        return response.json()
    try:
        error = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        asked = f"{response.request.method} {response.url}"
        error = {
            "code": "unexpected",
            "message": f"{asked} answered {response.status_code}: {response.text[:200]}",
            "retryable": response.is_server_error,
        }
    raise _error(error)


def _error(error: Json) -> ServiceRefused | ServiceFailed:
    kind = ServiceFailed if error["retryable"] else ServiceRefused
    return kind(error["code"], error["message"])
