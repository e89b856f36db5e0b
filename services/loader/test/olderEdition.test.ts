import { noLiveInput, type RunInputs } from "@boxoffice/contracts/runInputs";
import { expect, test } from "vitest";
import { refuseOlder } from "../src/inputs.ts";

const inputs = (run_id: string, day: string, offsets: number[]): RunInputs => {
  const load = (file: string) => ({
    load_id: `${run_id} ${file}`,
    file,
    landed_at: `2026-11-${day}T00:00:00.000Z`,
    sha256: day,
    source_rows: 1,
    dead_letters: 0,
    bronze: 1,
    prefix: "bronze/x",
  });
  return {
    run_id,
    edition: "test",
    fixed_at: "2026-11-30T00:00:00.000Z",
    published_run: null,
    loads: { movies: load("m.csv"), links: load("l.csv"), ratings: load("r.csv"), cpi: load("c.csv") },
    appended: {},
    live: { ...noLiveInput, offsets },
    fixes: {},
    notes: [],
  };
};

const published = inputs("published", "05", [10, 20, 0, 0]);

test.each([
  ["there is nothing published", inputs("run", "01", []), undefined],
  ["it is newer", inputs("run", "06", [10, 20, 0, 5]), published],
  ["it is the same", inputs("run", "05", [10, 20]), published],
])("a run is not older where %s", (_why, run, before) => {
  expect(() => refuseOlder(run, before)).not.toThrow();
});

test("a run with older files is refused with their names and days", () => {
  expect(() => refuseOlder(inputs("run", "04", [10, 20, 0, 0]), published)).toThrow(
    /ratings: r.csv landed 2026-11-04.*the published run published has r.csv landed 2026-11-05.*--allow-older/s,
  );
});

test("a run that read fewer live ratings than the published one is refused: they may be gone from the live table", () => {
  const refused = () => refuseOlder(inputs("run", "06", [10, 19]), published);
  expect(refused).toThrow(expect.objectContaining({ code: "older_edition" }));
  expect(refused).toThrow(
    /older than what is published:\n {2}live ratings: partition 1 up to 19, .* up to 20; a new run reads them\n/,
  );
});

test("a run that goes by fewer decisions about the same dead letters than the published one is refused", () => {
  const movies = { source: "published m.csv", decisions: 3, repaired: 2, prefix: "repaired/x" };
  const before = { ...published, fixes: { movies: [movies] } };
  const refused = () => refuseOlder({ ...published, fixes: { movies: [{ ...movies, decisions: 2 }] } }, before);
  expect(refused).toThrow(
    /dead letters of movies: it goes by 2 decisions, the published run published by 3; a new run does too/,
  );
  expect(() => refuseOlder({ ...published, fixes: {} }, before)).toThrow(/by 0 decisions/);
  expect(() => refuseOlder({ ...published, fixes: { movies: [{ ...movies, decisions: 4 }] } }, before)).not.toThrow();
  // Other bytes have dead letters of their own.
  expect(() => refuseOlder(inputs("run", "06", [10, 20]), before)).not.toThrow();
});

test("a run that lacks what was appended to the published one is refused, unless it has other bytes to begin with", () => {
  const [first, second] = ["06", "07"].map((day) => ({
    ...published.loads.ratings,
    ...{ load_id: `more ${day}`, file: "more.csv", sha256: day, landed_at: `2026-11-${day}T00:00:00.000Z` },
  }));
  if (!first || !second) throw new Error("two loads are made");
  const before = { ...published, appended: { ratings: [first, second] } };
  const refused = () => refuseOlder({ ...published, appended: { ratings: [first] } }, before);
  expect(refused).toThrow(expect.objectContaining({ code: "older_edition" }));
  expect(refused).toThrow(/\n {2}ratings: it lacks more.csv landed 2026-11-07.*; a new run has it\nThe published/);
  expect(() => refuseOlder({ ...published, appended: { ratings: [second, first] } }, before)).not.toThrow();
  expect(() => refuseOlder(inputs("run", "08", [10, 20]), before)).not.toThrow();
});
