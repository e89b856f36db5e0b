"""When a run goes on from the published one, and what it says when it does not."""

import copy
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from spark.jobs import previous_run as module
from spark.jobs.previous_run import code_digest, previous_run
from spark.lake import Json
from spark.tests.local_lake import BUCKET, LocalLake


def put(folder: Path, prefix: str, rows: int) -> None:
    path = folder / BUCKET / prefix
    path.mkdir(parents=True)
    parquet.write_table(pa.table({"n": list(range(rows))}), path / "part-0.parquet")


def load(name: str, rows: int = 1) -> Json:
    return {"load_id": f"{name}-v1", "prefix": f"bronze/{name}", "bronze": rows}


def fixes(source: str, decisions: int) -> Json:
    return {"source": source, "decisions": decisions, "repaired": 0, "prefix": "repaired/x"}


BEFORE: Json = {
    "loads": {name: load(name) for name in ("movies", "links", "ratings", "cpi")},
    "appended": {"ratings": [load("one")]},
    "fixes": {"movies": [fixes("movies-v1", 3)]},
    "live": {"offsets": [5, 0], "bronze": 5},
}
INPUTS: Json = {
    **BEFORE,
    "published_run": "before",
    "appended": {"ratings": [load("one"), load("two", 2)]},
    "live": {"offsets": [7, 0, 1, 0], "bronze": 7},
}


@pytest.fixture
def lake(tmp_path: Path) -> LocalLake:
    lake = LocalLake.at(tmp_path)
    lake.write_json("_runs/before/inputs.json", BEFORE)
    report = {"code": code_digest(), "prefix": "silver/before/try"}
    rating = {"added": ["silver/a/rating", "silver/b/rating"], "replaced": ["silver/b/replaced"]}
    for prefix, rows in (("a/rating", 40), ("b/rating", 4), ("b/replaced", 1)):
        put(tmp_path, f"silver/{prefix}", rows)
    put(tmp_path, "gold/before/try/dim_movie", 3)
    silver = {**report, "tables": {"rating": 43}, "parts": {"rating": rating}}
    lake.write_json("_runs/before/silver.json", silver)
    gold = {**report, "prefix": "gold/before/try", "tables": {"dim_movie": 3}}
    lake.write_json("_runs/before/gold.json", gold)
    return lake


def changed(document: Json, *path: str | int, to: object) -> Json:
    result = copy.deepcopy(document)
    inner = result
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    return result


def test_a_run_that_has_only_more_ratings_goes_on_from_the_published_one(lake: LocalLake) -> None:
    previous, reason = previous_run(lake, INPUTS)
    assert reason is None
    assert previous is not None
    assert previous.run_id == "before"


@pytest.mark.parametrize(
    "inputs",
    [
        changed(INPUTS, "published_run", to=None),
        {name: value for name, value in INPUTS.items() if name != "published_run"},
        changed(INPUTS, "appended", to=BEFORE["appended"]),
    ],
)
def test_a_run_to_which_nothing_was_appended_has_nothing_to_say(
    lake: LocalLake, inputs: Json
) -> None:
    assert previous_run(lake, inputs) == (None, None)


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        (changed(INPUTS, "loads", "cpi", to=load("newer")), "reads other cpi"),
        (changed(INPUTS, "appended", "movies", to=[load("more")]), "reads other movies"),
        (changed(INPUTS, "loads", "ratings", to=load("other")), "reads other ratings"),
        (
            changed(INPUTS, "appended", "ratings", to=[load("two"), load("one")]),
            "reads other ratings",
        ),
        (changed(INPUTS, "fixes", "ratings", to=[fixes("two-v1", 1)]), "other decisions"),
        (changed(INPUTS, "fixes", "movies", to=[fixes("movies-v1", 4)]), "other decisions"),
        (changed(INPUTS, "live", "offsets", to=[4]), "reads more live ratings"),
        (
            changed(INPUTS, "appended", "ratings", 1, to=load("two", 3)),
            "9 ratings came since they were computed in full, more than 8",
        ),
    ],
)
def test_a_run_with_other_inputs_says_which(lake: LocalLake, inputs: Json, reason: str) -> None:
    previous, said = previous_run(lake, inputs)
    assert previous is None
    assert reason in (said or "")
    assert "(before)" in (said or "")


@pytest.mark.parametrize(
    ("key", "path", "value", "reason"),
    [
        ("silver", ("code",), "older", "another version of the box"),
        ("gold", ("code",), None, "another version of the box"),
        ("gold", ("tables", "dim_movie"), 4, "3 of the 4 rows of the published run's dim_movie"),
        ("gold", ("prefix",), "gold/swept/try", "0 of the 3 rows of the published run's dim_movie"),
    ],
)
def test_what_cannot_be_shared_is_computed_in_full(
    lake: LocalLake, key: str, path: tuple[str, ...], value: object, reason: str
) -> None:
    report = lake.read_json(f"_runs/before/{key}.json")
    lake.write_json(f"_runs/before/{key}.json", changed(report, *path, to=value))
    previous, said = previous_run(lake, INPUTS)
    assert previous is None
    assert reason in (said or "")


def test_after_so_many_parts_the_ratings_are_computed_as_one(
    lake: LocalLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_PARTS", 2)
    assert "in 2 parts" in (previous_run(lake, INPUTS)[1] or "")


def test_a_published_run_without_reports_is_not_gone_on_from(lake: LocalLake) -> None:
    lake.write_json("_runs/older/inputs.json", BEFORE)
    previous, said = previous_run(lake, changed(INPUTS, "published_run", to="older"))
    assert previous is None
    assert "_runs/older/silver.json is missing" in (said or "")
