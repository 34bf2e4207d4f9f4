// A store in memory for tests of the timeline: a room with any number of messages, of which a page loads some at a time.

const BEGIN = Date.UTC(2026, 0, 1, 8);

/** Text of different length, the same for the same number. */
function text(number) {
  const words = 3 + ((number * 7919) % 40);
  return Array.from({ length: words }, (_, at) => ["moth", "relay", "panel", "seventy", "logbook"][(number * 31 + at) % 5]).join(" ");
}

export class FakeStore {
  roomId = "!deck:rookery.example";
  /** How long a page takes. */
  delay = 30;
  pages = 0;
  /** Pages fail, as they do without a connection. */
  isOffline = false;
  sent = [];
  marks = [];
  #views = new Map();
  #listeners = new Map();
  #all = [];
  #echoes = [];
  #late = 0;

  constructor({ count = 10_000, shown = 60, unread = 0, senders = 5 } = {}) {
    for (let number = 1; number <= count; number += 1) this.#all.push(this.#row(number, senders));
    this.segments = [{ from: Math.max(0, count - shown), to: count }];
    this.#views.set("viewer", { userId: "@me:rookery.example", deviceId: "D", displayName: "Me", avatarUrl: null, isAdmin: false, ignored: [] });
    this.#views.set("status", { phase: "live", caughtUp: 0, retryAt: null, unsent: 0, reason: null });
    this.#views.set("call", null);
    const readUpTo = this.#all[count - 1 - unread]?.eventId ?? null;
    this.#views.set(`room:${this.roomId}`, {
      roomId: this.roomId, displayName: "Deck", topic: null, avatarUrl: null, memberCount: 6, unreadCount: unread,
      notificationCount: 0, highlightCount: 0, isFavourite: false, isDirect: false, notifications: "ALL", lastMessage: null,
      typing: [], hasCall: false, peer: null, name: "Deck", canonicalAlias: null, joinRule: "PUBLIC", historyVisibility: "SHARED",
      isListed: false, version: "11", replacedBy: null, predecessor: null, myPowerLevel: 100, can: null, readUpTo,
      receipts: {}, draft: "",
    });
    const members = ["Ada", "Bob", "Grace", "Edsger", "Barbara"].map((displayName, at) => ({
      userId: this.#user(at), displayName, avatarUrl: null, membership: "JOIN", powerLevel: 0,
    }));
    this.#views.set(`members:${this.roomId}`, { members, total: 5, isComplete: true });
    this.#publish();
  }

  #user = (at) => `@${["ada", "bob", "grace", "edsger", "barbara"][at % 5]}:rookery.example`;

  #row(number, senders = 5) {
    // Several messages of one sender in a row, and a new day now and then.
    const at = Math.floor(number / 3) % senders;
    return {
      eventId: `$event${number}`, roomId: this.roomId, sequence: number, depth: number, cursor: String(number),
      type: "m.room.message", stateKey: null, senderId: this.#user(at), senderName: ["Ada", "Bob", "Grace", "Edsger", "Barbara"][at],
      sentAt: new Date(BEGIN + number * 97_000).toISOString(), content: { msgtype: "m.text", body: `${number}. ${text(number)}` },
      previousContent: null, isEdited: false, redaction: null, reactions: [], thread: null, replyTo: null, threadRoot: null,
      isLate: false, actionId: null,
    };
  }

  #publish() {
    const last = this.segments.length - 1;
    const segments = this.segments.map(({ from, to }, at) => ({
      rows: this.#all.slice(from, to), isStart: from === 0, isLive: at === last && to === this.#all.length,
      isLoadingBefore: false, isLoadingAfter: false,
    }));
    this.set(`timeline:${this.roomId}`, { roomId: this.roomId, segments, echoes: this.#echoes, closed: null });
  }

  set(key, view) {
    this.#views.set(key, view);
    for (const listener of this.#listeners.get(key) ?? []) listener();
  }

  change(key, change) {
    this.set(key, { ...this.#views.get(key), ...change });
  }

  get = (key) => this.#views.get(key);

  subscribe = (key, listener) => {
    if (!this.#listeners.has(key)) this.#listeners.set(key, new Set());
    this.#listeners.get(key).add(listener);
    return () => this.#listeners.get(key).delete(listener);
  };

  onSignal = () => () => {};

  get count() {
    return this.#all.length;
  }

  // What others do.

  say(body, sender = 1) {
    const row = { ...this.#row(this.#all.length + 1), senderId: this.#user(sender), content: { msgtype: "m.text", body } };
    const live = this.segments.at(-1);
    if (live.to === this.#all.length) live.to += 1;
    this.#all.push(row);
    this.#publish();
    return row.eventId;
  }

  put(content, changes = {}) {
    const eventId = this.say("");
    this.replace(eventId, { content, ...changes });
    return eventId;
  }

  replace(eventId, change) {
    const at = this.#all.findIndex((row) => row.eventId === eventId);
    this.#all[at] = { ...this.#all[at], ...change };
    this.#publish();
  }

  edit(eventId, body) {
    this.replace(eventId, { content: { msgtype: "m.text", body }, isEdited: true });
  }

  react(eventId, key) {
    this.replace(eventId, { reactions: [{ key, count: 1, isMine: false, userIds: [this.#user(2)] }] });
  }

  /** An event that arrives after those that follow it in the timeline. */
  late(afterEventId, body) {
    const at = this.#all.findIndex((row) => row.eventId === afterEventId);
    const row = { ...this.#all[at], eventId: `$late${(this.#late += 1)}`, content: { msgtype: "m.text", body }, isLate: true };
    this.#all.splice(at + 1, 0, row);
    for (const segment of this.segments) {
      if (segment.from > at) segment.from += 1;
      if (segment.to > at) segment.to += 1;
    }
    this.#publish();
    return row.eventId;
  }

  // Commands.

  async #page() {
    if (this.isOffline) throw new Error("offline");
    this.pages += 1;
    await new Promise((resolve) => setTimeout(resolve, this.delay));
  }

  #merge() {
    this.segments.sort((one, other) => one.from - other.from);
    for (let at = this.segments.length - 1; at > 0; at -= 1) {
      const [one, other] = [this.segments[at - 1], this.segments[at]];
      if (one.to < other.from) continue;
      one.to = Math.max(one.to, other.to);
      this.segments.splice(at, 1);
    }
  }

  #segmentOf(eventId) {
    const at = this.#all.findIndex((row) => row.eventId === eventId);
    return eventId === undefined ? this.segments.at(-1) : this.segments.find(({ from, to }) => from <= at && at < to);
  }

  loadBefore = async (_, eventId, count = 50) => {
    await this.#page();
    const segment = this.#segmentOf(eventId);
    const before = segment.from;
    segment.from = Math.max(0, before - count);
    this.#merge();
    this.#publish();
    return { added: before - segment.from, isEnd: segment.from === 0 };
  };

  loadAfter = async (_, eventId, count = 50) => {
    await this.#page();
    const segment = this.#segmentOf(eventId);
    const before = segment.to;
    segment.to = Math.min(this.#all.length, before + count);
    this.#merge();
    this.#publish();
    return { added: segment.to - before, isEnd: segment.to === this.#all.length };
  };

  loadAround = async (_, { eventId, at }) => {
    await this.#page();
    const index = eventId ? this.#all.findIndex((row) => row.eventId === eventId) : this.#all.findIndex((row) => row.sentAt >= at);
    if (index < 0) return null;
    this.segments.push({ from: Math.max(0, index - 25), to: Math.min(this.#all.length, index + 25) });
    this.#merge();
    this.#publish();
    return this.#all[index].eventId;
  };

  send = async (roomId, draft) => {
    this.sent.push(draft);
    return { echoId: `echo${this.sent.length}` };
  };

  markRead = async (_, eventId) => {
    this.marks.push(eventId);
  };

  loadMembers = async () => {};
  loadThread = async () => ({ added: 0, isEnd: true });
  setTyping = async () => {};
  setDraft = async () => {};
  query = async () => ({ event: null });
  run = async () => ({});
}
