"""`dbt build` for one run: builds the marts of its version in the warehouse and tests them."""

import os
import re
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow.sdk.exceptions import AirflowException, AirflowFailException
from dbt.artifacts.schemas.run import RunExecutionResult

from boxoffice_tasks.dbt_invocation import run_dbt
from spark.lake import Lake
from spark.progress import Progress

Json = dict[str, Any]

FAILED = {"error", "fail"}
#: Takes the place of an earlier try's report until dbt has ended.
UNFINISHED = {"unique_id": "operation.boxoffice.dbt did not finish", "status": "error"}
#: Failures that an error message has room for.
SHOWN_FAILURES = 8
#: How Postgres and its client tell that the server ended, or has not come back.
WAREHOUSE_GONE = re.compile(
    r"recovery mode|starting up|shutting down|server closed the connection|SSL SYSCALL error"
    r"|crash of another server process|Connection refused"
)
GONE_REMEDY = (
    "The warehouse ended while dbt asked it. ./box logs warehouse says why, ./box up starts it; "
    "one that ends for its memory needs more of it: WAREHOUSE_MEMORY in containers"
)
#: What dbt keeps of a project it has parsed; the next run parses only what has changed since.
PARSED = "partial_parse.msgpack"


class DataTestsFailed(AirflowFailException):
    """The data breaks a test; the same data will break it again."""

    code = "dbt_tests_failed"


class DbtFailed(AirflowException):
    """dbt could not build."""

    code = "dbt_failed"


def dbt_build(run_id: str) -> None:
    """Builds and tests the run's marts, reports as dbt.json, and raises when anything failed."""
    started_at = datetime.now(UTC)
    lake = Lake.from_environment()
    report_key = f"_runs/{run_id}/dbt.json"
    prefix = lake.read_json(f"_runs/{run_id}/warehouse.json")["prefix"]
    progress = Progress(lake, run_id, "dbt", "nodes", seconds_between=1)
    # Only over an earlier report: whoever follows the run takes the first report for the outcome.
    if lake.files.get_file_info(f"{lake.bucket}/{report_key}").is_file:
        lake.write_json(report_key, dbt_report(run_id, prefix, started_at, [UNFINISHED]))
    # Where the project's macros look for it; this process is the task's own.
    os.environ["RUN_ID"] = run_id
    work_dir = Path(os.environ.get("WORK_DIR") or tempfile.gettempdir())
    work_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dbt-", dir=work_dir) as scratch:
        target = Path(scratch, "target")
        kept_parse = work_dir / PARSED
        arguments = _arguments(target, Path(scratch, "logs"))
        if kept_parse.exists():
            arguments += ["--partial-parse-file-path", str(kept_parse)]
        ended = run_dbt(arguments, progress)
        if not isinstance(ended, RunExecutionResult):
            raise DbtFailed(with_remedy(f"dbt stopped: {ended}")) from ended
        if (target / PARSED).exists():
            (target / PARSED).replace(kept_parse)
    results = [
        {"unique_id": result.node.unique_id, "status": result.status, "message": result.message}
        for result in ended.results
    ]
    report = dbt_report(run_id, prefix, started_at, results)
    lake.write_json(report_key, report)
    raise_for_failures(report["failures"])


def dbt_report(run_id: str, prefix: str, started_at: datetime, results: list[Json]) -> Json:
    """The DbtReport of contracts/src/hopReport.ts, from dbt's own results.

    What was skipped is left out beside the failure that held it up, and a failure without one.
    """
    failed = [result for result in results if result["status"] in FAILED] or [
        result for result in results if result["status"] == "skipped"
    ]
    outcomes = Counter((_words(result)[0], result["status"]) for result in results)
    return {
        "hop": "dbt",
        "run_id": run_id,
        "started_at": started_at.isoformat(),
        "seconds": (datetime.now(UTC) - started_at).total_seconds(),
        "prefix": prefix,
        "models": outcomes["model", "success"],
        "tests_passed": outcomes["test", "pass"] + outcomes["test", "warn"],
        "failures": [
            {
                "name": _words(result)[2],
                "status": result["status"],
                "message": result.get("message") or "",
            }
            for result in failed
        ],
    }


def raise_for_failures(failures: list[dict[str, str]]) -> None:
    """Raises one error that fits on a screen: it names what failed and how; dbt.json has all."""
    if not failures:
        return
    only_tests = all(failure["status"] == "fail" for failure in failures)
    shown = failures[:SHOWN_FAILURES]
    names = ", ".join(failure["name"] for failure in shown)
    details = [f"{failure['name']}: {failure['message']}" for failure in shown]
    if len(failures) > len(shown):
        details.append(f"and {len(failures) - len(shown)} more, all in dbt.json of the run")
    message = "\n".join([f"dbt: {len(failures)} failed: {names}", *details])
    raise DataTestsFailed(message) if only_tests else DbtFailed(with_remedy(message))


def with_remedy(message: str) -> str:
    """The message, and what to do where it tells that the warehouse ended."""
    return f"{message}\n{GONE_REMEDY}" if WAREHOUSE_GONE.search(message) else message


def _words(result: Json) -> list[str]:
    """`test.boxoffice.not_null_movie_tmdb_id.1a2b` in its words: kind, project, name."""
    return result["unique_id"].split(".")


def _arguments(target: Path, logs: Path) -> list[str]:
    project = os.environ["DBT_PROJECT_DIR"]
    return [
        *("--no-use-colors", "--no-send-anonymous-usage-stats", "build"),
        *("--project-dir", project, "--profiles-dir", project),
        *("--target-path", str(target), "--log-path", str(logs)),
    ]
