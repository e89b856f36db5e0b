import { BoxError, exitCode } from "../boxError.ts";

/** How engines, old and new, say that they do not get an image; builds say `not found` of much else. */
const wantOfAnImage = [
  /pull access denied|manifest unknown|manifest for \S+ not found|failed to resolve|no such image/i,
  /\S+[:@]\S+: not found/,
  /lookup .* no such host|Client\.Timeout|https?:\/\/[^\s"]+\/v2\//i,
];

/** What docker compose said, with the remedy where there is a known one. */
export function explained(cause: unknown): BoxError {
  const error = cause instanceof BoxError ? cause : new BoxError(String(cause));
  if (!wantOfAnImage.some((pattern) => pattern.test(error.message))) return error;
  const remedy =
    "An image cannot be had. Is its name in .env right, and the registry reachable?\n" +
    "Without internet: ./box images load FILE. Without containers: ./box up --runtime embedded";
  return new BoxError(`${error.message}\n${remedy}`, exitCode.environment, error);
}
