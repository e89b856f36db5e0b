import type { Answers } from "@boxoffice/contracts/answers";
import { sections, type Table, textColumns } from "./sections.ts";

/** The four answers as short tables for a terminal. */
export function answersText(answers: Answers): string {
  const blocks = sections(answers).map(({ question, sentences, tables }) =>
    [question, ...sentences.map((sentence) => `   ${sentence}`), ...tables.map(tableText)].join("\n"),
  );
  return blocks.join("\n\n");
}

function tableText(table: Table): string {
  const { caption, titles, rows } = table;
  const isText = textColumns(table);
  const width = titles.map((title, at) => Math.max(title.length, ...rows.map((row) => [...(row[at] ?? "")].length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => {
        const padding = " ".repeat(Math.max(0, (width[at] ?? 0) - [...cell].length));
        return isText[at] ? cell + padding : padding + cell;
      })
      .join("  ")
      .trimEnd();
  return [...(caption ? [`   ${caption}:`] : []), ...[titles, ...rows].map((row) => `  ${line(row)}`)].join("\n");
}
