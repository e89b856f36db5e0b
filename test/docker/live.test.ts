import { expect, it } from "vitest";
import { connectWarehouse } from "../../scripts/warehouseClient.ts";
import { box } from "./composeBox.ts";

it("the profile live posts ratings that come into the mart", async () => {
  const live = { COMPOSE_PROFILES: "local,live", LIVE_RATE: "50" };
  const { code, stderr } = await box.compose(["up", "--detach", "--wait", "--build"], live);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const client = await connectWarehouse({ environment: await box.client() });
  const count = async () => {
    const { rows } = await client.query<{ ratings: string }>(
      "select sum(live_ratings) as ratings from marts.movie_rating_live",
    );
    return Number(rows[0]?.ratings);
  };
  await expect.poll(count, { timeout: 60_000, interval: 1_000 }).toBeGreaterThan(100);
  await client.end();
});
