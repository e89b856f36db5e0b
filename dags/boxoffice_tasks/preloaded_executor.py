"""Where the box's tasks run: Airflow's local executor, in workers that start faster."""

from importlib import import_module

from airflow.executors.local_executor import LocalExecutor

#: What tasks import of other packages that takes long. None of it opens a connection or starts a
#: thread when it is imported, which a process that is forked must not have. The box's own modules
#: are not among them: a change of theirs is in the next task.
PRELOADED = (
    "dbt.cli.main",
    "dbt.adapters.postgres",
    "pyspark.sql.connect.session",
    "pyspark.sql.connect.functions",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "airflow.providers.standard.operators.trigger_dagrun",
    "airflow.sdk.execution_time.task_runner",
)


class PreloadedExecutor(LocalExecutor):
    """The local executor, which forks its workers, and they the tasks, after these imports."""

    def start(self) -> None:
        """Imports, then forks."""
        for name in PRELOADED:
            import_module(name)
        super().start()
