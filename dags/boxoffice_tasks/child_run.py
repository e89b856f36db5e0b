"""The step of a DAG that runs another DAG and waits for it."""

import time

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import Context, DagRunState, ExceptionRetryPolicy, RetryAction, RetryRule
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from boxoffice_tasks.run_id import run_id_of

POLL_SECONDS = 0.5

#: The child's tasks have had their retries; only trouble in reaching the child earns another try.
NO_RETRY_OF_A_FAILED_CHILD = ExceptionRetryPolicy(
    [
        RetryRule(
            AirflowException,
            RetryAction.FAIL,
            reason="the triggered run failed: the log of its failed task says why",
            match_subclasses=False,
        )
    ]
)


class ChildRunOperator(TriggerDagRunOperator):
    """Runs a DAG once per run id, which is the id of the child's DAG run too, and waits for it.

    Another try of this task finds the child of the first: it waits for one that runs, is content
    with one that succeeded, and clears one that failed, so that it runs again.
    """

    def __init__(self, *, trigger_dag_id: str, unless: str | None = None, **kwargs: object) -> None:
        """A first wait ends with the child's `dagrun_timeout`, a later one with the task's own.

        Where the param that `unless` names is set, there is no child.
        """
        self.unless = unless
        super().__init__(
            trigger_dag_id=trigger_dag_id,
            logical_date=None,
            wait_for_completion=True,
            poke_interval=POLL_SECONDS,
            # Clears a failed child; nor must a request fail that reached Airflow twice.
            reset_dag_run=True,
            fail_when_dag_is_paused=True,
            deferrable=False,
            retry_policy=NO_RETRY_OF_A_FAILED_CHILD,
            **kwargs,
        )

    def execute(self, context: Context) -> None:
        """Triggers the child, or takes up the wait for one that is there."""
        params = dict(context["params"])
        if self.unless and params.get(self.unless):
            self.log.info("%s is set: no run of %s", self.unless, self.trigger_dag_id)
            return
        self.trigger_run_id = run_id_of(params.get("run_id"), context["dag_run"].run_id)
        self.conf = {**params, "run_id": self.trigger_run_id}
        state = self._child_state(context)
        if state in (None, DagRunState.FAILED):
            super().execute(context)
        while state in (DagRunState.QUEUED, DagRunState.RUNNING):
            time.sleep(POLL_SECONDS)
            state = self._child_state(context)
        child = f"the {self.trigger_dag_id} run {self.trigger_run_id}"
        if state != DagRunState.SUCCESS:
            raise AirflowFailException(f"{child} failed: the log of its failed task says why")
        self.log.info("%s succeeded", child)

    def _child_state(self, context: Context) -> str | None:
        task = context["ti"]
        if task.get_dr_count(dag_id=self.trigger_dag_id, run_ids=[self.trigger_run_id]) == 0:
            return None
        return task.get_dagrun_state(self.trigger_dag_id, self.trigger_run_id)
