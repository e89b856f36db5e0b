import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { container, FakeDocker, prints } from "./fakeDocker.ts";

let docker: FakeDocker;
let edition: string;
beforeEach(() => {
  docker = new FakeDocker();
  edition = join(docker.folder, `my "$(edition)"`);
  mkdirSync(edition);
  writeFileSync(join(edition, "movies_metadata.csv"), "id\n1\n");
  writeFileSync(join(edition, "ratings.csv.gz"), "packed");
  answers(prints(container("ingest")));
});
afterEach(() => docker.remove());

/** Scripts for ingest run here, with its paths below the fake's folder. */
function answers(ingest: string): void {
  docker.answers({
    "* ps --all *": ingest,
    "exec -i box-ingest-1 sh *": `shift 5; script=$1; shift 2
      args=; for arg; do case $arg in /*) arg=${docker.folder}$arg;; esac; args="$args$arg\n"; done
      IFS='\n'; set -f; exec sh -euc "$script" sh $args`,
  });
}

async function copy(): Promise<string> {
  const { copyEdition } = await import("../../scripts/docker/copyEdition.ts");
  return copyEdition(edition);
}

const inIngest = (path: string) => join(docker.folder, path);
const copied = (path: string) => readdirSync(inIngest(path)).sort();
const sends = () => docker.asked().filter((asked) => asked.startsWith("exec") && asked.includes("cat >")).length;

test("only the edition's own files are copied, whatever else is in the directory and however it is named", async () => {
  writeFileSync(join(edition, "private.key"), "secret");
  mkdirSync(join(edition, "node_modules"));
  const path = await copy();
  expect(path).toMatch(/^\/var\/lib\/boxoffice\/editions\/[0-9a-f]{12}\/[0-9a-f]{12}\/my "\$\(edition\)"$/);
  expect(copied(path)).toEqual(["movies_metadata.csv", "ratings.csv.gz"]);
  expect(readFileSync(join(inIngest(path), "ratings.csv.gz"), "utf8")).toBe("packed");
});

test("files that changed get a folder of their own, as a run may read the others; the same are not copied again", async () => {
  const first = await copy();
  expect(await copy()).toBe(first);
  expect(sends()).toBe(2);
  writeFileSync(join(edition, "ratings.csv.gz"), "longer");
  utimesSync(join(edition, "ratings.csv.gz"), 1, 1);
  const second = await copy();
  expect(second).not.toBe(first);
  expect(copied(first)).toEqual(copied(second));
});

test("a copy that was not used for a day is removed by the next", async () => {
  const old = dirname(await copy());
  const twoDaysAgo = Date.now() / 1000 - 2 * 86_400;
  utimesSync(inIngest(old), twoDaysAgo, twoDaysAgo);
  writeFileSync(join(edition, "links.csv"), "movieId\n");
  const path = await copy();
  expect(copied(dirname(old))).toEqual([dirname(path).split("/").at(-1)]);
});

test("a copy that fails leaves nothing that a run would take for an edition", async () => {
  const unreadable = join(edition, "links.csv");
  mkdirSync(unreadable);
  await expect(copy()).rejects.toThrow(`copying ${unreadable} to ingest failed with exit code 1:\ncat: `);
  const [folder = ""] = copied("/var/lib/boxoffice/editions");
  expect(copied(`/var/lib/boxoffice/editions/${folder}`)).toEqual([]);
});

test("what cannot be an edition is refused with what is expected and found", async () => {
  rmSync(join(edition, "movies_metadata.csv"));
  rmSync(join(edition, "ratings.csv.gz"));
  writeFileSync(join(edition, "Ratings.csv"), "");
  await expect(copy()).rejects.toThrow(
    /no file of an edition\.\nExpected: movies_metadata\.csv,.*\nFound: Ratings\.csv/,
  );
  edition = join(docker.folder, "missing");
  await expect(copy()).rejects.toThrow("missing cannot be read (ENOENT");
  expect(existsSync(inIngest("/var"))).toBe(false);
});

test("a box that does not run is told to start", async () => {
  answers(prints(container("ingest", { State: "exited" })));
  await expect(copy()).rejects.toThrow("./box up");
});
