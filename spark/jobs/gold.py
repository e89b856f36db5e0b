"""Silver to gold. `python -m spark.jobs.gold RUN_ID`"""

import sys

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark.dropped import DroppedRows, kept
from spark.gold import (
    box_office_aggregates,
    cpi,
    dimensions,
    fact_box_office,
    fact_rating,
    rating_aggregates,
    release_timing_test,
)
from spark.jobs import appended_gold, gold_ratings, silver_ratings
from spark.jobs.hop import Hop
from spark.jobs.parts import Parts
from spark.jobs.previous_run import code_digest
from spark.lake import Json, Lake

#: That the hop writes.
TABLES = 13


def run(run_id: str) -> Json:
    """Reads the silver that the run's report names, writes gold, returns the hop's report.

    Where that silver goes on from another run's, so does gold.
    """
    lake = Lake.from_environment()
    hop = Hop.begin(lake, "gold", run_id)
    of_silver = lake.read_json(f"_runs/{run_id}/silver.json")
    if "goes_on_from" in of_silver and of_silver["code"] == code_digest():
        hop.will_write(appended_gold.TABLES)
        previous = lake.read_json(f"_runs/{of_silver['goes_on_from']}/gold.json")
        rows = appended_gold.write(hop, of_silver, previous)
        return hop.report(rows, goes_on_from=of_silver["goes_on_from"])
    hop.will_write(TABLES)

    with hop.session() as spark:

        def silver(table: str) -> DataFrame:
            return Parts.of(of_silver, table).read(lake, spark)

        def gold(table: str) -> DataFrame:
            return lake.read_table(spark, f"{hop.prefix}/{table}")

        movie = silver("movie")
        cpi_month = cpi.cpi_month(silver("cpi_month"))
        ratings = silver_ratings.read(lake, spark, of_silver)
        movies_dropped = DroppedRows(
            "fact_box_office", fact_box_office.judged_movies(movie), fact_box_office.REASONS
        )
        links_judged = dimensions.judged_links(silver("movielens_movie"), movie)
        links_dropped = DroppedRows(
            "bridge_movielens_movie",
            links_judged,
            dimensions.LINK_REASONS,
        )
        movies_of_links = dimensions.bridge_movielens_movie(kept(links_judged))
        ratings_dropped = DroppedRows(
            "fact_rating",
            fact_rating.judged_sums(ratings, movies_of_links),
            fact_rating.REASONS,
            F.col("ratings"),
        )
        dim_movie = dimensions.dim_movie(movie)
        dim_genre = dimensions.dim_genre(silver("genre"))
        bridge = dimensions.bridge_movie_genre(silver("movie_genre"))

        # What is added up of others is read as it was written, so that nothing is computed twice.
        def of_ratings() -> None:
            users = {
                "user_genre": rating_aggregates.user_genre(
                    dim_genre, bridge, movies_of_links, ratings
                )
            }
            movies = {
                "agg_movie_rating": rating_aggregates.agg_movie_rating(ratings_dropped.others())
            }
            hop.side_by_side(lambda: hop.write_aside(users), lambda: hop.write(movies))
            hop.write(
                {
                    "agg_genre_rating": rating_aggregates.agg_genre_rating(
                        dim_genre, bridge, dim_movie, gold("agg_movie_rating"), gold("user_genre")
                    )
                }
            )

        def of_box_office() -> None:
            judged = movies_dropped.others()
            hop.write({"fact_box_office": fact_box_office.fact_box_office(judged, cpi_month)})
            facts = gold("fact_box_office")
            hop.write(
                {
                    "agg_release_period": box_office_aggregates.agg_release_period(facts),
                    "agg_genre_box_office": box_office_aggregates.agg_genre_box_office(
                        facts, bridge
                    ),
                    "release_timing_test": release_timing_test.release_timing_test(spark, facts),
                }
            )

        def of_dimensions() -> None:
            hop.write(
                {
                    "dim_movie": dim_movie,
                    "bridge_movie_genre": bridge,
                    "bridge_movielens_movie": dimensions.bridge_movielens_movie(
                        links_dropped.others()
                    ),
                    "dim_genre": dim_genre,
                    "dim_date": dimensions.dim_date(movie),
                    "cpi_month": cpi_month,
                }
            )

        hop.side_by_side(of_ratings, of_box_office, of_dimensions)
        rows = {
            "fact_rating": gold_ratings.share(hop, of_silver, ratings_dropped.by_reason()),
            "fact_box_office": {
                "rows_in": Parts.of(of_silver, "movie").count_rows(lake),
                "rows_out": hop.tables["fact_box_office"],
                "dropped": movies_dropped.by_reason(),
            },
            "bridge_movielens_movie": {
                "rows_in": Parts.of(of_silver, "movielens_movie").count_rows(lake),
                "rows_out": hop.tables["bridge_movielens_movie"],
                "dropped": links_dropped.by_reason(),
            },
        }

    return hop.report(rows)


if __name__ == "__main__":
    print(run(sys.argv[1]))
