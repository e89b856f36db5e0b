"""release_timing_test: does real revenue differ between months, and between quarters?

Kruskal-Wallis, corrected for ties. Spark ranks the movies; what it collects is one row per
month and quarter, and the rest is arithmetic on whole numbers.
"""

import math
from collections.abc import Iterable
from fractions import Fraction

from pyspark.sql import DataFrame, Row, SparkSession, Window
from pyspark.sql import functions as F
from scipy.special import chdtrc

from spark.gold.release_period import release_period

PERIOD_TYPES = ("month", "quarter")
SCHEMA = (
    "period_type string, h double, df int, n bigint, p double, log10_p double, "
    "epsilon_squared double"
)


def release_timing_test(spark: SparkSession, fact_box_office: DataFrame) -> DataFrame:
    """One row per period type, without figures where there is nothing to tell apart."""
    sums = rank_sums(fact_box_office).collect()
    tests = [
        (period_type, *kruskal_wallis([row for row in sums if row.period_type == period_type]))
        for period_type in PERIOD_TYPES
    ]
    return spark.createDataFrame(tests, SCHEMA)


def rank_sums(fact_box_office: DataFrame) -> DataFrame:
    """Per period: its adjustable movies, twice the sum of their ranks, and its share of the ties.

    The rank of a movie among all is the middle of those that share its real revenue; twice of
    it is whole. A value that t movies share adds t^3 - t to the ties: t^2 - 1 for each of them.
    """
    adjustable = fact_box_office.where("is_adjustable")
    tied = F.count("*").over(Window.partitionBy("is_adjustable", "revenue_real"))
    rank = F.rank().over(Window.partitionBy("is_adjustable").orderBy("revenue_real"))
    twice_rank = 2 * rank.cast("bigint") + F.col("tied") - 1
    ranked = adjustable.withColumn("tied", tied).withColumn("twice_rank", twice_rank)
    periods = ranked.withColumn("entry", F.explode(F.array(*map(release_period, PERIOD_TYPES))))
    return periods.groupBy("entry.period_type", "entry.period").agg(
        F.count("*").alias("movies"),
        F.sum("twice_rank").cast("decimal(38,0)").alias("twice_rank_sum"),
        F.sum(F.col("tied") * F.col("tied") - 1).alias("ties"),
    )


#: Smaller probabilities lose digits: doubles below 1e-308 are not normal.
SMALLEST_EXACT = 1e-290


def kruskal_wallis(
    groups: Iterable[Row],
) -> tuple[float | None, int, int, float | None, float | None, float | None]:
    """h, df, n, p, log10 p and epsilon squared from the rank sums of the non-empty groups."""
    groups = list(groups)
    n = sum(group.movies for group in groups)
    df = max(len(groups) - 1, 0)
    spread = n**3 - n - sum(group.ties for group in groups)
    if df == 0 or spread == 0:
        return None, df, n, None, None, None
    squares = sum(Fraction(int(group.twice_rank_sum)) ** 2 / (4 * group.movies) for group in groups)
    uncorrected = Fraction(12, n * (n + 1)) * squares - 3 * (n + 1)
    h = float(uncorrected * (n**3 - n) / spread)
    return h, df, n, float(chdtrc(df, h)), log10_upper_tail(h, df), h / (n - 1)


def log10_upper_tail(h: float, df: int) -> float:
    """log10 of P(chi-squared with df >= h), also where the probability itself is 0 as a double.

    Source: the continued fraction of the upper incomplete gamma function, evaluated by Lentz's
    method (Press et al., Numerical Recipes, section 6.2).
    """
    p = float(chdtrc(df, h))
    if p > SMALLEST_EXACT:
        return math.log10(p)
    a, x = df / 2, h / 2
    b = x + 1 - a
    c, d = math.inf, 1 / b
    fraction = d
    for i in range(1, 1000):
        numerator = -i * (i - a)
        b += 2
        d = 1 / (numerator * d + b)
        c = b + numerator / c
        fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return (a * math.log(x) - x - math.lgamma(a) + math.log(fraction)) / math.log(10)
