"""Bronze to gold."""

import os
from datetime import timedelta

from airflow.sdk import dag, task
from boxoffice_tasks.run_params import ALLOW_OLDER, RUN_ID
from boxoffice_tasks.task_limits import RETRIES


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

    @task(execution_timeout=timedelta(hours=1))
    def silver() -> None:
        """Typed, deduplicated, normalised tables, from the loads that the loader names."""
        from boxoffice_tasks.service_job import ask
        from boxoffice_tasks.this_run import this_run

        with this_run() as run:
            request = {"run_id": run.id, "allow_older": run.allow_older}
            ask(f"{os.environ['LOADER_URL']}/inputs", request)

            from spark.jobs import silver

            silver.run(run.id)

    @task(execution_timeout=timedelta(hours=1))
    def gold() -> None:
        """The star schema and the aggregates."""
        from boxoffice_tasks.this_run import this_run

        with this_run() as run:
            from spark.jobs import gold

            gold.run(run.id)

    silver() >> gold()


transform()
