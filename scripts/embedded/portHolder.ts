import { execFileSync } from "node:child_process";
import { connect } from "node:net";

/** Whether something accepts connections on a port of this machine. */
export function portAnswers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, timeout: 1_000 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
    socket.once("timeout", () => end(false));
  });
}

/** Who listens on a port, as far as the machine's tools tell: `java (pid 4711)`. */
export function portHolder(port: number): string {
  const tools: [string, string[], RegExp][] = [
    ["ss", ["-Hltnp", `sport = :${port}`], /users:\(\("([^"]+)",pid=(\d+)/],
    ["lsof", ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fcp"], /p(\d+)\s+c(\S+)/],
  ];
  for (const [command, args, pattern] of tools) {
    try {
      const match = pattern.exec(
        execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
      );
      if (match?.[1] && match[2]) {
        const [name, pid] = /^\d+$/.test(match[1]) ? [match[2], match[1]] : [match[1], match[2]];
        return `${name} (pid ${pid})`;
      }
    } catch {
      // The tool is not on this machine, or shows other users' processes to root only.
    }
  }
  return "another process";
}
