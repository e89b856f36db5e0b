"""Gold of a run whose ratings are those of the published run and what was appended to them."""

from pyspark.sql import DataFrame

from spark.dropped import DroppedRows, kept
from spark.gold import fact_rating, rating_aggregates
from spark.jobs.hop import Hop
from spark.jobs.parts import Parts
from spark.lake import Json

#: That the hop writes: the facts that are added and those replaced, three that are added up.
TABLES = 5

OF_MOVIES = ("fact_box_office", "bridge_movielens_movie")


def write(hop: Hop, of_silver: Json, previous: Json) -> dict[str, Json]:
    """Writes what the appended ratings change, shares all other tables; the rows of the report."""
    lake = hop.lake
    ratings = Parts.of(of_silver, "rating")
    added, replaced = f"{hop.prefix}/fact_rating", f"{hop.prefix}/replaced_rating"
    facts = Parts.of(previous, "fact_rating").and_then(added, replaced)
    changed = ("fact_rating", "agg_movie_rating", "agg_genre_rating")
    for table in previous["tables"]:
        if table not in changed:
            hop.share(table, Parts.of(previous, table))

    with hop.session() as spark:

        def silver(table: str) -> DataFrame:
            return Parts.of(of_silver, table).read(lake, spark)

        def shared(table: str) -> DataFrame:
            return Parts.of(previous, table).read(lake, spark)

        def written(table: str) -> DataFrame:
            return lake.read_table(spark, f"{hop.prefix}/{table}")

        def judged(prefix: str) -> DataFrame:
            table = lake.read_table(spark, prefix)
            return fact_rating.judged_ratings(table, silver("movielens_movie"), silver("movie"))

        dropped = DroppedRows("fact_rating", judged(ratings.added[-1]), fact_rating.REASONS)
        gone = kept(judged(ratings.replaced[-1]))
        hop.write_aside(
            {
                "fact_rating": fact_rating.fact_rating(dropped.others()),
                "replaced_rating": gone.select("user_id", "movie_id", "tmdb_id", "rating"),
            }
        )
        new, genres, bridge = (
            written("fact_rating"),
            shared("dim_genre"),
            shared("bridge_movie_genre"),
        )
        of_users = rating_aggregates.user_genre(genres, bridge, new)
        before = Parts.of(previous, "user_genre").read(lake, spark)
        users = {"user_genre": rating_aggregates.user_genre_after(before, of_users)}
        movies = {
            "agg_movie_rating": rating_aggregates.agg_movie_rating_after(
                shared("agg_movie_rating"), new, written("replaced_rating")
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
        no_movie = dropped.by_reason()["no_movie"]

    hop.share("fact_rating", facts)
    no_movie += previous["rows"]["fact_rating"]["dropped"]["no_movie"]
    # Of those that reach no movie too, each has another in its place, which is counted.
    no_movie -= lake.count_rows(ratings.replaced[-1]) - lake.count_rows(replaced)
    of_facts = {
        "rows_in": ratings.count_rows(lake),
        "rows_out": hop.tables["fact_rating"],
        "dropped": {"no_movie": no_movie},
    }
    return {"fact_rating": of_facts} | {table: previous["rows"][table] for table in OF_MOVIES}
