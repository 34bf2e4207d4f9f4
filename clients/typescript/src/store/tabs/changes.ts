// The changes of a view since it was sent, and their application on the other side.
//
// **Invariant:** a change costs the size of what changed. Elements of a list that stay or move are named by their index.
// **Invariant:** `apply(before, difference(before, after))` equals `after`, and keeps each object of `before` that did not change.

/** A change of plain data. */
export type Change =
  /** Another value. */
  | { whole: unknown }
  /** An object of which some fields changed or are gone. */
  | { fields: Record<string, Change>; gone?: string[] }
  /** A list, put together of runs. */
  | { runs: Run[] };

/** A part of a list: elements of the list before, one that changed, or new ones. */
export type Run = { from: number; count: number } | { from: number; change: Change } | { items: unknown[] };

/** Below this depth a change is sent whole. A row of a timeline has its reactions at depth 6. */
const DEPTH_MAX = 8;

/** The fields that name an element of a list of the contract, in the order in which they decide. */
const NAMES = ["eventId", "echoId", "roomId", "userId", "key"] as const;

/** The change from `before` to `after`, which are plain data; null if they are equal. */
export function difference(before: unknown, after: unknown, depth = 0): Change | null {
  if (Object.is(before, after)) return null;
  if (depth >= DEPTH_MAX) return { whole: after };
  if (Array.isArray(before) && Array.isArray(after)) return differenceOfLists(before, after, depth);
  if (isObject(before) && isObject(after)) return differenceOfObjects(before, after, depth);
  return { whole: after };
}

function differenceOfObjects(before: PlainObject, after: PlainObject, depth: number): Change | null {
  const fields: Record<string, Change> = Object.create(null);
  for (const [name, value] of Object.entries(after)) {
    const change = Object.hasOwn(before, name) ? difference(before[name], value, depth + 1) : { whole: value };
    if (change) fields[name] = change;
  }
  const gone = Object.keys(before).filter((name) => !Object.hasOwn(after, name));
  if (gone.length > 0) return { fields, gone };
  return Object.keys(fields).length > 0 ? { fields } : null;
}

function differenceOfLists(before: readonly unknown[], after: readonly unknown[], depth: number): Change | null {
  let start = 0;
  while (start < before.length && start < after.length && Object.is(before[start], after[start])) start++;
  let end = 0;
  const longest = Math.min(before.length, after.length) - start;
  while (end < longest && Object.is(before[before.length - 1 - end], after[after.length - 1 - end])) end++;

  const runs: Run[] = [];
  const copy = (from: number, count = 1) => {
    const last = runs.at(-1);
    if (last && "count" in last && last.from + last.count === from) last.count += count;
    else if (count > 0) runs.push({ from, count });
  };
  copy(0, start);
  const elements = after.slice(start, after.length - end);
  const counterpart = counterparts(before, start, before.length - end, elements);
  for (const element of elements) {
    const from = counterpart(element);
    const change = from === undefined ? { whole: element } : difference(before[from], element, depth + 1);
    const last = runs.at(-1);
    if (from !== undefined && !change) copy(from);
    else if (from !== undefined && change && !("whole" in change)) runs.push({ from, change });
    else if (last && "items" in last) last.items.push(element);
    else runs.push({ items: [element] });
  }
  copy(before.length - end, end);
  const [first] = runs;
  const isSame = before.length === after.length && (first ? "count" in first && first.count === before.length : true);
  return isSame ? null : { runs };
}

/** Finds the element of `before` that an element became: the same object, that of its name, or the next one without a name. */
function counterparts(before: readonly unknown[], start: number, end: number, after: readonly unknown[]) {
  const objects = new Map<object, number>();
  const names = new Map<string, number>();
  const kept = new Set(after);
  const unnamed: number[] = [];
  for (let index = start; index < end; index++) {
    const element = before[index];
    if (typeof element !== "object" || element === null) continue;
    objects.set(element, index);
    const name = nameOf(element);
    if (name !== undefined) names.set(name, index);
    else if (!kept.has(element)) unnamed.push(index);
  }
  return (element: unknown): number | undefined => {
    if (typeof element !== "object" || element === null) return undefined;
    const name = nameOf(element);
    return objects.get(element) ?? (name === undefined ? unnamed.shift() : names.get(name));
  };
}

/** The value after the change. */
export function apply(before: unknown, change: Change): unknown {
  if ("whole" in change) return change.whole;
  if ("runs" in change) {
    const list = before as readonly unknown[];
    return change.runs.flatMap((run) => {
      if ("items" in run) return run.items;
      if ("count" in run) return list.slice(run.from, run.from + run.count);
      return [apply(list[run.from], run.change)];
    });
  }
  const after: PlainObject = { ...(before as PlainObject) };
  for (const name of change.gone ?? []) delete after[name];
  for (const [name, field] of Object.entries(change.fields)) set(after, name, apply((before as PlainObject)[name], field));
  return after;
}

type PlainObject = Record<string, unknown>;

function isObject(value: unknown): value is PlainObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Assigns also a field called `__proto__`, which the content of an event may have. */
function set(object: PlainObject, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

/** The name of an element among the others of its list. */
function nameOf(element: unknown): string | undefined {
  if (!isObject(element)) return undefined;
  for (const field of NAMES) {
    const value = element[field];
    if (typeof value === "string") return `${field} ${value}`;
  }
  return undefined;
}
