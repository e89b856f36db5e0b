import math
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from statistics import median

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from scipy import stats

from spark.dropped import DROPPED
from spark.gold.box_office_aggregates import agg_genre_box_office, agg_release_period
from spark.gold.cpi import cpi_month
from spark.gold.fact_box_office import fact_box_office, judged_movies
from spark.gold.release_timing_test import (
    kruskal_wallis,
    log10_upper_tail,
    release_timing_test,
)
from spark.tests.conftest import Frame, rows_of

MOVIE = "tmdb_id int, release_date date, budget bigint, revenue bigint"
MONTH = "month date, value decimal(12,3)"
MONTHS = (
    {"month": date(1947, 1, 1), "value": Decimal("21.480")},
    {"month": date(1995, 10, 1), "value": Decimal("153.700")},
    {"month": date(2025, 8, 1)},
    {"month": date(2025, 9, 1), "value": Decimal("324.368")},
    {"month": date(2025, 10, 1)},
)


@pytest.fixture
def months(frame: Frame) -> DataFrame:
    return cpi_month(frame(MONTH, *MONTHS))


def real(revenue: int, value: str) -> Decimal:
    exact = Decimal(revenue) * Decimal("324.368") / Decimal(value)
    return exact.quantize(Decimal("1e-8"), ROUND_HALF_UP)


def test_the_base_month_is_the_newest_with_a_value(months: DataFrame) -> None:
    bases = {(row.base_month, row.base_value) for row in months.collect()}
    assert bases == {(date(2025, 9, 1), Decimal("324.368"))}
    assert months.count() == len(MONTHS)


def test_without_any_value_nothing_is_adjustable(frame: Frame) -> None:
    months = cpi_month(frame(MONTH, {"month": date(2025, 10, 1)}))
    movies = frame(MOVIE, {"tmdb_id": 1, "release_date": date(2025, 10, 3), "revenue": 5})
    fact = fact_box_office(movies, months)
    assert rows_of(fact, "revenue_real", "is_adjustable") == [(None, False)]


def test_movies_without_a_revenue_above_zero_are_dropped_by_name(frame: Frame) -> None:
    movies = frame(
        MOVIE,
        {"tmdb_id": 1, "revenue": 1},
        {"tmdb_id": 2, "revenue": 0},
        {"tmdb_id": 3},
        {"tmdb_id": 4, "revenue": -5},
    )
    assert rows_of(judged_movies(movies), DROPPED, "tmdb_id") == [
        (None, 1),
        ("no_revenue", 2),
        ("no_revenue", 3),
        ("no_revenue", 4),
    ]


def test_real_revenue_is_rounded_half_up_to_eight_places_and_null_where_not_adjustable(
    frame: Frame, months: DataFrame
) -> None:
    movies = frame(
        MOVIE,
        {"tmdb_id": 1, "release_date": date(1995, 10, 30), "revenue": 373_554_033},
        {"tmdb_id": 2, "release_date": date(1946, 12, 31), "revenue": 10},
        {"tmdb_id": 3, "release_date": date(2025, 8, 8), "revenue": 10},
        {"tmdb_id": 4, "revenue": 1000},
        {"tmdb_id": 5, "release_date": date(1947, 1, 1), "revenue": 99_999_999_999_999},
        {"tmdb_id": 6, "release_date": date(2025, 9, 9), "revenue": 1001},
    )
    fact = fact_box_office(movies, months)
    names = ("tmdb_id", "revenue_real", "is_adjustable", "is_scale_suspect")
    assert rows_of(fact, *names) == [
        (1, real(373_554_033, "153.700"), True, False),
        (2, None, False, True),
        (3, None, False, True),
        (4, None, False, True),
        (5, real(99_999_999_999_999, "21.480"), True, False),
        (6, Decimal("1001.00000000"), True, False),
    ]


FACT = (
    "tmdb_id int, release_date date, release_year int, release_quarter int, release_month int, "
    "revenue bigint, revenue_real decimal(24,8), is_adjustable boolean"
)


def earned(tmdb_id: int, released: date | None, revenue: int, real: str | None) -> dict:
    parts = (
        {}
        if released is None
        else {
            "release_date": released,
            "release_year": released.year,
            "release_quarter": (released.month + 2) // 3,
            "release_month": released.month,
        }
    )
    return parts | {
        "tmdb_id": tmdb_id,
        "revenue": revenue,
        "revenue_real": real and Decimal(real),
        "is_adjustable": real is not None,
    }


@pytest.fixture
def fact(frame: Frame) -> DataFrame:
    return frame(
        FACT,
        earned(1, date(2000, 1, 5), 10, "20.00000001"),
        earned(2, date(2000, 2, 5), 20, "30.00000002"),
        earned(3, date(2001, 3, 5), 31, "50.10000000"),
        earned(4, date(1940, 3, 5), 7, None),
        earned(5, None, 1_000_000, None),
    )


def test_genre_sums_are_exact_and_medians_lie_between_the_middle_two(
    frame: Frame, fact: DataFrame
) -> None:
    pairs = [(1, 18), (2, 18), (3, 18), (4, 18), (5, 35), (99, 99)]
    bridge = frame("tmdb_id int, genre_id int", *({"tmdb_id": t, "genre_id": g} for t, g in pairs))
    assert rows_of(agg_genre_box_office(fact, bridge)) == [
        (18, 4, 68, 15.0, 3, 1, Decimal("100.10000003"), 30.00000002),
        (35, 1, 1_000_000, 1_000_000.0, 0, 1, None, None),
    ]


def test_periods_hold_dated_movies_and_real_figures_of_the_adjustable(fact: DataFrame) -> None:
    periods = agg_release_period(fact)
    assert rows_of(periods.where("period_type = 'quarter'")) == [
        ("quarter", 1, 4, 68, 17.0, 15.0, 3, Decimal("100.10000003"),
         100.10000003 / 3, 30.00000002),
    ]  # fmt: skip
    assert rows_of(periods, "period_type", "period", "movies", "adjustable") == [
        ("month", 1, 1, 1),
        ("month", 2, 1, 1),
        ("month", 3, 2, 1),
        ("quarter", 1, 4, 3),
        ("year", 1940, 1, 0),
        ("year", 2000, 2, 2),
        ("year", 2001, 1, 1),
    ]
    assert median([10, 20, 31, 7]) == 15.0


def test_the_timing_test_agrees_with_scipy_on_tied_revenues(
    spark: SparkSession, frame: Frame
) -> None:
    # Revenues that repeat within and across months; December has none.
    movies = [
        (month, (month * 37 + copy * 11) % 17 + month // 4)
        for month in range(1, 12)
        for copy in range(month % 4 + 2)
    ]
    rows = [
        earned(n, date(2000, month, 1), 1, f"{value}.00000000")
        for n, (month, value) in enumerate(movies, 1)
    ]
    rows.append(earned(500, date(1930, 12, 1), 1, None))
    tests = {
        row.period_type: row for row in release_timing_test(spark, frame(FACT, *rows)).collect()
    }

    for period_type, length in (("month", 1), ("quarter", 3)):
        groups: dict[int, list[int]] = {}
        for month, value in movies:
            groups.setdefault((month - 1) // length, []).append(value)
        expected = stats.kruskal(*groups.values())
        test = tests[period_type]
        assert test.h == pytest.approx(expected.statistic, rel=1e-12)
        assert test.p == pytest.approx(expected.pvalue, rel=1e-12)
        assert (test.df, test.n) == (len(groups) - 1, len(movies))
        assert test.epsilon_squared == pytest.approx(test.h / (len(movies) - 1), rel=1e-15)
        assert test.log10_p == pytest.approx(math.log10(expected.pvalue), abs=1e-9)


def test_a_p_value_keeps_its_digits_far_in_the_tail() -> None:
    groups = [
        Row(movies=500, twice_rank_sum=2 * sum(range(1, 501)), ties=0),
        Row(movies=500, twice_rank_sum=2 * sum(range(501, 1001)), ties=0),
    ]
    h, df, n, p, log10_p, _ = kruskal_wallis(groups)
    expected = stats.kruskal(range(1, 501), range(501, 1001))
    assert (h, df, n) == (pytest.approx(expected.statistic, rel=1e-12), 1, 1000)
    assert p == pytest.approx(expected.pvalue, rel=1e-9)
    assert p < 1e-150
    assert log10_p == pytest.approx(stats.chi2.logsf(h, 1) / math.log(10), abs=1e-9)


@pytest.mark.parametrize(
    ("groups", "df", "n"),
    [
        ([], 0, 0),
        ([Row(movies=3, twice_rank_sum=12, ties=0)], 0, 3),
        ([Row(movies=1, twice_rank_sum=3, ties=3), Row(movies=1, twice_rank_sum=3, ties=3)], 1, 2),
    ],
    ids=["no movie", "one period", "all revenues equal"],
)
def test_there_are_no_figures_where_nothing_can_be_told_apart(
    groups: list[Row], df: int, n: int
) -> None:
    assert kruskal_wallis(groups) == (None, df, n, None, None, None)


def test_the_tail_beyond_what_a_double_holds_still_has_its_logarithm() -> None:
    # With two degrees of freedom the tail is exp(-h / 2) exactly.
    for h in (10.0, 1_300.0, 5_000.0, 7_000.0):
        assert log10_upper_tail(h, 2) == pytest.approx(-h / 2 / math.log(10), rel=1e-12)
    # Where both are known they agree.
    assert log10_upper_tail(1_340.0, 11) == pytest.approx(
        stats.chi2.logsf(1_340.0, 11) / math.log(10), abs=1e-6
    )
