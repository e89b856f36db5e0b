"""Objects of live ratings in bronze, which the loader compacts (`liveObjects.ts`)."""

import re
from collections import defaultdict
from collections.abc import Iterable

SINGLE = re.compile(r"/partition-(\d+)-offset-(\d{16})\.parquet$")
COMPACTED = re.compile(r"/partition-(\d+)-offset-(\d{16})-to-(\d{16})\.parquet$")


def are_live(paths: Iterable[str]) -> bool:
    """Whether a table is that of live ratings: objects may come while a job reads it."""
    return any(SINGLE.search(path) or COMPACTED.search(path) for path in paths)


def without_repeated(paths: Iterable[str]) -> list[str]:
    """Of a table's objects those that hold each row once.

    A compacted object takes the place of those that begin within it. Other tables have none. So
    what is left holds the same rows below any barrier, however far the table is compacted by then.
    """
    kept = [path for path in paths if not SINGLE.search(path) and not COMPACTED.search(path)]
    ends: defaultdict[int, int] = defaultdict(int)
    # Of those with one beginning the longest first: it holds the others.
    for partition, begin, end, path in sorted(_compacted(paths), key=lambda o: (o[0], o[1], -o[2])):
        if begin >= ends[partition]:
            kept.append(path)
            ends[partition] = end
        elif end > ends[partition]:
            raise ValueError(f"{path} begins before {ends[partition]}, where one before it ends")
    for path in paths:
        if match := SINGLE.search(path):
            partition, begin = map(int, match.groups())
            if begin >= ends[partition]:
                kept.append(path)
    return kept


def _compacted(paths: Iterable[str]) -> list[tuple[int, int, int, str]]:
    found = ((COMPACTED.search(path), path) for path in paths)
    return [(int(match[1]), int(match[2]), int(match[3]), path) for match, path in found if match]
