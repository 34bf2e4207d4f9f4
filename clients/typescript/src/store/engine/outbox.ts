// The actions of the device: queued on disk, then sent in order, once.
//
// Invariant: an action is sent after it was stored together with its number, and under that number for ever.
// Invariant: a command that a page repeats gets the number of the first time.

import { Refused, RequestFailed } from "../../errors.js";
import type { RemoteAction } from "../contract.js";
import { remoteAction, type Core } from "../core/core.js";
import type { Unsent, UnsentKind } from "../core/records.js";
import { StoreReactDocument, StoreRedactDocument, StoreSendDocument, UNNUMBERED } from "../generated.js";
import { isOver } from "./connection.js";
import type { Server } from "./server.js";

const DOCUMENTS: Record<UnsentKind, string> = {
  send: String(StoreSendDocument),
  react: String(StoreReactDocument),
  redact: String(StoreRedactDocument),
};

const TOO_LATE = "ACTION_TOO_LATE";

/** The parts of its engine that the outbox needs. */
export interface OutboxHost {
  core: Core;
  server: Server;
  /** Tells the pages what has changed. Resolves when it is stored. */
  changed(): Promise<void>;
  ended(reason: string): void;
}

export class Outbox {
  readonly #settled = new Map<string, Promise<void>>();

  constructor(private readonly host: OutboxHost) {}

  /** Sends what an earlier engine of the device queued. */
  start(): void {
    for (const unsent of [...this.host.core.unsent.values()]) {
      if (!unsent.refusal) this.#send(unsent, Promise.resolve());
    }
  }

  /** Queues an action. Resolves when it is stored. */
  async queue(command: string, kind: UnsentKind, input: { roomId: string }, content: Unsent["content"]): Promise<Unsent> {
    const { core } = this.host;
    const action = { kind, roomId: input.roomId, input, content, createdAt: new Date().toISOString() };
    const known = core.commands.get(command);
    if (known !== undefined) {
      const echoId = `echo ${known}`;
      const repeated: Unsent = { ...action, actionId: known, echoId, refusal: null, eventId: null };
      return core.unsent.get(echoId) ?? repeated;
    }
    const unsent = core.queue(action, command);
    const stored = this.host.changed();
    this.#send(unsent, stored);
    await stored;
    return unsent;
  }

  /** Queues an action without an echo. Resolves with its answer. */
  async perform(command: string, kind: UnsentKind, input: { roomId: string }): Promise<void> {
    const { echoId } = await this.queue(command, kind, input, null);
    await this.#settled.get(echoId);
  }

  /** Runs a mutation. Resolves with its data. */
  async run(command: string, document: string, input: object, signal: AbortSignal): Promise<unknown> {
    const { core, server } = this.host;
    const [, name = ""] = /\$input\s*:\s*(\w+)/.exec(document) ?? [];
    if (UNNUMBERED.split(" ").includes(name)) return server.ask(document, { input }, { signal });
    for (let actionId = core.commands.get(command); ; actionId = undefined) {
      const isRepeated = actionId !== undefined;
      actionId ??= core.nextActionId(command);
      const kind = REMOTE_KINDS[name];
      if (kind) core.startRun(actionId);
      let pending: RemoteAction | null = null;
      try {
        const { payload, data } = await this.#start(actionId, document, input, isRepeated ? Promise.resolve() : this.host.changed());
        if (payload.isPending && kind) pending = pendingAction(actionId, kind, input);
        if (payload.refusal?.code !== TOO_LATE) return data;
      } finally {
        if (kind) core.endRun(actionId, pending);
        if (pending) void this.host.changed();
      }
    }
  }

  /** Sends a refused action again, under the next number. */
  async retry(echoId: string): Promise<void> {
    const { core } = this.host;
    const refused = core.unsent.get(echoId);
    if (!refused?.refusal) return;
    const again = core.renumber(refused);
    const stored = this.host.changed();
    this.#send(again, stored);
    await stored;
  }

  /** Forgets a refused action. */
  async discard(echoId: string): Promise<void> {
    if (this.host.core.unsent.get(echoId)?.refusal) this.host.core.settle(echoId);
    await this.host.changed();
  }

  #send(unsent: Unsent, stored: Promise<void>): void {
    const settled = this.#settle(unsent, stored).finally(() => this.#settled.delete(unsent.echoId));
    settled.catch(() => {});
    this.#settled.set(unsent.echoId, settled);
  }

  async #settle(unsent: Unsent, stored: Promise<void>): Promise<void> {
    const { core, server } = this.host;
    for (let current = unsent; ; ) {
      let refusal: Unsent["refusal"];
      let event: { eventId: string; sequence: number } | null = null;
      try {
        const { payload } = await this.#start(current.actionId, DOCUMENTS[current.kind], current.input, stored);
        refusal = payload.refusal ?? null;
        event = (payload.event as typeof event) ?? null;
      } catch (error) {
        if (server.signal.aborted) throw error;
        if (isOver(error)) {
          this.host.ended("UNAUTHENTICATED");
          throw error;
        }
        const { code } = error as RequestFailed;
        refusal = { code: code ?? "INTERNAL", message: String((error as Error).message) };
      }
      if (refusal?.code === TOO_LATE && core.unsent.has(current.echoId)) {
        current = core.renumber(current);
        stored = this.host.changed();
        continue;
      }
      core.answered(current.echoId, event, refusal);
      await this.host.changed();
      if (refusal && current.content === null) throw new Refused(refusal);
      return;
    }
  }

  /** Starts an action when all earlier ones are started and it is stored. */
  async #start(actionId: number, document: string, input: object, stored: Promise<void>) {
    const { server } = this.host;
    const started = this.#before.then(() => stored).then(() => {
      server.signal.throwIfAborted();
      return server.act(actionId, document, input);
    });
    this.#before = started.catch(() => {});
    return (await started).answer;
  }
  #before: Promise<unknown> = Promise.resolve();
}

/** The actions that other servers may have to answer, by the type of their input. */
const REMOTE_KINDS: Partial<Record<string, RemoteAction["kind"]>> = {
  JoinRoomInput: "JOIN",
  KnockOnRoomInput: "KNOCK",
  InviteUserInput: "INVITE",
};

function pendingAction(actionId: number, kind: RemoteAction["kind"], input: object): RemoteAction {
  const { room, roomId, userId } = input as { room?: { roomId?: string; alias?: string }; roomId?: string; userId?: string };
  return remoteAction({ actionId, kind, roomId: room?.roomId ?? roomId ?? null, alias: room?.alias ?? null, userId: userId ?? null, refusal: null });
}
