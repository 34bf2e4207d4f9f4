// The call of this user as this page takes part in it: it rings, this page has it, or another page or device has it.
//
// Invariant: sound and picture live in the page that placed or answered the call; no other page touches them.
// Invariant: a call that ended or was answered elsewhere makes no sound here.

import { ofTab } from "../state/local.js";
import { signal } from "@preact/signals";
import type { CallView, RoomId, Signal, Store, UserId } from "rookery-client/store";
import { toast } from "../parts/toast.js";
import { reason } from "../state/acting.js";
import { t } from "../texts/index.js";
import { act, CallRefused } from "./documents.js";
import { Link } from "./link.js";
import { Ring } from "./ring.js";

/** Set in the page that has the call, so that it connects again when it is loaded again. */
const MINE = "rookery.call";
const SIGNALS_MAX = 400;

export class Phone {
  readonly call = signal<CallView | null>(null);
  readonly link = signal<Link | null>(null);
  /** A step that the user asked for is under way. */
  readonly isBusy = signal(false);
  #ring: Ring | null = null;
  #signals: Signal[] = [];
  #ends: (() => void)[] = [];
  #isRejoining = false;

  constructor(
    readonly store: Store,
    readonly nameOf: (userId: UserId) => string,
  ) {}

  begin() {
    this.#ends.push(this.store.subscribe("call", () => this.#changed(this.store.get("call") ?? null)));
    this.#ends.push(this.store.onSignal((it) => this.#signal(it)));
    let wasLive = this.store.get("status")?.phase === "live";
    this.#ends.push(
      this.store.subscribe("status", () => {
        const isLive = this.store.get("status")?.phase === "live";
        if (isLive && !wasLive) this.#reconnected();
        wasLive = isLive;
      }),
    );
    // Another network: the old path may be gone before anybody notices.
    const online = () => this.link.value?.restart();
    const connection = (navigator as { connection?: EventTarget }).connection;
    addEventListener("online", online);
    connection?.addEventListener("change", online);
    this.#ends.push(() => {
      removeEventListener("online", online);
      connection?.removeEventListener("change", online);
    });
    this.#changed(this.store.get("call") ?? null);
    this.#share();
  }

  /** A page that is opened while it rings asks the others for the signals that came before. */
  #share() {
    const channel = new BroadcastChannel("rookery.signals");
    channel.onmessage = ({ data }: MessageEvent<{ ask?: boolean; signals?: Signal[] }>) => {
      if (data.ask && this.#signals.length > 0) channel.postMessage({ signals: this.#signals });
      for (const signal of data.signals ?? []) this.#signal(signal);
    };
    channel.postMessage({ ask: true });
    this.#ends.push(() => channel.close());
  }

  end() {
    for (const end of this.#ends.splice(0)) end();
    this.#drop();
  }

  get #viewerId() {
    return this.store.get("viewer")?.userId ?? null;
  }

  #signal(signal: Signal) {
    const link = this.link.value;
    // The answer to `placeCall` may come after the first signals.
    const known = this.#signals.filter((it) => it.callId === signal.callId);
    if (known.some((it) => it.number === signal.number)) return;
    this.#signals = [...known, signal].sort((one, other) => one.number - other.number).slice(-SIGNALS_MAX);
    if (link?.callId === signal.callId) void link.take(signal);
  }

  #replay(link: Link) {
    for (const signal of this.#signals) if (signal.callId === link.callId) void link.take(signal);
  }

  #changed(call: CallView | null) {
    const before = this.call.value;
    this.call.value = call;
    if (call === null || call.state === "ENDED") {
      // The end of an earlier call says nothing about the one that this page is placing.
      const link = this.link.value;
      if (link ? link.callId !== (call ?? before)?.callId : before === null) return;
      if (before && before.state !== "ENDED") this.#ended(call?.callId === before.callId ? call : null);
      this.#drop();
      return;
    }
    if (call.state === "RINGING") this.#rings(call);
    else this.#answered(call);
  }

  #ended(call: CallView | null) {
    if (!call || call.endReason === "USER_HANGUP") return;
    const isMissed = call.endReason === "INVITE_TIMEOUT" && call.calleeId === this.#viewerId;
    if (isMissed) toast(t("call.missed", { who: this.nameOf(call.callerId) }));
    else if (call.endReason === "REJECTED" && call.callerId === this.#viewerId) toast(t("call.rejected", { who: this.nameOf(call.calleeId) }));
    else if (call.endReason !== "REJECTED") toast(t("call.lost"));
  }

  #rings(call: CallView) {
    const isCaller = call.callerId === this.#viewerId;
    // Another device or page of the caller says nothing.
    if (isCaller && !this.link.value) return;
    if (this.#ring?.callId === call.callId) return;
    this.#ring?.end();
    this.#ring = new Ring(call.callId, this.nameOf(isCaller ? call.calleeId : call.callerId), isCaller);
    this.#ring.begin();
  }

  #answered(call: CallView) {
    this.#silence();
    const link = this.link.value;
    if (link && call.partyId !== null) {
      link.isAnswered = true;
      return;
    }
    if (link && link.callId === call.callId && !this.isBusy.value) this.#drop();
    // This page had the call before it was loaded again.
    if (!link && call.partyId !== null && ofTab.get(MINE) === call.callId) void this.rejoin();
  }

  #silence() {
    this.#ring?.end();
    this.#ring = null;
  }

  #drop() {
    this.#silence();
    this.#signals = [];
    this.link.value?.close();
    this.link.value = null;
    ofTab.remove(MINE);
  }

  #keep(link: Link, callId: string) {
    this.link.value = link;
    ofTab.set(MINE, callId);
    this.#replay(link);
  }

  /** Calls a member of a room. */
  place(roomId: RoomId, calleeId: UserId, withVideo: boolean) {
    return this.#attempt(async () => {
      const link = new Link({ store: this.store, roomId, isCaller: true, withVideo });
      this.link.value = link;
      try {
        await link.place(calleeId);
      } catch (error) {
        this.#drop();
        throw error;
      }
      const now = this.store.get("call") ?? null;
      this.#keep(link, link.callId!);
      if (now?.callId === link.callId) this.#changed(now);
    });
  }

  answer(withVideo: boolean) {
    const call = this.call.value;
    if (!call) return;
    return this.#attempt(async () => {
      const { roomId, callId } = call;
      const link = new Link({ store: this.store, roomId, callId, isCaller: false, withVideo });
      this.#silence();
      this.#keep(link, callId);
      try {
        await link.answer();
      } catch (error) {
        this.#drop();
        throw error;
      }
      // The call may have ended before the answer to `answerCall` came.
      if (this.call.value?.callId !== callId || this.call.value.state === "ENDED") this.#drop();
    });
  }

  /** Takes the call into this page. */
  rejoin() {
    const call = this.call.value;
    if (!call || this.#isRejoining) return;
    this.#isRejoining = true;
    return this.#attempt(async () => {
      const isCaller = call.callerId === this.#viewerId;
      const link = new Link({ store: this.store, roomId: call.roomId, callId: call.callId, isCaller, withVideo: call.media === "VIDEO" });
      this.#keep(link, call.callId);
      try {
        await link.rejoin();
      } catch (error) {
        this.#drop();
        throw error;
      }
    }).finally(() => (this.#isRejoining = false));
  }

  reject() {
    const call = this.call.value;
    if (!call) return;
    this.#silence();
    return this.#attempt(() => act(this.store, "rejectCall", { roomId: call.roomId, callId: call.callId }));
  }

  hangUp() {
    const place = this.link.value ?? this.call.value;
    if (!place?.callId) return this.#drop();
    const { roomId, callId } = place;
    // Nobody hears anything from the click on, whatever the server answers.
    this.#drop();
    return this.#attempt(async () => {
      await act(this.store, "hangUpCall", { roomId, callId }).catch((error: unknown) => {
        if (!(error instanceof CallRefused && error.code === "CALL_ENDED")) throw error;
      });
    });
  }

  #reconnected() {
    const link = this.link.value;
    if (!link || link.callId === null) return;
    if (link.isCaller && this.call.value?.state === "RINGING") void link.offerAgain().catch(() => {});
  }

  async #attempt(work: () => Promise<unknown>) {
    if (this.isBusy.value) return;
    this.isBusy.value = true;
    try {
      await work();
    } catch (error) {
      toast(reasonOf(error), "bad");
    } finally {
      this.isBusy.value = false;
    }
  }
}

const REASONS: Record<string, Parameters<typeof t>[0]> = {
  CALL_ANSWERED_ELSEWHERE: "call.elsewhere",
  CALL_IN_PROGRESS: "call.busy",
  CALL_ENDED: "call.over",
  NotAllowedError: "call.notAllowed",
  NotFoundError: "call.noDevice",
};

function reasonOf(error: unknown): string {
  const name = error instanceof CallRefused ? error.code : error instanceof Error ? error.name : "";
  const known = REASONS[name];
  return known ? t(known) : reason(error);
}
