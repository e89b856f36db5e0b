import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { csvRecords } from "../src/csvRecords.ts";

async function* chunks(text: Buffer | string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

async function read(text: Buffer | string, size = 64) {
  const found: { cells: string[]; line: number; raw: string }[] = [];
  for await (const { records, origin } of csvRecords("test.csv", chunks(text, size))) {
    for (const record of records) found.push({ cells: record.cells, ...origin(record) });
  }
  return found;
}

const cellsOf = async (text: Buffer | string, size?: number) => (await read(text, size)).map(({ cells }) => cells);

describe("the same records come out", () => {
  const plain = [
    ["movieId", "title"],
    ["1", "Toy Story"],
    ["2", "Jumanji"],
  ];

  test.each([
    ["with LF", "movieId,title\n1,Toy Story\n2,Jumanji\n"],
    ["with CRLF", "movieId,title\r\n1,Toy Story\r\n2,Jumanji\r\n"],
    ["with both in one file", "movieId,title\r\n1,Toy Story\n2,Jumanji\r\n"],
    ["without a last line end", "movieId,title\n1,Toy Story\n2,Jumanji"],
    ["with a byte order mark", "\uFEFFmovieId,title\n1,Toy Story\n2,Jumanji\n"],
    ["with empty lines", "movieId,title\n\n1,Toy Story\n\r\n\n2,Jumanji\n\n"],
    ["with every cell quoted", '"movieId","title"\n"1","Toy Story"\n"2","Jumanji"\n'],
  ])("%s", async (_name, text) => expect(await cellsOf(text)).toEqual(plain));
});

test("however the text is cut into chunks, the records, lines and raw texts are the same", async () => {
  const cell = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom("", "a,b", 'say "x"', "two\nlines", "é\r\n漢"),
  );
  const quoted = (value: string) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const lineEnd = fc.constantFrom("\n", "\r\n");
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.array(cell, { minLength: 2, maxLength: 4 }), lineEnd), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 40 }),
      async (rows, size) => {
        const text = rows.map(([cells, end]) => cells.map(quoted).join(",") + end).join("");
        const whole = await read(text, 1 << 20);
        expect(whole.map(({ cells }) => cells)).toEqual(rows.map(([cells]) => cells));
        expect(await read(text, size)).toEqual(whole);
        for (const { line, raw } of whole) {
          const before =
            text
              .split("\n")
              .slice(0, line - 1)
              .join("\n").length + (line > 1 ? 1 : 0);
          expect(text.slice(before, before + raw.length)).toBe(raw);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("of ten thousand malformed texts each is refused or comes out whole: no byte but of line ends and byte order marks is lost", async () => {
  const piece = fc.constantFrom(
    ...[
      '"',
      '""',
      ",",
      "\n",
      "\r\n",
      "\r",
      " ",
      "x",
      "1.5",
      "é",
      "\u{1F600}",
      "\uFEFF",
      "\0",
      '",',
      ',"',
      '"\n',
      "'",
      "\\",
    ],
  );
  const malformed = fc.oneof(
    { weight: 10, arbitrary: fc.array(piece, { maxLength: 60 }).map((pieces) => Buffer.from(pieces.join(""))) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
  );
  await fc.assert(
    fc.asyncProperty(malformed, fc.integer({ min: 1, max: 70 }), async (text, size) => {
      const records = await read(text, size).catch((error: unknown) => {
        expect(error).toMatchObject({ name: "ServiceError", code: expect.stringMatching(/unclosed_quote|not_utf8/) });
        return undefined;
      });
      if (!records) return;
      const withoutEnds = (bytes: string) => bytes.replaceAll(/[\r\n\uFEFF]/g, "");
      expect(withoutEnds(records.map(({ raw }) => raw).join(""))).toBe(withoutEnds(text.toString()));
    }),
    { seed: 1, numRuns: 10_000 },
  );
}, 300_000);

test("a record's line is its first, when cells before it span lines with CRLF", async () => {
  const records = await read('a,b\r\n1,"x\r\ny\r\nz"\r\n\r\n2,w\r\n');
  expect(records.map(({ line }) => line)).toEqual([1, 2, 6]);
  expect(records.map(({ raw }) => raw)).toEqual(["a,b", '1,"x\r\ny\r\nz"', "2,w"]);
});

test("records of any number of cells come out, and a stray quote is text", async () => {
  expect(await cellsOf('a,b\n1\n1,2,3\n5" disk,x\n"Dr" No,y\n')).toEqual([
    ["a", "b"],
    ["1"],
    ["1", "2", "3"],
    ['5" disk', "x"],
    ['"Dr" No', "y"],
  ]);
});

test("a quote that is never closed is refused, with the line where its record begins", async () => {
  const rows = Array.from({ length: 100 }, (_, at) => `${at},title ${at}\n`).join("");
  await expect(read(`id,title\n${rows}100,"never\nclosed\n`)).rejects.toMatchObject({
    code: "unclosed_quote",
    message: expect.stringContaining("test.csv, line 102: a quote"),
  });
});

test("a quote that swallows more than a mebibyte is refused before memory runs full", async () => {
  const endless = (async function* () {
    yield Buffer.from('id,title\n1,"');
    for (;;) yield Buffer.alloc(1 << 16, "x\n");
  })();
  const reading = (async () => {
    for await (const _batch of csvRecords("test.csv", endless));
  })();
  await expect(reading).rejects.toMatchObject({
    code: "unclosed_quote",
    message: expect.stringContaining("line 2"),
  });
});

test("text that is not UTF-8 is refused, with its line, wherever the chunks are cut", async () => {
  const latin1 = Buffer.from("id,title\n1,Amelie\n2,Am\u00e9lie\n3,Heat\n", "latin1");
  for (const size of [1, 5, 1000]) {
    await expect(read(latin1, size)).rejects.toMatchObject({
      code: "not_utf8",
      message: expect.stringContaining("test.csv, line 3: the text is not UTF-8"),
    });
  }
});
