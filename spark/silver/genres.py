"""genre and movie_genre: the genre lists of movies, normalised."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

# A Python literal differs from JSON by its quotes and escapes. The contract let only readable
# lists pass, so one that cannot be read here is an error and not a movie without genres.
_PYTHON_LITERAL = {
    "mode": "FAILFAST",
    "allowSingleQuotes": "true",
    "allowBackslashEscapingAnyCharacter": "true",
    "allowNumericLeadingZeros": "true",
    "allowUnquotedControlChars": "true",
}


def movie_genre(movies: DataFrame) -> DataFrame:
    """One row per movie and distinct genre."""
    return _listed(movies).select("tmdb_id", "genre_id").distinct()


def genre(movies: DataFrame) -> DataFrame:
    """One row per genre; of several names the first by alphabet."""
    return _listed(movies).groupBy("genre_id").agg(F.min("name").alias("name"))


def _listed(movies: DataFrame) -> DataFrame:
    """One row per entry of each movie's genre list, as `movies` of bronze has it."""
    return movies.select(
        F.col("id").alias("tmdb_id"), F.explode(_entries("genres")).alias("entry")
    ).select("tmdb_id", F.col("entry.id").alias("genre_id"), F.col("entry.name").alias("name"))


def _entries(name: str) -> Column:
    r"""The list that the text holds. JSON knows \u00e9, and not Python's \xe9."""
    json = F.regexp_replace(name, r"(?<!\\)((?:\\\\)*)\\x([0-9A-Fa-f]{2})", r"$1\\u00$2")
    return F.from_json(json, "array<struct<id: int, name: string>>", _PYTHON_LITERAL)
