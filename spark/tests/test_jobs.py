"""The two hops on a lake of a few rows: what they write, report and tell meanwhile."""

import json
import random
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from spark.footers import ASCENDING_KEYS
from spark.jobs import gold, previous_run, silver
from spark.jobs.parts import Parts
from spark.jobs.run_inputs import Load, loads_of
from spark.lake import Json, Lake
from spark.tests.local_lake import BUCKET, LocalLake

RUN = "r1"
DRAMA = "[{'id': 18, 'name': 'Drama'}, {'id': 35, 'name': 'Comedy'}]"
TEXTS = (
    *("adult", "belongs_to_collection", "homepage", "imdb_id", "original_language"),
    *("original_title", "overview", "poster_path", "production_companies"),
    *("production_countries", "spoken_languages", "status", "tagline", "title", "video"),
)


def movie(tmdb_id: int, revenue: float, votes: float) -> dict[str, Any]:
    numbers = {"budget": 1.0, "popularity": 1.0, "runtime": 90.0, "vote_average": 7.5}
    return {
        **dict.fromkeys(TEXTS, "text"),
        **numbers,
        "id": tmdb_id,
        "genres": DRAMA,
        "release_date": date(2000, tmdb_id, 1),
        "revenue": revenue,
        "vote_count": votes,
    }


def rated(user: int, movie_id: int) -> dict[str, Any]:
    return {"user_id": user, "movie_id": movie_id, "rating": 3.5, "timestamp": 100}


BRONZE = {
    "movies": [movie(1, 100, 5), movie(2, 0, 5), movie(3, 300, 5), movie(3, 300, 4)],
    "links": [{"movie_id": n, "imdb_id": "tt", "tmdb_id": n} for n in (1, 2, 77)],
    "ratings": [rated(1, 1), rated(1, 2), rated(2, 1), rated(1, 99)],
    "cpi": [{"observation_date": date(2000, m, 1), "value": 100.0 + m} for m in (1, 2)],
}
IDS = {"row_number", "id", "user_id", "movie_id", "tmdb_id"}


def put_load(
    folder: Path, dataset: str, name: str, rows: list[dict[str, Any]], **footer: str
) -> dict[str, str]:
    """Writes a load as the loader does; what the inputs say of it."""
    table = pa.Table.from_pylist([{"row_number": n, **row} for n, row in enumerate(rows, 1)])
    schema = pa.schema(
        field.with_type(pa.int32()) if field.name in IDS else field for field in table.schema
    )
    path = folder / BUCKET / "bronze" / name
    path.mkdir(parents=True)
    table = table.cast(schema).replace_schema_metadata(footer)
    parquet.write_table(table, path / "group-00000.parquet")
    return {"load_id": f"{name}-v1", "prefix": f"bronze/{name}"}


def put_bronze(folder: Path, lake: Lake) -> None:
    loads = {name: put_load(folder, name, name, rows) for name, rows in BRONZE.items()}
    lake.write_json(f"_runs/{RUN}/inputs.json", {"loads": loads})


@pytest.fixture
def lake(tmp_path: Path, remote: str, monkeypatch: pytest.MonkeyPatch) -> LocalLake:
    lake = LocalLake.at(tmp_path)
    put_bronze(tmp_path, lake)
    monkeypatch.setenv("SPARK_REMOTE", remote)
    monkeypatch.setattr(Lake, "from_environment", lambda: lake)
    return lake


def told(lake: LocalLake, hop: str) -> list[dict[str, Any]]:
    return lake.written[f"_progress/{RUN}/{hop}.json"]


def test_the_hops_account_for_every_row_and_tell_table_by_table_how_far_they_are(
    lake: LocalLake,
) -> None:
    report = silver.run(RUN)
    assert report["rows"]["movies"] == {
        "rows_in": 4,
        "rows_out": 3,
        "dropped": {"duplicate_id": 1},
    }
    assert told(lake, "silver") == [{"done": n, "total": 6, "unit": "tables"} for n in range(7)]
    assert len(report["tables"]) == 6

    # What silver says of its rows is not what gold goes by.
    lake.write_json(f"_runs/{RUN}/silver.json", {**report, "tables": {"rating": 99, "movie": 99}})
    gold_report = gold.run(RUN)
    assert gold_report["rows"] == {
        "fact_rating": {"rows_in": 4, "rows_out": 3, "dropped": {"no_movie": 1}},
        "fact_box_office": {"rows_in": 3, "rows_out": 2, "dropped": {"no_revenue": 1}},
        "bridge_movielens_movie": {
            "rows_in": 3,
            "rows_out": 2,
            "dropped": {"link_without_movie": 1},
        },
    }
    assert told(lake, "gold") == [{"done": n, "total": 13, "unit": "tables"} for n in range(14)]
    assert len(gold_report["tables"]) == 13

    # The rows of these tables are those of silver, which the gate holds them to.
    for silver_table, gold_table in (
        ("movie", "dim_movie"),
        ("genre", "dim_genre"),
        ("movie_genre", "bridge_movie_genre"),
        ("cpi_month", "cpi_month"),
    ):
        assert report["tables"][silver_table] == gold_report["tables"][gold_table] > 0


def live(partition: int, offset: int, rating: dict[str, Any]) -> dict[str, Any]:
    return {"kafka_partition": partition, "kafka_offset": offset, **rating}


def put_live(folder: Path, rows: list[dict[str, Any]]) -> None:
    ids = pa.schema(
        [
            *((name, pa.int32()) for name in ("kafka_partition", "user_id", "movie_id")),
            *((name, pa.int64()) for name in ("kafka_offset", "timestamp")),
            ("rating", pa.float64()),
        ]
    )
    path = folder / BUCKET / "bronze" / "ratings-live"
    path.mkdir(exist_ok=True)
    parquet.write_table(pa.Table.from_pylist(rows, ids), path / "partition-0.parquet")


def test_live_ratings_below_the_barrier_are_read_beside_the_bulk_ones_and_counted(
    lake: LocalLake, tmp_path: Path
) -> None:
    rows = [
        live(0, 5, {**rated(1, 1), "rating": 0.5}),
        live(0, 6, {**rated(9, 1), "rating": 1.5, "timestamp": 7}),
        live(0, 7, rated(9, 2)),
        live(1, 2, {**rated(2, 1), "rating": 1.0, "timestamp": 99}),
    ]
    put_live(tmp_path, rows)
    inputs = lake.read_json(f"_runs/{RUN}/inputs.json")
    inputs["live"] = {"prefix": "bronze/ratings-live", "bronze": 3, "offsets": [7, 3, 0, 0]}
    lake.write_json(f"_runs/{RUN}/inputs.json", inputs)

    report = silver.run(RUN)
    assert report["rows"]["ratings"] == {
        "rows_in": 7,
        "rows_out": 5,
        "dropped": {"no_rating": 0, "duplicate_rating": 2},
    }
    table = parquet.read_table(tmp_path / BUCKET / report["prefix"] / "rating")
    stars = {(r["user_id"], r["movie_id"]): float(r["rating"]) for r in table.to_pylist()}
    # The live one of the same second wins, the older one does not, and user 9's is new.
    assert stars == {(1, 1): 0.5, (1, 2): 3.5, (2, 1): 3.5, (1, 99): 3.5, (9, 1): 1.5}


def put_repaired(folder: Path, lake: Lake, dataset: str, *rows: dict[str, Any]) -> None:
    """Records of the base that were repaired, as the loader writes and the inputs name them."""
    prefix = f"repaired/{dataset}/after-00000001"
    path = folder / BUCKET / prefix
    path.mkdir(parents=True)
    bronze = parquet.read_schema(folder / BUCKET / "bronze" / dataset / "group-00000.parquet")
    parquet.write_table(pa.Table.from_pylist(list(rows), bronze), path / "records.parquet")
    inputs = lake.read_json(f"_runs/{RUN}/inputs.json")
    source = f"{dataset}-v1"
    fixes = {"source": source, "decisions": 1, "repaired": len(rows), "prefix": prefix}
    inputs["fixes"] = {**inputs.get("fixes", {}), dataset: [fixes]}
    lake.write_json(f"_runs/{RUN}/inputs.json", inputs)


def test_repaired_records_are_judged_among_those_of_bronze_and_counted(
    lake: LocalLake, tmp_path: Path
) -> None:
    put_repaired(
        tmp_path,
        lake,
        "movies",
        {"row_number": 5, **movie(4, 0, 1), "title": "mended"},
        # As many votes as the one that won before, in a later row.
        {"row_number": 6, **movie(3, 300, 5), "title": "later"},
        # An earlier row than those of bronze, with as many votes: it loses.
        {"row_number": 0, **movie(1, 100, 5), "title": "earlier"},
    )
    put_repaired(tmp_path, lake, "ratings", {"row_number": 9, **rated(1, 1), "rating": 0.5})
    put_repaired(tmp_path, lake, "links")
    report = silver.run(RUN)
    assert report["rows"]["movies"] == {
        "rows_in": 7,
        "rows_out": 4,
        "dropped": {"duplicate_id": 3},
    }
    titles = parquet.read_table(tmp_path / BUCKET / report["prefix"] / "movie").to_pylist()
    assert {r["tmdb_id"]: r["title"] for r in titles} == {
        1: "text",
        2: "text",
        3: "later",
        4: "mended",
    }
    assert report["rows"]["ratings"]["rows_in"] == 5
    assert report["rows"]["ratings"]["dropped"]["duplicate_rating"] == 1
    assert report["rows"]["links"]["rows_in"] == 3


def test_repaired_records_belong_to_their_source_also_in_inputs_of_before_loads_were_appended() -> (
    None
):
    base = {"load_id": "ab-v1-12345678", "prefix": "bronze/ab"}
    more = {"load_id": "cd-v12", "prefix": "bronze/cd"}
    fixes = [
        {"source": "cd-v1", "repaired": 1, "prefix": "repaired/other"},
        {"source": "cd-v12", "repaired": 2, "prefix": "repaired/cd"},
        {"source": "ab-v1", "repaired": 0, "prefix": "repaired/ab"},
    ]
    inputs = {"loads": {"links": base}, "appended": {"links": [more]}, "fixes": {"links": fixes}}
    assert loads_of(inputs, "links") == [Load("bronze/ab", None), Load("bronze/cd", "repaired/cd")]
    alone = {"source": "ab-v1", "repaired": 1, "prefix": "repaired/ab"}
    before = {"loads": {"links": base}, "fixes": {"links": alone}}
    assert loads_of(before, "links") == [Load("bronze/ab", "repaired/ab")]


MORE_MOVIES = [movie(2, 900, 5), movie(3, 1, 4), movie(5, 700, 1)]
MORE_RATINGS = [
    # Of the same second as one of the base, newer, older, the same again, new.
    {**rated(1, 1), "rating": 1.0},
    {**rated(1, 2), "rating": 2.0, "timestamp": 101},
    {**rated(2, 1), "rating": 0.5, "timestamp": 99},
    rated(1, 99),
    rated(5, 2),
    {**rated(5, 1), "rating": None},
]
LATER_RATINGS = [{**rated(1, 1), "rating": 1.5}, {**rated(5, 2), "rating": 4.0, "timestamp": 1}]
KEYS = {"columns": ["user_id", "movie_id"], "first": [1, 1], "last": [2, 99]}


@pytest.mark.parametrize("footer", [{}, {ASCENDING_KEYS.decode(): json.dumps(KEYS)}])
def test_what_is_appended_gives_what_its_rows_behind_those_of_the_base_in_one_file_give(
    lake: LocalLake, tmp_path: Path, footer: dict[str, str]
) -> None:
    def hops_of(run: str, **files_of: list[list[dict[str, Any]]]) -> tuple[Json, Json]:
        inputs = lake.read_json(f"_runs/{RUN}/inputs.json")
        appended = {}
        for name, (base, *more) in files_of.items():
            keys = footer if name == "ratings" and more else {}
            inputs["loads"][name] = put_load(tmp_path, name, f"{run}-{name}", base, **keys)
            appended[name] = [
                put_load(tmp_path, name, f"{run}-{name}-more{at}", rows)
                for at, rows in enumerate(more)
            ]
        lake.write_json(f"_runs/{run}/inputs.json", {**inputs, "appended": appended})
        return silver.run(run), gold.run(run)

    ordered = in_order(BRONZE["ratings"])
    rating_files = [ordered, MORE_RATINGS, LATER_RATINGS]
    movie_files = [BRONZE["movies"], MORE_MOVIES]
    parts = hops_of("parts", ratings=rating_files, movies=movie_files)
    whole = hops_of("whole", ratings=[[*chain(*rating_files)]], movies=[[*chain(*movie_files)]])
    for appended, refreshed in zip(parts, whole, strict=True):
        assert appended["rows"] == refreshed["rows"]
        for table in refreshed["tables"]:
            assert left_of(tmp_path, appended, table) == left_of(tmp_path, refreshed, table), table
    assert parts[0]["rows"]["ratings"] == {
        "rows_in": 12,
        "rows_out": 5,
        "dropped": {"no_rating": 1, "duplicate_rating": 6},
    }


@pytest.mark.parametrize(
    ("bad", "is_shared"),
    [
        pytest.param({}, True, id="every row goes on"),
        pytest.param({"rating": None}, False, id="a row without a rating"),
        pytest.param({"rating": 99.0}, False, id="a rating of more digits"),
    ],
)
def test_ratings_of_which_all_go_on_stay_where_bronze_has_them(
    lake: LocalLake, tmp_path: Path, bad: dict[str, Any], is_shared: bool
) -> None:
    ordered = in_order(BRONZE["ratings"])
    ordered[0] = ordered[0] | bad
    load = put_load(
        tmp_path, "ratings", "in-order", ordered, **{ASCENDING_KEYS.decode(): json.dumps(KEYS)}
    )
    inputs = lake.read_json(f"_runs/{RUN}/inputs.json")
    inputs["loads"]["ratings"] = load
    lake.write_json(f"_runs/{RUN}/inputs.json", inputs)
    report, facts = silver.run(RUN), gold.run(RUN)
    tables = 5 if is_shared else 6
    assert told(lake, "silver")[-1] == {"done": tables, "total": tables, "unit": "tables"}
    assert (Parts.of(report, "rating").added == (load["prefix"],)) is is_shared
    kept = 4 if is_shared else 3
    assert report["rows"]["ratings"] == {
        "rows_in": 4,
        "rows_out": kept,
        "dropped": {"no_rating": 4 - kept, "duplicate_rating": 0},
    }
    assert report["tables"]["rating"] == facts["rows"]["fact_rating"]["rows_in"] == kept
    assert Parts.of(facts, "fact_rating") == Parts.of(report, "rating")
    assert facts["tables"]["fact_rating"] == kept - 1


def as_silver(row: dict[str, Any]) -> dict[str, Any]:
    """A rating of bronze that silver does not write again."""
    seconds = row["timestamp"]
    return {
        **{name: row[name] for name in ("user_id", "movie_id")},
        "rating": Decimal(str(row["rating"])),
        "rated_at": seconds and datetime.fromtimestamp(seconds, UTC),
        "is_live": False,
    }


def left_of(folder: Path, report: Json, table: str) -> list[tuple[Any, ...]]:
    """The rows of a table's parts, less those that later parts replaced."""

    def read(prefix: str) -> list[dict[str, Any]]:
        rows = parquet.read_table(folder / BUCKET / prefix).to_pylist()
        return [*map(as_silver, rows)] if prefix.startswith("bronze/") else rows

    parts = Parts.of(report, table)
    left: dict[Any, dict[str, Any]] = {}
    for place, prefix in enumerate(parts.added):
        if place > 0:
            for row in read(parts.replaced[place - 1]):
                del left[row["user_id"], row["movie_id"]]
        for number, row in enumerate(read(prefix)):
            key = (row["user_id"], row["movie_id"]) if parts.replaced else (place, number)
            assert key not in left
            left[key] = row
    return sorted((tuple(row.values()) for row in left.values()), key=repr)


def chance_ratings(chance: random.Random, count: int, movies: tuple[int, ...]) -> list[Json]:
    """Few keys and times, so that every rule decides about some."""
    stars = (0.5, 1.0, 3.5, 5.0, None)
    times = (100, 101, 102, None)
    return [
        {
            **{"user_id": chance.randint(1, 12), "movie_id": chance.choice(movies)},
            **{"rating": chance.choice(stars), "timestamp": chance.choice(times)},
        }
        for _ in range(count)
    ]


def in_order(rows: list[Json]) -> list[Json]:
    """Those with a rating, the first of each key, ascending."""
    of_keys = {(row["user_id"], row["movie_id"]): row for row in reversed(rows) if row["rating"]}
    return [of_keys[key] for key in sorted(of_keys)]


@pytest.mark.parametrize(
    ("seed", "base_goes_on_whole", "offsets"),
    [(1, False, (3, 6, 9)), (2, True, (0, 6, 9)), (3, True, (0, 0, 0))],
)
def test_runs_that_go_on_from_each_other_come_to_what_one_run_over_all_comes_to(
    lake: LocalLake,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    base_goes_on_whole: bool,
    offsets: tuple[int, int, int],
) -> None:
    monkeypatch.setattr(previous_run, "LARGEST_SHARE", 1)
    chance = random.Random(seed)
    movies = (1, 2, 77, 99)
    files = [chance_ratings(chance, count, movies) for count in (100, 8, 8)]
    # Where nothing is live, ratings of other users than these are not read again.
    files[1] = [{**row, "user_id": chance.randint(3, 6)} for row in files[1]]
    footer = {}
    if base_goes_on_whole:
        files[0] = in_order(files[0])
        first, *_, last = ((row["user_id"], row["movie_id"]) for row in files[0])
        keys = {"columns": ["user_id", "movie_id"], "first": first, "last": last}
        footer = {ASCENDING_KEYS.decode(): json.dumps(keys)}
    singles = [
        live(0, offset, {**row, "rating": 2.5, "timestamp": chance.randint(100, 103)})
        for offset, row in enumerate(chance_ratings(chance, 9, movies))
    ]
    put_live(tmp_path, singles)
    base = put_load(tmp_path, "ratings", f"{seed}-base", files[0], **footer)
    more = [put_load(tmp_path, "ratings", f"{seed}-{at}", files[at]) for at in (1, 2)]
    for load, rows in zip([base, *more], files, strict=True):
        load["bronze"] = len(rows)

    def hops_of(run: str, ratings: list[Json], offset: int, after: str | None) -> list[Json]:
        inputs = lake.read_json(f"_runs/{RUN}/inputs.json")
        inputs["loads"]["ratings"], *appended = ratings
        inputs["appended"] = {"ratings": appended}
        inputs["live"] = {"prefix": "bronze/ratings-live", "bronze": offset, "offsets": [offset]}
        lake.write_json(f"_runs/{run}/inputs.json", {**inputs, "published_run": after})
        return [silver.run(run), gold.run(run)]

    zero, _ = hops_of("zero", [base], offsets[0], None)
    assert (Parts.of(zero, "rating").added == (base["prefix"],)) is base_goes_on_whole
    hops_of("one", [base, more[0]], offsets[1], "zero")
    parts = hops_of("two", [base, *more], offsets[2], "one")
    whole_file = put_load(tmp_path, "ratings", f"{seed}-whole", [*chain(*files)])
    whole = hops_of("whole", [whole_file], offsets[2], None)
    for in_parts, at_once in zip(parts, whole, strict=True):
        assert (in_parts["goes_on_from"], "goes_on_from" in at_once) == ("one", False)
        assert in_parts["rows"] == at_once["rows"]
        assert in_parts["tables"] == at_once["tables"]
        for table in at_once["tables"]:
            assert left_of(tmp_path, in_parts, table) == left_of(tmp_path, at_once, table), table
    of_ratings = Parts.of(parts[0], "rating")
    assert Parts.of(parts[1], "fact_rating") == of_ratings
    assert len(of_ratings.added) == 3
    came = sum(map(lake.count_rows, of_ratings.added))
    assert of_ratings.count_rows(lake) < came, "nothing was replaced"

    # Whoever reads the parts together sees the same, so a run may also compute gold in full.
    reported = lake.read_json("_runs/two/silver.json")
    lake.write_json("_runs/two/silver.json", {**reported, "code": "another"})
    again = gold.run("two")
    assert "goes_on_from" not in again
    assert again["rows"] == whole[1]["rows"]
    assert Parts.of(again, "fact_rating") == of_ratings
    for table in ("agg_movie_rating", "agg_genre_rating"):
        assert left_of(tmp_path, again, table) == left_of(tmp_path, whole[1], table)
