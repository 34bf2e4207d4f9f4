// Holds the row that the reader sees where it is, whatever happens above it.
//
// The list of rows begins with a space (`padding-top`) in place of the rows that are not in the page. If rows above the
// anchor grow, shrink, come or go, the space takes up the difference. Only if it cannot, the scroll position moves, in the
// same frame: writing it would end the smooth scrolling that a wheel or a finger has begun.
//
// Invariant: after `hold`, the anchor is as far from the begin of the scrolled content as before, or the scroll position
// has moved by the same distance.
// Invariant: a reader at the end stays at the end.

/** A row counts as visible from this many pixels on. */
const VISIBLE_MIN = 1;
/** A reader who is this close to the end is at the end. */
const AT_END = 8;

/** Rows of the list have this attribute, with the key of their item. */
export const KEY = "data-key";
/** Rows that are no anchors have this attribute. */
export const LOOSE = "data-loose";

export class Viewport {
  /** Keys of the first and of the last visible row. */
  first: string | null = null;
  last: string | null = null;
  /** The end of the list is in view, and new rows keep it there. */
  isAtEnd = true;
  /** The height of the space before the rows. */
  space = 0;
  #anchor: Element | null = null;
  #anchorKey: string | null = null;
  /** The scroll position at the last look. */
  #top = 0;
  /** How far the anchor is from the begin of the content. */
  #distance = 0;

  constructor(
    readonly scroller: HTMLElement,
    readonly list: HTMLElement,
  ) {}

  /** Takes note of what the reader sees. Call it when they have scrolled. */
  look(isWhole: boolean) {
    const { scrollTop, clientHeight } = this.scroller;
    const hasLeft = scrollTop < this.#top - 1;
    // Rows that have just grown do not lead a reader away from the end; only scrolling does.
    this.isAtEnd = isWhole && (this.#isNearEnd || (this.isAtEnd && !hasLeft));
    this.#top = scrollTop;
    const rows = this.list.children;
    const top = this.scroller.getBoundingClientRect().top;
    const first = firstFrom(rows, (row) => row.getBoundingClientRect().bottom >= top + VISIBLE_MIN);
    const after = firstFrom(rows, (row) => row.getBoundingClientRect().top > top + clientHeight - VISIBLE_MIN);
    this.first = rows[Math.min(first, rows.length - 1)]?.getAttribute(KEY) ?? null;
    this.last = rows[Math.max(0, after - 1)]?.getAttribute(KEY) ?? null;
    this.#hold(this.#choose(rows, first, after, top));
  }

  /**
   * The first visible row whose begin is visible, so that a row that is cut grows upwards. Separators and gaps are no
   * anchors: rows come in after them.
   */
  #choose(rows: HTMLCollection, first: number, after: number, top: number): Element | null {
    let found: Element | null = null;
    for (let at = first; at < rows.length && (at < after || found === null); at += 1) {
      const row = rows[at]!;
      if (row.hasAttribute(LOOSE)) continue;
      found ??= row;
      if (row.getBoundingClientRect().top >= top - VISIBLE_MIN) return at < after ? row : found;
    }
    return found;
  }

  /** The key of the row that stays where it is. */
  get anchorKey(): string | null {
    return this.#anchorKey;
  }

  get #isNearEnd(): boolean {
    const { scrollTop, clientHeight, scrollHeight } = this.scroller;
    return scrollTop + clientHeight >= scrollHeight - AT_END;
  }

  /** Makes a row the anchor. */
  #hold(row: Element | null) {
    this.#anchor = row;
    this.#anchorKey = row?.getAttribute(KEY) ?? null;
    if (row) this.#distance = this.#distanceOf(row);
  }

  #distanceOf(row: Element): number {
    return row.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top + this.scroller.scrollTop;
  }

  /**
   * Moves the anchor back to its place after the rows have changed, before the browser paints.
   * `isExact`: no rows are missing before the first one, so there is nothing that a space could stand for.
   * `find` finds the row that shows the anchor, if its own row is gone.
   */
  hold({ isExact, isWhole, find }: { isExact: boolean; isWhole: boolean; find?: (key: string) => Element | null }) {
    // The reader may have scrolled away without the browser having said so yet.
    if (this.isAtEnd && this.scroller.scrollTop < this.#top - 1 && !this.#isNearEnd) this.look(isWhole);
    if (this.isAtEnd && isWhole) {
      if (isExact) this.#setSpace(0);
      this.scrollTo(this.scroller.scrollHeight);
      this.look(isWhole);
      this.isAtEnd = true;
      return;
    }
    let anchor = this.#anchor;
    if (!anchor?.isConnected || anchor.getAttribute(KEY) !== this.#anchorKey) {
      anchor = this.#anchorKey === null ? null : (find?.(this.#anchorKey) ?? null);
      if (!anchor) return this.look(isWhole);
    }
    const moved = this.#distanceOf(anchor) - this.#distance;
    this.#anchor = anchor;
    const space = isExact ? 0 : Math.max(0, this.space - moved);
    // Browsers round scroll positions: a fraction goes into the space, so that the errors do not add up.
    const wanted = moved + space - this.space;
    const rest = Math.abs(wanted) < 0.01 ? 0 : Math.ceil(wanted);
    this.#setSpace(space + rest - wanted);
    if (rest === 0) return;
    this.scrollTo(this.scroller.scrollTop + rest);
    this.#distance += rest;
  }

  /** Gives the space the height that the missing rows have, as far as that is known. Nothing moves. */
  settle(space: number) {
    const moved = Math.round(space - this.space);
    if (moved === 0) return;
    const to = this.scroller.scrollTop + moved;
    this.#setSpace(this.space + moved);
    this.scrollTo(to);
    this.#distance += moved;
  }

  /** Brings a row to a place in view, as a fraction of the height, and makes it the anchor. */
  show(row: Element, place: number) {
    const { clientHeight } = this.scroller;
    const height = row.getBoundingClientRect().height;
    this.isAtEnd = false;
    this.scrollTo(this.#distanceOf(row) - Math.max(0, (clientHeight - Math.min(height, clientHeight)) * place));
  }

  toEnd(isWhole: boolean) {
    this.scrollTo(this.scroller.scrollHeight);
    this.look(isWhole);
  }

  scrollTo(top: number) {
    this.scroller.scrollTop = top;
  }

  #setSpace(height: number) {
    if (height === this.space) return;
    this.space = height;
    this.list.style.paddingTop = `${height}px`;
  }

  /** Sets the space for rows that the reader does not see yet. */
  setSpace(height: number) {
    this.#setSpace(Math.max(0, height));
  }
}

/** The first row for which `holds`, which holds for all rows after it; their number if there is none. */
function firstFrom(rows: HTMLCollection, holds: (row: Element) => boolean): number {
  let [from, to] = [0, rows.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (holds(rows[middle]!)) to = middle;
    else from = middle + 1;
  }
  return from;
}
