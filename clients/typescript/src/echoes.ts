// Local echo: what you show of your own actions before the stream tells them.

/** An action that is shown in advance. */
export interface Echo<Draft> {
  actionId: number;
  draft: Draft;
  /** On its way, or answered while the stream has not told it yet. */
  state: "sending" | "stored";
}

/**
 * What you have sent and the stream has not told yet, in the order of the numbers. Show it below the timeline.
 *
 * The answer to an action and its event on the stream come in either order. An echo goes when the event is told, so
 * that the message is never shown twice nor vanishes in between; or with an answer after which no event will come.
 */
export class Echoes<Draft> {
  readonly #pending = new Map<number, Echo<Draft>>();

  /** All that is pending. */
  get pending(): readonly Echo<Draft>[] {
    return [...this.#pending.values()];
  }

  /** Shows an action in advance. */
  add(actionId: number, draft: Draft): void {
    this.#pending.set(actionId, { actionId, draft, state: "sending" });
  }

  /** The answer has come, with the event that was made, or without one: it was refused, or held already. */
  answered(actionId: number, event: object | null | undefined): void {
    const echo = this.#pending.get(actionId);
    if (!echo) return;
    if (event) echo.state = "stored";
    else this.#pending.delete(actionId);
  }

  /** An event has come on the stream. Answers the draft whose place it takes, if it is one of ours. */
  told(event: { actionId: number | null }): Draft | undefined {
    if (event.actionId === null) return undefined;
    const echo = this.#pending.get(event.actionId);
    this.#pending.delete(event.actionId);
    return echo?.draft;
  }

  /** Forgets all: a sync shows what was stored. */
  clear(): void {
    this.#pending.clear();
  }
}
