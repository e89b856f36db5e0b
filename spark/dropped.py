"""Rows that do not go on: named by a reason, counted while the others are written.

A judged frame holds every row that came in, with the column `dropped`: the reason a row is
left behind for, or null.
"""

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F
from pyspark.sql.window import WindowSpec

DROPPED = "dropped"


def reason_if(condition: Column, reason: str) -> Column:
    """The reason where the condition holds, else null; for `coalesce` in order of precedence."""
    return F.when(condition, F.lit(reason))


def is_not_first(window: WindowSpec) -> Column:
    """Whether a row is behind another in its window: a duplicate of the one that wins."""
    return F.row_number().over(window) > 1


def kept(judged: DataFrame) -> DataFrame:
    """The rows that go on."""
    return judged.where(F.col(DROPPED).isNull()).drop(DROPPED)


def counted(judged: DataFrame, reasons: tuple[str, ...], counts: Observation) -> DataFrame:
    """The same frame, whose dropped rows are counted by reason when it is next written."""
    by_reason = [F.count_if(F.col(DROPPED) == reason).alias(reason) for reason in reasons]
    return judged.observe(counts, *by_reason)
