"""Gold to the answers."""

from datetime import timedelta

from airflow.sdk import dag
from boxoffice_tasks.publish_tasks import publish_tasks
from boxoffice_tasks.run_params import ALLOW_OLDER, FINISHED_RUN_ID
from boxoffice_tasks.task_limits import RETRIES


@dag(
    schedule=None,
    is_paused_upon_creation=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=4),
    default_args=RETRIES,
    params={"run_id": FINISHED_RUN_ID, "allow_older": ALLOW_OLDER},
    tags=["boxoffice"],
)
def publish() -> None:
    """
    Loads a run's gold tables as a new version, builds and tests its marts, and publishes it.

    **In:** `gold/<run_id>/` in the lake.

    **Out:** the version `<run_id>` in the warehouse, named by `marts.current`, with
    `warehouse.json`, `dbt.json` and `publish.json` in `_runs/<run_id>/`. When a test fails, or
    the rows of the hops do not add up, the version that was published stays.
    """

    publish_tasks()


publish()
