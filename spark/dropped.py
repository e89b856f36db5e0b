"""Rows that do not go on: named by a reason, counted while the others are written.

A judged frame holds every row that came in, with the column `dropped`: the reason a row is
left behind for, or null.
"""

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F
from pyspark.sql.window import WindowSpec

DROPPED = "dropped"
ONE = F.lit(1)


def reason_if(condition: Column, reason: str) -> Column:
    """The reason where the condition holds, else null; for `coalesce` in order of precedence."""
    return F.when(condition, F.lit(reason))


def is_not_first(window: WindowSpec) -> Column:
    """Whether a row is behind another in its window: a duplicate of the one that wins."""
    return F.row_number().over(window) > 1


def kept(judged: DataFrame) -> DataFrame:
    """The rows that go on."""
    return judged.where(F.col(DROPPED).isNull()).drop(DROPPED)


class DroppedRows:
    """The rows of a judged frame that do not go on, counted while the others are written."""

    def __init__(
        self, name: str, judged: DataFrame, reasons: tuple[str, ...], rows: Column = ONE
    ) -> None:
        """`name` is the count's own in its session; `rows` is how many each row of the frame stands
        for, where they were added up before.
        """
        self._judged = judged
        self._counts = [
            F.coalesce(F.sum(F.when(F.col(DROPPED) == reason, rows)), F.lit(0)).alias(reason)
            for reason in reasons
        ]
        self._reasons = set(reasons)
        self._observation = Observation(name)

    def others(self) -> DataFrame:
        """The rows that go on. Whoever writes them has the dropped ones counted."""
        return kept(self._judged.observe(self._observation, *self._counts))

    def by_reason(self) -> dict[str, int]:
        """How many rows each reason dropped. After the others are written, in the same session."""
        counted = self._observation.get
        if counted.keys() >= self._reasons:
            return counted
        # A busy server answers without the count when it is 100 ms late.
        return self._judged.agg(*self._counts).collect()[0].asDict()
