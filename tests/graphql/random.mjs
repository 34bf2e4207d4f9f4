// Numbers that look random and are the same for the same seed.

/** Choices of one document: each document has a seed of its own, so that one that fails can be made again alone. */
export class Random {
  #state;

  constructor(seed) {
    this.#state = (seed * 2654435761 + 12345) >>> 0;
    this.below(2);
  }

  /** A whole number from 0 on, less than `max`. */
  below(max) {
    // The generator "mulberry32".
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % max;
  }

  /** True in `percent` of a hundred cases. */
  chance(percent) {
    return this.below(100) < percent;
  }

  of(list) {
    return list[this.below(list.length)];
  }
}
