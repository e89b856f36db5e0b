"""movielens_movie: MovieLens ids to IMDb and TMDB ids."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from spark.dropped import DROPPED, is_not_first, reason_if

REASONS = ("duplicate_movie_id",)


def judged_links(bronze: DataFrame) -> DataFrame:
    """Of several links of a MovieLens id the later row wins."""
    copies = Window.partitionBy("movie_id").orderBy(F.col("row_number").desc())
    return bronze.withColumn(DROPPED, reason_if(is_not_first(copies), "duplicate_movie_id"))


def movielens_movie(links: DataFrame) -> DataFrame:
    """One row per MovieLens id; without a TMDB id its ratings reach no movie."""
    return links.select("movie_id", "imdb_id", "tmdb_id")
