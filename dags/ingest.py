"""Source to bronze."""

from datetime import timedelta

from airflow.sdk import dag
from boxoffice_tasks.ingest_tasks import ingest_tasks
from boxoffice_tasks.run_params import WHOLE_ROAD
from boxoffice_tasks.task_limits import RETRIES


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

    ingest_tasks()


ingest()
