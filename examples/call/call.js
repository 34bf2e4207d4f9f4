// One call, from the view of one device: its connection, and the signals that it exchanges.

const PLACE = `mutation Place($input: PlaceCallInput!) {
  placeCall(input: $input) { call { callId } partyId refusal { code message } }
}`;
const ANSWER = `mutation Answer($input: AnswerCallInput!) {
  answerCall(input: $input) { call { callId } partyId refusal { code message } }
}`;
const SIGNAL = `mutation Signal($input: SendCallSignalInput!) {
  sendCallSignal(input: $input) { refusal { code message } }
}`;
const HANG_UP = `mutation HangUp($input: HangUpCallInput!) {
  hangUpCall(input: $input) { refusal { code message } }
}`;
const REJECT = `mutation Reject($input: RejectCallInput!) {
  rejectCall(input: $input) { refusal { code message } }
}`;
const ICE = `query Ice { iceServers { urls username credential } }`;

/** The session of a description: another one means that the other page began again. */
const sessionOf = (description) => /^o=\S+ (\S+)/m.exec(description?.sdp ?? "")?.[1];

export class Call {
  /**
   * @param server the server
   * @param room the ID of the room
   * @param media "AUDIO" or "VIDEO"
   * @param show called with the stream of the other device
   * @param relay whether to connect through a TURN server only
   */
  constructor(server, { room, media, id = null, isCaller = true, show, relay = false }) {
    Object.assign(this, { server, room, media, id, isCaller, show, relay });
    this.last = 0;
    this.waiting = [];
    this.outgoing = [];
    this.work = Promise.resolve();
  }

  /** Where the call is, for its mutations. */
  get #place() {
    return { roomId: this.room, callId: this.id };
  }

  /** Asks for the microphone and the camera, and prepares a connection. */
  async #prepare() {
    const iceServers = await this.#iceServers();
    this.local ??= await navigator.mediaDevices.getUserMedia({ audio: true, video: this.media === "VIDEO" });
    this.pc?.close();
    this.outgoing = [];
    const iceTransportPolicy = this.relay ? "relay" : "all";
    const pc = new RTCPeerConnection({ iceServers, iceTransportPolicy });
    for (const track of this.local.getTracks()) pc.addTrack(track, this.local);
    pc.ontrack = ({ streams: [stream] }) => this.show(stream);
    // An empty candidate says that there are no more.
    pc.onicecandidate = ({ candidate }) => this.#trickle(candidate?.toJSON() ?? { candidate: "" });
    this.pc = pc;
  }

  /** The servers that help two devices to find each other; none on a server that knows none. */
  async #iceServers() {
    const { iceServers } = await this.server.ask(ICE);
    return iceServers.map(({ urls, ...login }) => (login.username === null ? { urls } : { urls, ...login }));
  }

  /** Calls a user. */
  async place(calleeId) {
    await this.#prepare();
    await this.pc.setLocalDescription();
    const input = { roomId: this.room, calleeId, media: this.media, offer: this.pc.localDescription.sdp };
    const { call } = await this.server.act(PLACE, input);
    this.id = call.callId;
    this.#flush();
  }

  /** Answers the offer that has arrived. */
  async answer() {
    await this.#prepare();
    await this.#accept({ type: "offer", sdp: this.offer });
    await this.pc.setLocalDescription();
    await this.server.act(ANSWER, { ...this.#place, answer: this.pc.localDescription.sdp });
    this.answered = true;
    this.#flush();
  }

  /** Connects again in a call that was answered: after a reload of the page, or when the path broke. */
  async renegotiate() {
    if (!this.pc) await this.#prepare();
    else this.pc.restartIce();
    this.answered = true;
    await this.pc.setLocalDescription();
    await this.#send({ offer: this.pc.localDescription.sdp });
    this.#flush();
  }

  /** Repeats the offer of a call that rings: the server forgets it when it is restarted. */
  offerAgain() {
    return this.#send({ offer: this.pc.localDescription.sdp });
  }

  hangUp() {
    return this.server.act(HANG_UP, this.#place);
  }

  reject() {
    return this.server.act(REJECT, this.#place);
  }

  /** Takes a signal of the other device, after all earlier ones. A stream that begins again repeats some. */
  signal({ number, kind, sdp, candidates }) {
    if (number <= this.last) return this.work;
    this.last = number;
    this.work = this.work.then(() => this.#take(kind, sdp, candidates)).catch((error) => console.warn(error));
    return this.work;
  }

  async #take(kind, sdp, candidates) {
    if (kind === "CANDIDATES") {
      this.waiting.push(...candidates);
      if (this.pc?.remoteDescription) await this.#addWaiting();
    } else if (kind === "ANSWER") {
      if (this.pc?.signalingState === "have-local-offer") await this.#accept({ type: "answer", sdp });
    } else if (!this.answered) {
      // It rings: the answer is up to the user.
      [this.offer, this.waiting] = [sdp, []];
    } else {
      await this.#answerAgain({ type: "offer", sdp });
    }
  }

  /** Answers an offer in the middle of the call. */
  async #answerAgain(offer) {
    // Both renegotiated at once: the callee gives way.
    if (this.pc?.signalingState === "have-local-offer" && this.isCaller) return;
    this.waiting = [];
    const begunAgain = sessionOf(this.pc?.remoteDescription) !== sessionOf(offer);
    if (begunAgain) await this.#prepare();
    await this.#accept(offer);
    await this.pc.setLocalDescription();
    await this.#send({ answer: this.pc.localDescription.sdp });
    this.#flush();
  }

  async #accept(description) {
    await this.pc.setRemoteDescription(description);
    await this.#addWaiting();
  }

  async #addWaiting() {
    for (const candidate of this.waiting.splice(0)) await this.pc.addIceCandidate(candidate);
  }

  /** Sends candidates in the order in which they were found, some at a time. */
  #trickle(candidate) {
    this.outgoing.push(candidate);
    if (this.canTrickle) this.#flush();
  }

  #flush() {
    this.canTrickle = true;
    this.sending ??= (async () => {
      while (this.outgoing.length > 0) await this.#send({ candidates: this.outgoing.splice(0) });
    })()
      .catch((error) => console.warn(error))
      .finally(() => (this.sending = null));
  }

  #send(signal) {
    return this.server.act(SIGNAL, { ...this.#place, signal });
  }

  /** Frees the microphone, the camera and the connection. */
  close() {
    this.pc?.close();
    for (const track of this.local?.getTracks() ?? []) track.stop();
  }
}
