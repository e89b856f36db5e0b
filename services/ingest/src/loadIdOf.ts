import { createHash } from "node:crypto";
import { datasets } from "@boxoffice/contracts/dataset";
import type { LoadRequest } from "./load.ts";

/** What a load of these bytes is called; one that is forced also by its run. */
export function loadIdOf({ dataset, run_id, full_refresh }: LoadRequest, sha256: string): string {
  const bytes = `${sha256.slice(0, 16)}-v${datasets[dataset].version}`;
  return full_refresh ? `${bytes}-${createHash("sha256").update(run_id).digest("hex").slice(0, 8)}` : bytes;
}
