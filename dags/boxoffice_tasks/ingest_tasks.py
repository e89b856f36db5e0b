"""The tasks from source to bronze."""

import logging
import os
from datetime import timedelta

from airflow.sdk import task

log = logging.getLogger(__name__)

DATASETS = ("movies", "links", "ratings", "cpi")


def ingest_tasks() -> None:
    """Adds a task per dataset to the current DAG or group; they wait for nothing."""

    @task(execution_timeout=timedelta(hours=1))
    def load(dataset: str) -> None:
        """Asks ingest for a load of the dataset, then the loader for its seal."""
        from boxoffice_tasks.service_job import run_job
        from boxoffice_tasks.this_run import this_run

        with this_run() as run:
            if run.reuse_loads:
                log.info("reuse_loads is set: nothing of %s is loaded", dataset)
                return
            request = {"run_id": run.id, "dataset": dataset, "full_refresh": run.full_refresh}
            if run.edition:
                request["edition"] = run.edition
            if run.append:
                request["append"] = run.append
            loaded = run_job(f"{os.environ['INGEST_URL']}/loads", request)
            if loaded["load_id"] is None:
                log.info("%s has no file of %s: nothing to append", run.append, dataset)
                return
            seal = {"run_id": run.id, "dataset": dataset, "load_id": loaded["load_id"]}
            run_job(f"{os.environ['LOADER_URL']}/seals", seal)

    for dataset in DATASETS:
        load.override(task_id=f"load_{dataset}")(dataset)
