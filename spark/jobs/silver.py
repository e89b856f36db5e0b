"""Bronze to silver. `python -m spark.jobs.silver RUN_ID`"""

import sys

from pyspark.sql import DataFrame, Observation

from spark.dropped import counted, kept
from spark.jobs.hop import Hop
from spark.lake import Json, Lake
from spark.session import spark_session
from spark.silver import cpi, genres, links, movies, ratings


def run(run_id: str) -> Json:
    """Reads the loads that the run's inputs name, writes silver, returns the hop's report."""
    lake = Lake.from_environment()
    hop = Hop(lake, "silver", run_id)
    loads = lake.read_json(f"_runs/{run_id}/inputs.json")["loads"]
    dropped = {dataset: Observation(dataset) for dataset in loads}

    with spark_session() as spark:

        def bronze(dataset: str) -> DataFrame:
            return lake.read_table(spark, loads[dataset]["prefix"])

        def observed(dataset: str, judged: DataFrame, reasons: tuple[str, ...]) -> DataFrame:
            return kept(counted(judged, reasons, dropped[dataset]))

        judged_movies = movies.judged_movies(bronze("movies"))
        kept_movies = kept(judged_movies)
        judged_links = links.judged_links(bronze("links"))
        judged_ratings = ratings.judged_ratings(bronze("ratings"))
        judged_cpi = cpi.judged_cpi(bronze("cpi"))
        hop.write({
            "movie": movies.movie(observed("movies", judged_movies, movies.REASONS)),
            "rating": ratings.rating(observed("ratings", judged_ratings, ratings.REASONS)),
            "movielens_movie": links.movielens_movie(observed("links", judged_links, links.REASONS)),
            "movie_genre": genres.movie_genre(kept_movies),
            "genre": genres.genre(kept_movies),
            "cpi_month": cpi.cpi_month(observed("cpi", judged_cpi, cpi.REASONS)),
        })

    table_of = {"movies": "movie", "links": "movielens_movie", "ratings": "rating", "cpi": "cpi_month"}
    return hop.report({
        dataset: {
            "rows_in": lake.count_rows(loads[dataset]["prefix"]),
            "rows_out": hop.tables[table],
            "dropped": dropped[dataset].get,
        }
        for dataset, table in table_of.items()
    })


if __name__ == "__main__":
    print(run(sys.argv[1]))
