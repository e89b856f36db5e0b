import type { Random32 } from "../random32.ts";
import { Quantiles } from "./quantiles.ts";

/** The published file, as the README of MovieLens' ml-latest of August 2017 counts it. */
const published = { ratings: 26_024_289, users: 270_896 };

/** ratings_small.csv leaves out users with fewer, the published file has users from one rating on (the same READMEs). */
const fewestObserved = 20;

/** No user rates more movies. */
export const mostRatingsPerUser = 20_000;

/** Users whose numbers of ratings are held in memory at once. */
const usersAtOnce = 2 ** 16;

/** How many users so many ratings have. */
export function usersOf(ratings: number): number {
  return Math.max(1, Math.round((ratings / published.ratings) * published.users));
}

/** How many ratings each user gives, one user after the other; together exactly `ratings`. */
export function* ratingsPerUser(ratings: number, observed: readonly number[], random: Random32): Generator<number> {
  const quantiles = new Quantiles([...observed, ...lightUsers(observed)]);
  const busiest = observed.reduce((most, count) => Math.max(most, count), 0);
  let ratingsLeft = ratings;
  let usersLeft = usersOf(ratings);
  while (usersLeft > 0) {
    const users = Math.min(usersLeft, usersAtOnce);
    const share = Math.round((ratingsLeft / usersLeft) * users);
    const counts = Uint32Array.from({ length: users }, () => drawCount(quantiles, busiest, random));
    fitSum(counts, share);
    yield* counts;
    ratingsLeft -= share;
    usersLeft -= users;
  }
}

/** As many users below the fewest observed as bring the mean down to the published file's. */
function lightUsers(observed: readonly number[]): number[] {
  const mean = published.ratings / published.users;
  const sum = observed.reduce((total, count) => total + count, 0);
  const users = Math.max(0, Math.round((sum - mean * observed.length) / (mean - fewestObserved / 2)));
  return Array.from({ length: users }, (_, index) => 1 + Math.floor((index * (fewestObserved - 1)) / users));
}

/** Of the few users near the busiest observed, some gave many times as much: each doubling is a quarter as likely. */
function drawCount(quantiles: Quantiles, busiest: number, random: Random32): number {
  let count = quantiles.draw(random);
  if (count < busiest * 0.75) return count;
  while (count * 2 <= mostRatingsPerUser && random.next() < 2 ** 30) count *= 2;
  return count;
}

/** Scales the counts to have this sum, which is at least one for each; each stays within 1 and the most. */
function fitSum(counts: Uint32Array, sum: number): void {
  const drawn = counts.reduce((total, count) => total + count, 0);
  let missing = sum;
  counts.forEach((count, user) => {
    const fitted = Math.min(mostRatingsPerUser, Math.max(1, Math.floor((count * sum) / drawn)));
    counts[user] = fitted;
    missing -= fitted;
  });
  for (let user = 0; missing !== 0; user = (user + 1) % counts.length) {
    const count = counts[user] ?? 0;
    const change = Math.sign(missing);
    if (count + change < 1 || count + change > mostRatingsPerUser) continue;
    counts[user] = count + change;
    missing -= change;
  }
}
