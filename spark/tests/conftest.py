"""A Spark Connect server for the tests, and small frames made by hand."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

Frame = Callable[..., DataFrame]

SETTINGS = Path(__file__).parents[1] / "conf" / "spark-defaults.conf"
# The settings name the committer of s3a, whose jars nothing here needs: Spark's own in its place.
COMMITTER = {
    "spark.sql.parquet.output.committer.class": "org.apache.parquet.hadoop.ParquetOutputCommitter",
    "spark.sql.sources.commitProtocolClass": (
        "org.apache.spark.sql.execution.datasources.SQLHadoopMapReduceCommitProtocol"
    ),
}
START_SECONDS = 120


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until_listening(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_listening(port):
        if server.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"the Spark Connect server did not start:\n{log.read_text()[-3000:]}")
        time.sleep(0.2)


@pytest.fixture(scope="session")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server that SPARK_REMOTE names, else one of the tests' own from SPARK_HOME."""
    if address := os.environ.get("SPARK_REMOTE"):
        yield address
        return
    home = os.environ.get("SPARK_HOME")
    if not home:
        pytest.skip("neither SPARK_REMOTE nor SPARK_HOME (a Spark with its jars) is set")
    port = free_port()
    work = tmp_path_factory.mktemp("spark")
    log = work / "server.log"
    settings = COMMITTER | {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": port,
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        "spark.ui.enabled": "false",
    }
    command = [
        f"{home}/bin/spark-submit",
        *("--class", "org.apache.spark.sql.connect.service.SparkConnectServer"),
        *("--master", "local[2]"),
        *("--driver-memory", "768m"),
        *("--properties-file", str(SETTINGS)),
        *(word for name, value in settings.items() for word in ("--conf", f"{name}={value}")),
        "spark-internal",
    ]
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=work, stdout=output, stderr=output)
    try:
        wait_until_listening(server, port, log)
        yield f"sc://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=30)


@pytest.fixture(scope="session")
def spark(remote: str) -> Iterator[SparkSession]:
    session = SparkSession.builder.remote(remote).create()
    yield session
    session.stop()


@pytest.fixture
def frame(spark: SparkSession) -> Frame:
    """frame("a int, b string", {"a": 1}, {"b": "x"}): a cell that is left out is null."""

    def make(ddl: str, *rows: dict[str, Any]) -> DataFrame:
        names = [column.split()[0] for column in ddl.split(", ")]
        unknown = {name for row in rows for name in row} - set(names)
        assert not unknown, f"not in the frame: {unknown}"
        return spark.createDataFrame([tuple(map(row.get, names)) for row in rows], ddl)

    return make


def rows_of(frame: DataFrame, *names: str) -> list[tuple[Any, ...]]:
    """The rows in order, nulls first; of the named columns only, if any are named."""
    chosen = frame.select(*names) if names else frame
    rows = [tuple(row) for row in chosen.collect()]
    return sorted(rows, key=lambda row: [(cell is not None, cell) for cell in row])
