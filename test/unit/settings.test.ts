import { expect, test } from "vitest";
import { interpolate, type Variables } from "../../scripts/settings.ts";

/** `#{NAME}` stands for a reference of a compose file. */
const written = (text: string) => text.replaceAll("#{", "${");
const read = (text: string, variables: Variables) => interpolate(written(text), variables);

test("references are replaced as docker compose does, defaults within defaults too", () => {
  const variables = { NAME: "box", EMPTY: "", BRACES: written("#{NAME}") };
  expect(read("a #{NAME} b #{MISSING:-c} #{EMPTY:-d} #{EMPTY}.", variables)).toBe("a box b c d .");
  expect(read("#{FILE:-config/#{PROFILE:-local}.env}", variables)).toBe("config/local.env");
  expect(read("#{FILE:-config/#{NAME}.env}, #{NAME}", variables)).toBe("config/box.env, box");
  expect(read("#{BRACES} $NAME #{not a name} #{", variables)).toBe(written("#{NAME} $NAME #{not a name} #{"));
  expect(() => read("#{MISSING}", variables)).toThrow("MISSING is set nowhere");
});
