"""The run that the current task works for, and the report of its failure."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowFailException

from boxoffice_tasks.failure_report import failure_report
from boxoffice_tasks.lake_failure import lake_failures_for_people
from boxoffice_tasks.run_id import run_id_of


@dataclass(frozen=True)
class Run:
    """A run and what was asked of it."""

    id: str
    edition: str | None
    append: str | None
    full_refresh: bool
    allow_older: bool
    reuse_loads: bool


@contextmanager
def this_run() -> Iterator[Run]:
    """The current task's run. A failure inside the block is in the lake before Airflow has it."""
    context = get_current_context()
    params = context["params"]
    run = Run(
        id=run_id_of(params.get("run_id"), context["dag_run"].run_id),
        edition=params.get("edition"),
        append=params.get("append"),
        full_refresh=params.get("full_refresh", False),
        allow_older=params.get("allow_older", False),
        reuse_loads=params.get("reuse_loads", False),
    )
    task = context["ti"]
    has_more_tries = task.try_number <= task.max_tries
    with (
        failure_report(run.id, dag=task.dag_id, task=task.task_id, has_more_tries=has_more_tries),
        lake_failures_for_people(),
    ):
        if run.append and run.reuse_loads:
            raise AirflowFailException(
                "append adds a directory's records, and reuse_loads ingests nothing: ask for one"
            )
        yield run
