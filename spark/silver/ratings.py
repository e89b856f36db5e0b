"""rating: what a user gave a MovieLens movie, in stars."""

from collections.abc import Callable
from functools import partial, reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from spark.dropped import DROPPED, is_not_first, reason_if

#: Live rows come after those of every load.
FIRST_LIVE_ROW = 2**62
#: Of a live rating that was judged before.
LAST_ROW_BEFORE_LIVE = FIRST_LIVE_ROW - 1
#: Of any other.
ROW_BEFORE_ALL = -1

REASONS = ("no_rating", "duplicate_rating")

#: Of which each pair has one rating.
KEY = ("user_id", "movie_id")
#: The column that each row must have, and from which number to which silver's decimal(2,1) has it.
LIMITS = ("rating", 0.0, 9.9)


def live_below(live: DataFrame, offsets: list[int], since: list[int] | None = None) -> DataFrame:
    """The live rows before the barrier, which is an offset for each partition of their topic; only
    those that are not before another one, where that is given.
    """
    return live.where(_is_before(offsets) & ~_is_before(since or []))


def _is_before(offsets: list[int]) -> Column:
    before = [
        (F.col("kafka_partition") == partition) & (F.col("kafka_offset") < offset)
        for partition, offset in enumerate(offsets)
    ]
    return reduce(Column.__or__, before, F.lit(False))


def with_live(bulk: DataFrame, live: DataFrame) -> DataFrame:
    """Bulk rows, then live ones. All live rows of a user are on one partition, in their order."""
    names = ("user_id", "movie_id", "rating", "timestamp")
    row_number = (F.col("kafka_offset") + FIRST_LIVE_ROW).alias("row_number")
    return bulk.select("row_number", *names).unionByName(live.select(row_number, *names))


def judged_ratings(bronze: DataFrame, repeated: DataFrame | None = None) -> DataFrame:
    """Rows without a rating go; then the newest of a user and movie wins, then the later row.

    `repeated` holds the keys that may come more than once, where they are known: the rows of the
    others need not be brought together. Without it any key may.
    """
    if repeated is None:
        return _newest(with_stars(bronze))
    marks = repeated.select(*KEY, F.lit(True).alias("may_repeat"))
    marked = with_stars(bronze).join(marks, [*KEY], "left")
    may_repeat = F.col("may_repeat").isNotNull()
    alone = marked.where(~may_repeat).drop("may_repeat")
    others = marked.where(may_repeat).drop("may_repeat")
    reason = reason_if(F.col("rating").isNull(), "no_rating")
    return alone.withColumn(DROPPED, reason).unionByName(_newest(others))


def judged_unique_ratings(bronze: DataFrame) -> DataFrame:
    """The same where no key comes more than once: rows without a rating go."""
    reason = reason_if(F.col("rating").isNull(), "no_rating")
    return with_stars(bronze).withColumn(DROPPED, reason)


def judge_beside(others: list[DataFrame]) -> Callable[[DataFrame], DataFrame]:
    """How to judge ratings of which no two have the same key, but for those that come beside them:
    what one of the others repeats may come more than once, and nothing else.
    """
    if not others:
        return judged_unique_ratings
    keys = reduce(DataFrame.unionByName, [other.select(*KEY) for other in others])
    return partial(judged_ratings, repeated=keys.distinct())


def with_stars(bronze: DataFrame) -> DataFrame:
    """Ratings as exact decimals; what is none is null."""
    return bronze.withColumn("rating", F.col("rating").try_cast("decimal(2,1)"))


def _newest(typed: DataFrame) -> DataFrame:
    no_rating = F.col("rating").isNull()
    # Rows without a rating are apart, so that they never win over one with a rating.
    copies = Window.partitionBy("user_id", "movie_id", no_rating).orderBy(
        F.col("timestamp").desc_nulls_last(), F.col("row_number").desc()
    )
    reason = F.coalesce(
        reason_if(no_rating, "no_rating"),
        reason_if(is_not_first(copies), "duplicate_rating"),
    )
    return typed.withColumn(DROPPED, reason)


def rating(ratings: DataFrame) -> DataFrame:
    """One row per user and MovieLens movie; `rated_at` is null where the source has no time.

    `is_live` says whether the row came single: it would win over a bulk one of the same second.
    """
    return ratings.select(
        "user_id",
        "movie_id",
        "rating",
        F.timestamp_seconds("timestamp").alias("rated_at"),
        (F.col("row_number") >= LAST_ROW_BEFORE_LIVE).alias("is_live"),
    )


def beside_earlier(bronze: DataFrame, rating: DataFrame) -> DataFrame:
    """Rows that came since ratings were judged, and of these those that they compete with: the
    latter as rows of bronze that are earlier, `is_earlier`, and still live or not.
    """
    keys = F.broadcast(bronze.select(*KEY).distinct())
    earlier = rating.join(keys, [*KEY], "left_semi").select(
        F.when(F.col("is_live"), F.lit(LAST_ROW_BEFORE_LIVE))
        .otherwise(F.lit(ROW_BEFORE_ALL))
        .alias("row_number"),
        *KEY,
        F.col("rating").cast("double").alias("rating"),
        F.unix_seconds("rated_at").alias("timestamp"),
    )
    new = bronze.select("row_number", *KEY, "rating", "timestamp")
    return new.withColumn("is_earlier", F.lit(False)).unionByName(
        earlier.withColumn("is_earlier", F.lit(True))
    )
