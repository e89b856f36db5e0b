"""Bronze to silver. `python -m spark.jobs.silver RUN_ID`"""

import sys
from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import DataFrame

from spark.dropped import DroppedRows, kept
from spark.jobs.hop import Hop
from spark.lake import Json, Lake
from spark.session import spark_session
from spark.silver import cpi, genres, links, movies, ratings


@dataclass(frozen=True)
class Dataset:
    """How the rows of a dataset are judged, and the table that holds those that go on."""

    judge: Callable[[DataFrame], DataFrame]
    reasons: tuple[str, ...]
    table: str
    select: Callable[[DataFrame], DataFrame]


DATASETS = {
    "movies": Dataset(movies.judged_movies, movies.REASONS, "movie", movies.movie),
    "ratings": Dataset(ratings.judged_ratings, ratings.REASONS, "rating", ratings.rating),
    "links": Dataset(links.judged_links, links.REASONS, "movielens_movie", links.movielens_movie),
    "cpi": Dataset(cpi.judged_cpi, cpi.REASONS, "cpi_month", cpi.cpi_month),
}

#: That the hop writes: one per dataset, genre and movie_genre.
TABLES = len(DATASETS) + 2


def run(run_id: str) -> Json:
    """Reads the loads that the run's inputs name, writes silver, returns the hop's report."""
    lake = Lake.from_environment()
    hop = Hop(lake, "silver", run_id, TABLES)
    loads = lake.read_json(f"_runs/{run_id}/inputs.json")["loads"]

    with spark_session() as spark:
        judged = {
            name: dataset.judge(lake.read_table(spark, loads[name]["prefix"]))
            for name, dataset in DATASETS.items()
        }
        dropped = {
            name: DroppedRows(name, judged[name], dataset.reasons)
            for name, dataset in DATASETS.items()
        }
        tables = {
            dataset.table: dataset.select(dropped[name].others())
            for name, dataset in DATASETS.items()
        }
        kept_movies = kept(judged["movies"])
        tables["movie_genre"] = genres.movie_genre(kept_movies)
        tables["genre"] = genres.genre(kept_movies)
        hop.write(tables)
        rows = {
            name: {
                "rows_in": lake.count_rows(loads[name]["prefix"]),
                "rows_out": hop.tables[dataset.table],
                "dropped": dropped[name].by_reason(),
            }
            for name, dataset in DATASETS.items()
        }

    return hop.report(rows)


if __name__ == "__main__":
    print(run(sys.argv[1]))
