"""dbt's tests must be able to fail: a version without a row is the plainest case."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg2
import pytest

WAREHOUSE = Path(__file__).parents[1]


@pytest.fixture
def warehouse() -> Iterator[dict[str, str]]:
    """A database of the test's own with the serving schema, as dbt's environment names it."""
    url = os.environ.get("TEST_POSTGRES_URL")
    if not url:
        pytest.skip("TEST_POSTGRES_URL names no Postgres")
    server = urlsplit(url)
    name = f"dbt_{uuid4().hex[:12]}"
    admin = psycopg2.connect(url)
    admin.autocommit = True
    admin.cursor().execute(f"create database {name}")
    try:
        with psycopg2.connect(server._replace(path=f"/{name}").geturl()) as connection:
            for migration in sorted((WAREHOUSE / "migrations" / "postgres").glob("*.sql")):
                connection.cursor().execute(migration.read_text())
                # Each in a transaction of its own, as the loader applies them.
                connection.commit()
        connection.close()
        yield {
            "WAREHOUSE_HOST": str(server.hostname),
            "WAREHOUSE_PORT": str(server.port),
            "WAREHOUSE_USER": str(server.username),
            "WAREHOUSE_PASSWORD": str(server.password),
            "WAREHOUSE_DB": name,
        }
    finally:
        admin.cursor().execute(f"drop database {name} with (force)")
        admin.close()


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
