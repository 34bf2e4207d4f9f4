// Local echo: your own actions, shown before their events come on the stream.

/** An action that you show in advance. */
export interface Echo<Draft> {
  actionId: number;
  draft: Draft;
  /** In flight, or answered while its event is not on the stream yet. */
  state: "sending" | "stored";
}

/**
 * Sent actions whose events are not on the stream yet, in the order of the numbers. Show them below the timeline.
 *
 * The answer to an action and its event on the stream come in either order. An echo goes when the event comes, so the
 * message never appears twice and never vanishes in between. It also goes with an answer without an event.
 */
export class Echoes<Draft> {
  readonly #pending = new Map<number, Echo<Draft>>();

  /** All pending actions. */
  get pending(): readonly Echo<Draft>[] {
    return [...this.#pending.values()];
  }

  /** Shows an action in advance. */
  add(actionId: number, draft: Draft): void {
    this.#pending.set(actionId, { actionId, draft, state: "sending" });
  }

  /** The answer has come, with the event, or without one: a refusal, or no change. */
  answered(actionId: number, event: object | null | undefined): void {
    const echo = this.#pending.get(actionId);
    if (!echo) return;
    if (event) echo.state = "stored";
    else this.#pending.delete(actionId);
  }

  /** An event has come on the stream. Returns the draft that it replaces, if it is one of ours. */
  acknowledge(event: { actionId?: number | null }): Draft | undefined {
    if (event.actionId == null) return undefined;
    const echo = this.#pending.get(event.actionId);
    this.#pending.delete(event.actionId);
    return echo?.draft;
  }

  /** Forgets all echoes: a sync shows the stored events. */
  clear(): void {
    this.#pending.clear();
  }
}
