from decimal import Decimal

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark.dropped import DROPPED, DroppedRows, kept
from spark.gold.dimensions import bridge_movielens_movie, judged_links
from spark.gold.fact_rating import judged_sums
from spark.gold.rating_aggregates import agg_genre_rating, agg_movie_rating, user_genre
from spark.tests.conftest import Frame, rows_of

RATING = "user_id int, movie_id int, rating decimal(2,1)"


def rated(user: int, movielens: int, stars: str) -> dict:
    return {"user_id": user, "movie_id": movielens, "rating": Decimal(stars)}


def linked(frame: Frame, movies: dict[int, int]) -> DataFrame:
    rows = ({"movie_id": movielens, "tmdb_id": tmdb} for movielens, tmdb in movies.items())
    return frame("movie_id int, tmdb_id int", *rows)


def bridge_of(frame: Frame) -> DataFrame:
    return linked(frame, {10: 862, 11: 862, 12: 5})


def ratings(frame: Frame) -> DataFrame:
    return frame(
        RATING,
        rated(1, 10, "3.5"),
        rated(2, 10, "5.0"),
        rated(1, 11, "4.0"),
        rated(1, 12, "0.5"),
        rated(3, 13, "0.5"),
    )


def test_ratings_reach_movies_through_links_only(frame: Frame) -> None:
    given = frame(RATING, *(rated(user, movie, "2.5") for user, movie in ((1, 1), (2, 1), (1, 5))))
    lost = frame(RATING, *(rated(user, movie, "2.5") for user, movie in ((1, 2), (2, 2), (1, 3))))
    judged = judged_sums(given.unionByName(lost), linked(frame, {1: 862, 5: 862, 7: 2}))
    assert rows_of(kept(judged), "movie_id", "tmdb_id", "ratings", "rating_sum") == [
        (1, 862, 2, Decimal("5.0")),
        (5, 862, 1, Decimal("2.5")),
    ]
    assert rows_of(judged.where(f"{DROPPED} is not null"), "movie_id", "ratings", DROPPED) == [
        (2, 2, "no_movie"),
        (3, 1, "no_movie"),
    ]
    counted = DroppedRows("fact_rating", judged, ("no_movie", "other"), F.col("ratings"))
    assert counted.others().count() == 2
    assert counted.by_reason() == {"no_movie": 3, "other": 0}


def test_movielens_movies_that_are_none_of_tmdb_are_dropped_from_their_bridge(frame: Frame) -> None:
    links = frame(
        "movie_id int, imdb_id string, tmdb_id int",
        {"movie_id": 1, "tmdb_id": 862},
        {"movie_id": 2},
        {"movie_id": 3, "tmdb_id": 404},
        {"movie_id": 5, "tmdb_id": 862},
    )
    judged = judged_links(links, frame("tmdb_id int, title string", {"tmdb_id": 862}))
    assert rows_of(bridge_movielens_movie(kept(judged))) == [(1, 862), (5, 862)]
    assert rows_of(judged.where(f"{DROPPED} is not null"), "movie_id", DROPPED) == [
        (2, "link_without_movie"),
        (3, "link_without_movie"),
    ]


def test_movie_means_are_exact_sums_divided_once(frame: Frame) -> None:
    assert rows_of(movie_ratings(ratings(frame), bridge_of(frame))) == [
        (5, 1, Decimal("0.5"), 0.5),
        (862, 3, Decimal("12.5"), 12.5 / 3),
    ]


def movie_ratings(given: DataFrame, links: DataFrame) -> DataFrame:
    return agg_movie_rating(kept(judged_sums(given, links)))


def genre_ratings(
    genres: DataFrame, bridge: DataFrame, movies: DataFrame, links: DataFrame, given: DataFrame
) -> DataFrame:
    of_users = user_genre(genres, bridge, links, given)
    return agg_genre_rating(genres, bridge, movies, movie_ratings(given, links), of_users)


def test_every_genre_has_a_row_and_a_user_counts_once_in_it(frame: Frame) -> None:
    genres = frame(
        "genre_id int, name string", *({"genre_id": n, "name": f"genre {n}"} for n in (1, 2, 3))
    )
    pairs = [(862, 1), (5, 1), (862, 2), (7, 3)]
    bridge = frame("tmdb_id int, genre_id int", *({"tmdb_id": t, "genre_id": g} for t, g in pairs))
    movies = frame(
        "tmdb_id int, vote_count bigint",
        {"tmdb_id": 862, "vote_count": 100},
        {"tmdb_id": 5, "vote_count": 11},
        {"tmdb_id": 7},
    )
    found = genre_ratings(genres, bridge, movies, bridge_of(frame), ratings(frame))
    assert rows_of(found) == [
        (1, 4, 2, Decimal("13.0"), 3.25, 2, 111),
        (2, 3, 2, Decimal("12.5"), 12.5 / 3, 1, 100),
        (3, 0, 0, Decimal("0.0"), None, 1, 0),
    ]


def test_users_are_counted_in_each_of_more_genres_than_a_word_has_bits(frame: Frame) -> None:
    count = 130
    numbers = range(1, count + 1)
    genres = frame("genre_id int, name string", *({"genre_id": n, "name": str(n)} for n in numbers))
    # Movie n is of genre n, and the last one of every genre.
    pairs = [(n, n) for n in range(1, count)] + [(count, n) for n in numbers]
    bridge = frame("tmdb_id int, genre_id int", *({"tmdb_id": t, "genre_id": g} for t, g in pairs))
    movies = frame("tmdb_id int, vote_count bigint", *({"tmdb_id": n} for n in numbers))
    given = frame(
        RATING,
        *(rated(1, n, "3.0") for n in (1, 63, 64, 65, 128)),
        rated(2, count, "4.0"),
    )
    links = linked(frame, {n: n for n in numbers})
    found = genre_ratings(genres, bridge, movies, links, given)
    assert dict(rows_of(found, "genre_id", "users")) == {
        n: 2 if n in (1, 63, 64, 65, 128) else 1 for n in numbers
    }
