"""The dimensions: movie, genre, date, and the bridges from movies to genres and MovieLens ids."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark.dropped import DROPPED, reason_if

LINK_REASONS = ("link_without_movie",)


def dim_movie(movie: DataFrame) -> DataFrame:
    """One row per movie."""
    return movie.select(
        "tmdb_id",
        "imdb_id",
        "title",
        "original_title",
        "original_language",
        "status",
        "release_date",
        F.year("release_date").alias("release_year"),
        "runtime_minutes",
        "popularity",
        "budget",
        "vote_average",
        "vote_count",
    )


def dim_genre(genre: DataFrame) -> DataFrame:
    """One row per genre."""
    return genre.select("genre_id", "name")


def bridge_movie_genre(movie_genre: DataFrame) -> DataFrame:
    """One row per movie and genre."""
    return movie_genre.select("tmdb_id", "genre_id")


def judged_links(movielens_movie: DataFrame, movie: DataFrame) -> DataFrame:
    """Every MovieLens movie; one that is none of TMDB's is dropped."""
    known = movie.select("tmdb_id", F.lit(True).alias("is_known"))
    return movielens_movie.join(known, "tmdb_id", "left").withColumn(
        DROPPED, reason_if(F.col("is_known").isNull(), "link_without_movie")
    )


def bridge_movielens_movie(links: DataFrame) -> DataFrame:
    """One row per MovieLens movie; several of these may be one movie."""
    return links.select("movie_id", "tmdb_id")


def dim_date(movie: DataFrame) -> DataFrame:
    """Every day from the first to the last release date."""
    days = movie.agg(
        F.explode(F.sequence(F.min("release_date"), F.max("release_date"))).alias("date_day")
    )
    return days.select(
        "date_day",
        F.year("date_day").alias("year"),
        F.quarter("date_day").alias("quarter"),
        F.month("date_day").alias("month"),
        F.date_format("date_day", "MMMM").alias("month_name"),
        F.day("date_day").alias("day"),
    )
