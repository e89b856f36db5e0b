import { expect, test } from "vitest";
import { rootPath } from "../../scripts/boxHome.ts";
import { portNames, readEnvFile } from "../../scripts/settings.ts";

const settings = readEnvFile(rootPath(".env"), {});
const ports = portNames().map((name) => Number(settings[name]));

test("boxes whose BOX_PORT_OFFSET differ by hundreds share no port", () => {
  expect(ports.length).toBeGreaterThan(12);
  for (let offset = 100; offset <= 20_000; offset += 100) {
    const shared = ports.filter((port) => ports.includes(port + offset));
    expect({ offset, shared }).toEqual({ offset, shared: [] });
  }
});
