"""A lake in a folder, which Spark reads and writes as files."""

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from pyarrow.fs import LocalFileSystem, SubTreeFileSystem

from spark.lake import Json, Lake

BUCKET = "lake"


@dataclass(frozen=True)
class LocalLake(Lake):
    """Remembers what was written to each JSON object, in order."""

    written: dict[str, list[Json]] = field(default_factory=dict)

    @classmethod
    def at(cls, folder: Path) -> Self:
        return cls(BUCKET, SubTreeFileSystem(str(folder), LocalFileSystem()))

    def write_json(self, key: str, value: Json) -> None:
        self.files.create_dir(f"{self.bucket}/{key.rpartition('/')[0]}")
        super().write_json(key, value)
        self.written.setdefault(key, []).append(copy.deepcopy(value))

    def _uri(self, prefix: str) -> str:
        return f"file://{self.files.base_path}{self.bucket}/{prefix}"
