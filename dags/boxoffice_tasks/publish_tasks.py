"""The tasks from gold to the answers."""

import os
from datetime import timedelta

from airflow.sdk import task


def publish_tasks() -> None:
    """Adds `load_warehouse`, `dbt_build` and `publish_version`, in this order, to the DAG or group.

    Beside another run's, which only one of another DAG can be, the loader has publications take
    turns.
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
