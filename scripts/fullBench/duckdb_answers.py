"""What DuckDB takes for the four answers, straight from an edition's files, with the same cores.

`python duckdb_answers.py DIRECTORY CORES` prints {seconds, movie, genres}: the TMDB id of the movie
that MovieLens rates highest, and by genre [ratings, users], to be compared with what is published.
"""

import json
import sys
import time
from pathlib import Path

import duckdb

FILES = {
    "movies_file": "movies_metadata.csv",
    "links_file": "links.csv",
    "ratings_file": "ratings.csv",
    "cpi_file": "CPIAUCSL.csv",
}


def answers(edition: Path, cores: int) -> dict[str, object]:
    """Runs answers.sql on the edition's files, packed or not."""
    sql = Path(__file__).with_name("answers.sql").read_text()
    connection = duckdb.connect(config={"threads": cores})
    for variable, name in FILES.items():
        (path,) = edition.glob(f"{name}*")
        connection.execute(f"set variable {variable} = ?", [str(path)])
    begin = time.monotonic()
    connection.execute(sql)
    seconds = round(time.monotonic() - begin, 3)
    best = "select tmdb_id from highest_rated where source = 'movielens' order by weighted desc"
    (movie,) = connection.execute(f"{best} limit 1").fetchone() or (None,)
    rows = connection.execute("select genre, ratings, users from popular_genres").fetchall()
    return {"seconds": seconds, "movie": movie, "genres": {name: counts for name, *counts in rows}}


if __name__ == "__main__":
    print(json.dumps(answers(Path(sys.argv[1]), int(sys.argv[2]))))
