"""dbt in the process of a task: followed while it runs, stopped when the task is out of time."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner
from dbt_common.events.base_types import EventMsg

from spark.progress import Progress

#: The events that say that a node has ended, and their field with the number of all nodes.
ENDED_NODE = {
    "LogModelResult": "total",
    "LogTestResult": "num_models",
    "LogNodeNoOpResult": "total",
    "LogSkipBecauseError": "total",
    "SkippingDetails": "total",
}


class OutOfTime(KeyboardInterrupt):
    """What dbt ends its queries for, whose end it waits for when it is another exception."""


def run_dbt(arguments: list[str], progress: Progress) -> RunExecutionResult | Exception | None:
    """Runs dbt to its end: what became of the nodes, or why it did not come to them.

    Raises what ended the task, such as AirflowTaskTimeout.
    """
    # Airflow ends the process at once: Python's tracker frees dbt's locks, and need not warn of it.
    os.environ["PYTHONWARNINGS"] = "ignore:resource_tracker:UserWarning"
    with cancelling_when_out_of_time():
        ended = dbtRunner(callbacks=[counting_in(progress)]).invoke(arguments)
    if isinstance(ended.exception, OutOfTime) and ended.exception.__cause__:
        raise ended.exception.__cause__
    if ended.exception and not isinstance(ended.exception, Exception):
        raise ended.exception
    return ended.exception if ended.result is None else ended.result


@contextmanager
def cancelling_when_out_of_time() -> Iterator[None]:
    """What Airflow's alarm raises inside is an OutOfTime, with that as its cause."""
    airflows = signal.getsignal(signal.SIGALRM)

    def handle(number: int, frame: FrameType | None) -> None:
        try:
            if callable(airflows):
                airflows(number, frame)
        except BaseException as timeout:
            raise OutOfTime from timeout

    signal.signal(signal.SIGALRM, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, airflows)


def counting_in(progress: Progress) -> Callable[[EventMsg], None]:
    """Takes dbt's events and counts the nodes that have ended."""

    def count(event: EventMsg) -> None:
        total = ENDED_NODE.get(event.info.name)
        if total:
            progress.one_done(of=getattr(event.data, total))

    return count
