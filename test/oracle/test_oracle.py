"""The oracle against figures worked out by hand, on an edition small enough to read."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import compare
import oracle
import pytest

DRAMA = "[{'id': 18, 'name': 'Drama'}]"
BOTH = "[{'id': 18, 'name': 'Drama'}, {'id': 35, 'name': 'Comedy'}]"
TWICE = "[{'id': 35, 'name': 'Comedy'}, {'id': 35, 'name': 'Comedy'}]"

MOVIE_COLUMNS = [
    *("id", "title", "genres", "release_date", "revenue"),
    *("vote_average", "vote_count", "budget", "popularity", "runtime"),
]

# id, title, genres, release_date, revenue, vote_average, vote_count
MOVIES = [
    ["1", "Old copy", DRAMA, "2000-01-15", "100", "8.0", "10"],
    ["1", "Kept: later of equals", BOTH, "1/15/2000", "100", "8.0", "10"],
    ["1", "Fewer votes", DRAMA, "2000-01-15", "999", "1.0", "9"],
    ["2", "Second", DRAMA, "2000-02-01", "300", "8.0", "10"],
    ["3", "No CPI for its month", TWICE, "2000-03-01", "500", "5.0", "0"],
    ["4", "Before CPI begins", DRAMA, "1946-12-31", "40", "5.0", "2"],
    ["5", "No date, no genres", "", "", "70", "", ""],
    ["6", "Revenue unknown", DRAMA, "2000-01-01", "0", "4.0", "1"],
    ["7", "Not a real date", DRAMA, "2000-02-30", "1", "4.0", "1"],
    ["0", "Not an id", DRAMA, "2000-02-01", "1", "4.0", "1"],
    ["8", "Not a number", DRAMA, "2000-02-01", "1,000", "4.0", "1"],
    ["9", "Not a genre list", "[{'id': 18", "2000-02-01", "1", "4.0", "1"],
    ["10", "A split record"],
]

LINKS = [
    ["101", "tt1", "2"],
    ["101", "tt1", "1"],  # the later row wins
    ["102", "tt2", "2"],
    ["103", "tt3", ""],  # no TMDB id
    ["104", "tt4", "77"],  # not among the movies
    ["105", "tt5", "1"],  # a second MovieLens movie for the same TMDB id
    ["106", "tt6", "0862x"],
]

# userId, movieId, rating, timestamp
RATINGS = [
    ["1", "101", "1.0", "50"],
    ["1", "101", "4.5", "90"],  # the newest wins
    ["1", "101", "2.0", "50"],
    ["2", "101", "3.0", "10"],
    ["2", "101", "3.5", "10"],  # of equals the later row wins
    ["2", "101", "", "99"],  # no rating, so it replaces none
    ["1", "105", "1.0", "10"],  # same TMDB id, another MovieLens movie: counts
    ["1", "102", "5.0", "10"],
    ["3", "103", "5.0", "10"],  # reach no movie: empty link, unknown movie, no link
    ["3", "104", "5.0", "10"],
    ["3", "999", "5.0", "10"],
    ["3", "102", "five", "10"],
]

CPI = [
    ["1947-01-01", "20"],
    ["2000-01-01", "80"],
    ["2000-01-01", "100"],  # the later row wins
    ["2000-02-01", "150"],
    ["2000-03-01", "."],
    ["2000-04-01", "300"],
    ["2000-05-01", ""],  # newest month, but without a value: not the base
    ["", "1"],
]


def write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture
def edition(tmp_path: Path) -> Path:
    movies = [[*row, "", "3.5e-9", "90.0"] if len(row) > 2 else row for row in MOVIES]
    write(tmp_path / "movies_metadata.csv", MOVIE_COLUMNS, movies)
    write(tmp_path / "links.csv", ["movieId", "imdbId", "tmdbId"], LINKS)
    columns = ["userId", "movieId", "rating", "timestamp"]
    write(tmp_path / "ratings_small.csv", columns, RATINGS)
    write(tmp_path / "CPIAUCSL.csv", ["observation_date", "CPIAUCSL"], CPI)
    return tmp_path


@pytest.fixture
def answers(edition: Path) -> dict[str, Any]:
    return oracle.compute(edition)


def test_every_record_is_counted_once_with_what_became_of_it(
    answers: dict[str, Any],
) -> None:
    def row(source: int, dead: int, silver: int, **dropped: int) -> dict[str, Any]:
        return {
            "source_rows": source,
            "dead_letters": dead,
            "bronze": source - dead,
            "silver": silver,
            "dropped": dropped,
        }

    assert answers["counts"] == {
        "movies": row(13, 5, 6, duplicate_id=2),
        "links": row(7, 1, 5, duplicate_movie_id=1),
        "ratings": row(12, 1, 7, duplicate_rating=3, no_rating=1),
        "cpi": row(8, 1, 6, duplicate_month=1),
    }


@pytest.mark.parametrize("rating", ["0.4", "0", "5.1", "7", "-3"])
def test_a_rating_that_has_not_half_a_star_to_five_is_a_dead_letter(
    edition: Path, answers: dict[str, Any], rating: str
) -> None:
    columns = ["userId", "movieId", "rating", "timestamp"]
    write(edition / "ratings_small.csv", columns, [*RATINGS, ["4", "101", rating, "10"]])
    ratings, before = (a["counts"]["ratings"] for a in (oracle.compute(edition), answers))
    assert ratings["dead_letters"] == before["dead_letters"] + 1
    assert ratings["silver"] == before["silver"]


@pytest.mark.parametrize(
    ("cells", "dead"),
    [
        ({"vote_average": "10", "vote_count": "0"}, 0),
        ({"vote_average": "0"}, 0),
        ({"vote_average": "10.1"}, 1),
        ({"vote_average": "-1"}, 1),
        ({"vote_count": "-1"}, 1),
        ({"title": "A\0"}, 1),
        ({"genres": r"[{'id': 18, 'name': 'Drama\x00'}]"}, 1),
        ({"genres": r"[{'id': 18, 'name': 'Drama\u0000'}]"}, 1),
        ({"genres": "[{'id': 18, 'name': 'Drama\0'}]"}, 1),
        ({"genres": r"[{'id': 19, 'name': 'Drama\\x00'}]"}, 0),
    ],
)
def test_a_movie_whose_votes_or_text_cannot_be_is_a_dead_letter(
    tmp_path: Path, cells: dict[str, str], dead: int
) -> None:
    row = {"id": "1", "title": "Only", "genres": DRAMA, "release_date": "2000-01-15"} | cells
    path = tmp_path / "movies_metadata.csv"
    write(path, MOVIE_COLUMNS, [[row.get(name, "") for name in MOVIE_COLUMNS]])
    _, tally = oracle.read_movies(path)
    assert (tally.silver, tally.dead_letters) == (1 - dead, dead)


def test_a_link_with_a_text_that_cannot_be_stored_is_a_dead_letter(tmp_path: Path) -> None:
    path = tmp_path / "links.csv"
    write(path, ["movieId", "imdbId", "tmdbId"], [["1", "tt1", "2"], ["2", "tt\0", "3"]])
    links, tally = oracle.read_links(path)
    assert (len(links), tally.dead_letters) == (1, 1)


def test_tmdb_ranking_weighs_votes_and_breaks_ties_by_id(
    answers: dict[str, Any],
) -> None:
    # Averages 8, 8, 5, 5, 4: C = 6. Votes 0, 1, 2, 10, 10: rank 0.95 * 4 = 3.8, m = 10.
    tmdb = answers["highest_rated"]["tmdb"]
    assert (tmdb["c"], tmdb["m"], tmdb["qualified"]) == (6, 10, 2)
    assert [movie["tmdb_id"] for movie in tmdb["movies"]] == [1, 2]
    assert tmdb["movies"][0] == {
        "tmdb_id": 1,
        "title": "Kept: later of equals",
        "year": 2000,
        "votes": 10,
        "mean": 8,
        "weighted": 7,  # 10/20 * 8 + 10/20 * 6
    }


def test_user_ratings_reach_movies_through_links_only(answers: dict[str, Any]) -> None:
    # Movie 1: 4.5, 3.5, 1.0, mean 3. Movie 2: 5.0. C = 4; m = 1 + 0.95 * 2 = 2.9.
    movielens = answers["highest_rated"]["movielens"]
    assert (movielens["c"], movielens["m"]) == (4, 2.9)
    (only,) = movielens["movies"]
    assert (only["tmdb_id"], only["votes"], only["mean"]) == (1, 3, 3)
    assert only["weighted"] == pytest.approx((3 * 3 + 2.9 * 4) / 5.9, rel=1e-14)


def test_a_movie_counts_once_in_each_of_its_genres(answers: dict[str, Any]) -> None:
    drama, comedy = answers["popular_genres"]
    assert drama == {
        "genre": "Drama",
        "ratings": 4,
        "users": 2,
        "mean_rating": 3.5,
        "movies": 4,
        "tmdb_votes": 23,
    }
    assert comedy == {
        "genre": "Comedy",
        "ratings": 3,
        "users": 2,
        "mean_rating": 3,
        "movies": 2,
        "tmdb_votes": 10,
    }


def test_revenue_is_real_only_where_the_release_month_has_a_cpi(
    answers: dict[str, Any],
) -> None:
    # Real: movie 1 = 100 * 300/100, movie 2 = 300 * 300/150; the others have none.
    assert answers["base_month"] == "2000-04"
    drama, comedy = answers["genre_revenue"]
    assert drama == {
        "genre": "Drama",
        "movies": 3,
        "revenue": 440,
        "median_revenue": 100,
        "not_adjustable": 1,
        "revenue_real": 900,
        "median_revenue_real": 450,
    }
    assert (comedy["movies"], comedy["revenue"]) == (2, 600)
    assert (comedy["not_adjustable"], comedy["revenue_real"]) == (1, 300)


def test_release_timing_counts_undated_movies_nowhere(answers: dict[str, Any]) -> None:
    timing = answers["release_timing"]
    months = {
        row["month"]: (row["movies"], row["adjustable"], row["mean_revenue_real"])
        for row in timing["months"]
    }
    assert months == {1: (1, 1, 300), 2: (1, 1, 600), 3: (1, 0, None), 12: (1, 0, None)}
    first = timing["quarters"][0]
    assert (first["movies"], first["adjustable"]) == (3, 2)
    assert (first["mean_revenue"], first["median_revenue_real"]) == (300, 450)
    # Two groups of one: ranks 1 and 2, H = 12/(2*3) * (1 + 4) - 3*3 = 1, p = 0.3173.
    test = timing["tests"]["month"]
    assert (test["df"], test["n"], test["epsilon_squared"]) == (1, 2, 1)
    assert test["h"] == pytest.approx(1)
    assert test["p"] == pytest.approx(0.317310507862914)
    assert test["log10_p"] == pytest.approx(-0.498515553, abs=1e-6)
    # All of them in one quarter: nothing to tell apart.
    assert timing["tests"]["quarter"]["h"] is None


def test_kruskal_wallis_corrects_for_ties(edition: Path) -> None:
    # January 3, 3, 6 and February 6, 12 (dollars): ranks 1.5 1.5 3.5 | 3.5 5.
    # H = 12/30 * (6.5^2/3 + 8.5^2/2) - 18 = 2.08333; ties 1 - (6 + 6)/120 = 0.9.
    january, february = ("2000-01-01", ["1", "1", "2"]), ("2000-02-01", ["3", "6"])
    rows = [
        [str(number), "", "", day, revenue, "", "", "", "", ""]
        for number, (day, revenue) in enumerate(
            ((day, r) for day, revenues in (january, february) for r in revenues), 1
        )
    ]
    write(edition / "movies_metadata.csv", MOVIE_COLUMNS, rows)
    test = oracle.compute(edition)["release_timing"]["tests"]["month"]
    h = (0.4 * (6.5**2 / 3 + 8.5**2 / 2) - 18) / 0.9
    assert (test["df"], test["n"]) == (1, 5)
    assert test["h"] == pytest.approx(h)
    assert test["epsilon_squared"] == pytest.approx(h / 4)


def test_the_same_content_gives_the_same_answers_in_any_wrapping(
    edition: Path, answers: dict[str, Any]
) -> None:
    for plain in list(edition.glob("*.csv")):
        packed = gzip.compress(b"\xef\xbb\xbf" + plain.read_bytes())
        (edition / f"{plain.name}.gz").write_bytes(packed)
        plain.unlink()
    assert oracle.compute(edition) == answers


def test_full_ratings_are_preferred_over_the_small_ones(edition: Path) -> None:
    columns = ["userId", "movieId", "rating", "timestamp"]
    write(edition / "ratings.csv", columns, RATINGS[:1])
    assert oracle.compute(edition)["counts"]["ratings"]["source_rows"] == 1


@pytest.mark.parametrize(
    ("path", "value", "same"),
    [
        (["run_id"], "another", True),
        (["counts", "movies", "silver"], 7, False),
        (
            ["counts", "movies", "dropped"],
            {"duplicate_id": 2, "none_of_these": 0},
            True,
        ),
        (["counts", "movies", "dropped"], {}, False),
        (["highest_rated", "tmdb", "c"], 6 * (1 + 5e-10), True),
        (["highest_rated", "tmdb", "c"], 6 * (1 + 2e-9), False),
        (["highest_rated", "tmdb", "movies", 0, "votes"], 10 * (1 + 5e-10), False),
        (["highest_rated", "tmdb", "movies", 0, "title"], "Old copy", False),
        (["release_timing", "tests", "month", "log10_p"], -0.4985150, True),
        (["release_timing", "tests", "month", "log10_p"], -0.4985, False),
        (["release_timing", "months", 2, "mean_revenue_real"], 0, False),
        (["genre_revenue"], [], False),
    ],
)
def test_compare_sees_every_figure_within_its_tolerance(
    tmp_path: Path,
    answers: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    path: list[Any],
    value: object,
    same: bool,
) -> None:
    expected, actual = tmp_path / "expected.json", tmp_path / "actual.json"
    expected.write_text(json.dumps(answers))
    place = answers
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    actual.write_text(json.dumps(answers))
    assert compare.main([str(expected), str(actual)]) == (0 if same else 1)
    printed = capsys.readouterr().out
    if not same:
        assert path[-1] in printed.splitlines()[0]
    assert "figures compared" in printed.splitlines()[-1]


def test_compare_sees_a_changed_order(
    tmp_path: Path, answers: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    expected, actual = tmp_path / "expected.json", tmp_path / "actual.json"
    expected.write_text(json.dumps(answers))
    answers["popular_genres"].reverse()
    actual.write_text(json.dumps(answers))
    assert compare.main([str(expected), str(actual)]) == 1
    assert "$.popular_genres[0].genre" in capsys.readouterr().out
