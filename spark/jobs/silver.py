"""Bronze to silver. `python -m spark.jobs.silver RUN_ID`"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

from pyarrow import dataset
from pyspark.sql import DataFrame

from spark.dropped import DroppedRows, kept
from spark.jobs import appended_silver, silver_ratings
from spark.jobs.hop import Hop
from spark.jobs.previous_run import previous_run
from spark.jobs.run_inputs import loads_of, rows_of
from spark.lake import Json, Lake
from spark.silver import cpi, genres, links, movies, ratings


@dataclass(frozen=True)
class Dataset:
    """Why rows of a dataset are dropped, and the table that holds those that go on."""

    reasons: tuple[str, ...]
    table: str
    select: Callable[[DataFrame], DataFrame]


DATASETS = {
    "ratings": Dataset(ratings.REASONS, silver_ratings.TABLE, ratings.rating),
    "movies": Dataset(movies.REASONS, "movie", movies.movie),
    "links": Dataset(links.REASONS, "movielens_movie", links.movielens_movie),
    "cpi": Dataset(cpi.REASONS, "cpi_month", cpi.cpi_month),
}

#: How rows are judged, but for ratings: they come from more than bulk loads, or stay in bronze.
JUDGES: dict[str, Callable[[DataFrame], DataFrame]] = {
    "movies": movies.judged_movies,
    "links": links.judged_links,
    "cpi": cpi.judged_cpi,
}

#: Of inputs that were fixed before there were live ratings.
NOTHING_LIVE: Json = {"bronze": 0}

#: genre and movie_genre, beside a table of each dataset.
GENRE_TABLES = 2


def run(run_id: str) -> Json:
    """Reads what the run's inputs name, writes silver, returns the hop's report.

    What the published run's silver holds already is not computed again where only ratings were
    appended.
    """
    lake = Lake.from_environment()
    hop = Hop.begin(lake, "silver", run_id)
    inputs = lake.read_json(f"_runs/{run_id}/inputs.json")
    previous, in_full_because = previous_run(lake, inputs)
    live = inputs.get("live", NOTHING_LIVE)
    loads = {name: loads_of(inputs, name) for name in DATASETS}
    rows_in = {
        name: sum(lake.count_rows(prefix) for load in loads[name] for prefix in load.prefixes)
        for name in DATASETS
    }
    if live["bronze"]:
        rows_in["ratings"] += lake.count_rows(live["prefix"], is_below(live["offsets"]))
    if previous:
        hop.will_write(appended_silver.TABLES)
        rows = appended_silver.write(hop, inputs, previous, rows_in["ratings"])
        return hop.report(rows, goes_on_from=previous.run_id)

    footers = lake.footers(loads["ratings"][0].prefix)
    shared = silver_ratings.as_in_bronze(loads["ratings"], live["bronze"], footers)
    hop.will_write(len(DATASETS) - bool(shared) + GENRE_TABLES)
    with hop.session() as spark:
        judged = {}
        if not shared:
            of_ratings = silver_ratings.judged(lake, spark, loads["ratings"], live, footers)
            judged["ratings"] = of_ratings
        for name, judge in JUDGES.items():
            judged[name] = judge(reduce(DataFrame.unionByName, rows_of(lake, spark, loads[name])))
        dropped = {
            name: DroppedRows(name, rows, DATASETS[name].reasons) for name, rows in judged.items()
        }
        tables = {
            DATASETS[name].table: DATASETS[name].select(rows.others())
            for name, rows in dropped.items()
        }
        kept_movies = kept(judged["movies"])
        tables["movie_genre"] = genres.movie_genre(kept_movies)
        tables["genre"] = genres.genre(kept_movies)
        hop.write(tables)
        if shared:
            hop.share(silver_ratings.TABLE, shared)
        rows = {
            name: {
                "rows_in": rows_in[name],
                "rows_out": hop.tables[rules.table],
                "dropped": dropped[name].by_reason()
                if name in dropped
                else dict.fromkeys(rules.reasons, 0),
            }
            for name, rules in DATASETS.items()
        }

    return hop.report(rows, in_full_because=in_full_because)


def is_below(offsets: list[int]) -> dataset.Expression:
    """Whether a live row is before the barrier, as a condition on Parquet files."""
    place, offset = dataset.field("kafka_partition"), dataset.field("kafka_offset")
    return reduce(
        dataset.Expression.__or__,
        [(place == partition) & (offset < end) for partition, end in enumerate(offsets)],
    )


if __name__ == "__main__":
    print(run(sys.argv[1]))
