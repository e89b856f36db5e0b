import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** A path as the user gave it, resolved from where the user called ./box, which itself works in the checkout. */
export const fromCaller = (path: string) => resolve(process.env.BOX_CWD ?? process.cwd(), path);

/** Where this box keeps its state, logs and secrets; BOX_HOME moves it, so that several boxes can live side by side. */
export const boxHome = fromCaller(process.env.BOX_HOME || join(root, ".box"));

/** Installed engines, shared by all boxes of this user and named by what was locked; BOX_CACHE moves it. */
export const boxCache = fromCaller(
  process.env.BOX_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "boxoffice"),
);

/** A path below BOX_HOME. */
export const homePath = (...parts: string[]) => join(boxHome, ...parts);
/** A path below the checkout. */
export const rootPath = (...parts: string[]) => join(root, ...parts);
