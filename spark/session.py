"""A session on the Spark Connect server."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession


@contextmanager
def spark_session() -> Iterator[SparkSession]:
    """A session of its own on the server that SPARK_REMOTE names, ended on leaving."""
    remote = os.environ.get("SPARK_REMOTE")
    if not remote:
        raise LookupError("SPARK_REMOTE is not set: the Spark Connect address, sc://host:port")
    session = SparkSession.builder.remote(remote).create()
    try:
        yield session
    finally:
        session.stop()
