"""Silver to gold. `python -m spark.jobs.gold RUN_ID`"""

import sys

from pyspark.sql import DataFrame

from spark.dropped import DroppedRows
from spark.gold import (
    box_office_aggregates,
    cpi,
    dimensions,
    fact_box_office,
    fact_rating,
    rating_aggregates,
    release_timing_test,
)
from spark.jobs.hop import Hop
from spark.lake import Json, Lake
from spark.session import spark_session

#: That the hop writes.
TABLES = 13


def run(run_id: str) -> Json:
    """Reads the silver that the run's report names, writes gold, returns the hop's report."""
    lake = Lake.from_environment()
    hop = Hop(lake, "gold", run_id, TABLES)
    silver_prefix = lake.read_json(f"_runs/{run_id}/silver.json")["prefix"]

    with spark_session() as spark:

        def silver(table: str) -> DataFrame:
            return lake.read_table(spark, f"{silver_prefix}/{table}")

        def gold(table: str) -> DataFrame:
            return lake.read_table(spark, f"{hop.prefix}/{table}")

        movie = silver("movie")
        cpi_month = cpi.cpi_month(silver("cpi_month"))
        ratings_dropped = DroppedRows(
            "fact_rating",
            fact_rating.judged_ratings(silver("rating"), silver("movielens_movie"), movie),
            fact_rating.REASONS,
        )
        movies_dropped = DroppedRows(
            "fact_box_office", fact_box_office.judged_movies(movie), fact_box_office.REASONS
        )
        links_dropped = DroppedRows(
            "bridge_movielens_movie",
            dimensions.judged_links(silver("movielens_movie"), movie),
            dimensions.LINK_REASONS,
        )
        hop.write(
            {
                "fact_rating": fact_rating.fact_rating(ratings_dropped.others()),
                "fact_box_office": fact_box_office.fact_box_office(
                    movies_dropped.others(), cpi_month
                ),
                "dim_movie": dimensions.dim_movie(movie),
                "bridge_movie_genre": dimensions.bridge_movie_genre(silver("movie_genre")),
                "bridge_movielens_movie": dimensions.bridge_movielens_movie(links_dropped.others()),
                "dim_genre": dimensions.dim_genre(silver("genre")),
                "dim_date": dimensions.dim_date(movie),
                "cpi_month": cpi_month,
            }
        )

        # From the facts as they were written, so that nothing is computed twice.
        ratings, box_office = gold("fact_rating"), gold("fact_box_office")
        bridge = gold("bridge_movie_genre")
        hop.write(
            {
                "agg_genre_rating": rating_aggregates.agg_genre_rating(
                    gold("dim_genre"), bridge, gold("dim_movie"), ratings
                ),
                "agg_movie_rating": rating_aggregates.agg_movie_rating(ratings),
                "agg_release_period": box_office_aggregates.agg_release_period(box_office),
                "agg_genre_box_office": box_office_aggregates.agg_genre_box_office(
                    box_office, bridge
                ),
                "release_timing_test": release_timing_test.release_timing_test(spark, box_office),
            }
        )
        rows = {
            "fact_rating": {
                "rows_in": lake.count_rows(f"{silver_prefix}/rating"),
                "rows_out": hop.tables["fact_rating"],
                "dropped": ratings_dropped.by_reason(),
            },
            "fact_box_office": {
                "rows_in": lake.count_rows(f"{silver_prefix}/movie"),
                "rows_out": hop.tables["fact_box_office"],
                "dropped": movies_dropped.by_reason(),
            },
            "bridge_movielens_movie": {
                "rows_in": lake.count_rows(f"{silver_prefix}/movielens_movie"),
                "rows_out": hop.tables["bridge_movielens_movie"],
                "dropped": links_dropped.by_reason(),
            },
        }

    return hop.report(rows)


if __name__ == "__main__":
    print(run(sys.argv[1]))
