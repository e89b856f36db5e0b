"""A warehouse for dbt's own tests."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

WAREHOUSE = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def warehouse() -> Iterator[dict[str, str]]:
    """A database of the module's own with the serving schema, as dbt's environment names it."""
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


@pytest.fixture(scope="module")
def connection(warehouse: dict[str, str]) -> Iterator[Connection]:
    """A connection to the warehouse, beside those of dbt."""
    connection = psycopg2.connect(
        host=warehouse["WAREHOUSE_HOST"],
        port=warehouse["WAREHOUSE_PORT"],
        user=warehouse["WAREHOUSE_USER"],
        password=warehouse["WAREHOUSE_PASSWORD"],
        dbname=warehouse["WAREHOUSE_DB"],
    )
    yield connection
    connection.close()
