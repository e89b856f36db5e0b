import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import type { ObjectStore, StoredObject } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { Piscina } from "piscina";
import type { TupleBatch } from "./copyBinary.ts";
import { parquetObjects } from "./lakeBatches.ts";
import { MoviesOfLinks } from "./moviesOfLinks.ts";
import { ratingFacts, type TimeColumn } from "./ratingFacts.ts";
import { youngHeap } from "./youngHeap.ts";

/** One object of ratings, whose tuples are asked for. */
export interface RatingObject {
  parquet: Uint8Array;
  /** The table of `MoviesOfLinks`. */
  links: Int32Array;
  time: TimeColumn;
}

/** Less takes no longer than a thread takes to start. */
const fewBytes = 8 << 20;

/** Ratings in the lake as tuples of `fact_rating`; many of them are made in a thread beside the service's own. */
export class RatingTuples {
  readonly #lake: ObjectStore;
  readonly #movies: MoviesOfLinks;
  readonly #pool: Piscina<RatingObject, TupleBatch[]>;

  /** `execArgv` has Node read TypeScript; by default as this process does. */
  constructor(lake: ObjectStore, movies: MoviesOfLinks, execArgv: string[] = process.execArgv) {
    this.#lake = lake;
    this.#movies = movies;
    const filename = new URL("./ratingTuplesMain.ts", import.meta.url).href;
    // It stays for the next object.
    this.#pool = new Piscina({
      execArgv,
      filename,
      resourceLimits: youngHeap,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: Infinity,
    });
  }

  /** The tuples at a prefix of silver, or of bronze, object by object: of the next while those of one are taken. */
  async *at(prefix: string, { haveTime }: { haveTime: boolean }): AsyncGenerator<TupleBatch> {
    const time = haveTime ? timeColumn(prefix) : undefined;
    const objects: StoredObject[] = [];
    for await (const object of parquetObjects(this.#lake, prefix)) objects.push(object);
    const bytes = objects.reduce((sum, object) => sum + object.bytes, 0);
    const made = async (object: StoredObject): Promise<TupleBatch[]> => {
      const parquet = await this.#lake.bytes(object.key);
      if (!parquet) return [];
      const given = { parquet, links: this.#movies.table, time };
      const batches = bytes > fewBytes ? this.#pool.run(given) : tuplesOfRatings(given);
      return batches.catch((cause: unknown) => {
        throw new ServiceError("bad_gold", `${object.key} in the lake cannot be read as ratings: ${cause}`, { cause });
      });
    };
    let next = objects[0] && made(objects[0]);
    for (const [place] of objects.entries()) {
      const batches = await next;
      const following = objects[place + 1];
      next = following && made(following);
      // Who waits for it hears of its failure; until then it is none that nobody handles.
      next?.catch(() => {});
      yield* batches ?? [];
    }
  }

  /** Ends the thread; what it is at is broken off. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

function timeColumn(prefix: string): TimeColumn {
  return prefix.startsWith(lakeKeys.bronze("ratings", "")) ? "timestamp" : "rated_at";
}

/** All tuples of an object, some thousands in a batch. */
export async function tuplesOfRatings({ parquet, links, time }: RatingObject): Promise<TupleBatch[]> {
  const batches: TupleBatch[] = [];
  for await (const batch of ratingFacts(parquet, new MoviesOfLinks(links), time)) batches.push(batch);
  return batches;
}
