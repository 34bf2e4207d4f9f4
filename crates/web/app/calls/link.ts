// The connection of one call on the page that placed or answered it: sound and picture, and the signals for them.
//
// Invariant: signals are handled one after the other, each once.
// Invariant: after `close`, nothing uses the microphone, the camera or the screen.

import { signal } from "@preact/signals";
import type { RoomId, Signal, Store } from "rookery-client/store";
import { act, CallRefused, iceServers } from "./documents.js";
import { Media } from "./media.js";

/** The session of a description: another one means that the other page began again. */
const sessionOf = (description: { sdp?: string | null } | null) => /^o=\S+ (\S+)/m.exec(description?.sdp ?? "")?.[1];

interface LinkOptions {
  store: Store;
  roomId: RoomId;
  callId?: string | null;
  isCaller: boolean;
  withVideo: boolean;
}

export class Link {
  readonly media: Media;
  /** The media that the other device sends. */
  readonly remote = signal<MediaStream | null>(null);
  readonly state = signal<RTCPeerConnectionState>("new");
  callId: string | null;
  isAnswered = false;
  pc: RTCPeerConnection | null = null;
  readonly #store: Store;
  readonly roomId: RoomId;
  readonly isCaller: boolean;
  #offer: RTCSessionDescriptionInit | null = null;
  #last = 0;
  #waiting: RTCIceCandidateInit[] = [];
  #outgoing: RTCIceCandidateInit[] = [];
  #canTrickle = false;
  #sending: Promise<void> | null = null;
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor({ store, roomId, callId = null, isCaller, withVideo }: LinkOptions) {
    this.#store = store;
    this.roomId = roomId;
    this.callId = callId;
    this.isCaller = isCaller;
    this.media = new Media(withVideo, () => void this.#negotiate());
  }

  get #place() {
    return { roomId: this.roomId, callId: this.callId };
  }

  async #prepare() {
    const servers = await iceServers(this.#store);
    await this.media.open();
    this.pc?.close();
    this.#outgoing = [];
    this.#canTrickle = false;
    if (this.#isClosed) throw new CallRefused("CALL_ENDED", "the call has ended");
    const pc = new RTCPeerConnection({ iceServers: servers });
    this.pc = pc;
    this.media.attach(pc);
    pc.ontrack = ({ streams, track }) => {
      this.remote.value = streams[0] ?? new MediaStream([track]);
    };
    // An empty candidate says that there are no more.
    pc.onicecandidate = ({ candidate }) => {
      this.#outgoing.push(candidate?.toJSON() ?? { candidate: "" });
      if (this.#canTrickle) this.#flush();
    };
    pc.onconnectionstatechange = () => {
      this.state.value = pc.connectionState;
      // The path broke: the caller's device looks for another one, so that both do not at once.
      if (pc.connectionState === "failed" && this.isCaller) this.restart();
    };
  }

  async place(calleeId: string) {
    await this.#prepare();
    await this.pc!.setLocalDescription();
    const media = this.media.withVideo ? "VIDEO" : "AUDIO";
    const input = { roomId: this.roomId, calleeId, media, offer: this.pc!.localDescription!.sdp };
    const { call } = await act(this.#store, "placeCall", input);
    this.callId = call?.callId ?? null;
    this.#flush();
  }

  /** Answers the offer that has arrived. */
  async answer() {
    await this.#work;
    if (!this.#offer) throw new Error("the offer of the call has not arrived yet");
    await this.#prepare();
    await this.#accept(this.#offer);
    await this.pc!.setLocalDescription();
    await act(this.#store, "answerCall", { ...this.#place, answer: this.pc!.localDescription!.sdp });
    this.isAnswered = true;
    this.#flush();
  }

  /** Connects again in a call that was answered, after a reload of the page. */
  async rejoin() {
    await this.#prepare();
    this.isAnswered = true;
    await this.#offerNow();
  }

  /** Looks for a new path between the devices, such as after a change of the network. */
  restart() {
    if (!this.pc || !this.isAnswered) return;
    this.pc.restartIce();
    void this.#negotiate();
  }

  /** Repeats the offer of a call that rings: the server forgets it when it is restarted. */
  async offerAgain() {
    if (this.pc?.localDescription && this.callId) await this.#send({ offer: this.pc.localDescription.sdp });
  }

  /** The media or the path changed: the other device gets a new offer. */
  #negotiate() {
    if (!this.pc || !this.isAnswered || this.#isClosed) return;
    this.#work = this.#work.then(() => this.#offerNow()).catch(warn);
  }

  async #offerNow() {
    if (this.pc?.signalingState !== "stable") return;
    await this.pc.setLocalDescription();
    await this.#send({ offer: this.pc.localDescription!.sdp });
    this.#flush();
  }

  /** Takes a signal of the other device, after all earlier ones. A stream that begins again repeats some. */
  take({ number, kind, sdp, candidates }: Signal): Promise<void> {
    if (number <= this.#last) return this.#work;
    this.#last = number;
    this.#work = this.#work.then(() => this.#handle(kind, sdp, candidates as unknown as RTCIceCandidateInit[])).catch(warn);
    return this.#work;
  }

  async #handle(kind: Signal["kind"], sdp: string | null, candidates: RTCIceCandidateInit[]) {
    if (kind === "CANDIDATES") {
      this.#waiting.push(...candidates);
      if (this.pc?.remoteDescription) await this.#addWaiting();
    } else if (kind === "ANSWER") {
      if (this.pc?.signalingState === "have-local-offer") await this.#accept({ type: "answer", sdp: sdp ?? "" });
      this.isAnswered = true;
    } else if (!this.isAnswered && !this.isCaller) {
      // It rings: the answer is up to the user.
      this.#offer = { type: "offer", sdp: sdp ?? "" };
      this.#waiting = [];
    } else {
      await this.#answerAgain({ type: "offer", sdp: sdp ?? "" });
    }
  }

  /** Answers an offer in the middle of the call. */
  async #answerAgain(offer: RTCSessionDescriptionInit & { sdp: string }) {
    // Both offered at once: the callee's device gives way.
    if (this.pc?.signalingState === "have-local-offer" && this.isCaller) return;
    this.#waiting = [];
    if (!this.pc || sessionOf(this.pc.remoteDescription) !== sessionOf(offer)) await this.#prepare();
    await this.#accept(offer);
    await this.pc!.setLocalDescription();
    await this.#send({ answer: this.pc!.localDescription!.sdp });
    this.#flush();
  }

  async #accept(description: RTCSessionDescriptionInit) {
    await this.pc!.setRemoteDescription(description);
    await this.#addWaiting();
  }

  async #addWaiting() {
    for (const candidate of this.#waiting.splice(0)) await this.pc?.addIceCandidate(candidate);
  }

  /** Sends candidates in the order in which they were found, some at a time. */
  #flush() {
    this.#canTrickle = true;
    this.#sending ??= (async () => {
      while (this.#outgoing.length > 0) await this.#send({ candidates: this.#outgoing.splice(0) });
    })()
      .catch(warn)
      .finally(() => (this.#sending = null));
  }

  #send(content: object) {
    return act(this.#store, "sendCallSignal", { ...this.#place, signal: content });
  }

  close() {
    this.#isClosed = true;
    this.pc?.close();
    this.media.close();
    this.remote.value = null;
  }
}

/** A signal may be under way while the call ends, which the store tells. */
function warn(error: unknown) {
  if (!(error instanceof CallRefused)) console.warn(error);
}
