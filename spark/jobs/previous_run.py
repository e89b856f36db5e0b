"""The run that another goes on from: it computes what was appended, and shares all else."""

import hashlib
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from pathlib import Path

import spark
from spark.jobs.parts import Parts
from spark.jobs.run_inputs import fixes_of, load_ids
from spark.lake import Json, Lake

#: After so many parts of the ratings a run computes all of them again, as one.
MOST_PARTS = 16
#: And when so large a share of them is not in the first part, or so many: they are held in memory.
LARGEST_SHARE = 0.2
MOST_ROWS = 1_000_000

#: Of which no rating is computed anew.
OTHERS = ("movies", "links", "cpi")


@dataclass(frozen=True)
class PreviousRun:
    """What the hops of the published run say of it."""

    run_id: str
    inputs: Json
    silver: Json
    gold: Json


@cache
def code_digest() -> str:
    """Of the modules that the hops consist of: only what the same code made may be shared."""
    home = Path(spark.__file__).parent
    folders = (home, home / "jobs", home / "silver", home / "gold")
    files = sorted(file for folder in folders for file in folder.glob("*.py"))
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(home)}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def appends_ratings(inputs: Json, before: Json) -> bool:
    """Whether a run reads ratings that were appended to those of the other."""
    return len(load_ids(inputs, "ratings")) > len(load_ids(before, "ratings"))


def previous_run(lake: Lake, inputs: Json) -> tuple[PreviousRun | None, str | None]:
    """The run to go on from, or none; and why not, where ratings were appended."""
    run_id = inputs.get("published_run")
    if run_id is None:
        return None, None
    before = lake.read_json(f"_runs/{run_id}/inputs.json")
    if not appends_ratings(inputs, before):
        return None, None
    try:
        silver, gold = (lake.read_json(f"_runs/{run_id}/{hop}.json") for hop in ("silver", "gold"))
    except FileNotFoundError as missing:
        return None, str(missing)
    previous = PreviousRun(run_id, before, silver, gold)
    reason = (
        other_inputs(inputs, before)
        or other_code(previous)
        or too_long(lake, inputs, previous)
        or swept(lake, previous)
    )
    return (None, f"{reason} ({run_id})") if reason else (previous, None)


def other_inputs(inputs: Json, before: Json) -> str | None:
    """What a run reads that is neither the other's nor appended to it."""
    for dataset in OTHERS:
        if load_ids(inputs, dataset) != load_ids(before, dataset):
            return f"the published run reads other {dataset}"
    known = load_ids(before, "ratings")
    if load_ids(inputs, "ratings")[: len(known)] != known:
        return "the published run reads other ratings"
    if any(fixes_of(inputs, name) != fixes_of(before, name) for name in (*OTHERS, "ratings")):
        return "the published run goes by other decisions about dead letters"
    offsets = zip_longest(*map(live_offsets, (inputs, before)), fillvalue=0)
    if any(now < then for now, then in offsets):
        return "the published run reads more live ratings"
    return None


def live_offsets(inputs: Json) -> list[int]:
    """By partition, up to where a run reads live ratings."""
    return inputs.get("live", {}).get("offsets", [])


def other_code(previous: PreviousRun) -> str | None:
    """Whether another version of the box made what would be shared."""
    if {previous.silver.get("code"), previous.gold.get("code")} == {code_digest()}:
        return None
    return "the published run was computed by another version of the box"


def too_long(lake: Lake, inputs: Json, previous: PreviousRun) -> str | None:
    """Whether it is time to have the ratings in one part again."""
    parts = Parts.of(previous.silver, "rating")
    if len(parts.added) >= MOST_PARTS:
        return f"the published run's ratings are in {len(parts.added)} parts"
    first, *others = parts.added
    new = load_ids(inputs, "ratings")[len(load_ids(previous.inputs, "ratings")) :]
    loads = {load["load_id"]: load for load in inputs["appended"]["ratings"]}
    live = inputs["live"]["bronze"] - previous.inputs["live"]["bronze"]
    came = sum(map(lake.count_rows, others)) + sum(loads[one]["bronze"] for one in new) + live
    most = min(MOST_ROWS, int(LARGEST_SHARE * lake.count_rows(first)))
    if came <= most:
        return None
    return f"{came:,} ratings came since they were computed in full, more than {most:,}"


def swept(lake: Lake, previous: PreviousRun) -> str | None:
    """Whether the lake still has every row that would be shared."""
    of_silver = {Parts.of(previous.silver, table) for table in previous.silver["tables"]}
    for report in (previous.silver, previous.gold):
        for table, rows in report["tables"].items():
            parts = Parts.of(report, table)
            if report is previous.gold and parts in of_silver:
                continue
            try:
                found = parts.count_rows(lake)
            except FileNotFoundError:
                found = 0
            if found != rows:
                return f"the lake has {found} of the {rows} rows of the published run's {table}"
    return None
