"""Silver of a run whose ratings are those of the published run and what was appended to them."""

from functools import reduce
from itertools import chain

from pyarrow import dataset
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark.dropped import DROPPED
from spark.footers import Footers
from spark.jobs import silver_ratings
from spark.jobs.hop import Hop
from spark.jobs.parts import Parts
from spark.jobs.previous_run import PreviousRun, live_offsets
from spark.jobs.run_inputs import Load, load_ids, loads_of, rows_of
from spark.lake import Json, Lake
from spark.silver import ratings

#: That the hop writes: the judged ratings, and of these those that are added and those replaced.
TABLES = 3


def write(hop: Hop, inputs: Json, previous: PreviousRun, ratings_in: int) -> dict[str, Json]:
    """Writes what the appended ratings change, shares all other tables; the rows of the report."""
    lake = hop.lake
    added = f"{hop.prefix}/rating"
    replaced = f"{hop.prefix}/replaced_rating"

    with hop.session() as spark:
        known = len(load_ids(previous.inputs, "ratings"))
        loads = loads_of(inputs, "ratings")
        bronze = reduce(DataFrame.unionByName, rows_of(lake, spark, loads, known))
        earlier = silver_ratings.read(lake, spark, previous.silver)
        if inputs["live"]["bronze"]:
            live = lake.read_table(spark, inputs["live"]["prefix"])
            since = live_offsets(previous.inputs)
            between = ratings.live_below(live, live_offsets(inputs), since)
            bronze = ratings.with_live(bronze, between)
        elif users := users_of(lake, loads[known:]):
            # Parquet's footers say of which users a group of rows is: of others none is read.
            earlier = earlier.where(F.col("user_id").between(*users))
        judged = ratings.judged_ratings(ratings.beside_earlier(bronze, earlier))
        # Written first, so that the ratings of before are read once.
        hop.write_aside({"judged_rating": judged})
        judged = lake.read_table(spark, f"{hop.prefix}/judged_rating")
        is_kept = F.col(DROPPED).isNull()
        hop.write_aside(
            {
                "rating": ratings.rating(judged.where(is_kept & ~F.col("is_earlier"))),
                "replaced_rating": judged.where(~is_kept & F.col("is_earlier")).select(
                    *ratings.KEY, "rating"
                ),
            }
        )

    for table in previous.silver["tables"]:
        parts = Parts.of(previous.silver, table)
        hop.share(table, parts.and_then(added, replaced) if table == "rating" else parts)
    dropped_before = previous.silver["rows"]["ratings"]["dropped"]
    dropped = {
        reason: dropped_before[reason]
        + lake.count_rows(f"{hop.prefix}/judged_rating", dataset.field(DROPPED) == reason)
        for reason in ratings.REASONS
    }
    of_ratings = {"rows_in": ratings_in, "rows_out": hop.tables["rating"], "dropped": dropped}
    return {**previous.silver["rows"], "ratings": of_ratings}


def users_of(lake: Lake, loads: list[Load]) -> tuple[int, int] | None:
    """From which user to which there are ratings in loads; None where footers do not say."""
    tables = [lake.footers(prefix) for load in loads for prefix in load.prefixes]
    return Footers(tuple(chain(*(table.of_objects for table in tables)))).range_of("user_id")
