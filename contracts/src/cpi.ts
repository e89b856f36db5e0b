import { z } from "zod";
import { dateKey, fredNumber } from "./cell.ts";

/** A record of FRED's CPIAUCSL.csv: consumer price index, 1982-84 = 100, by month. FRED once named the column DATE. */
export const cpiRecord = z.object({
  observation_date: dateKey("observation_date", "DATE"),
  value: fredNumber("CPIAUCSL"),
});
