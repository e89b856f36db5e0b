/** Figures that were divided, or interpolated between two rows: another engine may have other last digits. */
const close = new Set([
  ...["c", "m", "mean", "weighted", "mean_rating", "h", "epsilon_squared"],
  ...["mean_revenue", "median_revenue", "mean_revenue_real", "median_revenue_real"],
]);
const tolerance = 1e-9;
/** They follow from h and df by a function that DuckDB does not have. */
const notCompared = new Set(["p", "log10_p"]);

/**
 * Where answers that were computed otherwise are not those that are published: figure by figure, by path. Counts, sums,
 * names and their order must be the same, to the 15 digits that are published; close figures within 1e-9 of themselves.
 */
export function answerDifferences(published: unknown, computed: unknown, path: readonly string[] = []): string[] {
  if (isParent(published) && isParent(computed)) {
    const names = new Set(
      [...Object.keys(published), ...Object.keys(computed)].filter((name) => !notCompared.has(name)),
    );
    return [...names].flatMap((name) => answerDifferences(published[name], computed[name], [...path, name]));
  }
  if (isSame(published, computed, path.at(-1))) return [];
  return [`${path.join(".")} is ${JSON.stringify(computed)}, published ${JSON.stringify(published)}`];
}

const isParent = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

function isSame(published: unknown, computed: unknown, name = ""): boolean {
  if (typeof published !== "number" || typeof computed !== "number") return published === computed;
  if (!close.has(name)) return published === Number(computed.toPrecision(15));
  return Math.abs(published - computed) <= tolerance * Math.max(Math.abs(published), Math.abs(computed));
}
