// A server in memory with the rules of the timeline, for tests of the store's core. It knows nothing of the store.

export const ME = "@me:x";
export const USERS = [ME, "@ada:x", "@bob:x"];

/** Numbers between 0 and 1 that look random and are the same in each run (mulberry32). */
export function dice(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const byPlace = (a, b) => a.depth - b.depth || a.sequence - b.sequence;
const CAN = { sendMessages: true };

export class ModelServer {
  /** Room by ID: its events in the order of arrival, and what it has beside them. */
  rooms = new Map();
  /** Everything that the stream delivers, in order. */
  log = [];
  #ids = 0;

  createRoom(roomId) {
    const room = { roomId, events: [], timeline: [], remote: [], base: [], receipts: new Map(), unreadCount: 0, activity: 0 };
    this.rooms.set(roomId, room);
    this.add(roomId, { sender: ME, type: "m.room.create", stateKey: "", content: { room_version: "12" } });
    for (const user of USERS) this.add(roomId, { sender: user, type: "m.room.member", stateKey: user, content: { membership: "join", displayname: user } });
    return room;
  }

  /** From now on the room is one that was joined in the middle: what is there already is on other servers alone. */
  leaveHistoryElsewhere(roomId) {
    const room = this.rooms.get(roomId);
    // Where events have one depth, those that come later have later places: another test is about that.
    room.timeline.forEach((event, index) => (event.depth = index + 1));
    room.remote = room.timeline;
    room.base = room.events.filter(({ stateKey, isSuperseded }) => stateKey !== null && !isSuperseded);
    [room.events, room.timeline] = [[], []];
    this.log = this.log.filter((item) => (item.event ?? item.receipt).roomId !== roomId);
    this.add(roomId, { sender: ME, type: "m.room.member", stateKey: ME, content: { membership: "join", displayname: ME }, depth: room.remote.at(-1).depth + 1 });
  }

  /** Fetches history from other servers: it enters before what is here, is no news, and never is the state. */
  #backfill(room, count) {
    for (const event of room.remote.splice(-count)) {
      Object.assign(event, { sequence: room.events.length + 1, isSuperseded: event.stateKey !== null });
      room.events.push(event);
      room.timeline.push(event);
      this.log.push({ past: event });
    }
    room.timeline.sort(byPlace);
  }

  /** Adds an event at the end of a room, or late at a depth. Returns it. */
  add(roomId, { sender, type = "m.room.message", stateKey = null, content, depth, actionId = null }) {
    const room = this.rooms.get(roomId);
    const deepest = room.timeline.at(-1)?.depth ?? 0;
    const event = { roomId, eventId: `$${++this.#ids}`, sequence: room.events.length + 1, depth: depth ?? deepest + 1 };
    const isLate = depth !== undefined && depth <= deepest;
    // A late state event never becomes the state of this room.
    Object.assign(event, { sender, type, stateKey, content, actionId, redactedBy: null, isLate, isSuperseded: isLate && stateKey !== null });
    if (stateKey !== null) event.replaced = this.state(room, type, stateKey) ?? null;
    room.events.push(event);
    room.timeline.push(event);
    room.timeline.sort(byPlace);
    if (type === "m.room.redaction") this.#redact(room, event);
    this.log.push({ event });
    room.activity = this.log.length;
    return event;
  }

  move(roomId, userId, eventId) {
    this.rooms.get(roomId).receipts.set(userId, eventId);
    this.log.push({ receipt: { roomId, userId, eventId } });
  }

  #redact(room, redaction) {
    const target = room.events.find(({ eventId }) => eventId === redaction.content.redacts);
    const erased = [target, ...this.#related(room, target, "m.replace").filter(({ sender }) => sender === target.sender)];
    for (const event of erased) {
      event.redactedBy = redaction;
      event.content = event.type === "m.room.member" ? { membership: event.content.membership } : {};
    }
  }

  #related(room, target, kind) {
    return room.timeline.filter(({ content, redactedBy, stateKey }) => {
      const relates = content["m.relates_to"];
      return stateKey === null && !redactedBy && relates?.rel_type === kind && relates.event_id === target.eventId;
    });
  }

  /** The event that holds a slot of the state: the last one that arrived and was not superseded before. */
  state(room, type, stateKey) {
    const isIt = (event) => event.type === type && event.stateKey === stateKey;
    return room.events.findLast((event) => isIt(event) && !event.isSuperseded) ?? room.base.findLast(isIt);
  }

  #sender(room, userId) {
    const member = this.state(room, "m.room.member", userId);
    return { userId, displayName: member?.content.displayname ?? null, avatarUrl: null };
  }

  wireEvent(event, isMine = true) {
    const { eventId, sequence, depth, type, stateKey, isLate, redactedBy } = event;
    const place = { __typename: type === "m.room.redaction" ? "RedactionEvent" : "SomeEvent", eventId, sequence, depth, cursor: `c${eventId}` };
    const sender = this.#sender(this.rooms.get(event.roomId), event.sender);
    const content = structuredClone(event.content);
    const actionId = isMine && event.sender === ME ? event.actionId : null;
    return { ...place, type, stateKey, content, sentAt: `t${sequence}`, isLate, isRedacted: !!redactedBy, actionId, sender };
  }

  /** With everything that depends on other events. */
  wireRow(event, withRelations = true) {
    const room = this.rooms.get(event.roomId);
    const { redactedBy, replaced } = event;
    const row = {
      ...this.wireEvent(event),
      isSuperseded: event.isSuperseded,
      previousContent: replaced ? structuredClone(replaced.content) : null,
      redactedBecause: redactedBy && {
        by: { userId: redactedBy.sender },
        reason: redactedBy.content.reason ?? null,
        event: { redacts: redactedBy.content.redacts },
      },
    };
    if (!withRelations) return row;
    const edit = this.#related(room, event, "m.replace").findLast(({ sender }) => sender === event.sender);
    const thread = this.#related(room, event, "m.thread");
    const reactions = [];
    for (const { content, sender } of this.#related(room, event, "m.annotation")) {
      const { key } = content["m.relates_to"];
      let found = reactions.find((it) => it.key === key);
      if (!found) reactions.push((found = { key, users: { nodes: [] } }));
      if (!found.users.nodes.some(({ userId }) => userId === sender)) found.users.nodes.push({ userId: sender });
    }
    const counted = reactions.map((it) => {
      return { ...it, count: it.users.nodes.length, isMine: it.users.nodes.some(({ userId }) => userId === ME) };
    });
    const last = thread.at(-1);
    return {
      ...row,
      latestEdit: edit ? { eventId: edit.eventId } : null,
      editedContent: edit?.content["m.new_content"] ?? null,
      reactions: { nodes: counted },
      thread: last ? { count: thread.length, isParticipant: thread.some(({ sender }) => sender === ME), lastEvent: { eventId: last.eventId } } : null,
    };
  }

  page(roomId, { first, after, last, before, around, relations = true, backfill = false }) {
    const room = this.rooms.get(roomId);
    const { timeline } = room;
    const at = (cursor) => timeline.findIndex(({ eventId }) => `c${eventId}` === cursor);
    let [from, to] = [0, timeline.length];
    if (around !== undefined) {
      const middle = timeline.findIndex(({ eventId }) => eventId === around);
      [from, to] = [Math.max(0, middle - last), Math.min(timeline.length, middle + 1 + first)];
    } else if (last !== undefined) {
      to = before ? at(before) : timeline.length;
      if (backfill && to < last) this.#backfill(room, last - to);
      to = before ? at(before) : timeline.length;
      from = Math.max(0, to - last);
    } else {
      from = at(after) + 1;
      to = Math.min(timeline.length, from + first);
    }
    const events = timeline.slice(from, to);
    const cursor = (event) => (event ? `c${event.eventId}` : null);
    return {
      nodes: events.map((event) => this.wireRow(event, relations)),
      pageInfo: {
        hasPreviousPage: from > 0,
        hasNextPage: to < timeline.length,
        hasMoreRemotely: from === 0 && room.remote.length > 0,
        startCursor: cursor(events[0]),
        endCursor: cursor(events.at(-1)),
      },
    };
  }

  threadPage(roomId, root) {
    const room = this.rooms.get(roomId);
    const event = room.events.find(({ eventId }) => eventId === root);
    const nodes = this.#related(room, event, "m.thread").map((it) => this.wireRow(it));
    return { root: this.wireRow(event), page: { nodes, pageInfo: { hasPreviousPage: false, hasNextPage: false, startCursor: null, endCursor: null } } };
  }

  oneEvent(roomId, eventId) {
    return this.wireRow(this.rooms.get(roomId).events.find((event) => event.eventId === eventId));
  }

  summary({ roomId, ...room }) {
    const name = this.state(room, "m.room.name", "")?.content.name ?? null;
    return {
      roomId, name, displayName: name ?? roomId, topic: null, avatarUrl: null,
      memberCount: USERS.filter((user) => this.state(room, "m.room.member", user)?.content.membership === "join").length,
      unreadCount: 0, notificationCount: 0, highlightCount: 0,
      preferences: { notifications: "ALL", isFavourite: false, isDirect: false }, call: null, peer: null,
      canonicalAlias: null, joinRule: "PUBLIC", historyVisibility: "SHARED", isListed: false, version: "12",
      replacedBy: null, predecessor: null, myPowerLevel: 0, can: CAN,
    };
  }

  /** The summary with the receipts. */
  told(roomId) {
    const { receipts, lastMessage } = this.home(this.rooms.size, 1).initialSync.rooms.find((room) => room.roomId === roomId);
    return { ...this.summary(this.rooms.get(roomId)), receipts, lastMessage, member: null };
  }

  /** Pages of the first screen, as of now. */
  home(rooms, timeline, offset = 0) {
    const steps = new Set(["m.reaction", "m.room.redaction"]);
    const isErased = ({ redactedBy, eventId }) => redactedBy && redactedBy.content.redacts !== eventId;
    const standsAlone = (event) => {
      const isEdit = event.content["m.relates_to"]?.rel_type === "m.replace";
      return event.stateKey === null && !steps.has(event.type) && !isEdit && !isErased(event);
    };
    const sorted = [...this.rooms.values()].sort((a, b) => b.activity - a.activity);
    const snapshot = (room) => {
      const last = room.timeline.findLast(standsAlone);
      const receipts = [...room.receipts].filter(([userId]) => userId !== ME).map(([userId, eventId]) => ({ userId, eventId }));
      return {
        ...this.summary(room),
        lastMessage: last ? this.wireRow(last) : null,
        receipts: { nodes: receipts },
        member: { readUpTo: room.receipts.get(ME) ?? null },
        timeline: this.page(room.roomId, { last: timeline, relations: false }),
      };
    };
    const end = offset + rooms;
    return {
      viewer: null,
      initialSync: {
        rooms: sorted.slice(offset, end).map(snapshot),
        invites: [],
        next: end < sorted.length ? String(end) : null,
        position: String(this.log.length),
      },
    };
  }

  /** The chunk of the stream after a position: at most `count` items, as they are now. */
  chunk(position, count) {
    const from = Number(position);
    // A chunk does not say when between its events something was left out, so that has a chunk of its own here.
    const isLeft = ({ event, past }) => past !== undefined || event?.isSuperseded;
    const end = this.log.slice(from, from + count).findIndex(isLeft);
    const items = this.log.slice(from, from + (end < 0 ? count : Math.max(1, end)));
    const left = items.filter(isLeft);
    const skipped = left.map(({ event, past }) => {
      const { roomId, sequence } = past ?? event;
      return { roomId, first: sequence, last: sequence, reason: past ? "PAST" : "SUPERSEDED" };
    });
    const events = items.filter((item) => !left.includes(item)).map(({ event, receipt }) => {
      if (event) return { ...this.wireEvent(event), room: { roomId: event.roomId } };
      const { roomId, userId, eventId } = receipt;
      return { __typename: "ReceiptMoved", room: { roomId }, userId, eventId };
    });
    return { events, skipped, ephemeral: [], counts: [], position: String(from + items.length), isFirst: false };
  }
}

/** Something that users of a room do, at random. */
export function act(server, roomId, roll) {
  const room = server.rooms.get(roomId);
  const pick = (list) => list[Math.floor(roll() * list.length)];
  const sender = pick(USERS);
  const messages = room.timeline.filter(({ type, redactedBy }) => type === "m.room.message" && !redactedBy);
  const plain = messages.filter(({ content }) => content["m.relates_to"]?.rel_type !== "m.replace");
  const target = plain.length > 0 ? pick(roll() < 0.7 ? plain.slice(-6) : plain) : null;
  const relates = (rel_type, more = {}) => ({ "m.relates_to": { rel_type, event_id: target.eventId, ...more } });
  const what = roll();
  if (!target || what < 0.35) {
    const isLate = roll() < 0.15 && room.timeline.length > 6;
    const depth = isLate ? pick(room.timeline.slice(5)).depth : undefined;
    return server.add(roomId, { sender, content: { body: `text ${roll()}` }, depth });
  }
  if (what < 0.5) {
    const body = `edit ${roll()}`;
    return server.add(roomId, { sender: roll() < 0.8 ? target.sender : sender, content: { body, "m.new_content": { body }, ...relates("m.replace") } });
  }
  if (what < 0.65) return server.add(roomId, { sender, type: "m.reaction", content: relates("m.annotation", { key: pick(["A", "B", "C"]) }) });
  if (what < 0.75) {
    const root = target.content["m.relates_to"] ? null : target;
    return server.add(roomId, { sender, content: { body: `thread ${roll()}`, ...(root ? relates("m.thread") : {}) } });
  }
  if (what < 0.87) {
    const redactable = room.timeline.filter(({ type, redactedBy, stateKey }) => !redactedBy && stateKey === null && type !== "m.room.redaction");
    const event = pick(roll() < 0.5 ? redactable.slice(-8) : redactable);
    return server.add(roomId, { sender, type: "m.room.redaction", content: { redacts: event.eventId, reason: "why" } });
  }
  if (what < 0.93) {
    // Some arrive late, when another name is the state of the room already.
    const isLate = server.state(room, "m.room.name", "") && room.timeline.length > 6 && roll() < 0.4;
    const depth = isLate ? pick(room.timeline.slice(roll() < 0.7 ? -6 : 5)).depth : undefined;
    return server.add(roomId, { sender, type: "m.room.name", stateKey: "", content: { name: `name ${roll()}` }, depth });
  }
  if (what < 0.96) {
    return server.add(roomId, { sender, type: "m.room.member", stateKey: sender, content: { membership: "join", displayname: `${sender} ${roll()}` } });
  }
  return server.move(roomId, sender, pick(room.timeline).eventId);
}
