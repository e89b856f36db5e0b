import { existsSync, readFileSync } from "node:fs";
import { BoxError, exitCode } from "./boxError.ts";
import { boxHome, root, rootPath } from "./boxHome.ts";
import { portsInUse, refuseOtherPorts } from "./startedBox.ts";

export type Variables = Record<string, string>;

const reference = /^([A-Za-z_][A-Za-z0-9_]*)(?::?-(.*))?$/s;

/** Replaces `${NAME}` and `${NAME:-default}` as docker compose does; a default may hold references of its own. */
export function interpolate(text: string, variables: Variables): string {
  const begin = text.indexOf("${");
  if (begin < 0) return text;
  const end = closingBrace(text, begin);
  const [whole, name, fallback] = reference.exec(text.slice(begin + 2, end)) ?? [];
  if (end < 0 || whole === undefined || name === undefined) {
    return text.slice(0, begin + 2) + interpolate(text.slice(begin + 2), variables);
  }
  return text.slice(0, begin) + resolved(name, fallback, variables) + interpolate(text.slice(end + 1), variables);
}

function resolved(name: string, fallback: string | undefined, variables: Variables): string {
  const value = variables[name];
  if (value !== undefined && (value !== "" || fallback === undefined)) return value;
  if (fallback !== undefined) return interpolate(fallback, variables);
  throw new BoxError(`\${${name}} is used in the configuration, and ${name} is set nowhere`, exitCode.environment);
}

/** Where the reference that begins there ends, or -1. */
function closingBrace(text: string, begin: number): number {
  let depth = 0;
  for (let at = begin; at < text.length; at += 1) {
    if (text.startsWith("${", at)) depth += 1;
    else if (text[at] === "}" && --depth === 0) return at;
  }
  return -1;
}

/** A value without its quotes, or without the comment behind it. */
function unquoted(text: string): string {
  const quoted = /^\s*(["'])(.*)\1\s*(#.*)?$/.exec(text);
  return quoted?.[2] ?? text.replace(/\s#.*$/, "").trim();
}

/** The variables of an env file: NAME=value lines, # comments; values may refer to variables. */
export function readEnvFile(path: string, variables: Variables): Variables {
  if (!existsSync(path)) throw new BoxError(`${path} is missing; it belongs to the box`, exitCode.environment);
  const own: Variables = {};
  for (const line of readFileSync(path, "utf8").split(/\r?\n/)) {
    const match = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line);
    if (match?.[1] !== undefined) own[match[1]] = interpolate(unquoted(match[2] ?? ""), { ...variables, ...own });
  }
  return own;
}

/** What BOX_PORT_OFFSET adds to every port. */
export function portOffset(): number {
  const text = process.env.BOX_PORT_OFFSET ?? "0";
  const offset = Number(text);
  if (Number.isInteger(offset) && offset >= 0 && offset <= 40_000) return offset;
  throw new BoxError(`BOX_PORT_OFFSET must be a whole number from 0 to 40000, not '${text}'`, exitCode.usage);
}

/** `.env`, the shell's variables over it, and BOX_PORT_OFFSET added to every port. A box that runs keeps its ports. */
export function readSettings(): Variables {
  const file = readEnvFile(rootPath(".env"), {});
  const settings: Variables = { ...file, BOX_HOME: boxHome, BOX_ROOT: root };
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined) settings[name] = value;
  settings.BOX_HOME = boxHome;
  const offset = portOffset();
  const names = portNames();
  for (const name of names) settings[name] = String(port(name, settings[name] ?? "", offset));
  const inUse = portsInUse();
  const isAskedFor = (name: string) => process.env.BOX_PORT_OFFSET !== undefined || process.env[name] !== undefined;
  refuseOtherPorts(settings, inUse, names.filter(isAskedFor));
  return { ...settings, ...inUse };
}

function port(name: string, text: string, offset: number): number {
  const moved = Number(text) + offset;
  if (/^\d+$/.test(text) && moved >= 1 && moved <= 65_535) return moved;
  const plus = offset === 0 ? "" : ` plus BOX_PORT_OFFSET ${offset}`;
  throw new BoxError(`${name} must be a port from 1 to 65535, not '${text}'${plus}`, exitCode.usage);
}

/** The names of the settings that are ports. */
export function portNames(): string[] {
  return Object.keys(readEnvFile(rootPath(".env"), {})).filter((name) => name.endsWith("_PORT"));
}

/** Whether the store and the warehouse are the box's own. */
export const isLocal = (settings: Variables) => (settings.COMPOSE_PROFILES || "local").split(",").includes("local");

/** A setting that must be there. */
export function setting(settings: Variables, name: string): string {
  const value = settings[name];
  if (value === undefined)
    throw new BoxError(`the setting ${name} is missing: is .env complete?`, exitCode.environment);
  return value;
}
