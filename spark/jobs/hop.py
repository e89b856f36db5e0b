"""What the Spark hops share: tables written side by side, and the report of the hop."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from secrets import token_hex
from threading import Semaphore
from typing import Self

from pyspark.sql import DataFrame, SparkSession

from spark.jobs.outlived_try import OutlivedTry
from spark.jobs.parts import Parts
from spark.jobs.previous_run import code_digest
from spark.lake import Json, Lake
from spark.progress import Progress
from spark.session import spark_session

# Enough that one table is planned while another is written; more would only queue.
TABLES_AT_ONCE = 4


@dataclass
class Hop:
    """One try of a hop of a run. It writes where no other try does, and reports at the end, unless
    a newer try has begun.
    """

    lake: Lake
    name: str
    run_id: str
    attempt: str = field(default_factory=lambda: token_hex(4))
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started_clock: float = field(default_factory=time.monotonic)
    tables: dict[str, int] = field(default_factory=dict)
    parts: dict[str, Parts] = field(default_factory=dict)
    slots: Semaphore = field(default_factory=lambda: Semaphore(TABLES_AT_ONCE))
    failure: BaseException | None = None
    spark: SparkSession | None = None
    progress: Progress = field(init=False)

    @classmethod
    def begin(cls, lake: Lake, name: str, run_id: str) -> Self:
        """A new try, which the lake names as the newest one from here on. Before anything is read:
        one that sleeps before this would be taken for newer than its successor.
        """
        hop = cls(lake, name, run_id)
        lake.write_json(hop._newest_try, {"try": hop.attempt})
        return hop

    def will_write(self, tables: int) -> None:
        """Tells that the hop has begun, and how many tables it writes. Before any is written."""
        self.progress = Progress(self.lake, self.run_id, self.name, "tables", total=tables)

    @contextmanager
    def session(self) -> Iterator[SparkSession]:
        """The Spark session whose frames the hop writes; all work in it ends when a table fails."""
        with spark_session() as self.spark:
            yield self.spark

    @property
    def prefix(self) -> str:
        """The key prefix that this try writes below."""
        return f"{self.name}/{self.run_id}/{self.attempt}"

    @property
    def _newest_try(self) -> str:
        """The key of what names the newest try. Not `.json`, as reports are."""
        return f"_runs/{self.run_id}/{self.name}.try"

    def write(self, tables: Mapping[str, DataFrame]) -> None:
        """Writes tables below the prefix and notes how many rows are there then."""
        self.tables |= self.write_aside(tables)
        self.parts |= {table: Parts((f"{self.prefix}/{table}",)) for table in tables}

    def write_aside(self, tables: Mapping[str, DataFrame]) -> dict[str, int]:
        """Writes tables that are none of the hop's own; how many rows each has."""
        rows: dict[str, int] = {}

        def write(table: str) -> None:
            with self.slots:
                if self.failure:
                    raise self.failure
                rows[table] = self.lake.write_table(tables[table], f"{self.prefix}/{table}")
            self.progress.one_done()

        self.side_by_side(*(partial(write, table) for table in tables))
        return {table: rows[table] for table in tables}

    def side_by_side(self, *works: Callable[[], None]) -> None:
        """Does works at the same time, each of which writes tables. The first error ends the
        writing of the other tables, and is raised; no other is begun.
        """
        with ThreadPoolExecutor(len(works)) as pool:
            try:
                for done in as_completed([pool.submit(work) for work in works]):
                    done.result()
            except BaseException as error:  # a task that runs out of time raises no Exception
                self._fail(error)
                raise self.failure from None

    def _fail(self, error: BaseException) -> None:
        """Keeps the first error, and has Spark give up what it does: nobody would use it."""
        if self.failure:
            return
        self.failure = error
        if self.spark:
            # A server that has gone does nothing any more; the error is why it was asked.
            with suppress(Exception):
                self.spark.interruptAll()

    def share(self, table: str, parts: Parts, rows: int | None = None) -> None:
        """Has a table in parts that are there already, all or some: of other runs, or of silver.
        `rows` says how many of their rows are the table's, where not all are.
        """
        self.tables[table] = parts.count_rows(self.lake) if rows is None else rows
        self.parts[table] = parts

    def report(self, rows: Mapping[str, Json], **more: str | None) -> Json:
        """Writes and returns the hop's report (`HopReport` in contracts), with `more` in it.

        A try that is no longer the newest raises in place of it. The store takes no condition from
        here, so one that falls asleep between the last question and the write still writes.
        """
        started_at = self.started_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        report = {
            "hop": self.name,
            "run_id": self.run_id,
            "started_at": started_at,
            "seconds": round(time.monotonic() - self.started_clock, 3),
            "rows": dict(rows),
            "prefix": self.prefix,
            "tables": self.tables,
            "parts": {table: parts.json() for table, parts in self.parts.items()},
            "code": code_digest(),
            **{name: value for name, value in more.items() if value is not None},
        }
        self._refuse_if_outlived()
        self.lake.write_json(f"_runs/{self.run_id}/{self.name}.json", report)
        return report

    def _refuse_if_outlived(self) -> None:
        newest = self.lake.read_json(self._newest_try)["try"]
        if newest == self.attempt:
            return
        raise OutlivedTry(
            f"a newer try of {self.name} of run {self.run_id} has begun ({newest}): its report "
            f"counts, and this one ({self.attempt}) writes none"
        )
