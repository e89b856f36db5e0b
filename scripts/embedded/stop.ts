import { line, step } from "../terminal.ts";
import { recordedProcesses, stopProcess } from "./processes.ts";
import { recipes } from "./recipes.ts";

/** Clients end before the engines they talk to, and the databases last. */
function stages(names: string[]): string[][] {
  const isEngine = (name: string) => name.startsWith("spark-") || name === "kafka" || name === "s3";
  const isDatabase = (name: string) => name === "warehouse";
  return [
    names.filter((name) => !isEngine(name) && !isDatabase(name)),
    names.filter(isEngine),
    names.filter(isDatabase),
  ];
}

/** Ends one service in the way it wants to be asked. */
export async function stopService(name: string): Promise<void> {
  await stopProcess(name, recipes[name]?.stopSignal ?? "SIGTERM", 12);
}

/** Ends every process this box started, and no other. */
export async function stopServices(): Promise<string[]> {
  const names = recordedProcesses();
  if (names.length === 0) {
    line("nothing of this box is running");
    return [];
  }
  await step(`Stopping ${names.length} processes`, async (report) => {
    for (const group of stages(names)) {
      report(group.join(", "));
      await Promise.all(group.map(stopService));
    }
  });
  return names;
}
