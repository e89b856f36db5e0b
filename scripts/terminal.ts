const stream = process.stderr;
/** Whether somebody watches: there, a transient line shows progress. */
export const isTerminal = stream.isTTY === true && process.env.TERM !== "dumb";
const hasColour = isTerminal && process.env.NO_COLOR === undefined;

const paint = (code: number) => (text: string) => (hasColour ? `\u001b[${code}m${text}\u001b[0m` : text);
export const bold = paint(1);
export const dim = paint(2);
export const green = paint(32);
export const red = paint(31);
export const yellow = paint(33);

let shown = false;

/** Writes a line that stays. Progress goes to standard error, so that standard output holds answers only. */
export function line(text = ""): void {
  clear();
  stream.write(`${text}\n`);
}

/** On a terminal, writes a line that the next one replaces; elsewhere nothing. */
export function transient(text: string): void {
  if (!isTerminal) return;
  const width = stream.columns ?? 80;
  stream.write(`\r\u001b[2K${text.slice(0, width - 1)}`);
  shown = true;
}

/** Removes the transient line. */
export function clear(): void {
  if (shown) stream.write("\r\u001b[2K");
  shown = false;
}

/** Seconds since `start` (from performance.now()), as people write them. */
export function seconds(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}

/** `[#####.....] 50 %`. */
export function bar(share: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * 20);
  return `[${"#".repeat(filled)}${".".repeat(20 - filled)}] ${Math.round(share * 100)} %`;
}

/** Shows that a step is under way, and its outcome with the time it took. */
export async function step<T>(title: string, work: (report: (detail: string) => void) => Promise<T>): Promise<T> {
  const start = performance.now();
  let detail = "";
  const show = () => transient(`  … ${title} ${detail} ${dim(seconds(start))}`);
  const timer = setInterval(show, 200);
  show();
  try {
    const result = await work((text) => {
      detail = text;
    });
    clearInterval(timer);
    line(`  ${green("ok")} ${title} ${dim(seconds(start))}`);
    return result;
  } catch (error) {
    clearInterval(timer);
    line(`  ${red("failed")} ${title} ${dim(seconds(start))}`);
    throw error;
  }
}
