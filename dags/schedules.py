"""The times at which the whole road is run; paused until somebody wants them."""

from datetime import timedelta

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, CronTriggerTimetable
from boxoffice_tasks.late_run_deadline import late_run_deadline
from boxoffice_tasks.task_limits import RETRIES

#: A schedule that is first wanted begins with its next time. Airflow 3.3.2 takes its default for a
#: tenth of the time between two runs: so soon after one it would make up for it at once.
NO_TIME_BEFORE = timedelta(0)

for period, schedule in {"daily": "0 3 * * *", "weekly": "0 3 * * 1"}.items():
    with DAG(
        f"boxoffice_{period}",
        description=f"Starts boxoffice {period} at 03:00 UTC",
        doc_md=(
            f"Starts `boxoffice` {period} at 03:00 UTC and does not wait for it.\n\n"
            "**In:** the time.\n\n"
            f"**Out:** a run of `boxoffice` on the ingest service's own edition, `{period}-<time>`."
        ),
        schedule=CronTriggerTimetable(schedule, timezone="UTC", run_immediately=NO_TIME_BEFORE),
        catchup=False,
        is_paused_upon_creation=True,
        max_active_runs=1,
        dagrun_timeout=timedelta(minutes=30),
        # A run that could not start boxoffice; what it started has a deadline of its own.
        deadline=late_run_deadline(),
        default_args=RETRIES,
        tags=["boxoffice"],
    ):
        TriggerDagRunOperator(
            task_id="start",
            trigger_dag_id="boxoffice",
            trigger_run_id=f"{period}-{{{{ dag_run.run_after.strftime('%Y%m%dT%H%M%S.%f') }}}}",
            logical_date=None,
            # Another try finds the run that the first one started.
            skip_when_already_exists=True,
            execution_timeout=timedelta(minutes=5),
        )
