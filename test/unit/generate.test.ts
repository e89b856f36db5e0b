import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { mostBytes, RatingsCsv } from "../../scripts/generate/ratingsCsv.ts";
import { mostRatingsPerUser, ratingsPerUser, usersOf } from "../../scripts/generate/ratingsPerUser.ts";
import { firstSecond, lastSecond } from "../../scripts/generate/sessions.ts";
import { WeightedDraw } from "../../scripts/generate/weightedDraw.ts";
import { Random32 } from "../../scripts/random32.ts";
import { counted, generatedCsv, observed, ratingsIn } from "./generatedRatings.ts";

// Dozens of files are made, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const linked = new Set(observed.ofMovie.map(({ movieId }) => movieId));
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

test("a seed gives the same bytes on every machine, and another seed others", () => {
  expect(sha256(generatedCsv(10_000, 1))).toBe("ccdba07c6dafec63507014693ccdd72da81992b4dea6815b631c0af97a04e104");
  expect(generatedCsv(10_000, 2)).not.toBe(generatedCsv(10_000, 1));
  expect(generatedCsv(10, 1 + 2 ** 32)).not.toBe(generatedCsv(10, 1));
});

test("CRLF changes the line ends and nothing else", () => {
  expect(generatedCsv(1_000, 1, "\r\n")).toBe(generatedCsv(1_000).replaceAll("\n", "\r\n"));
});

test("whatever the number and the seed, the rows are whole, in order, each pair once and within the ranges", () => {
  const row = /^[1-9]\d*,[1-9]\d*,(0\.5|[1-4]\.[05]|5\.0),\d{9,10}$/;
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4_000 }), fc.integer({ min: 1 }), (ratings, seed) => {
      const csv = generatedCsv(ratings, seed);
      const lines = csv.split("\n");
      expect(lines.shift()).toBe("userId,movieId,rating,timestamp");
      expect(lines.pop()).toBe("");
      expect(lines.filter((line) => !row.test(line))).toEqual([]);
      const records = ratingsIn(csv);
      expect(records).toHaveLength(ratings);
      expect(new Set(records.map(({ userId }) => userId)).size).toBe(usersOf(ratings));
      const outOfPlace = records.filter(({ userId, movieId, second }, index) => {
        const before = records[index - 1] ?? { userId: 0, movieId: 0 };
        const isNext = userId === before.userId ? movieId > before.movieId : userId === before.userId + 1;
        return !(isNext && linked.has(movieId) && second >= firstSecond && second <= lastSecond);
      });
      expect(outOfPlace).toEqual([]);
      expect(csv.length).toBeLessThanOrEqual(mostBytes({ ratings, seed, lineEnd: "\n", observed }));
    }),
    {
      numRuns: 30,
      examples: [
        [1, 1],
        [2, 1],
        [144, 1],
        [145, 1],
      ],
    },
  );
});

test("however many ratings there are, the users' numbers of them add up, and each is possible", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000_000 }), fc.integer({ min: 1 }), (ratings, seed) => {
      let sum = 0;
      let users = 0;
      let isPossible = true;
      for (const count of ratingsPerUser(ratings, observed.ofUser, new Random32(seed))) {
        sum += count;
        users += 1;
        isPossible &&= count >= 1 && count <= mostRatingsPerUser;
      }
      expect({ sum, users, isPossible }).toEqual({ sum: ratings, users: usersOf(ratings), isPossible: true });
    }),
    { numRuns: 20, examples: [[10_000_000, 1]] },
  );
});

test("memory does not grow with the file: every chunk is a part of one buffer, and the summary matches them", () => {
  const csv = new RatingsCsv({ ratings: 300_000, seed: 1, lineEnd: "\n", observed });
  const buffers = new Set<ArrayBufferLike>();
  let chunks = 0;
  let lines = -1;
  for (const chunk of csv.chunks()) {
    buffers.add(chunk.buffer);
    chunks += 1;
    lines += chunk.reduce((count, byte) => count + (byte === 0x0a ? 1 : 0), 0);
  }
  expect(buffers.size).toBe(1);
  expect(chunks).toBeGreaterThan(5);
  expect(csv.written.rows).toBe(lines);
});

test("an index is drawn as often as its weight says", () => {
  const draw = new WeightedDraw([1, 0.25, 6, 2.75]);
  const random = new Random32(7);
  const drawn = counted(Array.from({ length: 100_000 }, () => draw.draw(random)));
  [0.1, 0.025, 0.6, 0.275].forEach((share, index) => {
    expect(Math.abs((drawn.get(index) ?? 0) / 100_000 - share)).toBeLessThan(0.01);
  });
});

describe("400,000 generated ratings look like the bundled ones", () => {
  const records = ratingsIn(generatedCsv(400_000));
  const bundled = observed.ofStars.reduce((sum, count) => sum + count, 0);
  const perUser = [...counted(records.map(({ userId }) => userId)).values()].sort((a, b) => a - b);
  const perMovie = counted(records.map(({ movieId }) => movieId));
  const quantile = (sorted: readonly number[], share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;

  test("each half star has its share, within half a percentage point", () => {
    const stars = counted(records.map((record) => record.stars));
    observed.ofStars.forEach((count, index) => {
      const share = (stars.get((index + 1) / 2) ?? 0) / records.length;
      expect(Math.abs(share - count / bundled)).toBeLessThan(0.005);
    });
  });

  test("of users from 20 ratings on, the quartiles are the bundled ones within 15 %; with the lighter the median is low", () => {
    const heavier = perUser.filter((count) => count >= 20);
    const bundledUsers = observed.ofUser.toSorted((a, b) => a - b);
    for (const share of [0.25, 0.5, 0.75, 0.9]) {
      const expected = quantile(bundledUsers, share);
      expect(Math.abs(quantile(heavier, share) - expected) / expected).toBeLessThan(0.15);
    }
    expect(quantile(perUser, 0.5)).toBeLessThan(40);
    expect(perUser.at(-1)).toBeGreaterThan(1_000);
  });

  test("the bundled 100 most rated movies have their share within 15 %, and more than half of the others have few", () => {
    const top = observed.ofMovie.toSorted((a, b) => b.ratings - a.ratings).slice(0, 100);
    const expected = top.reduce((sum, { ratings }) => sum + ratings, 0) / bundled;
    const share = top.reduce((sum, { movieId }) => sum + (perMovie.get(movieId) ?? 0), 0) / records.length;
    expect(Math.abs(share - expected) / expected).toBeLessThan(0.15);
    expect(
      quantile(
        [...perMovie.values()].sort((a, b) => a - b),
        0.5,
      ),
    ).toBeLessThan(10);
  });

  test("half of the users rate within a day, others over years", () => {
    const first = new Map<number, number>();
    const last = new Map<number, number>();
    for (const { userId, second } of records) {
      first.set(userId, Math.min(first.get(userId) ?? second, second));
      last.set(userId, Math.max(last.get(userId) ?? second, second));
    }
    const days = [...first].map(([userId, second]) => ((last.get(userId) ?? second) - second) / 86_400);
    const within = days.filter((span) => span < 1).length / days.length;
    expect(within).toBeGreaterThan(0.5);
    expect(within).toBeLessThan(0.85);
    expect(Math.max(...days)).toBeGreaterThan(3_650);
  });
});
