"""What a DAG run can be asked for, in `conf` or in the form of the Airflow page."""

from airflow.sdk import Param

from boxoffice_tasks.run_id import RUN_ID_PATTERN

RUN_ID = Param(
    None,
    type=["null", "string"],
    pattern=RUN_ID_PATTERN,
    description="Names the run in every hop; without it the DAG run's id, cleaned.",
)
FINISHED_RUN_ID = Param(
    type="string",
    pattern=RUN_ID_PATTERN,
    description="The run whose gold tables are to be published.",
)
EDITION = Param(
    None,
    type=["null", "string"],
    description="A directory that the ingest service can read, or `kaggle`; else its own edition.",
)
APPEND = Param(
    None,
    type=["null", "string"],
    description="A directory with only added or changed records, which join what is published; it "
    "excludes an edition, full_refresh and reuse_loads.",
)
FULL_REFRESH = Param(
    False, type="boolean", description="Load everything again, even bytes that are loaded already."
)
ALLOW_OLDER = Param(
    False, type="boolean", description="Publish even data that is older than what is published."
)
REUSE_LOADS = Param(
    False,
    type="boolean",
    description="Ingest nothing: the loads of the published run, with its dead letters as they "
    "are decided now.",
)

WHOLE_ROAD = {
    "run_id": RUN_ID,
    "edition": EDITION,
    "append": APPEND,
    "full_refresh": FULL_REFRESH,
    "allow_older": ALLOW_OLDER,
}
