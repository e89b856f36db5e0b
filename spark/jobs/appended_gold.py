"""Gold of a run whose ratings are those of the published run and what was appended to them."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark.dropped import DroppedRows
from spark.gold import fact_rating, rating_aggregates
from spark.jobs import gold_ratings, silver_ratings
from spark.jobs.hop import Hop
from spark.jobs.parts import Parts
from spark.lake import Json

#: That the hop writes: the three that are added up of ratings.
TABLES = 3

OF_MOVIES = ("fact_box_office", "bridge_movielens_movie")


def write(hop: Hop, of_silver: Json, previous: Json) -> dict[str, Json]:
    """Writes what the appended ratings change, shares all other tables; the rows of the report."""
    lake = hop.lake
    ratings = Parts.of(of_silver, silver_ratings.TABLE)
    changed = (gold_ratings.TABLE, "agg_movie_rating", "agg_genre_rating")
    for table in previous["tables"]:
        if table not in changed:
            hop.share(table, Parts.of(previous, table))

    with hop.session() as spark:

        def shared(table: str) -> DataFrame:
            return Parts.of(previous, table).read(lake, spark)

        def written(table: str) -> DataFrame:
            return lake.read_table(spark, f"{hop.prefix}/{table}")

        def sums_of(name: str, prefix: str) -> DroppedRows:
            judged = fact_rating.judged_sums(lake.read_table(spark, prefix), movies_of_links)
            return DroppedRows(name, judged, fact_rating.REASONS, F.col("ratings"))

        movies_of_links = shared("bridge_movielens_movie")
        genres, bridge = shared("dim_genre"), shared("bridge_movie_genre")
        added = sums_of("added", ratings.added[-1])
        replaced = sums_of("replaced", ratings.replaced[-1])
        new = lake.read_table(spark, ratings.added[-1])
        of_users = rating_aggregates.user_genre(genres, bridge, movies_of_links, new)
        users = {"user_genre": rating_aggregates.user_genre_after(shared("user_genre"), of_users)}
        movies = {
            "agg_movie_rating": rating_aggregates.agg_movie_rating_after(
                shared("agg_movie_rating"), added.others(), replaced.others()
            )
        }
        hop.side_by_side(lambda: hop.write_aside(users), lambda: hop.write(movies))
        hop.write(
            {
                "agg_genre_rating": rating_aggregates.agg_genre_rating(
                    genres,
                    bridge,
                    shared("dim_movie"),
                    written("agg_movie_rating"),
                    written("user_genre"),
                )
            }
        )
        # Of those that reach no movie too, each has another in its place, which is counted.
        before = previous["rows"][gold_ratings.TABLE]["dropped"]
        came, went = added.by_reason(), replaced.by_reason()
        dropped = {reason: before[reason] + came[reason] - went[reason] for reason in before}

    of_facts = gold_ratings.share(hop, of_silver, dropped)
    return {gold_ratings.TABLE: of_facts} | {table: previous["rows"][table] for table in OF_MOVIES}
