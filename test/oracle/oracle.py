"""The four answers, computed a second time, straight from the raw files with pandas.

Shares no code with the pipeline. Prints the document of `./box answers --json` without
`run_id`, for `compare.py` to hold against the pipeline's own.

    python test/oracle/oracle.py EDITION_DIR [--out FILE]

Exactness: money and means of votes are Decimal, ratings are whole tenths of a star, sums
are exact, weighted ratings and percentiles are fractions; each figure is rounded once, to
15 significant digits, when it is written. Real money is in dollars of the base month, in
Decimal with 8 places.
"""

from __future__ import annotations

import argparse
import ast
import csv
import gzip
import io
import json
import math
import re
import sys
import zipfile
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, TextIO

import pandas as pd
from scipy.stats import chi2, kruskal

Document = dict[str, Any]
Row = dict[str, str]
Number = int | float | Decimal | Fraction

csv.field_size_limit(1 << 30)

EIGHT_PLACES = Decimal("1e-8")
EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
MAX_ID = 2_147_483_647
TOP = 10

NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
US_DATE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")


# Reading -----------------------------------------------------------------------------


class Rejected(Exception):
    """A record that breaks the contract: a dead letter."""


def find_source(edition: Path, *names: str) -> Path:
    """The first of `names` the edition has, plain before .gz before .zip."""
    for name in names:
        stem = name.removesuffix(".csv")
        for form in (name, f"{name}.gz", f"{name}.zip", f"{stem}.zip"):
            if (edition / form).is_file():
                return edition / form
    raise SystemExit(f"{edition}: no {' or '.join(names)} (plain, .gz or .zip)")


def open_text(path: Path) -> TextIO:
    """The CSV text in a plain, gzip or zip file: UTF-8, with or without a BOM."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    if path.suffix == ".zip":
        archive = zipfile.ZipFile(path)
        members = [name for name in archive.namelist() if name.endswith(".csv")]
        if len(members) != 1:
            raise SystemExit(f"{path}: expected one .csv inside, found {members}")
        return io.TextIOWrapper(archive.open(members[0]), "utf-8-sig", newline="")
    return path.open("r", encoding="utf-8-sig", newline="")


@dataclass
class Tally:
    """What became of one dataset's records."""

    source_rows: int = 0
    dead_letters: int = 0
    silver: int = 0
    dropped: dict[str, int] | None = None

    def as_counts(self) -> Document:
        return {
            "source_rows": self.source_rows,
            "dead_letters": self.dead_letters,
            "bronze": self.source_rows - self.dead_letters,
            "silver": self.silver,
            "dropped": self.dropped or {},
        }


def accepted(path: Path, columns: set[str], tally: Tally) -> Iterator[Row]:
    """Records with the header's number of cells; the others are tallied as rejected.

    The caller reports what it rejects itself. A line with nothing on it is no record.
    """
    with open_text(path) as text:
        records = csv.reader(text)
        header = next(records, [])
        missing = columns - set(header)
        if missing:
            raise SystemExit(f"{path}: missing columns {sorted(missing)} in {header}")
        for cells in records:
            if not cells:
                continue
            tally.source_rows += 1
            if len(cells) != len(header):
                tally.dead_letters += 1
                continue
            yield dict(zip(header, cells, strict=True))


ID_CELL = re.compile(r"[0-9]+")


@lru_cache(maxsize=1 << 18)
def read_id(cell: str) -> int:
    """A positive integer up to 2147483647."""
    if not ID_CELL.fullmatch(cell) or not 1 <= int(cell) <= MAX_ID:
        raise Rejected(f"not an id: {cell!r}")
    return int(cell)


@lru_cache(maxsize=1 << 16)
def read_number(cell: str) -> Decimal | None:
    """A decimal number, with or without an exponent; empty is None."""
    if cell == "":
        return None
    if not NUMBER.fullmatch(cell):
        raise Rejected(f"not a number: {cell!r}")
    return Decimal(cell)


def read_within(cell: str, least: Number, most: Number) -> Decimal | None:
    """A decimal number from `least` to `most`; empty is None."""
    value = read_number(cell)
    if value is not None and not least <= value <= most:
        raise Rejected(f"not from {least} to {most}: {cell!r}")
    return value


def check_texts(texts: Iterable[str]) -> None:
    """Postgres cannot store U+0000."""
    if any("\0" in text for text in texts):
        raise Rejected("U+0000 in a text")


@lru_cache(maxsize=1 << 16)
def read_date(cell: str) -> date | None:
    """A real date as YYYY-MM-DD or M/D/YYYY; empty is None."""
    if cell == "":
        return None
    if match := ISO_DATE.fullmatch(cell):
        year, month, day = map(int, match.groups())
    elif match := US_DATE.fullmatch(cell):
        month, day, year = map(int, match.groups())
    else:
        raise Rejected(f"not a date: {cell!r}")
    try:
        return date(year, month, day)
    except ValueError as error:
        raise Rejected(f"not a real date: {cell!r}") from error


@lru_cache(maxsize=1 << 16)
def read_genres(cell: str) -> tuple[tuple[int, str], ...]:
    """(id, name) of each distinct genre in a Python literal list; empty is none."""
    if cell == "":
        return ()
    try:
        entries = ast.literal_eval(cell)
        if not isinstance(entries, list):
            raise TypeError("not a list")
        genres = {entry["id"]: entry["name"] for entry in entries}
        if not all(type(i) is int and type(n) is str for i, n in genres.items()):
            raise TypeError("not an id with a name")
        check_texts(genres.values())
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError) as error:
        raise Rejected(f"not a genre list: {cell!r}") from error
    return tuple(genres.items())


# Cleaned tables ----------------------------------------------------------------------

ANY = (-math.inf, math.inf)
#: The range of each number.
MOVIE_NUMBERS = {
    "budget": ANY,
    "popularity": ANY,
    "revenue": ANY,
    "runtime": ANY,
    "vote_average": (0, 10),
    "vote_count": (0, math.inf),
}
MOVIE_TEXTS = {
    *("adult", "belongs_to_collection", "homepage", "imdb_id", "original_language"),
    *("original_title", "overview", "poster_path", "production_companies"),
    *("production_countries", "spoken_languages", "status", "tagline", "title", "video"),
}


def read_movies(path: Path) -> tuple[pd.DataFrame, Tally]:
    """One row per TMDB id: the copy with most votes, of equals the later row.

    revenue in dollars, 0 meaning unknown; vote_average in stars out of 10.
    """
    tally = Tally()
    rows: list[Document] = []
    needed = {"id", "title", "genres", "release_date", *MOVIE_NUMBERS}
    for row in accepted(path, needed, tally):
        try:
            check_texts(row[name] for name in MOVIE_TEXTS & row.keys())
            numbers = {name: read_within(row[name], *MOVIE_NUMBERS[name]) for name in MOVIE_NUMBERS}
            rows.append(
                {
                    "tmdb_id": read_id(row["id"]),
                    "title": row["title"] or None,
                    "released": read_date(row["release_date"]),
                    "genres": read_genres(row["genres"]),
                    **numbers,
                }
            )
        except Rejected:
            tally.dead_letters += 1
    movies = pd.DataFrame(
        rows,
        columns=["tmdb_id", "title", "released", "genres", *MOVIE_NUMBERS],
        dtype=object,
    )
    movies["tmdb_id"] = movies["tmdb_id"].astype("int64")
    # A copy without a vote count has fewer votes than one with zero.
    rank = movies["vote_count"].map(lambda votes: -1 if votes is None else votes)
    kept = (
        movies.assign(rank=rank)
        .sort_values(["tmdb_id", "rank"], kind="stable")
        .drop_duplicates("tmdb_id", keep="last")
        .drop(columns="rank")
        .reset_index(drop=True)
    )
    tally.silver = len(kept)
    tally.dropped = {"duplicate_id": len(movies) - len(kept)}
    return kept, tally


def read_links(path: Path) -> tuple[pd.DataFrame, Tally]:
    """MovieLens movie id -> TMDB id (which may be missing); the later row wins."""
    tally = Tally()
    links: dict[int, int | None] = {}
    for row in accepted(path, {"movieId", "tmdbId"}, tally):
        try:
            check_texts([row.get("imdbId", "")])
            movie_id = read_id(row["movieId"])
            links[movie_id] = read_id(row["tmdbId"]) if row["tmdbId"] else None
        except Rejected:
            tally.dead_letters += 1
    tally.silver = len(links)
    bronze = tally.source_rows - tally.dead_letters
    tally.dropped = {"duplicate_movie_id": bronze - tally.silver}
    mapped = [(movie, tmdb) for movie, tmdb in links.items() if tmdb is not None]
    return pd.DataFrame(mapped, columns=["movie_id", "tmdb_id"], dtype="int64"), tally


@lru_cache(maxsize=1 << 12)
def read_tenths(cell: str) -> int:
    """A rating in tenths of a star; -1 for an empty cell."""
    rating = read_within(cell, 0.5, 5)
    if rating is None:
        return -1
    if rating * 10 != int(rating * 10):
        raise SystemExit(f"rating {cell}: no definition for it (whole tenths)")
    return int(rating * 10)


def read_ratings(path: Path) -> tuple[pd.DataFrame, Tally]:
    """One row per (user, MovieLens movie) that gave a rating, in tenths of a star.

    Rows without a rating go first; then the newest timestamp (seconds since 1970, UTC;
    none counts as oldest) wins, of equals the later row.
    """
    tally = Tally()
    users, movies, tenths, times = array("q"), array("q"), array("q"), array("d")
    needed = {"userId", "movieId", "rating", "timestamp"}
    for row in accepted(path, needed, tally):
        try:
            user, movie = read_id(row["userId"]), read_id(row["movieId"])
            rating = read_tenths(row["rating"])
            time = read_number(row["timestamp"])
        except Rejected:
            tally.dead_letters += 1
            continue
        users.append(user)
        movies.append(movie)
        tenths.append(rating)
        times.append(-math.inf if time is None else float(time))
    every = pd.DataFrame({"user_id": users, "movie_id": movies, "tenths": tenths, "time": times})
    rated = every[every["tenths"] >= 0]
    kept = (
        rated.sort_values("time", kind="stable")
        .drop_duplicates(["user_id", "movie_id"], keep="last")
        .drop(columns="time")
    )
    tally.silver = len(kept)
    tally.dropped = {
        "duplicate_rating": len(rated) - len(kept),
        "no_rating": len(every) - len(rated),
    }
    return kept, tally


Month = tuple[int, int]


def read_cpi(path: Path) -> tuple[dict[Month, Decimal], Tally]:
    """CPI (index, 1982-1984 = 100) by (year, month); the later row of a month wins.

    A month whose value is '.' or empty is a month without a value: it is counted, and
    is not in the result.
    """
    tally = Tally()
    with open_text(path) as text:
        header = next(csv.reader(text), [])
    key = "observation_date" if "observation_date" in header else "DATE"
    months: dict[Month, Decimal | None] = {}
    for row in accepted(path, {key, "CPIAUCSL"}, tally):
        try:
            day = read_date(row[key])
            if day is None:
                raise Rejected("no date")
            cell = row["CPIAUCSL"]
            months[day.year, day.month] = None if cell == "." else read_number(cell)
        except Rejected:
            tally.dead_letters += 1
    tally.silver = len(months)
    bronze = tally.source_rows - tally.dead_letters
    tally.dropped = {"duplicate_month": bronze - tally.silver}
    return {m: value for m, value in months.items() if value is not None}, tally


# Figures -----------------------------------------------------------------------------


def mean(total: Number, count: int) -> Fraction | None:
    """The exact total divided once; None where there is nothing."""
    return Fraction(total) / count if count else None


def percentile(values: list[Fraction], part: Fraction) -> Fraction:
    """Linear between the closest ranks (what numpy and SQL percentile_cont do)."""
    ordered = sorted(values)
    at = part * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])


def median(values: list[Decimal]) -> Fraction | None:
    if not values:
        return None
    return percentile([Fraction(value) for value in values], Fraction(1, 2))


def total(values: list[Decimal]) -> Decimal:
    """An exact sum: Decimal's own addition would round at 28 digits."""
    result = Decimal(0)
    for value in values:
        result = EXACT.add(result, value)
    return result


def number(value: Number | None) -> int | float | None:
    """A figure as JSON has it: whole numbers whole, others to 15 significant digits."""
    if value is None:
        return None
    if not isinstance(value, float) and value == int(value):
        return int(value)
    return float(f"{float(value):.15g}")


def adjust(movies: pd.DataFrame, cpi: dict[Month, Decimal], base: Month) -> pd.Series:
    """Real revenue: dollars of the base month; None without a date or without a CPI."""
    latest = cpi[base]

    def real(revenue: Decimal, released: date | None) -> Decimal | None:
        then = cpi.get((released.year, released.month)) if released else None
        if then is None:
            return None
        inflated = EXACT.multiply(revenue, latest)
        return EXACT.divide(inflated, then).quantize(EIGHT_PLACES, context=EXACT)

    return pd.Series(
        [real(*pair) for pair in zip(movies["revenue"], movies["released"], strict=True)],
        index=movies.index,
        dtype=object,
    )


# Answer 1 ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Voted:
    """A movie as one community sees it: votes and their exact mean (stars)."""

    tmdb_id: int
    title: str | None
    year: int | None
    votes: Fraction
    mean: Fraction


def highest_rated(voted: list[Voted], c: Fraction, m: Fraction) -> Document:
    """Weighted rating WR = v/(v+m) R + m/(v+m) C over movies with v >= m, top 10."""

    def weighted(movie: Voted) -> Fraction:
        return (movie.votes * movie.mean + m * c) / (movie.votes + m)

    qualified = [movie for movie in voted if movie.votes >= m and movie.votes + m > 0]
    ranked = sorted(qualified, key=lambda v: (-weighted(v), -v.votes, v.tmdb_id))
    return {
        "c": number(c),
        "m": number(m),
        "qualified": len(qualified),
        "movies": [
            {
                "tmdb_id": movie.tmdb_id,
                "title": movie.title,
                "year": movie.year,
                "votes": number(movie.votes),
                "mean": number(movie.mean),
                "weighted": number(weighted(movie)),
            }
            for movie in ranked[:TOP]
        ],
    }


PERCENT_95 = Fraction(95, 100)


def highest_rated_tmdb(movies: pd.DataFrame) -> Document:
    """C over movies that have a vote_average, m over movies that have a vote_count."""
    averages = [value for value in movies["vote_average"] if value is not None]
    counts = [Fraction(value) for value in movies["vote_count"] if value is not None]
    voted = [
        Voted(
            movie.tmdb_id,
            movie.title,
            movie.released.year if movie.released else None,
            Fraction(movie.vote_count),
            Fraction(movie.vote_average),
        )
        for movie in movies.itertuples()
        if movie.vote_count is not None and movie.vote_average is not None
    ]
    c = mean(total(averages), len(averages))
    if c is None or not counts:
        return {"c": None, "m": None, "qualified": 0, "movies": []}
    return highest_rated(voted, c, percentile(counts, PERCENT_95))


def highest_rated_movielens(movies: pd.DataFrame, reached: pd.DataFrame) -> Document:
    """C is the mean of the movies' means, m over movies with at least one rating."""
    by_movie = reached.groupby("tmdb_id")["tenths"].agg(["count", "sum"])
    facts = movies.set_index("tmdb_id").loc[by_movie.index]
    voted = [
        Voted(
            int(tmdb_id),
            title,
            released.year if released else None,
            Fraction(int(count)),
            Fraction(int(tenths), 10 * int(count)),
        )
        for tmdb_id, title, released, count, tenths in zip(
            by_movie.index,
            facts["title"],
            facts["released"],
            by_movie["count"],
            by_movie["sum"],
            strict=True,
        )
    ]
    if not voted:
        return {"c": None, "m": None, "qualified": 0, "movies": []}
    c = Fraction(sum(movie.mean for movie in voted), len(voted))
    m = percentile([movie.votes for movie in voted], PERCENT_95)
    return highest_rated(voted, c, m)


# Answers 2 and 4 ---------------------------------------------------------------------


def movie_genres(movies: pd.DataFrame) -> pd.DataFrame:
    """One row per movie and distinct genre; a genre is its id, named once."""
    pairs = [
        (tmdb_id, *genre)
        for tmdb_id, genres in zip(movies["tmdb_id"], movies["genres"], strict=True)
        for genre in genres
    ]
    bridge = pd.DataFrame(pairs, columns=["tmdb_id", "genre_id", "genre"])
    names = bridge.drop_duplicates(["genre_id", "genre"])
    if names["genre_id"].duplicated().any():
        raise SystemExit("a genre id with two names: no definition for it")
    return bridge.astype({"tmdb_id": "int64", "genre_id": "int64"})


def genre_votes(movies: pd.DataFrame, bridge: pd.DataFrame) -> dict[int, int]:
    """TMDB votes per genre id, over all its movies."""
    votes = movies["vote_count"].map(lambda count: 0 if count is None else int(count))
    table = movies[["tmdb_id"]].assign(votes=votes.astype("int64"))
    joined = bridge.merge(table, on="tmdb_id")
    return {int(k): int(v) for k, v in joined.groupby("genre_id")["votes"].sum().items()}


def popular_genres(
    bridge: pd.DataFrame, votes: dict[int, int], reached: pd.DataFrame
) -> list[Document]:
    """Every genre a movie has, by user ratings, then TMDB votes, then name."""
    per_genre = {int(genre_id): group for genre_id, group in bridge.groupby("genre_id")}
    rows = []
    for genre_id, members in per_genre.items():
        rated = reached[reached["tmdb_id"].isin(members["tmdb_id"])]
        stars = mean(Fraction(int(rated["tenths"].sum()), 10), len(rated))
        rows.append(
            {
                "genre": members["genre"].iloc[0],
                "ratings": len(rated),
                "users": int(rated["user_id"].nunique()),
                "mean_rating": number(stars),
                "movies": len(members),
                "tmdb_votes": votes[genre_id],
            }
        )
    return sorted(rows, key=lambda g: (-g["ratings"], -g["tmdb_votes"], g["genre"]))


def genre_revenue(
    bridge: pd.DataFrame, votes: dict[int, int], earning: pd.DataFrame
) -> list[Document]:
    """Genres with a movie of known revenue, by the sum of real revenue (dollars)."""
    joined = bridge.merge(earning, on="tmdb_id")
    keyed = []
    for genre_id, group in joined.groupby("genre_id"):
        real = [value for value in group["real"] if value is not None]
        row = {
            "genre": group["genre"].iloc[0],
            "movies": len(group),
            "revenue": number(total(list(group["revenue"]))),
            "median_revenue": number(median(list(group["revenue"]))),
            "not_adjustable": len(group) - len(real),
            "revenue_real": number(total(real)) if real else None,
            "median_revenue_real": number(median(real)),
        }
        keyed.append(((-total(real), -votes[int(genre_id)], row["genre"]), row))
    return [row for _, row in sorted(keyed, key=lambda pair: pair[0])]


# Answer 3 ----------------------------------------------------------------------------


def timing_rows(dated: pd.DataFrame, period: str) -> list[Document]:
    """Revenue by month (1-12) or quarter (1-4) of release, of any year."""
    rows = []
    for value, group in dated.groupby(period):
        real = [amount for amount in group["real"] if amount is not None]
        nominal = list(group["revenue"])
        rows.append(
            {
                period: int(value),
                "movies": len(nominal),
                "mean_revenue": number(mean(total(nominal), len(nominal))),
                "median_revenue": number(median(nominal)),
                "adjustable": len(real),
                "mean_revenue_real": number(mean(total(real), len(real))),
                "median_revenue_real": number(median(real)),
            }
        )
    return rows


def kruskal_wallis(dated: pd.DataFrame, period: str) -> Document:
    """Tie-corrected H on real revenue between periods; p from the upper chi2 tail.

    No figures where there is one period only, or all revenues are equal.
    """
    adjustable = dated[dated["real"].notna()]
    groups = [[float(value) for value in group["real"]] for _, group in adjustable.groupby(period)]
    n, df = len(adjustable), max(len(groups) - 1, 0)
    distinct = {value for group in groups for value in group}
    if df == 0 or len(distinct) < 2:  # nothing to tell apart
        undefined = dict.fromkeys(("p", "log10_p", "epsilon_squared"))
        return {"h": None, "df": df, "n": n, **undefined}
    h = float(kruskal(*groups).statistic)
    return {
        "h": number(h),
        "df": df,
        "n": n,
        "p": number(float(chi2.sf(h, df))),
        "log10_p": number(float(chi2.logsf(h, df)) / math.log(10)),
        "epsilon_squared": number(h / (n - 1)),
    }


def release_timing(earning: pd.DataFrame) -> Document:
    dated = earning[earning["released"].notna()]
    month = dated["released"].map(lambda day: day.month)
    quarter = dated["released"].map(lambda day: (day.month + 2) // 3)
    dated = dated.assign(month=month, quarter=quarter)
    return {
        "months": timing_rows(dated, "month"),
        "quarters": timing_rows(dated, "quarter"),
        "tests": {
            "month": kruskal_wallis(dated, "month"),
            "quarter": kruskal_wallis(dated, "quarter"),
        },
    }


# The document ------------------------------------------------------------------------


def reach(ratings: pd.DataFrame, links: pd.DataFrame, movies: pd.DataFrame) -> pd.DataFrame:
    """Ratings whose MovieLens movie links to a TMDB id that is among the movies."""
    known = links[links["tmdb_id"].isin(movies["tmdb_id"])]
    return ratings.merge(known, on="movie_id")


def compute(edition: Path, note: Callable[[str], None] = lambda _: None) -> Document:
    """The whole `answers --json` document of an edition, without `run_id`."""
    movies, movie_tally = read_movies(find_source(edition, "movies_metadata.csv"))
    links, link_tally = read_links(find_source(edition, "links.csv", "links_small.csv"))
    ratings, rating_tally = read_ratings(find_source(edition, "ratings.csv", "ratings_small.csv"))
    cpi, cpi_tally = read_cpi(find_source(edition, "CPIAUCSL.csv"))
    if not cpi:
        raise SystemExit("CPIAUCSL: no month has a value")

    base = max(cpi)
    reached = reach(ratings, links, movies)
    note(f"{len(ratings) - len(reached)} of {len(ratings)} ratings reach no movie")
    bridge = movie_genres(movies)
    votes = genre_votes(movies, bridge)
    known = movies["revenue"].map(lambda dollars: dollars is not None and dollars > 0)
    earning = movies.loc[known.astype(bool), ["tmdb_id", "released", "revenue"]]
    earning = earning.assign(real=adjust(earning, cpi, base))

    return {
        "edition": edition.resolve().name,
        "base_month": f"{base[0]:04d}-{base[1]:02d}",
        "highest_rated": {
            "tmdb": highest_rated_tmdb(movies),
            "movielens": highest_rated_movielens(movies, reached),
        },
        "popular_genres": popular_genres(bridge, votes, reached),
        "release_timing": release_timing(earning),
        "genre_revenue": genre_revenue(bridge, votes, earning),
        "counts": {
            "movies": movie_tally.as_counts(),
            "links": link_tally.as_counts(),
            "ratings": rating_tally.as_counts(),
            "cpi": cpi_tally.as_counts(),
        },
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="The four answers, with pandas.")
    parser.add_argument("edition", type=Path, help="directory with the raw files")
    parser.add_argument("--out", type=Path, help="write here instead of stdout")
    options = parser.parse_args(arguments)
    document = compute(options.edition, lambda text: print(text, file=sys.stderr))
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
