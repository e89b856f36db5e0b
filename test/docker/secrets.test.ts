import { statSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterEach, expect, it } from "vitest";
import { rootPath } from "../../scripts/boxHome.ts";
import { readEnvFile } from "../../scripts/settings.ts";
import { ComposeBox } from "./composeBox.ts";

const other = new ComposeBox("secrets", 11_200);
const file = join(other.home, "secrets.env");
const development = readEnvFile(rootPath("config", "dev-secrets.env"), {});
const stores = ["warehouse", "s3"];

afterEach(() => other.remove());

/** Asks the warehouse who one is with this password. */
async function user(password: string | undefined): Promise<unknown> {
  const client = new pg.Client({
    host: "127.0.0.1",
    port: 15_432 + 11_200,
    database: "warehouse",
    user: "boxoffice",
    password: password ?? "",
  });
  await client.connect();
  const { rows } = await client.query<{ current_user: string }>("select current_user");
  await client.end();
  return rows[0]?.current_user;
}

it("./box up makes secrets of a fresh box's own, which docker compose then uses too", async () => {
  await other.command("up", "--services", ...stores);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const { WAREHOUSE_PASSWORD } = readEnvFile(file, {});
  expect(WAREHOUSE_PASSWORD).not.toBe(development.WAREHOUSE_PASSWORD);
  await other.composed("down");
  await other.composed("up", "--detach", "--wait", ...stores);
  expect(await user(WAREHOUSE_PASSWORD)).toBe("boxoffice");
  await expect(user(development.WAREHOUSE_PASSWORD)).rejects.toThrow("password authentication failed");
});

it("volumes that docker compose made with development values go on with them under ./box up", async () => {
  await other.composed("up", "--detach", "--wait", ...stores);
  expect(await user(development.WAREHOUSE_PASSWORD)).toBe("boxoffice");
  await other.command("up", "--services", ...stores);
  expect(() => statSync(file)).toThrow("ENOENT");
  expect((await other.client()).WAREHOUSE_PASSWORD).toBe(development.WAREHOUSE_PASSWORD);
  expect(await user(development.WAREHOUSE_PASSWORD)).toBe("boxoffice");
});
