"""Where the box's tasks run: Airflow's local executor, in workers that start faster."""

from importlib import import_module

from airflow.executors.local_executor import LocalExecutor

#: What tasks import of other packages that takes long. None of it opens a connection when it is
#: imported, and the threads that numpy and arrow start are none that a fork disturbs. The box's own
#: modules are not among them: a change of theirs is in the next task.
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
        """Imports, then forks; where workers are not forked they would have none of it."""
        if self.is_mp_using_fork:
            for name in PRELOADED:
                import_module(name)
        super().start()
