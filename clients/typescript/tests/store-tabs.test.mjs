// Pages and the hub of their device, with an engine in the memory of this program.

import assert from "node:assert/strict";
import { test } from "node:test";
import { StreamEnded, Refused } from "../dist/index.js";
import { Hub } from "../dist/store/tabs/hub.js";
import { PageStore } from "../dist/store/tabs/page.js";
import { pair } from "../dist/store/tabs/ports.js";

const SESSION = { url: "http://127.0.0.1", token: "one", userId: "@ada:r", deviceId: "D", since: 1 };
const row = (number) => ({ eventId: `$${number}`, roomId: "!r", content: { body: `message ${number}` } });
const TIMELINE = "timeline:!r";

/** An engine whose views the test sets. `done` has the commands in the order of their execution. */
class FakeEngine {
  views = new Map([["status", { phase: "live", reason: null }]]);
  watched = [];
  listeners = new Set();
  signals = new Set();
  done = [];
  isClosed = false;
  /** What a command answers. */
  answer = () => null;

  view = (key) => this.views.get(key);
  watch(key) {
    this.watched.push(key);
    return () => this.watched.splice(this.watched.indexOf(key), 1);
  }
  onChange(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  onSignal(listener) {
    this.signals.add(listener);
    return () => this.signals.delete(listener);
  }
  set(key, view) {
    this.views.set(key, view);
    for (const listener of [...this.listeners]) listener(new Set([key]));
  }
  async execute(commandId, name, given, signal) {
    this.done.push({ commandId, name, given, signal });
    return this.answer(name, given);
  }
  async close() {
    this.isClosed = true;
  }
}

/** A way to hubs that the test chooses. What passes is copied; `passed` counts its size. `isHeld` keeps messages to the page. */
class Network {
  passed = 0;
  kinds = [];
  isHeld = false;
  held = [];
  open(onPort) {
    this.onPort = onPort;
  }
  close() {
    this.isClosed = true;
  }
  connect(hub) {
    const [mine, its] = pair();
    const post = its.post;
    const pass = (message) => {
      this.passed += JSON.stringify(message).length;
      this.kinds.push(message.kind);
      post(structuredClone(message));
    };
    this.release = () => {
      this.isHeld = false;
      this.held.splice(0).forEach(pass);
    };
    hub.accept({ ...its, post: (message) => (this.isHeld ? void this.held.push(message) : pass(message)) });
    this.onPort({ ...mine, post: (message) => mine.post(structuredClone(message)) });
  }
}

/** Lets all messages arrive. */
const settle = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

function scene(context, options = {}) {
  const engines = [];
  const start = async (session) => {
    const engine = Object.assign(new FakeEngine(), { session });
    engines.push(engine);
    return engine;
  };
  const hub = new Hub({ start, ...options });
  context.after(() => hub.close());
  const page = (session = SESSION, at = hub) => {
    const network = new Network();
    const store = new PageStore(session, network);
    context.after(() => store.close());
    if (at) network.connect(at);
    return { store, network };
  };
  return { hub, page, engines, start };
}

test("a_page_gets_the_views_that_it_subscribes_to_whole_and_then_only_changes", async (context) => {
  const { page, engines } = scene(context);
  const { store, network } = page();
  await settle();
  const [engine] = engines;
  const rows = Array.from({ length: 1_000 }, (_, index) => row(index));
  engine.set(TIMELINE, { roomId: "!r", segments: [{ rows }], echoes: [] });
  engine.set("home", { rooms: [], invites: [] });
  let calls = 0;
  store.subscribe(TIMELINE, () => calls++);
  await settle();
  assert.equal(store.get(TIMELINE).segments[0].rows.length, 1_000);
  assert.equal(store.get("home"), undefined);
  assert.equal(calls, 1);
  const [first] = store.get(TIMELINE).segments[0].rows;
  const before = network.passed;
  engine.set(TIMELINE, { roomId: "!r", segments: [{ rows: [...rows, row(1_000)] }], echoes: [] });
  await settle();
  const timeline = store.get(TIMELINE);
  assert.equal(timeline.segments[0].rows.length, 1_001);
  assert.equal(timeline.segments[0].rows[0], first);
  assert.ok(network.passed - before < 4 * JSON.stringify(row(1_000)).length, `${network.passed - before} characters`);
  engine.set("home", { rooms: [], invites: [1] });
  await settle();
  assert.equal(store.get(TIMELINE), timeline);
  assert.equal(calls, 2);
});

test("views_that_change_together_are_all_in_place_when_listeners_run", async (context) => {
  const { page, engines } = scene(context);
  const { store } = page();
  await settle();
  const seen = [];
  for (const key of ["home", "viewer"]) store.subscribe(key, () => seen.push([store.get("home"), store.get("viewer")]));
  await settle();
  engines[0].set("home", { n: 1 });
  engines[0].set("viewer", { n: 2 });
  await settle();
  assert.deepEqual(seen, [[{ n: 1 }, { n: 2 }], [{ n: 1 }, { n: 2 }]]);
});

test("a_page_that_takes_nothing_gets_one_batch_for_10000_changes", async (context) => {
  const { page, engines } = scene(context);
  const { store, network } = page();
  store.subscribe("home", () => {});
  await settle();
  network.isHeld = true;
  for (let n = 0; n < 10_000; n++) {
    engines[0].set("home", { n });
    if (n % 100 === 0) await settle();
  }
  await settle();
  assert.equal(network.held.length, 1);
  network.release();
  await settle();
  assert.deepEqual(store.get("home"), { n: 9_999 });
});

test("a_page_that_lets_too_many_signals_wait_is_dropped_and_comes_back", async (context) => {
  const { hub, page, engines } = scene(context);
  const { store, network } = page();
  const signals = [];
  store.onSignal((signal) => signals.push(signal));
  await settle();
  network.isHeld = true;
  for (let number = 0; number < 3_000; number++) for (const listener of engines[0].signals) listener({ number });
  assert.equal(hub.size, 0);
  network.release();
  await settle();
  assert.equal(hub.size, 1);
  for (const listener of engines[0].signals) listener({ number: "last" });
  await settle();
  assert.deepEqual(signals.at(-1), { number: "last" });
});

test("a_page_that_answers_no_ping_is_dropped_and_says_hello_again_when_it_wakes_up", async (context) => {
  context.mock.timers.enable({ apis: ["setInterval"] });
  const { hub, page, engines } = scene(context, { pingMs: 1_000 });
  const [asleep, awake] = [page(), page()];
  asleep.store.subscribe("home", () => {});
  await settle();
  asleep.network.isHeld = true;
  for (let round = 0; round < 6; round++) {
    context.mock.timers.tick(1_000);
    await settle();
  }
  assert.equal(hub.size, 1);
  assert.ok(awake.network.kinds.includes("ping"));
  assert.equal(engines[0].watched.includes("home"), false);
  engines[0].set("home", { n: 1 });
  const sent = asleep.store.send("!r", { body: "while asleep" });
  asleep.network.release();
  await sent;
  assert.equal(hub.size, 2);
  await settle();
  assert.deepEqual(asleep.store.get("home"), { n: 1 });
  assert.deepEqual(engines[0].done.map(({ given }) => given[1].body), ["while asleep"]);
});

test("commands_run_in_the_order_of_the_page_and_errors_keep_their_class", async (context) => {
  const { page, engines } = scene(context);
  const { store } = page();
  const early = Array.from({ length: 20 }, (_, number) => store.send("!r", { body: `${number}` }));
  await settle();
  engines[0].answer = (name) => {
    if (name === "redact") throw new Refused({ code: "FORBIDDEN", message: "no" });
    return { name };
  };
  await Promise.all(early);
  assert.deepEqual(engines[0].done.map(({ given }) => given[1].body), early.map((_, number) => `${number}`));
  assert.deepEqual(await store.markRead("!r", "$1"), { name: "markRead" });
  await assert.rejects(store.redact("!r", "$1"), (error) => {
    assert.ok(error instanceof Refused);
    assert.deepEqual([error.code, error.message, error.name], ["FORBIDDEN", "no", "Refused"]);
    return true;
  });
});

test("the_next_hub_gets_the_unanswered_commands_again_in_order_and_under_their_ids", async (context) => {
  const { hub, page, engines, start } = scene(context);
  const { store, network } = page();
  await settle();
  engines[0].answer = (_, [, { body }]) => (body === "0" ? "answered" : new Promise(() => {}));
  const answers = ["0", "1", "2"].map((body) => store.send("!r", { body }));
  assert.equal(await answers[0], "answered");
  await settle();
  await hub.close();
  const next = new Hub({ start });
  context.after(() => next.close());
  network.connect(next);
  answers.push(store.send("!r", { body: "3" }));
  await Promise.all(answers);
  const ids = (engine) => engine.done.map(({ commandId, given }) => [commandId, given[1].body]);
  assert.deepEqual(ids(engines[1]).slice(0, 2), ids(engines[0]).slice(1));
  assert.deepEqual(engines[1].done.map(({ given }) => given[1].body), ["1", "2", "3"]);
});

test("views_keep_their_objects_over_a_new_engine_with_the_same_content", async (context) => {
  const { hub, page, engines, start } = scene(context);
  const { store, network } = page();
  let calls = 0;
  store.subscribe(TIMELINE, () => calls++);
  await settle();
  const view = { roomId: "!r", segments: [{ rows: [row(1), row(2)] }], echoes: [] };
  engines[0].set(TIMELINE, view);
  await settle();
  const shown = store.get(TIMELINE);
  await hub.close();
  const next = new Hub({ start });
  context.after(() => next.close());
  network.connect(next);
  await settle();
  engines[1].set(TIMELINE, structuredClone(view));
  await settle();
  assert.equal(store.get(TIMELINE), shown);
  assert.equal(calls, 1);
  engines[1].set(TIMELINE, { ...structuredClone(view), segments: [{ rows: [row(1), row(2), row(3)] }] });
  await settle();
  assert.equal(store.get(TIMELINE).segments[0].rows[1], shown.segments[0].rows[1]);
  assert.equal(store.get(TIMELINE).segments[0].rows.length, 3);
});

test("a_view_without_listeners_stays_while_the_page_may_go_back_and_is_given_up_later", async (context) => {
  const { page, engines } = scene(context);
  const { store } = page();
  await settle();
  for (let n = 0; n < 6; n++) engines[0].set(`room:!${n}`, { n });
  for (let n = 0; n < 6; n++) {
    const leave = store.subscribe(`room:!${n}`, () => {});
    await settle();
    leave();
    await settle();
  }
  assert.deepEqual([0, 1, 2, 3, 4, 5].map((n) => store.get(`room:!${n}`)?.n), [undefined, undefined, 2, 3, 4, 5]);
  assert.deepEqual(engines[0].watched.sort(), ["room:!2", "room:!3", "room:!4", "room:!5", "status", "status"]);
  engines[0].set("room:!5", { n: "changed" });
  await settle();
  assert.deepEqual(store.get("room:!5"), { n: "changed" });
});

test("a_query_that_is_given_up_ends_in_the_engine", async (context) => {
  const { page, engines } = scene(context);
  const { store } = page();
  await settle();
  engines[0].answer = () => new Promise(() => {});
  const giving = new AbortController();
  const answer = store.query("{ viewer { isAdmin } }", {}, { signal: giving.signal });
  await settle();
  giving.abort(new Error("given up"));
  await assert.rejects(answer, /given up/);
  await settle();
  assert.equal(engines[0].done[0].signal.aborted, true);
});

test("a_logout_in_one_page_ends_all_and_clears_what_they_show", async (context) => {
  const { hub, page, engines } = scene(context);
  const pages = [page(), page()];
  for (const { store } of pages) store.subscribe("home", () => {});
  await settle();
  engines[0].set("home", { n: 1 });
  await settle();
  engines[0].answer = (name) => {
    if (name === "logOut") engines[0].set("status", { phase: "ended", reason: "LOGGED_OUT" });
    return new Promise(() => {});
  };
  const waiting = pages[1].store.markRead("!r", "$1");
  const rejected = assert.rejects(waiting, StreamEnded);
  await pages[0].store.logOut();
  await rejected;
  await settle();
  for (const { store, network } of pages) {
    assert.deepEqual([store.get("status").phase, store.get("status").reason], ["ended", "LOGGED_OUT"]);
    assert.equal(store.get("home"), undefined);
    assert.equal(network.isClosed, true);
    await assert.rejects(store.send("!r", { body: "late" }), StreamEnded);
  }
  assert.deepEqual([hub.size, engines[0].isClosed], [0, true]);
  const late = page();
  await settle();
  assert.equal(late.store.get("status").phase, "ended");
  assert.equal(engines.length, 1);
});

test("a_later_login_replaces_the_session_of_the_browser_and_an_earlier_one_does_not", async (context) => {
  const { page, engines } = scene(context);
  const first = page();
  await settle();
  const later = page({ ...SESSION, token: "two", userId: "@bob:r", since: 2 });
  await settle();
  assert.equal(first.store.get("status").reason, "REPLACED");
  assert.equal(later.store.get("status").phase, "live");
  assert.deepEqual(engines.map(({ session, isClosed }) => [session.token, isClosed]), [["one", true], ["two", false]]);
  assert.deepEqual(engines[0].done.map(({ name }) => name), ["logOut"]);
  const earlier = page({ ...SESSION, token: "three", since: 1.5 });
  await settle();
  assert.equal(earlier.store.get("status").reason, "REPLACED");
  assert.equal(later.store.get("status").phase, "live");
});

test("an_engine_that_does_not_start_is_started_again_and_the_session_goes_on", async (context) => {
  context.mock.method(console, "error", () => {});
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let tries = 0;
  const engine = new FakeEngine();
  const start = async () => {
    if (++tries < 3) throw new Error("the disk is full");
    return engine;
  };
  const { page } = scene(context, { start, retryMs: 1_000 });
  const { store } = page();
  const sent = store.send("!r", { body: "while it does not start" });
  for (let round = 0; round < 3; round++) {
    await settle();
    context.mock.timers.tick(2_000);
  }
  await sent;
  await settle();
  assert.equal(tries, 3);
  assert.equal(store.get("status").phase, "live");
  assert.equal(engine.done.length, 1);
});

test("a_page_of_an_older_release_ends_and_one_of_a_newer_release_makes_the_engine_give_way", async (context) => {
  let gaveWay = 0;
  const { hub, page } = scene(context, { onOutdated: () => gaveWay++ });
  const { store } = page();
  await settle();
  const answers = [];
  const [mine, its] = pair();
  hub.accept(its);
  mine.listen(({ kind }) => answers.push(kind));
  mine.post({ kind: "hello", protocol: 0, pageId: "old", session: SESSION });
  await settle();
  assert.deepEqual([answers, gaveWay, store.get("status").phase], [["outdated"], 0, "live"]);
  mine.post({ kind: "hello", protocol: 99, pageId: "new", session: SESSION });
  await settle();
  assert.deepEqual([gaveWay, store.get("status").reason], [1, "OUTDATED"]);
});

test("a_listener_that_throws_harms_no_other_and_stops_no_batch", async (context) => {
  const { page, engines } = scene(context);
  const { store } = page();
  const thrown = [];
  // Browsers have it, Node.js does not.
  globalThis.reportError = (error) => thrown.push(error.message);
  context.after(() => delete globalThis.reportError);
  store.subscribe("home", () => {
    throw new Error("of a page");
  });
  const seen = [];
  store.subscribe("home", () => seen.push(store.get("home").n));
  await settle();
  for (let n = 0; n < 3; n++) {
    engines[0].set("home", { n });
    await settle();
  }
  assert.deepEqual(seen, [0, 1, 2]);
  assert.deepEqual(thrown, ["of a page", "of a page", "of a page"]);
});
