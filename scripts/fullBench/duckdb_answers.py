"""The four answers by DuckDB, straight from an edition's files, and how long they take.

`python duckdb_answers.py DIRECTORY CORES` prints {seconds, answers}: the document of
`./box answers --json` as far as answers.sql computes it.
"""

import json
import sys
import time
from pathlib import Path

import duckdb

Row = dict[str, object]

# A file's names, the preferred one first; each plain or packed by gzip.
FILES = {
    "movies_file": ("movies_metadata.csv",),
    "links_file": ("links.csv", "links_small.csv"),
    "ratings_file": ("ratings.csv", "ratings_small.csv"),
    "cpi_file": ("CPIAUCSL.csv",),
}


def timed_answers(edition: Path, cores: int) -> Row:
    """Runs answers.sql on the edition's files."""
    sql = Path(__file__).with_name("answers.sql").read_text()
    connection = duckdb.connect(config={"threads": cores})
    for variable, names in FILES.items():
        connection.execute(f"set variable {variable} = ?", [str(source(edition, names))])
    begin = time.monotonic()
    connection.execute(sql)
    seconds = round(time.monotonic() - begin, 3)
    return {"seconds": seconds, "answers": document(connection)}


def source(edition: Path, names: tuple[str, ...]) -> Path:
    """The file of these names that the edition has."""
    paths = (edition / f"{name}{packing}" for name in names for packing in ("", ".gz"))
    found = next(filter(Path.is_file, paths), None)
    if found is None:
        raise SystemExit(f"{edition}: no {' or '.join(names)}, plain or .gz")
    return found


def document(connection: duckdb.DuckDBPyConnection) -> Row:
    """The tables that answers.sql leaves, put together."""
    parameters = by("source", rows(connection, "highest_rated_parameters"))
    movies = by("source", rows(connection, "highest_rated"))
    timing = by("period_type", rows(connection, "release_timing"))
    tests = by("period_type", rows(connection, "release_timing_test"))
    return {
        **rows(connection, "run_summary")[0],
        "highest_rated": {
            name: {**figures, "movies": movies.get(name, [])}
            for name, (figures,) in parameters.items()
        },
        "popular_genres": rows(connection, "popular_genres"),
        "release_timing": {
            f"{kind}s": [{kind: period.pop("period"), **period} for period in timing.get(kind, [])]
            for kind in tests
        }
        | {"tests": {kind: figures for kind, (figures,) in tests.items()}},
        "genre_revenue": rows(connection, "genre_revenue"),
    }


def rows(connection: duckdb.DuckDBPyConnection, table: str) -> list[Row]:
    """The rows of a table in their order."""
    result = connection.execute(f"select * from {table}")
    names = [name for name, *_ in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def by(name: str, some: list[Row]) -> dict[object, list[Row]]:
    """The rows by one of their values, without it."""
    groups: dict[object, list[Row]] = {}
    for row in some:
        groups.setdefault(row.pop(name), []).append(row)
    return groups


if __name__ == "__main__":
    print(json.dumps(timed_answers(Path(sys.argv[1]), int(sys.argv[2])), default=float))
