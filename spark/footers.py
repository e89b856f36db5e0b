"""What the footers of a table's Parquet objects prove of its rows."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from pyarrow.parquet import FileMetaData, Statistics

#: What the loader writes into the footer of an object whose keys ascend (`ascendingKeys.ts`).
ASCENDING_KEYS = b"boxoffice.ascending_keys"


@dataclass(frozen=True)
class Footers:
    """The footers of all objects of a table."""

    of_objects: tuple[FileMetaData, ...]

    def have_unique_keys(self, columns: tuple[str, ...]) -> bool:
        """Whether no two rows have the same key: within each object the keys ascend, and each
        object begins after the one before.
        """
        ranges = []
        for footer in self.of_objects:
            if footer.num_rows == 0:
                continue
            stated = (footer.metadata or {}).get(ASCENDING_KEYS)
            keys = json.loads(stated) if stated else {}
            if tuple(keys.get("columns", ())) != columns:
                return False
            ranges.append((keys["first"], keys["last"]))
        return all(last < first for (_, last), (first, _) in pairwise(sorted(ranges)))

    def have_values_within(self, column: str, least: float, most: float) -> bool:
        """Whether every row has a value in the column, none less than `least` or above `most`.

        Of a NaN statistics say nothing: the column's contract must take none.
        """
        for stated in self._stated_of(column):
            if stated is None or not stated.has_null_count or stated.null_count > 0:
                return False
            if not stated.has_min_max or stated.min < least or stated.max > most:
                return False
        return True

    def range_of(self, column: str) -> tuple[int, int] | None:
        """The least and the greatest value of a column; None without rows, and where one of the
        footers does not say.
        """
        stated = list(self._stated_of(column))
        if not stated or any(one is None or not one.has_min_max for one in stated):
            return None
        return min(one.min for one in stated), max(one.max for one in stated)

    def _stated_of(self, column: str) -> Iterator[Statistics | None]:
        for footer in self.of_objects:
            place = footer.schema.names.index(column)
            for group in map(footer.row_group, range(footer.num_row_groups)):
                if group.num_rows:
                    yield group.column(place).statistics
