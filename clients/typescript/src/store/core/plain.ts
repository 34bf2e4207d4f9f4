// Plain data: equality, and types that several files use.

export type { Json } from "../contract.js";
export type { Presence } from "../generated.js";

/** Whether two values of plain data have the same content. */
export function isEqual(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  const [keys, others] = [Object.keys(one), Object.keys(other)];
  if (Array.isArray(one) !== Array.isArray(other) || keys.length !== others.length) return false;
  return keys.every((key) => Object.hasOwn(other, key) && isEqual(one[key as never], other[key as never]));
}
