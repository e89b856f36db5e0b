"""Gold to the answers."""

import os
from datetime import timedelta

from airflow.sdk import dag, task
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

    @task(execution_timeout=timedelta(hours=1))
    def load_warehouse() -> None:
        """Copies gold into the warehouse as a version of its own."""
        from boxoffice_tasks.service_job import run_job
        from boxoffice_tasks.this_run import this_run

        with this_run() as run:
            run_job(f"{os.environ['LOADER_URL']}/versions", {"run_id": run.id})

    @task(execution_timeout=timedelta(hours=1))
    def dbt_build() -> None:
        """Builds the version's marts with dbt and tests them."""
        from boxoffice_tasks.this_run import this_run

        with this_run() as run:
            from boxoffice_tasks.dbt_build import dbt_build

            dbt_build(run.id)

    @task(execution_timeout=timedelta(minutes=15))
    def publish_version() -> None:
        """Has the loader add up every hop and name the version, or refuse."""
        from boxoffice_tasks.service_job import ask
        from boxoffice_tasks.this_run import this_run

        with this_run() as run:
            request = {"run_id": run.id, "allow_older": run.allow_older}
            ask(f"{os.environ['LOADER_URL']}/publications", request)

    load_warehouse() >> dbt_build() >> publish_version()


publish()
