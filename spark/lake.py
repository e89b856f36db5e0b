"""The lake's bucket: JSON objects and Parquet tables."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

from pyarrow import dataset
from pyarrow.fs import FileSelector, S3FileSystem
from pyarrow.parquet import FileMetaData
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from spark.footers import Footers
from spark.live_objects import are_live, without_repeated

Json = dict[str, Any]

#: Enough that one footer is read while others are waited for.
REQUESTS_AT_ONCE = 8
#: Of a table's objects. A store may list temporary names of objects that are being written.
SUFFIX = ".parquet"


@dataclass(frozen=True)
class Lake:
    """A bucket on any S3: MinIO, S3Proxy, AWS."""

    bucket: str
    files: S3FileSystem

    @classmethod
    def from_environment(cls) -> Self:
        """Without S3_ENDPOINT it is AWS, without keys the instance's role."""
        missing = [name for name in ("S3_REGION", "S3_BUCKET") if not os.environ.get(name)]
        if missing:
            raise LookupError(f"these environment variables are missing: {', '.join(missing)}")
        files = S3FileSystem(
            endpoint_override=os.environ.get("S3_ENDPOINT") or None,
            region=os.environ["S3_REGION"],
            access_key=os.environ.get("S3_ACCESS_KEY") or None,
            secret_key=os.environ.get("S3_SECRET_KEY") or None,
        )
        return cls(os.environ["S3_BUCKET"], files)

    def read_json(self, key: str) -> Json:
        """A JSON object that a hop wrote."""
        try:
            with self.files.open_input_stream(f"{self.bucket}/{key}") as source:
                return json.loads(source.read())
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"s3://{self.bucket}/{key} is missing: the hop that writes it has not ended"
            ) from error

    def write_json(self, key: str, value: Json) -> None:
        """Writes a JSON object, over one that exists."""
        with self.files.open_output_stream(f"{self.bucket}/{key}") as target:
            target.write(json.dumps(value, indent=2).encode())

    def read_table(self, spark: SparkSession, prefix: str) -> DataFrame:
        """The Parquet table at a prefix.

        Its schema is read here: Spark would start a job for it whenever it looks at the frame. So
        are its objects where others may come: Spark lists a folder again whenever it reads it.
        """
        found = self._objects(prefix)
        kept = without_repeated(found)
        schema = from_arrow_schema(self._dataset(kept).schema)
        reader = spark.read.schema(schema).option("pathGlobFilter", f"*{SUFFIX}")
        if not are_live(found):
            return reader.parquet(self._uri(prefix))
        return reader.parquet(*(self._uri(path.removeprefix(f"{self.bucket}/")) for path in kept))

    def write_table(self, table: DataFrame, prefix: str) -> int:
        """Writes a frame as Parquet to a prefix that is new; the rows that are there then."""
        table.write.parquet(self._uri(prefix))
        return self.count_rows(prefix)

    def count_rows(self, prefix: str, where: dataset.Expression | None = None) -> int:
        """Rows of the Parquet table at a prefix, as its files' footers state them; or those only
        of which a condition holds.
        """
        return self._parquet(prefix).count_rows(filter=where)

    def footers(self, prefix: str) -> Footers:
        """Of the Parquet table at a prefix."""

        def footer(part: dataset.ParquetFileFragment) -> FileMetaData:
            return part.metadata

        with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
            return Footers(tuple(pool.map(footer, self._parquet(prefix).get_fragments())))

    def _uri(self, prefix: str) -> str:
        return f"s3a://{self.bucket}/{prefix}"

    def _objects(self, prefix: str) -> list[str]:
        found = self.files.get_file_info(FileSelector(f"{self.bucket}/{prefix}"))
        return [file.path for file in found if file.path.endswith(SUFFIX)]

    def _dataset(self, paths: list[str]) -> dataset.Dataset:
        return dataset.dataset(paths, filesystem=self.files, format="parquet")

    def _parquet(self, prefix: str) -> dataset.Dataset:
        return self._dataset(without_repeated(self._objects(prefix)))
