"""Holds the pipeline's answers against the oracle's, figure by figure.

    python test/oracle/compare.py EXPECTED.json ACTUAL.json

Counts, ids, names and order must be equal; other numbers within 1e-9 relative; log10 of a
p-value within 1e-6. `run_id` and `edition` are not compared. A drop reason that is not
listed dropped nothing. Prints each difference with its path, and exits 1 if there is one.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import dataclass, field
from pathlib import Path

RELATIVE = 1e-9
LOG10_ABSOLUTE = 1e-6
NOT_COMPARED = {"run_id", "edition"}

# Numbers that count or name something, wherever they stand in the document.
EXACT = {
    "adjustable",
    "df",
    "month",
    "movies",
    "n",
    "not_adjustable",
    "qualified",
    "quarter",
    "ratings",
    "tmdb_id",
    "tmdb_votes",
    "users",
    "votes",
    "year",
}


@dataclass
class Comparison:
    """What was found so far: figures looked at, and where they differ."""

    figures: int = 0
    differences: list[str] = field(default_factory=list)

    def differ(self, path: str, expected: object, actual: object, why: str = "") -> None:
        self.differences.append(
            f"{path}: expected {expected!r}, got {actual!r}{why and f' ({why})'}"
        )


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def number_differs(path: str, expected: float, actual: float) -> str | None:
    """Why two numbers are not the same figure, or None."""
    key = path.rsplit(".", 1)[-1]
    if not (math.isfinite(expected) and math.isfinite(actual)):
        return "not a finite number"
    if key in EXACT or path.startswith("$.counts."):
        return None if expected == actual else "must be equal"
    off = abs(expected - actual)
    if key == "log10_p":
        return None if off <= LOG10_ABSOLUTE else f"off by {off:.3g}"
    largest = max(abs(expected), abs(actual))
    if off <= RELATIVE * largest:
        return None
    return f"off by {off / largest:.3g} of it"


def compare(expected: object, actual: object, path: str, found: Comparison) -> None:
    """Walks both documents side by side and notes every difference."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        if path.startswith("$.counts.") and path.endswith(".dropped"):
            nothing = dict.fromkeys([*expected, *actual], 0)
            expected, actual = nothing | expected, nothing | actual
        for key in [*expected, *(key for key in actual if key not in expected)]:
            below = f"{path}.{key}"
            if path == "$" and key in NOT_COMPARED:
                continue
            if key not in actual:
                found.differences.append(f"{below}: missing")
            elif key not in expected:
                found.differences.append(f"{below}: not expected")
            else:
                compare(expected[key], actual[key], below, found)
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            found.differ(path, len(expected), len(actual), "number of rows")
        for index, pair in enumerate(zip(expected, actual, strict=False)):
            compare(*pair, f"{path}[{index}]", found)
    else:
        found.figures += 1
        if is_number(expected) and is_number(actual):
            why = number_differs(path, expected, actual)
            if why:
                found.differ(path, expected, actual, why)
        elif type(expected) is not type(actual) or expected != actual:
            found.differ(path, expected, actual)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Compare two answers documents.")
    parser.add_argument("expected", type=Path, help="the oracle's document")
    parser.add_argument("actual", type=Path, help="the pipeline's document")
    options = parser.parse_args(arguments)
    expected, actual = (
        json.loads(path.read_text(encoding="utf-8")) for path in (options.expected, options.actual)
    )
    found = Comparison()
    compare(expected, actual, "$", found)
    for difference in found.differences:
        print(difference)
    print(f"{found.figures} figures compared, {len(found.differences)} differences")
    return 1 if found.differences else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
