"""Makes the box's own deadline reference known to Airflow."""

from airflow.plugins_manager import AirflowPlugin
from boxoffice_tasks.late_run_deadline import ScheduledRunQueuedAt


class DeadlineReferencesPlugin(AirflowPlugin):
    """Airflow builds a reference out of its tables only when a plugin names it."""

    name = "boxoffice_deadline_references"
    deadline_references = [ScheduledRunQueuedAt]  # noqa: RUF012 (Airflow's own type)
