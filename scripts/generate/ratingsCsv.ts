import { Random32 } from "../random32.ts";
import { movieWeights } from "./movieWeights.ts";
import type { ObservedRatings } from "./observedRatings.ts";
import { mostRatingsPerUser, ratingsPerUser, usersOf } from "./ratingsPerUser.ts";
import { lastSecond, Sessions } from "./sessions.ts";
import { WeightedDraw } from "./weightedDraw.ts";

export interface RatingsShape {
  /** Records to write, from 1. */
  ratings: number;
  seed: number;
  lineEnd: "\n" | "\r\n";
  observed: ObservedRatings;
}

/** What has been written so far. */
export interface Written {
  rows: number;
  users: number;
  /** Movies with a rating. */
  movies: number;
}

const header = "userId,movieId,rating,timestamp";
/** `2147483647,`: ids are int32. */
const idBytes = 11;
const rowBytes = idBytes + idBytes + `5.0,${lastSecond}\r\n`.length;
/** A chunk is handed on when it has so many bytes; it ends with the user it holds then. */
const chunkBytes = 2 ** 20;

/** The bytes that a file of this shape does not exceed. */
export function mostBytes({ ratings, lineEnd, observed }: RatingsShape): number {
  const longestRow = `${usersOf(ratings)},${observed.ofMovie.at(-1)?.movieId},5.0,${lastSecond}${lineEnd}`;
  return header.length + lineEnd.length + ratings * longestRow.length;
}

/**
 * Writes a ratings.csv of the published file's shape, by user and movie id, each pair once. The same shape gives the
 * same bytes everywhere.
 */
export class RatingsCsv {
  readonly #shape: RatingsShape;
  readonly #random: Random32;
  readonly #sessions: Sessions;
  readonly #movies: WeightedDraw;
  readonly #stars: Uint8Array;
  readonly #out = Buffer.allocUnsafe(chunkBytes + (mostRatingsPerUser + 1) * rowBytes);
  #at = 0;
  readonly #lineEnd: Buffer;
  readonly #movieText: Uint8Array;
  readonly #movieTextEnd: Uint32Array;
  readonly #fourDigits = fourDigits();
  /** The movies of the user at hand, as places in the order of their ids. */
  readonly #chosen = new Uint16Array(mostRatingsPerUser);
  /** The last user who rated each movie. */
  readonly #lastUser: Uint32Array;
  readonly #written: Written = { rows: 0, users: 0, movies: 0 };

  constructor(shape: RatingsShape) {
    const { seed, lineEnd, observed } = shape;
    this.#shape = shape;
    this.#random = new Random32(seed);
    this.#sessions = new Sessions(observed.firstTimes);
    this.#movies = new WeightedDraw(movieWeights(observed));
    this.#stars = starsByShare(observed.ofStars);
    this.#lineEnd = Buffer.from(lineEnd);
    this.#movieText = new Uint8Array(observed.ofMovie.length * idBytes);
    this.#movieTextEnd = new Uint32Array(observed.ofMovie.length);
    this.#lastUser = new Uint32Array(observed.ofMovie.length);
    observed.ofMovie.forEach(({ movieId }, movie) => {
      const text = Buffer.from(`${movieId},`);
      this.#movieText.set(text, movie * idBytes);
      this.#movieTextEnd[movie] = movie * idBytes + text.length;
    });
  }

  get written(): Readonly<Written> {
    return this.#written;
  }

  /** The file in chunks of about 1 MiB, each overwritten by the next: use it before you ask for another. */
  *chunks(): Generator<Buffer> {
    const { ratings, observed } = this.#shape;
    this.#at = this.#out.write(`${header}${this.#lineEnd}`, 0);
    for (const count of ratingsPerUser(ratings, observed.ofUser, this.#random)) {
      this.#writeUser(count);
      if (this.#at < chunkBytes) continue;
      yield this.#out.subarray(0, this.#at);
      this.#at = 0;
    }
    if (this.#at > 0) yield this.#out.subarray(0, this.#at);
  }

  #writeUser(count: number): void {
    const random = this.#random;
    const sessions = this.#sessions;
    this.#written.users += 1;
    this.#written.rows += count;
    const movies = this.#chooseMovies(count, this.#written.users);
    sessions.begin(count, random);
    const out = this.#out;
    const movieText = this.#movieText;
    const user = Buffer.from(`${this.#written.users},`);
    let at = this.#at;
    for (let row = 0; row < count; row += 1) {
      for (let byte = 0; byte < user.length; byte += 1) out[at++] = user[byte] ?? 0;
      const movie = movies[row] ?? 0;
      const end = this.#movieTextEnd[movie] ?? 0;
      for (let byte = movie * idBytes; byte < end; byte += 1) out[at++] = movieText[byte] ?? 0;
      const drawn = random.next();
      const halfStars = this.#stars[drawn >>> 16] ?? 0;
      out[at++] = 0x30 + (halfStars >>> 1);
      out[at++] = 0x2e;
      out[at++] = (halfStars & 1) === 1 ? 0x35 : 0x30;
      out[at++] = 0x2c;
      at = this.#writeSecond(sessions.second(drawn & 0xffff, random), at);
      for (let byte = 0; byte < this.#lineEnd.length; byte += 1) out[at++] = this.#lineEnd[byte] ?? 0;
    }
    this.#at = at;
  }

  /** Different movies, sorted. A movie drawn again is drawn anew. */
  #chooseMovies(count: number, user: number): Uint16Array {
    const lastUser = this.#lastUser;
    for (let chosen = 0; chosen < count; ) {
      const movie = this.#movies.draw(this.#random);
      const last = lastUser[movie] ?? 0;
      if (last === user) continue;
      if (last === 0) this.#written.movies += 1;
      lastUser[movie] = user;
      this.#chosen[chosen++] = movie;
    }
    return this.#chosen.subarray(0, count).sort();
  }

  /** Writes 9 or 10 digits and returns the place behind them. */
  #writeSecond(second: number, start: number): number {
    const out = this.#out;
    const digits = this.#fourDigits;
    let at = start;
    const high = Math.floor(second / 100_000_000);
    if (high >= 10) out[at++] = 0x31;
    out[at++] = 0x30 + (high % 10);
    const low = second % 100_000_000;
    const middle = Math.floor(low / 10_000) * 4;
    const last = (low % 10_000) * 4;
    for (let digit = 0; digit < 4; digit += 1) out[at++] = digits[middle + digit] ?? 0;
    for (let digit = 0; digit < 4; digit += 1) out[at++] = digits[last + digit] ?? 0;
    return at;
  }
}

/** `0000` to `9999`. */
function fourDigits(): Uint8Array {
  return Buffer.from(Array.from({ length: 10_000 }, (_, number) => String(number).padStart(4, "0")).join(""));
}

/** Half stars (1 to 10) by 16 random bits, each as often as it was counted. */
function starsByShare(counts: readonly number[]): Uint8Array {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const table = new Uint8Array(2 ** 16);
  let counted = 0;
  let start = 0;
  counts.forEach((count, index) => {
    counted += count;
    const end = Math.round((counted / total) * table.length);
    table.fill(index + 1, start, end);
    start = end;
  });
  return table;
}
