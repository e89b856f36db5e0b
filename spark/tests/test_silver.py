import ast
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pyspark.errors import PySparkException

from spark.dropped import DROPPED, DroppedRows, kept
from spark.silver import genres
from spark.silver.cpi import cpi_month, judged_cpi
from spark.silver.links import judged_links, movielens_movie
from spark.silver.movies import judged_movies, movie
from spark.silver.ratings import (
    FIRST_LIVE_ROW,
    REASONS,
    judge_beside,
    judged_ratings,
    judged_unique_ratings,
    live_below,
    rating,
    with_live,
    with_stars,
)
from spark.tests import bronze
from spark.tests.conftest import Frame, rows_of


def test_of_several_movies_with_one_id_the_most_votes_win_and_ties_go_to_the_later_row(
    frame: Frame,
) -> None:
    judged = judged_movies(
        frame(
            bronze.MOVIES,
            {"row_number": 1, "id": 5, "title": "most votes", "vote_count": 9.0},
            {"row_number": 2, "id": 5, "title": "fewer votes", "vote_count": 8.0},
            {"row_number": 3, "id": 5, "title": "no votes known"},
            {"row_number": 4, "id": 6, "title": "earlier", "vote_count": 1.0},
            {"row_number": 5, "id": 6, "title": "later", "vote_count": 1.0},
            {"row_number": 6, "id": 7, "title": "null"},
            {"row_number": 7, "id": 7, "title": "zero is more than null", "vote_count": 0.0},
        )
    )
    assert rows_of(movie(kept(judged)), "tmdb_id", "title") == [
        (5, "most votes"),
        (6, "later"),
        (7, "zero is more than null"),
    ]
    assert rows_of(judged.where(f"{DROPPED} is not null"), "row_number", DROPPED) == [
        (2, "duplicate_id"),
        (3, "duplicate_id"),
        (4, "duplicate_id"),
        (6, "duplicate_id"),
    ]


def test_movie_cells_are_typed_and_what_is_no_figure_is_unknown(frame: Frame) -> None:
    movies = frame(
        bronze.MOVIES,
        {
            "id": 1,
            "adult": "TRUE",
            "video": "False",
            "budget": 30_000_000.0,
            "revenue": 1e300,
            "vote_average": 7.7,
            "vote_count": 5415.0,
        },
        {"id": 2, "adult": " - Written by", "budget": 12.5, "revenue": 2_787_965_087.0},
    )
    names = ("adult", "video", "budget", "revenue", "vote_average", "vote_count")
    assert rows_of(movie(movies), "tmdb_id", *names) == [
        (1, True, False, 30_000_000, None, Decimal("7.700"), 5415),
        (2, None, None, 13, 2_787_965_087, None, None),
    ]


GENRE_LISTS = [
    "[{'id': 16, 'name': 'Animation'}, {'id': 35, 'name': 'Comedy'}]",
    """[{'id': 1, 'name': "Rock 'n' Roll"}]""",
    r"[{'id': 2, 'name': 'Rock \'n\' Roll'}]",
    r"""[{'id': 3, 'name': 'She said "no" and it\'s final'}]""",
    '[{"id": 4, "name": "Science Fiction"}]',
    r"[{'id': 5, 'name': 'back\\slash'}, {'id': 6, 'name': 'caf\xe9'}, {'id': 7, 'name': '\\xe9'}]",
    r"[{'id': 8, 'name': 'em\u2014dash'}]",
    "[{'id':9,'name':'no spaces: {\"id\": 1}, [2]'}]",
    "[{'id': 10, 'name': 'Ação, não'}]",
    "[]",
]


def test_genre_lists_hold_what_python_reads_in_them(frame: Frame) -> None:
    movies = frame(
        bronze.MOVIES, *({"id": n, "genres": text} for n, text in enumerate(GENRE_LISTS, 1))
    )
    expected = {g["id"]: g["name"] for text in GENRE_LISTS for g in ast.literal_eval(text)}
    assert dict(rows_of(genres.genre(movies), "genre_id", "name")) == expected


def test_a_movie_counts_once_in_each_distinct_genre_and_may_have_none(frame: Frame) -> None:
    movies = frame(
        bronze.MOVIES,
        {"id": 1, "genres": "[{'id': 18, 'name': 'Drama'}, {'id': 18, 'name': 'Drama'}]"},
        {"id": 2, "genres": "[]"},
        {"id": 3},
        {"id": 4, "genres": "[{'id': 18, 'name': 'Dramas'}, {'id': 35, 'name': 'Comedy'}]"},
    )
    assert rows_of(genres.movie_genre(movies)) == [(1, 18), (4, 18), (4, 35)]
    assert rows_of(genres.genre(movies)) == [(18, "Drama"), (35, "Comedy")]


def test_a_genre_list_that_cannot_be_read_is_an_error_and_not_a_loss(frame: Frame) -> None:
    movies = frame(bronze.MOVIES, {"id": 1, "genres": "[{'id': 18, 'name': "})
    with pytest.raises(PySparkException, match="MALFORMED_RECORD"):
        genres.genre(movies).collect()


def test_ratings_without_a_rating_go_first_then_the_newest_and_the_later_row_win(
    frame: Frame,
) -> None:
    judged = judged_ratings(
        frame(
            bronze.RATINGS,
            {"row_number": 1, "user_id": 1, "movie_id": 1, "rating": 3.5, "timestamp": 100},
            {"row_number": 2, "user_id": 1, "movie_id": 1, "rating": 4.0, "timestamp": 90},
            {"row_number": 3, "user_id": 1, "movie_id": 1, "timestamp": 200},
            {"row_number": 4, "user_id": 1, "movie_id": 2, "rating": 0.5, "timestamp": 7},
            {"row_number": 5, "user_id": 1, "movie_id": 2, "rating": 5.0, "timestamp": 7},
            {"row_number": 6, "user_id": 2, "movie_id": 2, "rating": 2.0},
            {"row_number": 7, "user_id": 2, "movie_id": 2, "rating": 1.5, "timestamp": 0},
            {"row_number": 8, "user_id": 3, "movie_id": 2, "rating": 1.0},
            {"row_number": 9, "user_id": 4, "movie_id": 9},
        )
    )
    assert rows_of(kept(judged), "row_number", "rating") == [
        (1, Decimal("3.5")),
        (5, Decimal("5.0")),
        (7, Decimal("1.5")),
        (8, Decimal("1.0")),
    ]
    assert rows_of(judged.where(f"{DROPPED} is not null"), "row_number", DROPPED) == [
        (2, "duplicate_rating"),
        (3, "no_rating"),
        (4, "duplicate_rating"),
        (6, "duplicate_rating"),
        (9, "no_rating"),
    ]


def test_only_keys_that_may_repeat_are_compared_where_these_are_known(frame: Frame) -> None:
    given = frame(
        bronze.RATINGS,
        {"row_number": 1, "user_id": 1, "movie_id": 1, "rating": 3.5, "timestamp": 100},
        {"row_number": 2, "user_id": 1, "movie_id": 2, "rating": 4.0, "timestamp": 90},
        {"row_number": 3, "user_id": 1, "movie_id": 2, "rating": 4.5, "timestamp": 91},
        {"row_number": 4, "user_id": 2, "movie_id": 1},
        {"row_number": 5, "user_id": 2, "movie_id": 2},
    )
    repeated = frame(
        "user_id int, movie_id int",
        {"user_id": 1, "movie_id": 2},
        {"user_id": 2, "movie_id": 2},
        {"user_id": 7, "movie_id": 7},
    )
    judged = judged_ratings(given, repeated)
    assert rows_of(judged, "row_number", DROPPED) == rows_of(
        judged_ratings(given), "row_number", DROPPED
    )
    unique = given.where("row_number <> 2")
    assert rows_of(judged_unique_ratings(unique), "row_number", DROPPED) == rows_of(
        judged_ratings(unique), "row_number", DROPPED
    )


def test_what_comes_beside_ratings_with_unique_keys_may_repeat_them_and_be_repeated(
    frame: Frame,
) -> None:
    bulk = frame(
        bronze.RATINGS,
        {"row_number": 1, "user_id": 1, "movie_id": 1, "rating": 3.5, "timestamp": 100},
        {"row_number": 3, "user_id": 1, "movie_id": 2, "rating": 4.0, "timestamp": 90},
    )
    repaired = frame(
        bronze.RATINGS,
        {"row_number": 2, "user_id": 1, "movie_id": 1, "rating": 4.5, "timestamp": 100},
        {"row_number": 4, "user_id": 2, "movie_id": 2, "rating": 5.0, "timestamp": 90},
    )
    live = frame(
        bronze.LIVE,
        {
            **{"kafka_partition": 0, "kafka_offset": 0, "user_id": 2, "movie_id": 2},
            **{"rating": 1.0, "timestamp": 91},
        },
    )
    given = with_live(bulk.unionByName(repaired), live)
    judged = judge_beside([repaired, live])(given)
    assert rows_of(judged, "row_number", DROPPED) == [
        (1, "duplicate_rating"),
        (2, None),
        (3, None),
        (4, "duplicate_rating"),
        (FIRST_LIVE_ROW, None),
    ]
    assert rows_of(judge_beside([])(bulk), "row_number", DROPPED) == [(1, None), (3, None)]


def test_live_ratings_come_after_bulk_ones_and_only_those_before_the_barrier_are_read(
    frame: Frame,
) -> None:
    bulk = frame(
        bronze.RATINGS,
        {"row_number": 2**31 - 1, "user_id": 1, "movie_id": 1, "rating": 1.0, "timestamp": 50},
        {"row_number": 2, "user_id": 2, "movie_id": 1, "rating": 1.0, "timestamp": 51},
        {"row_number": 3, "user_id": 3, "movie_id": 1, "rating": 1.0},
    )

    def live(partition: int, offset: int, user: int, stars: float, seconds: int) -> dict:
        place = {"kafka_partition": partition, "kafka_offset": offset}
        return {**place, "user_id": user, "movie_id": 1, "rating": stars, "timestamp": seconds}

    rows = frame(
        bronze.LIVE,
        live(0, 0, 1, 2.0, 50),
        live(0, 1, 1, 2.5, 50),
        live(0, 2, 1, 3.0, 50),
        live(1, 0, 2, 2.0, 50),
        live(1, 7, 2, 5.0, 99),
        live(2, 0, 3, 2.0, 1),
        live(3, 0, 4, 2.0, 1),
    )
    before = live_below(rows, [2, 7, 1])
    assert rows_of(before, "user_id", "rating") == [(1, 2.0), (1, 2.5), (2, 2.0), (3, 2.0)]
    assert rows_of(kept(judged_ratings(with_live(bulk, before))), "user_id", "rating") == [
        (1, Decimal("2.5")),
        (2, Decimal("1.0")),
        (3, Decimal("2.0")),
    ]
    assert rows_of(live_below(rows, [])) == []


def hundred_ratings(frame: Frame) -> DroppedRows:
    rows = [
        {"row_number": n, "user_id": n % 7 + 1, "movie_id": 1, "rating": float(n % 5) or None}
        for n in range(1, 101)
    ]
    return DroppedRows("ratings", judged_ratings(frame(bronze.RATINGS, *rows)), REASONS)


def test_dropped_rows_are_counted_while_the_others_are_read(frame: Frame) -> None:
    dropped = hundred_ratings(frame)
    rows_out = len(rating(dropped.others()).collect())
    assert dropped.by_reason() == {"no_rating": 20, "duplicate_rating": 73}
    assert rows_out + sum(dropped.by_reason().values()) == 100


def test_a_count_that_the_server_did_not_hear_of_in_time_is_made_again(
    frame: Frame, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped = hundred_ratings(frame)
    dropped.others().collect()
    monkeypatch.setattr(type(dropped._observation), "get", {})
    assert dropped.by_reason() == {"no_rating": 20, "duplicate_rating": 73}


def test_stars_are_rounded_by_their_decimal_digits_halves_up(frame: Frame) -> None:
    # As in services/loader/test/ratingFacts.test.ts: the loader rounds those that stay in bronze.
    stars = [0.5, 0.7, 3.25, 3.24, 3.249999, 1.15, 2.05, 4.95, 4.999, 5.0]
    rated = frame(
        "user_id int, rating double", *({"user_id": n, "rating": of} for n, of in enumerate(stars))
    )
    tenths = [5, 7, 33, 32, 32, 12, 21, 50, 50, 50]
    found = rows_of(with_stars(rated), "user_id", "rating")
    assert [rating for _, rating in found] == [Decimal(tenth) / 10 for tenth in tenths]


def test_rated_at_is_in_utc_and_null_where_the_source_has_no_time(frame: Frame) -> None:
    ratings = frame(
        "row_number bigint, user_id int, movie_id int, rating decimal(2,1), timestamp bigint",
        {"row_number": 1, "user_id": 1, "timestamp": 1_260_759_144},
        {"row_number": 2, "user_id": 2},
    )
    epochs = rating(ratings).selectExpr("user_id", "unix_seconds(rated_at)", "string(rated_at)")
    noon = datetime.fromtimestamp(1_260_759_144, UTC).strftime("%Y-%m-%d %H:%M:%S")
    assert rows_of(epochs) == [(1, 1_260_759_144, noon), (2, None, None)]


def test_the_later_link_of_a_movielens_id_wins(frame: Frame) -> None:
    links = frame(
        bronze.LINKS,
        {"row_number": 1, "movie_id": 1, "imdb_id": "0114709", "tmdb_id": 862},
        {"row_number": 2, "movie_id": 2, "imdb_id": "0113497", "tmdb_id": 8844},
        {"row_number": 3, "movie_id": 1, "imdb_id": "0114709"},
    )
    assert rows_of(movielens_movie(kept(judged_links(links)))) == [
        (1, "0114709", None),
        (2, "0113497", 8844),
    ]


def test_a_month_keeps_its_later_observation_and_its_missing_value(frame: Frame) -> None:
    observations = frame(
        bronze.CPI,
        {"row_number": 1, "observation_date": date(2025, 9, 1), "value": 324.368},
        {"row_number": 2, "observation_date": date(2025, 10, 1)},
        {"row_number": 3, "observation_date": date(2025, 9, 15), "value": 324.5},
        {"row_number": 4, "observation_date": date(2025, 11, 1), "value": 0.0},
    )
    judged = judged_cpi(observations)
    assert rows_of(cpi_month(kept(judged))) == [
        (date(2025, 9, 1), Decimal("324.500")),
        (date(2025, 10, 1), None),
        (date(2025, 11, 1), None),
    ]
    assert rows_of(judged.where(f"{DROPPED} is not null"), "row_number") == [(1,)]
