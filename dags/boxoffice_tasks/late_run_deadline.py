"""The deadline of a scheduled run: its answers are due so many minutes after it was queued."""

import os
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow.sdk import BaseDeadlineReference, DeadlineAlert, SyncCallback

from boxoffice_tasks.late_run_alert import report_late_run

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

SETTING = "LATE_RUN_MINUTES"
DEFAULT_MINUTES = "60"


class ScheduledRunQueuedAt(BaseDeadlineReference):
    """When a schedule queued a run; a run that somebody asked for has no deadline.

    Airflow's own DAGRUN_QUEUED_AT knows no such difference, and in 3.3.2 a run that has one cannot
    be cleared (apache/airflow#70368). This one stays where it is when a run is cleared: the answers
    are due as before.
    """

    required_kwargs = frozenset({"dag_id", "run_id"})

    def _evaluate_with(self, *, session: "Session", dag_id: str, run_id: str) -> datetime | None:
        from airflow.models.dagrun import DagRun
        from airflow.utils.types import DagRunType
        from sqlalchemy import select

        return session.scalar(
            select(DagRun.queued_at).where(
                DagRun.dag_id == dag_id,
                DagRun.run_id == run_id,
                # The schedules' own runs, and those of `boxoffice` that they trigger.
                DagRun.run_type.in_([DagRunType.SCHEDULED, DagRunType.OPERATOR_TRIGGERED]),
            )
        )


def late_run_deadline() -> DeadlineAlert:
    """The deadline of a DAG's scheduled runs.

    Airflow drops it when the run succeeds in time, and keeps it when the run fails: the answers
    are missing then too.
    """
    return DeadlineAlert(
        name="late run",
        reference=ScheduledRunQueuedAt(),
        interval=late_after(os.environ.get(SETTING) or DEFAULT_MINUTES),
        # Run by the executor: the box needs no triggerer.
        callback=SyncCallback(report_late_run),
    )


def late_after(minutes: str) -> timedelta:
    """The setting as a time; a ValueError that names the setting when it is none."""
    try:
        limit = timedelta(minutes=float(minutes))
    except (ValueError, OverflowError):
        limit = timedelta(0)
    if limit > timedelta(0):
        return limit
    raise ValueError(f"{SETTING} must be a number of minutes above 0, not {minutes!r}")
