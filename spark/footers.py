"""What the footers of a table's Parquet objects prove of its rows."""

import json
from dataclasses import dataclass
from itertools import pairwise

from pyarrow.parquet import FileMetaData

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
        for footer in self.of_objects:
            place = footer.schema.names.index(column)
            groups = map(footer.row_group, range(footer.num_row_groups))
            for stated in (group.column(place).statistics for group in groups if group.num_rows):
                if stated is None or not stated.has_null_count or stated.null_count > 0:
                    return False
                if not stated.has_min_max or stated.min < least or stated.max > most:
                    return False
        return True
