import { isUtf8 } from "node:buffer";
import { datasets } from "@boxoffice/contracts/dataset";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sliceEncoder } from "../src/sliceEncoder.ts";
import { slices } from "../src/slices.ts";

/** So short that texts of a moment hold longer records. */
const largest = 300;
const tooLong = /^(unclosed_quote|missing_line_end)$/;
const documented =
  /^(unclosed_quote|missing_line_end|not_utf8|missing_column|wrong_delimiter|not_csv|html_instead_of_csv|empty_source)$/;

/** What an independent reader finds: how many records, or why a text has no number of them. */
type Counted = { records: number } | { refused: RegExp };

/** Counts records byte by byte: a quote at a cell's beginning hides line ends up to one that is not doubled. */
function counted(text: Buffer): Counted {
  const bytes = text.toString("latin1").replace(/^\xef\xbb\xbf/, "");
  let records = 0;
  let start = 0;
  let at = 0;
  let isQuoted = false;
  let cellStart = 0;
  for (; at < bytes.length; at++) {
    if (isQuoted) {
      if (bytes[at] !== '"') continue;
      if (bytes[at + 1] === '"') at++;
      else isQuoted = false;
    } else if (bytes[at] === '"' && at === cellStart) isQuoted = true;
    else if (bytes[at] === ",") cellStart = at + 1;
    else if (bytes[at] === "\n") {
      if (at + 1 - start > largest) return { refused: tooLong };
      if (!/^\r?\n$/.test(bytes.slice(start, at + 1))) records++;
      start = at + 1;
      cellStart = start;
    }
  }
  if (bytes.length - start > largest || isQuoted) return { refused: tooLong };
  return { records: records + (bytes.length > start ? 1 : 0) };
}

/** What becomes of a text that comes in chunks of these sizes, again and again. */
async function outcome(text: Buffer, sizes: readonly number[]) {
  const chunks = (async function* () {
    for (let at = 0, turn = 0; at < text.length; turn++) {
      const size = sizes[turn % sizes.length] ?? 1;
      yield text.subarray(at, at + size);
      at += size;
    }
  })();
  const encode = sliceEncoder("ratings", "load", datasets.ratings);
  const messages = [];
  const numbers: number[] = [];
  try {
    const source = { dataset: "ratings", loadId: "load", file: "ratings.csv", text: chunks, largest } as const;
    for await (const slice of slices(source)) {
      messages.push(...encode(slice).map(({ value, ...message }) => ({ ...message, value: value.toString("latin1") })));
      numbers.push(...slice.rows.rowNumbers.subarray(0, slice.rows.length));
      numbers.push(...slice.deadLetters.map(({ row_number }) => row_number));
    }
  } catch (error) {
    expect(error).toMatchObject({ name: "ServiceError", code: expect.stringMatching(documented) });
    return { code: (error as { code: string }).code, message: String(error) };
  }
  return { numbers: numbers.sort((one, other) => one - other), messages };
}

const header = fc.constantFrom(
  ...["userId,movieId,rating,timestamp\n", "\uFEFFuserId,movieId,rating,timestamp\r\n"],
  ...['"userId",movieId,rating,timestamp\n', '\uFEFF\n\r\nuserId,movieId,rating,"timestamp"\r\n'],
);
/** Behind so much of a text a NUL does not make it another format. */
const padding = fc.constantFrom("", "7,318,4.5,1260759144\n".repeat(52));
const plain = fc.constantFrom("1,31,2.5,1260759144", "2,10,4.0,835355493", "0,1,9,1", "1,1", "");
const piece = fc.oneof(
  { weight: 4, arbitrary: plain },
  { weight: 4, arbitrary: fc.constantFrom("\n", "\r\n", "\n", "\r\n", "\r", "\n\n") },
  { weight: 3, arbitrary: fc.constantFrom('"', '""', ",", '",', ',"', '"\n', '"\r\n', '"\r', '"\0', "\0", "\uFEFF") },
  { weight: 1, arbitrary: fc.constantFrom("é", "\u{1F600}", " ", "x".repeat(90), "1".repeat(290), '"'.repeat(200)) },
);
const body = fc.array(piece, { maxLength: 50 }).map((pieces) => pieces.join(""));
const whole = fc.tuple(header, padding, body).map((parts) => Buffer.from(parts.join("")));
const odd = fc
  .tuple(fc.option(header, { nil: "" }), body, fc.uint8Array({ maxLength: 20 }), body)
  .map(([names, text, bytes, rest]) => Buffer.concat([Buffer.from(names + text), bytes, Buffer.from(rest)]));
const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 6 });

test("of ten thousand texts each record is a row or a dead letter, or the text is refused, however it is cut into chunks", async () => {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(whole, sizes, async (text, cut) => {
      const found = await outcome(text, cut);
      expect(await outcome(text, [text.length])).toEqual(found);
      const expected = counted(text);
      if (found.code) refused++;
      if (text.subarray(0, 1024).includes(0)) expect(found.code).toBe("not_csv");
      else if ("refused" in expected) expect(found.code).toMatch(expected.refused);
      else if (expected.records === 1) expect(found.code).toBe("empty_source");
      else expect(found).toMatchObject({ numbers: Array.from({ length: expected.records - 1 }, (_, at) => at + 1) });
    }),
    { seed: 1, numRuns: 10_000 },
  );
  expect(refused).toBeGreaterThan(500);
  expect(refused).toBeLessThan(7_000);
}, 300_000);

test("of a thousand texts with any bytes or without column names the outcome is the same, however they are cut", async () => {
  await fc.assert(
    fc.asyncProperty(odd, sizes, async (text, cut) => {
      const found = await outcome(text, cut);
      expect(await outcome(text, [Math.max(1, text.length)])).toEqual(found);
      if (!isUtf8(text)) expect(found).toHaveProperty("code");
    }),
    { seed: 1, numRuns: 1_000 },
  );
}, 300_000);
