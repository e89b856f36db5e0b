"""The run id: names a run in every hop, and is the version of its data in the warehouse."""

import re

#: As in contracts/src/job.ts.
RUN_ID_PATTERN = r"^(?!\.$)(?!.*\.\.)[A-Za-z0-9_.-]{1,100}$"


def run_id_of(requested: str | None, dag_run_id: str) -> str:
    """The run id that was asked for, or else one made from the DAG run's own id."""
    return requested or re.sub(r"[^A-Za-z0-9_.-]", "-", dag_run_id)[:100]
