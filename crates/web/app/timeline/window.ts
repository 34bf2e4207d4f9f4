// Which items of a long list are in the page: pure arithmetic over indexes and heights.
//
// Invariant: the window holds all visible items, and at least `MARGIN` items beyond them in each direction, as far as
// there are any.
// Invariant: it moves by a few items at a time, so that no frame has much to build.

/** Items from `from` on, before `to`. */
export interface Range {
  from: number;
  to: number;
}

export const WINDOW_ROWS = 120;
/** The window moves when fewer items than this are left beyond the visible ones. */
export const MARGIN = 30;
/** How many more than `MARGIN` it then has. */
const STEP = 6;

/** The window around an item, the first one that the reader sees. */
export function around(index: number, count: number): Range {
  const from = Math.max(0, Math.min(index - Math.floor(WINDOW_ROWS / 2), count - WINDOW_ROWS));
  return { from, to: Math.min(count, from + WINDOW_ROWS) };
}

/** The window after scrolling, when the items from `first` to `last` are visible. The same object if it did not move. */
export function follow(range: Range, count: number, first: number, last: number): Range {
  let { from, to } = range;
  if (from > count || to > count || first < from || last >= to) return fit(around(first, count), count, last);
  const isShortBefore = from > 0 && first - from < MARGIN;
  const isShortAfter = to < count && to - 1 - last < MARGIN;
  if (!isShortBefore && !isShortAfter) return range;
  const size = Math.max(WINDOW_ROWS, last - first + 1 + 2 * (MARGIN + STEP));
  if (isShortBefore) {
    from = Math.max(0, first - MARGIN - STEP);
    to = Math.min(count, Math.max(last + 1, Math.min(to, from + size)));
  } else {
    to = Math.min(count, last + 1 + MARGIN + STEP);
    from = Math.max(0, Math.min(first, Math.max(from, to - size)));
  }
  return { from, to };
}

function fit(range: Range, count: number, last: number): Range {
  return last < range.to ? range : { from: range.from, to: Math.min(count, last + 1 + MARGIN) };
}

/** The mean height of the items that were in the page: a guess for those that were not. */
export class Heights {
  #known = new Set<string>();
  #sum = 0;

  has(key: string): boolean {
    return this.#known.has(key);
  }

  /** Takes the height of an item that is in the page for the first time. */
  add(key: string, height: number) {
    this.#known.add(key);
    this.#sum += height;
  }

  get mean(): number {
    return this.#known.size === 0 ? 32 : this.#sum / this.#known.size;
  }

  /** The height of a number of items. */
  of(count: number): number {
    return Math.max(0, count) * this.mean;
  }

  /** The item at a distance from the begin of the first one. */
  at(distance: number, count: number): number {
    return Math.max(0, Math.min(count - 1, Math.floor(distance / this.mean)));
  }
}
