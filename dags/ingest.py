"""Source to bronze."""

import logging
import os
from datetime import timedelta

from airflow.sdk import dag, task
from boxoffice_tasks.run_params import WHOLE_ROAD
from boxoffice_tasks.task_limits import RETRIES

log = logging.getLogger(__name__)

DATASETS = ("movies", "links", "ratings", "cpi")


@dag(
    schedule=None,
    is_paused_upon_creation=False,
    max_active_runs=2,
    dagrun_timeout=timedelta(hours=4),
    default_args=RETRIES,
    params=WHOLE_ROAD,
    tags=["boxoffice"],
)
def ingest() -> None:
    """
    Lands each dataset's source in the lake, checks its records and seals them in bronze.

    **In:** an edition (a directory or Kaggle) and FRED, or a directory to append, which may have
    files of some datasets only.

    **Out:** `raw/`, `bronze/` and `dead-letters/` in the lake, with `ingest.<dataset>.json` and
    `bronze.<dataset>.json` in `_runs/<run_id>/`. Bytes that are loaded already are not loaded
    again, unless `full_refresh` is set.
    """

    @task(execution_timeout=timedelta(hours=1))
    def load(dataset: str) -> None:
        """Asks ingest for a load of the dataset, then the loader for its seal."""
        from boxoffice_tasks.service_job import run_job
        from boxoffice_tasks.this_run import this_run

        with this_run() as run:
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


ingest()
