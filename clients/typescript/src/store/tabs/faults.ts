// Errors on their way from the engine to a page.
//
// **Invariant:** a page gets an error of the same class with the same fields, so `instanceof Refused` works in every tab.

import { Disconnected, Refused, RequestFailed, StreamEnded, UnexpectedAnswer, UpgradeRefused } from "../../errors.js";
import type { Fault } from "./protocol.js";

const CLASSES: Record<string, { prototype: object }> = {
  Disconnected,
  Refused,
  RequestFailed,
  StreamEnded,
  UnexpectedAnswer,
  UpgradeRefused,
  TypeError,
};

/** The error as plain data. */
export function faultOf(error: unknown): Fault {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const fields: Fault = { name: error.name, message: error.message };
  for (const [name, value] of Object.entries(error)) if (isPlain(value)) fields[name] = value;
  return fields;
}

/** The error of a fault. */
export function errorOf({ name, message, ...fields }: Fault): Error {
  if (name === "AbortError" || name === "TimeoutError") return new DOMException(message, name);
  const error: Error = Object.create((CLASSES[name] ?? Error).prototype);
  const own = (value: unknown) => ({ value, writable: true, configurable: true });
  Object.defineProperties(error, { message: own(message), name: own(name), stack: own(new Error(message).stack) });
  return Object.assign(error, fields);
}

function isPlain(value: unknown): boolean {
  return value === null || ["string", "number", "boolean"].includes(typeof value) || Array.isArray(value);
}
