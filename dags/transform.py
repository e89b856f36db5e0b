"""Bronze to gold."""

from datetime import timedelta

from airflow.sdk import dag
from boxoffice_tasks.run_params import ALLOW_OLDER, RUN_ID
from boxoffice_tasks.task_limits import RETRIES
from boxoffice_tasks.transform_tasks import transform_tasks


@dag(
    schedule=None,
    is_paused_upon_creation=False,
    max_active_runs=2,
    dagrun_timeout=timedelta(hours=4),
    default_args=RETRIES,
    params={"run_id": RUN_ID, "allow_older": ALLOW_OLDER},
    tags=["boxoffice"],
)
def transform() -> None:
    """
    Fixes which sealed loads the run is made from, and has Spark make silver and gold of them.

    **In:** bronze, one sealed load per dataset: the run's own, else those of the published run.

    **Out:** `silver/<run_id>/` and `gold/<run_id>/` in the lake, with `inputs.json`,
    `silver.json` and `gold.json` in `_runs/<run_id>/`.
    """

    transform_tasks()


transform()
