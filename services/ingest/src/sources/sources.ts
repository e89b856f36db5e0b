import type { DatasetName } from "@boxoffice/contracts/dataset";
import type { Config } from "../config.ts";
import { directorySource } from "./directory.ts";
import { fredSource } from "./fred.ts";
import { kaggleSource } from "./kaggle.ts";
import type { Source } from "./source.ts";

/** A function from an edition, or the default one, to the source of a dataset. */
export function sources(config: Config): (edition: string | undefined, dataset: DatasetName) => Source {
  const fred = fredSource(config);
  const kaggle = kaggleSource(config);
  return (edition = config.EDITION, dataset) => {
    if (dataset === "cpi" && (config.CPI_SOURCE === "fred" || edition === "kaggle")) return fred;
    return edition === "kaggle" ? kaggle : directorySource(edition);
  };
}
