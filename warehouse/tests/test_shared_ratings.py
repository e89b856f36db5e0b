"""dbt tests the ratings of a run in the place it has in a shared partition, and no others."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from psycopg2.extensions import connection as Connection

WAREHOUSE = Path(__file__).parents[1]

RATINGS = """
create table gold.fact_rating_full
partition of gold.fact_rating for values in (gold.run_key('full'));
create unique index on gold.fact_rating_full (user_id, movie_id, until_place);
insert into gold.fact_rating
(run_key, user_id, movie_id, tmdb_id, rating_tenths, from_place, until_place)
select gold.run_key('full'), facts.*
from (values
    (1, 1, 862, 20, 0, 1),
    (2, 1, 862, 30, 0, 32767),
    (1, 1, 862, 50, 1, 2),
    (1, 2, 863, 40, 1, 32767),
    (3, 2, 863, 10, 1, 32767),
    (1, 1, 862, 5, 2, 32767)
) as facts;
insert into mart_versions.shared_facts (run_id, facts_run_id, place)
values
    ('first', 'full', 1),
    ('second', 'full', 2),
    ('other-genres', 'full', 2),
    ('wrong-sum', 'full', 2),
    ('wrong-users', 'full', 2);

create table gold.agg_movie_rating_all partition of gold.agg_movie_rating default;
insert into gold.agg_movie_rating (run_id, tmdb_id, ratings, rating_sum, mean_rating)
values ('full', 862, 2, 5.0, 2.5), ('first', 862, 2, 8.0, 4.0), ('first', 863, 2, 5.0, 2.5);
insert into gold.agg_movie_rating (run_id, tmdb_id, ratings, rating_sum, mean_rating)
select run_id, tmdb_id, 2, rating_sum, rating_sum / 2
from (
    values ('second', 3.5), ('other-genres', 3.5), ('wrong-sum', 8.0), ('wrong-users', 3.5)
) as sums (run_id, toys)
cross join lateral (values (862, toys), (863, 5.0)) as movies (tmdb_id, rating_sum);

create table gold.dim_genre_all partition of gold.dim_genre default;
create table gold.dim_movie_all partition of gold.dim_movie default;
create table gold.bridge_movie_genre_all partition of gold.bridge_movie_genre default;
create table gold.agg_genre_rating_all partition of gold.agg_genre_rating default;
insert into gold.dim_genre (run_id, genre_id)
select run_id, genre_id
from (select distinct run_id from gold.agg_movie_rating) as runs
cross join (values (16), (35)) as genres (genre_id);
insert into gold.dim_movie (run_id, tmdb_id, vote_count)
select run_id, tmdb_id, vote_count
from (select distinct run_id from gold.agg_movie_rating) as runs
cross join (values (862, 10), (863, 20)) as movies (tmdb_id, vote_count);
insert into gold.bridge_movie_genre (run_id, tmdb_id, genre_id)
select run_id, tmdb_id, genre_id
from (select distinct run_id from gold.agg_movie_rating) as runs
cross join (values (862, 16), (862, 35), (863, 35)) as genres (tmdb_id, genre_id)
union all
values ('other-genres', 863, 16);
insert into gold.agg_genre_rating
    (run_id, genre_id, ratings, users, rating_sum, mean_rating, movies, tmdb_votes)
select run_id, genre_id, ratings, users, rating_sum, rating_sum / ratings, movies, votes
from (values
    ('full', 16, 2, 2, 5.0, 1, 10),
    ('full', 35, 2, 2, 5.0, 2, 30),
    ('first', 16, 2, 2, 8.0, 1, 10),
    ('first', 35, 4, 3, 13.0, 2, 30),
    ('second', 16, 2, 2, 3.5, 1, 10),
    ('second', 35, 4, 3, 8.5, 2, 30),
    ('other-genres', 16, 4, 3, 8.5, 2, 30),
    ('other-genres', 35, 4, 3, 8.5, 2, 30),
    ('wrong-sum', 16, 2, 2, 8.0, 1, 10),
    ('wrong-sum', 35, 4, 3, 13.0, 2, 30),
    ('wrong-users', 16, 2, 2, 3.5, 1, 10),
    ('wrong-users', 35, 4, 4, 8.5, 2, 30)
) as figures (run_id, genre_id, ratings, users, rating_sum, movies, votes);
"""

TESTS = (
    "movie_ratings_add_up",
    "genre_users_add_up",
    "genre_ratings_add_up",
    "a_user_has_one_rating_of_a_movie",
)

FAILING = {"wrong-sum": {"movie_ratings_add_up"}, "wrong-users": {"genre_users_add_up"}}


@pytest.fixture(scope="module")
def ratings(connection: Connection) -> Connection:
    """The warehouse's connection, with the ratings and sums of all runs in it."""
    with connection, connection.cursor() as cursor:
        cursor.execute(RATINGS)
    return connection


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where dbt keeps the parsed project, which every run shares."""
    return tmp_path_factory.mktemp("target")


@pytest.mark.parametrize(
    ("run", "published"),
    [
        ("full", []),
        ("second", []),
        ("first", ["full"]),
        *((run, ["full", "first"]) for run in ("second", "other-genres", *FAILING)),
    ],
    ids=str,
)
def test_sums_and_key_are_those_of_the_ratings_in_the_place_of_the_run(
    ratings: Connection, warehouse: dict[str, str], target: Path, run: str, published: list[str]
) -> None:
    with ratings, ratings.cursor() as cursor:
        cursor.execute("delete from mart_versions.run_summary")
        cursor.execute(
            "insert into mart_versions.run_summary (run_id, edition, inputs)"
            " select run_id, 'test', '{}' from unnest(%s::text[]) as published (run_id)",
            [published],
        )
    project = str(WAREHOUSE / "dbt")
    dbt = subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt")),
            *("--no-use-colors", "--no-send-anonymous-usage-stats", "test"),
            *("--project-dir", project, "--profiles-dir", project),
            *("--target-path", str(target), "--log-path", str(target)),
            *("--select", *TESTS),
        ],
        env={**os.environ, **warehouse, "RUN_ID": run},
        capture_output=True,
        text=True,
        check=False,
    )
    results = json.loads((target / "run_results.json").read_text())["results"]
    named = {result["unique_id"].split(".")[2]: result for result in results}
    failed = {name for name in TESTS if named[name]["status"] != "pass"}
    assert failed == FAILING.get(run, set()), dbt.stdout
    # Where a run before was published, only what changed since is compared.
    before = published[-1:]
    movies, genres = (named[name]["compiled_code"] for name in TESTS[:2])
    assert ("else -1 end as change" in movies) == bool(before)
    assert ("changes.user_id" in genres) == (bool(before) and run != "other-genres")
    assert all(f"run_id = '{one}'" in movies for one in before)
