"""Every table has the columns and types of docs/architecture.md, which are the contract."""

import re
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from spark.dropped import kept
from spark.gold import (
    box_office_aggregates,
    cpi,
    dimensions,
    fact_box_office,
    fact_rating,
    rating_aggregates,
    release_timing_test,
)
from spark.silver import cpi as silver_cpi
from spark.silver import genres, links, movies, ratings
from spark.tests import bronze
from spark.tests.conftest import Frame, rows_of

ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"
COLUMN = re.compile(r"(\w+) (int|bigint|double|string|boolean|date|timestamp|decimal\(\d+,\d+\))")


def documented(layer: str) -> dict[str, list[tuple[str, str]]]:
    section = ARCHITECTURE.read_text().split(f"## {layer} tables")[1].split("\n## ")[0]
    cells = [line.split("|")[1:3] for line in section.splitlines() if line.startswith("|")]
    return {table.strip(): COLUMN.findall(columns) for table, columns in cells[2:]}


def silver_tables(frame: Frame) -> dict[str, DataFrame]:
    judged_movies = kept(movies.judged_movies(frame(bronze.MOVIES)))
    return {
        "movie": movies.movie(judged_movies),
        "genre": genres.genre(judged_movies),
        "movie_genre": genres.movie_genre(judged_movies),
        "movielens_movie": links.movielens_movie(kept(links.judged_links(frame(bronze.LINKS)))),
        "rating": ratings.rating(kept(ratings.judged_ratings(frame(bronze.RATINGS)))),
        "cpi_month": silver_cpi.cpi_month(kept(silver_cpi.judged_cpi(frame(bronze.CPI)))),
    }


def gold_tables(spark: SparkSession, silver: dict[str, DataFrame]) -> dict[str, DataFrame]:
    movie, bridge = silver["movie"], silver["movie_genre"]
    months = cpi.cpi_month(silver["cpi_month"])
    dim_movie, dim_genre = dimensions.dim_movie(movie), dimensions.dim_genre(silver["genre"])
    links = dimensions.bridge_movielens_movie(
        kept(dimensions.judged_links(silver["movielens_movie"], movie))
    )
    movie_ratings = rating_aggregates.agg_movie_rating(
        kept(fact_rating.judged_sums(silver["rating"], links))
    )
    earning = kept(fact_box_office.judged_movies(movie))
    box_office = fact_box_office.fact_box_office(earning, months)
    return {
        "dim_movie": dim_movie,
        "dim_genre": dim_genre,
        "bridge_movie_genre": dimensions.bridge_movie_genre(bridge),
        "bridge_movielens_movie": links,
        "dim_date": dimensions.dim_date(movie),
        "cpi_month": months,
        "fact_box_office": box_office,
        "agg_movie_rating": movie_ratings,
        "agg_genre_rating": rating_aggregates.agg_genre_rating(
            dim_genre,
            bridge,
            dim_movie,
            movie_ratings,
            rating_aggregates.user_genre(dim_genre, bridge, links, silver["rating"]),
        ),
        "agg_genre_box_office": box_office_aggregates.agg_genre_box_office(box_office, bridge),
        "agg_release_period": box_office_aggregates.agg_release_period(box_office),
        "release_timing_test": release_timing_test.release_timing_test(spark, box_office),
    }


def test_tables_have_the_documented_columns_and_are_empty_where_the_input_is(
    spark: SparkSession, frame: Frame
) -> None:
    silver = silver_tables(frame)
    assert {name: table.dtypes for name, table in silver.items()} == documented("Silver")
    gold = gold_tables(spark, silver)
    # Of fact_rating Spark writes nothing: its rows are silver's.
    written = {name: of for name, of in documented("Gold").items() if name != "fact_rating"}
    assert {name: table.dtypes for name, table in gold.items()} == written
    assert rows_of(gold["release_timing_test"], "period_type", "df", "n") == [
        ("month", 0, 0),
        ("quarter", 0, 0),
    ]
    assert gold["dim_date"].count() == 0


@pytest.mark.parametrize("first", [date(2016, 2, 28), date(1, 1, 1)])
def test_dim_date_has_every_day_from_the_first_to_the_last_release(
    frame: Frame, first: date
) -> None:
    last = date(first.year, 3, 1)
    movie = frame("release_date date", {"release_date": last}, {}, {"release_date": first})
    days = rows_of(dimensions.dim_date(movie))
    assert len(days) == (last - first).days + 1
    assert days[0] == (first, first.year, 1, first.month, f"{first:%B}", first.day)
    assert days[-1] == (last, last.year, 1, 3, "March", 1)
