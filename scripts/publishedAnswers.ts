import { readAnswers } from "@boxoffice/answers/readAnswers";
import type { Answers } from "@boxoffice/contracts/answers";
import { rootPath } from "./boxHome.ts";
import type { BoxClient } from "./openBox.ts";
import { connectWarehouse } from "./warehouseClient.ts";

/** The published answers, or undefined when no run was published yet. */
export async function publishedAnswers(box: BoxClient): Promise<Answers | undefined> {
  const client = await connectWarehouse(box);
  try {
    return await readAnswers(client, rootPath("warehouse", "answers"));
  } finally {
    await client.end();
  }
}
