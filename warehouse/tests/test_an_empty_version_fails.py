"""dbt's tests must be able to fail: a version without a row is the plainest case."""

import json
import os
import subprocess
import sys
from pathlib import Path

WAREHOUSE = Path(__file__).parents[1]


def test_a_version_without_rows_fails_the_row_count_of_every_gold_table(
    warehouse: dict[str, str], tmp_path: Path
) -> None:
    project = str(WAREHOUSE / "dbt")
    dbt = subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt")),
            *("--no-use-colors", "--no-send-anonymous-usage-stats", "build"),
            *("--project-dir", project, "--profiles-dir", project),
            *("--target-path", str(tmp_path / "target"), "--log-path", str(tmp_path / "logs")),
        ],
        env={**os.environ, **warehouse, "RUN_ID": "a-run-that-loaded-nothing"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert dbt.returncode == 1, dbt.stdout
    results = json.loads((tmp_path / "target" / "run_results.json").read_text())["results"]
    failed = {r["unique_id"].split(".")[2] for r in results if r["status"] == "fail"}
    tables = {path.stem for path in (WAREHOUSE / "dbt/models/staging").glob("stg_*.sql")}
    assert {
        t for t in tables if any(name.startswith(f"not_empty_{t}") for name in failed)
    } == tables
    assert "a_user_has_one_rating_of_a_movie" in failed
