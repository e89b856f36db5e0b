"""The ratings of gold: silver's own objects, without the rows that reach no movie."""

from spark.jobs import silver_ratings
from spark.jobs.hop import Hop
from spark.jobs.parts import Parts
from spark.lake import Json

TABLE = "fact_rating"


def share(hop: Hop, of_silver: Json, dropped: dict[str, int]) -> Json:
    """Has gold's ratings be those that silver reports; the rows of the report."""
    parts = Parts.of(of_silver, silver_ratings.TABLE)
    rows_in = parts.count_rows(hop.lake)
    rows_out = rows_in - sum(dropped.values())
    hop.share(TABLE, parts, rows_out)
    return {"rows_in": rows_in, "rows_out": rows_out, "dropped": dropped}
