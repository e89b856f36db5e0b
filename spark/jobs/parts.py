"""Tables that runs share: the part that each run added, which may be a load in bronze, and the rows
of earlier parts that it replaced.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Self

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark.lake import Json, Lake


@dataclass(frozen=True)
class Parts:
    """The prefixes of a table: what was added, and what each part but the first replaced of those
    before it. A row is replaced once at most.
    """

    added: tuple[str, ...]
    replaced: tuple[str, ...] = ()

    @classmethod
    def of(cls, report: Json, table: str) -> Self:
        """Of a table that a hop reports; before tables had parts it was alone."""
        known = report.get("parts", {}).get(table)
        if known is None:
            return cls((f"{report['prefix']}/{table}",))
        return cls(tuple(known["added"]), tuple(known["replaced"]))

    def and_then(self, added: str, replaced: str) -> Self:
        """With one part more."""
        return type(self)((*self.added, added), (*self.replaced, replaced))

    def json(self) -> Json:
        """As in the report (`TableParts` in contracts)."""
        return {"added": list(self.added), "replaced": list(self.replaced)}

    def count_rows(self, lake: Lake) -> int:
        """The rows that are left, as the footers state them."""
        return sum(map(lake.count_rows, self.added)) - sum(map(lake.count_rows, self.replaced))

    def read(
        self,
        lake: Lake,
        spark: SparkSession,
        key: tuple[str, ...] = (),
        view: Callable[[DataFrame, str], DataFrame] = lambda rows, _prefix: rows,
    ) -> DataFrame:
        """The rows that are left; the key tells which are replaced. `view` makes the table's rows
        of what is at a prefix.
        """
        tables = [view(lake.read_table(spark, prefix), prefix) for prefix in self.added]
        if not self.replaced:
            return reduce(DataFrame.unionByName, tables)
        placed = [rows.withColumn("place", F.lit(place)) for place, rows in enumerate(tables)]
        replaced = [
            lake.read_table(spark, prefix).select(*key, F.lit(place).alias("replaced_in"))
            for place, prefix in enumerate(self.replaced, 1)
        ]
        last = reduce(DataFrame.unionByName, replaced).groupBy(*key).agg(F.max("replaced_in"))
        names = (*(f"replaced_{name}" for name in key), "replaced_in")
        rows = reduce(DataFrame.unionByName, placed)
        later = F.broadcast(last.toDF(*names))
        is_replaced = F.col("place") < F.col("replaced_in")
        for name in key:
            is_replaced &= F.col(name) == F.col(f"replaced_{name}")
        return rows.join(later, is_replaced, "left_anti").drop("place")
