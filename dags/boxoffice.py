"""The whole road, from source to answers."""

from datetime import timedelta

from airflow.sdk import chain, dag
from boxoffice_tasks.child_run import ChildRunOperator
from boxoffice_tasks.late_run_deadline import late_run_deadline
from boxoffice_tasks.run_params import REUSE_LOADS, WHOLE_ROAD
from boxoffice_tasks.task_limits import RETRIES


@dag(
    schedule=None,
    is_paused_upon_creation=False,
    # Each run that waits holds one of the executor's slots: most must stay for what it waits for.
    max_active_runs=2,
    dagrun_timeout=timedelta(hours=12),
    deadline=late_run_deadline(),
    default_args=RETRIES,
    params={**WHOLE_ROAD, "reuse_loads": REUSE_LOADS},
    tags=["boxoffice"],
)
def boxoffice() -> None:
    """
    Runs `ingest`, `transform` and `publish` in this order, all under one run id.

    **In:** an edition; or with `append` the loads of the published run and a directory's records;
    or with `reuse_loads` the loads of the published run alone.

    **Out:** the four answers in the warehouse's `marts`, from this run's data.

    To run a failed hop again, clear its task here. To run again a hop that succeeded, clear its
    run in the DAG of that name; it bears the run id.
    """
    limit = timedelta(hours=4)
    chain(
        ChildRunOperator(
            task_id="ingest",
            trigger_dag_id="ingest",
            unless="reuse_loads",
            execution_timeout=limit,
        ),
        ChildRunOperator(task_id="transform", trigger_dag_id="transform", execution_timeout=limit),
        ChildRunOperator(task_id="publish", trigger_dag_id="publish", execution_timeout=limit),
    )


boxoffice()
