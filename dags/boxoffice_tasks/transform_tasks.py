"""The tasks from bronze to gold."""

import os
from datetime import timedelta

from airflow.sdk import task


def transform_tasks() -> None:
    """Adds `silver` and then `gold` to the current DAG or group."""

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
