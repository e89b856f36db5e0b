"""What Spark does with a run's ratings when it does nothing of ours: reads, groups and writes them.

`python -m spark.bench.bare RUN_ID` prints {rows, seconds}.
"""

import json
import sys
import time
from secrets import token_hex

from pyarrow.fs import FileSelector
from pyspark.sql import functions as F

from spark.lake import Json, Lake
from spark.session import spark_session


def bare(run_id: str) -> Json:
    """Reads the ratings of the run's bronze, adds them up by movie, writes both below `bench/`."""
    lake = Lake.from_environment()
    loads = lake.read_json(f"_runs/{run_id}/inputs.json")["loads"]
    prefix = f"bench/{token_hex(4)}"
    with spark_session() as spark:
        ratings = lake.read_table(spark, loads["ratings"]["prefix"])
        begin = time.monotonic()
        rows = lake.write_table(ratings, f"{prefix}/ratings")
        sums = ratings.groupBy("movie_id").agg(F.count("*").alias("ratings"), F.sum("rating"))
        lake.write_table(sums.toDF("movie_id", "ratings", "rating_sum"), f"{prefix}/sums")
        seconds = time.monotonic() - begin
    # One by one: not every store takes what pyarrow sends to delete several at once.
    for file in lake.files.get_file_info(FileSelector(f"{lake.bucket}/{prefix}", recursive=True)):
        if file.is_file:
            lake.files.delete_file(file.path)
    return {"rows": rows, "seconds": round(seconds, 3)}


if __name__ == "__main__":
    print(json.dumps(bare(sys.argv[1])))
