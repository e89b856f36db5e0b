import { datasets } from "@boxoffice/contracts/dataset";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sliceEncoder } from "../src/sliceEncoder.ts";
import { slices } from "../src/slices.ts";

const header = "userId,movieId,rating,timestamp";
/** The same names, which only the CSV parser reads. */
const quotedHeader = 'userId,movieId,rating,"timestamp"';

/** What the topics get of a text that comes in chunks of some size. */
async function messagesOf(text: Buffer, chunkBytes: number) {
  const chunks = (async function* () {
    for (let at = 0; at < text.length; at += chunkBytes) yield text.subarray(at, at + chunkBytes);
  })();
  const encode = sliceEncoder("ratings", "load", datasets.ratings);
  const messages = [];
  try {
    for await (const slice of slices({ dataset: "ratings", loadId: "load", file: "ratings.csv", text: chunks }))
      messages.push(...encode(slice));
  } catch (error) {
    // Of a source that fails nothing is published.
    return { error: String(error).split("\n")[0] };
  }
  return { messages };
}

const texts = ({ messages, ...rest }: Awaited<ReturnType<typeof messagesOf>>) => ({
  ...rest,
  messages: messages?.map(({ value, ...message }) => ({ ...message, value: value.toString("latin1") })),
});

const number = fc.oneof(
  fc.nat().map(String),
  fc.constantFrom(
    "0",
    "00",
    "007",
    "2147483647",
    "2147483648",
    "999999999",
    "1000000000",
    "99999999999",
    "253402300800",
  ),
  fc.constantFrom("5", "5.0", "0.5", ".5", "5.", "4.25", "0.4", "5.1", "1e0", "+5", "-1", "3.50", "NaN", "\x005.0"),
);
const anything = fc.oneof(
  fc.constantFrom("", " ", "x", '"', '""', '"5"', '"a,b"', '"a\nb"', "\r", "\t5", "5 ", "é", "\u{1F600}", "\0"),
  fc.string({ maxLength: 6 }),
);
const cell = fc.oneof({ weight: 12, arbitrary: number }, { weight: 1, arbitrary: anything });
const plainLine = fc
  .tuple(fc.nat({ max: 300_000 }), fc.nat({ max: 200_000 }), fc.integer({ min: 1, max: 10 }), fc.nat())
  .map(([user, movie, halves, time]) => `${user + 1},${movie + 1},${(halves / 2).toFixed(1)},${time}`);
const otherLine = fc.array(cell, { minLength: 0, maxLength: 5 }).map((cells) => cells.join(","));
const line = fc.oneof({ weight: 5, arbitrary: plainLine }, { weight: 2, arbitrary: otherLine });
const lineEnd = fc.constantFrom("\n", "\r\n", "\n", "\r\n", "\n\n", "\r");
const body = fc
  .tuple(fc.array(fc.tuple(line, lineEnd), { maxLength: 40 }), fc.boolean())
  .map(([lines, isOpen]) =>
    lines.map(([text, end], at) => (isOpen && at === lines.length - 1 ? text : text + end)).join(""),
  );
const bytes = fc.oneof(
  { weight: 20, arbitrary: body.map((text) => Buffer.from(text)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(body, fc.uint8Array({ maxLength: 20 }))
      .map(([text, odd]) => Buffer.concat([Buffer.from(text), odd])),
  },
);

test("what is read from bytes is what the CSV parser and the contract make of it: ten thousand texts in any chunks", async () => {
  await fc.assert(
    fc.asyncProperty(bytes, fc.integer({ min: 1, max: 400 }), async (rest, chunkBytes) => {
      const fast = await messagesOf(Buffer.concat([Buffer.from(`${header}\n`), rest]), chunkBytes);
      const slow = await messagesOf(Buffer.concat([Buffer.from(`${quotedHeader}\n`), rest]), 1 << 20);
      expect(texts(fast)).toEqual(texts(slow));
    }),
    { seed: 1, numRuns: 10_000 },
  );
}, 300_000);
