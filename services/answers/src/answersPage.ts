import type { Answers } from "@boxoffice/contracts/answers";
import { sections, type Table, textColumns } from "./sections.ts";

const escaped: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const html = (text: string) => text.replaceAll(/[&<>"]/g, (character) => escaped[character] ?? "");

/** A month stays on one line. */
const unbroken = (text: string) => text.replaceAll(/(?<=\d)-(?=\d)/g, "\u2011");

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; font-size: 1.25rem; }
.tables { display: flex; flex-wrap: wrap; gap: 1rem 3rem; overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { padding: .2rem .8rem .2rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
th, td { text-align: right; white-space: nowrap; }
.text { text-align: left; }
footer { margin-top: 3rem; font-size: .85rem; opacity: .75; }`;

/** The four answers as a page that loads nothing from elsewhere. */
export function answersPage(answers: Answers): string {
  const body = sections(answers).map(
    ({ question, sentences, tables }) =>
      `<section><h2>${html(unbroken(question))}</h2>${sentences.map((sentence) => `<p>${html(sentence)}</p>`).join("")}` +
      `<div class="tables">${tables.map(tableOf).join("")}</div></section>`,
  );
  const source = `Edition ${answers.edition}, run ${answers.run_id}.`;
  return page(
    `${body.join("\n")}
<footer><p>${html(source)} Every figure: <a href="answers.json">answers.json</a>.</p>
<p>Ratings: MovieLens (F. Maxwell Harper and Joseph A. Konstan, 2015, ACM TiiS 5(4)). Movie facts: TMDB by way of The Movies Dataset. CPI: U.S. Bureau of Labor Statistics by way of FRED.</p></footer>`,
  );
}

/** What the page says while there is nothing to show; it looks again by itself. */
export function waitingPage(): string {
  return page("<p>No run has been published yet. This page looks again every five seconds.</p>", true);
}

function page(body: string, looksAgain = false): string {
  const refresh = looksAgain ? '<meta http-equiv="refresh" content="5">' : "";
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">${refresh}
<title>Boxoffice</title><style>${style}</style></head>
<body><h1>Boxoffice</h1>
${body}
</body></html>
`;
}

function tableOf(table: Table): string {
  const isText = textColumns(table);
  const cell = (tag: "th" | "td") => (text: string, at: number) =>
    `<${tag}${isText[at] ? ' class="text"' : ""}>${html(text)}</${tag}>`;
  const head = table.titles.map(cell("th")).join("");
  const rows = table.rows.map((row) => `<tr>${row.map(cell("td")).join("")}</tr>`).join("");
  const caption = table.caption ? `<caption>${html(table.caption)}</caption>` : "";
  return `<table>${caption}<thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table>`;
}
