"""Which runs have a deadline, and when it is, by Airflow's own reading of what a DAG states."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from airflow.models.dagrun import DagRun
from airflow.models.tasklog import LogTemplate
from airflow.serialization.decoders import decode_deadline_alert
from airflow.serialization.encoders import encode_deadline_alert
from airflow.utils.types import DagRunType
from boxoffice_tasks.late_run_deadline import late_after, late_run_deadline
from sqlalchemy import create_engine, insert
from sqlalchemy.orm import Session

QUEUED_AT = datetime(2026, 11, 24, 3, 0, 1, tzinfo=UTC)


@pytest.fixture
def session() -> Iterator[Session]:
    """A database that has Airflow's table of DAG runs, and the one that its default reads."""
    engine = create_engine("sqlite://")
    for model in (LogTemplate, DagRun):
        model.__table__.create(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


def deadline_of(session: Session, run_type: DagRunType) -> datetime | None:
    """The deadline that Airflow gives a run, from the DAG as it is stored."""
    run = {"dag_id": "boxoffice", "run_id": f"{run_type}-1"}
    columns = {
        "run_type": run_type,
        "queued_at": QUEUED_AT,
        "run_after": QUEUED_AT,
        "state": "queued",
    }
    session.execute(insert(DagRun.__table__).values(**run, **columns, clear_number=0))
    alert = decode_deadline_alert(encode_deadline_alert(late_run_deadline()))
    return alert.reference.evaluate_with(session=session, interval=alert.interval, **run)


@pytest.mark.parametrize("run_type", [DagRunType.SCHEDULED, DagRunType.OPERATOR_TRIGGERED])
def test_a_scheduled_run_and_the_one_it_triggers_are_due_an_hour_after_they_are_queued(
    session: Session, run_type: DagRunType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LATE_RUN_MINUTES", raising=False)
    assert deadline_of(session, run_type) == QUEUED_AT + timedelta(hours=1)


def test_the_limit_is_a_setting(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATE_RUN_MINUTES", "2.5")
    assert deadline_of(session, DagRunType.SCHEDULED) == QUEUED_AT + timedelta(seconds=150)


def test_a_run_that_somebody_asked_for_has_no_deadline(session: Session) -> None:
    assert deadline_of(session, DagRunType.MANUAL) is None


def test_it_is_not_airflows_own_reference_with_which_a_run_cannot_be_cleared() -> None:
    stored = encode_deadline_alert(late_run_deadline())["reference"]
    assert stored == {
        "reference_type": "ScheduledRunQueuedAt",
        "__class_path": "boxoffice_tasks.late_run_deadline.ScheduledRunQueuedAt",
    }


@pytest.mark.parametrize("minutes", ["", "an hour", "0", "-5", "nan", "inf", "1e300"])
def test_what_is_no_limit_is_refused_by_name(minutes: str) -> None:
    with pytest.raises(ValueError, match="LATE_RUN_MINUTES must be a number of minutes above 0"):
        late_after(minutes)
