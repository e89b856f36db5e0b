"""dbt tests the ratings of a run in the place it has in a shared partition, and no others."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest

WAREHOUSE = Path(__file__).parents[1]

RATINGS = """
create table gold.fact_rating_full partition of gold.fact_rating for values in ('full');
create unique index on gold.fact_rating_full (user_id, movie_id, until_place);
insert into gold.fact_rating (run_id, user_id, movie_id, tmdb_id, rating, from_place, until_place)
values
    ('full', 1, 1, 862, 2.0, 0, 1),
    ('full', 2, 1, 862, 3.0, 0, 32767),
    ('full', 1, 1, 862, 5.0, 1, 2),
    ('full', 1, 1, 862, 0.5, 2, 32767);
create table gold.agg_movie_rating_all partition of gold.agg_movie_rating default;
insert into gold.agg_movie_rating (run_id, tmdb_id, ratings, rating_sum, mean_rating)
values ('full', 862, 2, 5.0, 2.5), ('first', 862, 2, 8.0, 4.0), ('second', 862, 2, 3.5, 1.75);
insert into mart_versions.shared_facts (run_id, facts_run_id, place)
values ('first', 'full', 1), ('second', 'full', 2), ('wrong', 'full', 2);
insert into gold.agg_movie_rating (run_id, tmdb_id, ratings, rating_sum, mean_rating)
values ('wrong', 862, 2, 8.0, 4.0)
"""


@pytest.mark.parametrize(
    ("run", "holds"), [("full", True), ("first", True), ("second", True), ("wrong", False)]
)
def test_sums_and_key_are_those_of_the_ratings_in_the_place_of_the_run(
    warehouse: dict[str, str], tmp_path: Path, run: str, holds: bool
) -> None:
    with psycopg2.connect(
        host=warehouse["WAREHOUSE_HOST"],
        port=warehouse["WAREHOUSE_PORT"],
        user=warehouse["WAREHOUSE_USER"],
        password=warehouse["WAREHOUSE_PASSWORD"],
        dbname=warehouse["WAREHOUSE_DB"],
    ) as connection:
        connection.cursor().execute(RATINGS)
    connection.close()
    project = str(WAREHOUSE / "dbt")
    dbt = subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt")),
            *("--no-use-colors", "--no-send-anonymous-usage-stats", "test"),
            *("--project-dir", project, "--profiles-dir", project),
            *("--target-path", str(tmp_path / "target"), "--log-path", str(tmp_path / "logs")),
            *("--select", "movie_ratings_add_up", "a_user_has_one_rating_of_a_movie"),
        ],
        env={**os.environ, **warehouse, "RUN_ID": run},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (dbt.returncode == 0) == holds, dbt.stdout
    # The hook that asks for a run id counts too.
    assert f"PASS={2 + holds} WARN=0 ERROR={1 - holds}" in dbt.stdout
