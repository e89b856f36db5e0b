"""`_runs/<run_id>/failure.json`: why a task of a run failed, in words for people."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from airflow.sdk.exceptions import AirflowFailException

from spark.jobs.outlived_try import OutlivedTry

log = logging.getLogger(__name__)


@contextmanager
def failure_report(
    run_id: str, *, dag: str, task: str, has_more_tries: bool = False
) -> Iterator[None]:
    """Reports what is raised inside the block and lets it pass. A run's newest failure stands. That
    a newer try took a task over is none.
    """
    try:
        yield
    except OutlivedTry:
        raise
    except BaseException as failure:  # a task that runs out of time raises no Exception
        report = {
            "run_id": run_id,
            "dag": dag,
            "task": task,
            "code": code_of(failure) or "unexpected",
            "message": message_of(failure),
            "tried_again": has_more_tries and not isinstance(failure, AirflowFailException),
            "at": datetime.now(UTC).isoformat(),
        }
        # In the task's log too, which is elsewhere: a lake that is full takes no report.
        log.error("run_failure %s", json.dumps(report))
        try:
            # Imported only where it is needed: it costs a second.
            from spark.lake import Lake

            Lake.from_environment().write_json(f"_runs/{run_id}/failure.json", report)
        except Exception:
            log.exception("the failure could not be written to the lake")
        raise


def code_of(failure: BaseException) -> str | None:
    """The code of a service's failure; another library's may hold anything by that name."""
    code = getattr(failure, "code", None)
    return code if isinstance(code, str) else None


def message_of(failure: BaseException) -> str:
    """All of a message written for people; of any other its kind and first line."""
    text = str(failure).strip()
    if code_of(failure) is not None:
        return text
    first_line = text.splitlines()[0][:500] if text else ""
    return f"{type(failure).__name__}: {first_line}".removesuffix(": ")
