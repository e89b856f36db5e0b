"""The whole road, from source to answers."""

from datetime import timedelta

from airflow.sdk import TaskGroup, chain, dag
from boxoffice_tasks.ingest_tasks import ingest_tasks
from boxoffice_tasks.late_run_deadline import late_run_deadline
from boxoffice_tasks.publish_tasks import publish_tasks
from boxoffice_tasks.run_params import REUSE_LOADS, WHOLE_ROAD
from boxoffice_tasks.task_limits import RETRIES
from boxoffice_tasks.transform_tasks import transform_tasks


@dag(
    schedule=None,
    is_paused_upon_creation=False,
    # One after the other: a run that appends goes on from what the one before has published.
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    deadline=late_run_deadline(),
    default_args=RETRIES,
    params={**WHOLE_ROAD, "reuse_loads": REUSE_LOADS},
    tags=["boxoffice"],
)
def boxoffice() -> None:
    """
    The tasks of `ingest`, `transform` and `publish` in this order, under one run id.

    **In:** an edition; or with `append` the loads of the published run and a directory's records;
    or with `reuse_loads` the loads of the published run alone.

    **Out:** the four answers in the warehouse's `marts`, from this run's data.

    To run a hop again, clear its task.
    """
    with TaskGroup("ingest") as ingest:
        ingest_tasks()
    with TaskGroup("transform") as transform:
        transform_tasks()
    with TaskGroup("publish") as publish:
        publish_tasks()
    chain(ingest, transform, publish)


boxoffice()
