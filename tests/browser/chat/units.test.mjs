// The parts of the chat that need no page: the window of the timeline, its items, links, markup and completion.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeStore } from "./setting/fake-store.mjs";
import { load } from "./setting/served.mjs";

const { around, follow, Heights, MARGIN, WINDOW_ROWS } = await load("timeline/window.ts");
const { ItemList } = await load("timeline/items.ts");
const { lineOf } = await load("timeline/changes.ts");
const { pieces, safeHref } = await load("messages/links.ts");
const { namedBy, pathInside } = await load("state/named.ts");
const { written } = await load("composer/markup.ts");
const { askedAt, choices, complete, mentioned, withEmoji } = await load("composer/complete.ts");

/** Numbers that look random, the same in each run. */
function random(seed) {
  let state = seed;
  return (below) => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state % below;
  };
}

test("the_window_holds_what_is_visible_and_a_margin_wherever_the_reader_goes", () => {
  const next = random(7);
  for (let run = 0; run < 300; run += 1) {
    const count = 1 + next(2000);
    let range = around(next(count), count);
    for (let step = 0; step < 60; step += 1) {
      const first = Math.max(0, Math.min(count - 1, next(8) === 0 ? next(count) : range.from + next(WINDOW_ROWS)));
      const last = Math.min(count - 1, first + next(60));
      const before = range;
      range = follow(range, count, first, last);
      const { from, to } = range;
      assert.ok(0 <= from && to <= count && from < to, `${from} ${to} of ${count}`);
      assert.ok(from <= first && last < to, "the visible items are in the window");
      const isAsFar = first >= before.from && last < before.to;
      if (isAsFar) assert.ok((from === 0 || first - from >= Math.min(MARGIN, first)) && (to === count || to - 1 - last >= MARGIN), "the margin is there");
      assert.ok(to - from <= WINDOW_ROWS + last - first + 2 * MARGIN, `${to - from} items`);
    }
  }
});

test("the_window_stays_while_the_reader_is_inside_of_it", () => {
  const range = around(500, 1000);
  assert.equal(follow(range, 1000, 490, 510), range);
});

test("heights_of_items_that_were_never_shown_are_guessed", () => {
  const heights = new Heights();
  heights.add("a", 20);
  heights.add("b", 40);
  assert.equal(heights.of(10), 300);
  assert.equal(heights.at(95, 10), 3);
  assert.equal(heights.at(10_000, 10), 9);
});

const timelineOf = (store) => store.get(`timeline:${store.roomId}`);
const keys = ({ items }) => items.map(({ key }) => key);

test("items_keep_their_keys_and_objects_while_pages_come_in", async () => {
  const store = new FakeStore({ count: 300, shown: 50 });
  const list = new ItemList();
  const before = list.build(timelineOf(store));
  store.delay = 0;
  await store.loadBefore();
  const after = list.build(timelineOf(store));
  const kept = before.items.filter(({ kind }) => kind === "message");
  for (const item of kept) assert.ok(after.items.includes(item), `${item.key} is another object`);
  assert.equal(new Set(keys(after)).size, after.items.length, "keys are unique");
  assert.ok(after.items.length > before.items.length + 45);
});

test("an_edit_changes_one_item_alone", () => {
  const store = new FakeStore({ count: 60 });
  const list = new ItemList();
  const before = list.build(timelineOf(store)).items;
  store.edit("$event30", "changed");
  const after = list.build(timelineOf(store)).items;
  assert.deepEqual(after.filter((item, at) => item !== before[at]).map(({ key }) => key), ["$event30"]);
});

test("a_gap_and_a_new_day_are_items_of_their_own", async () => {
  const store = new FakeStore({ count: 3000, shown: 30 });
  store.delay = 0;
  await store.loadAround("", { eventId: "$event100" });
  const { items, index } = new ItemList().build(timelineOf(store));
  const gaps = items.filter(({ kind }) => kind === "gap");
  assert.deepEqual(gaps.map(({ above, below }) => [above, below]), [["$event124", "$event2971"]]);
  assert.ok(items.filter(({ kind }) => kind === "day").length >= 2);
  assert.equal(items[index.get("$event100")].key, "$event100");
});

test("the_line_of_unread_messages_comes_after_the_last_read_one", () => {
  const store = new FakeStore({ count: 60 });
  const { items } = new ItemList().build(timelineOf(store), { readUpTo: "$event40" });
  const at = items.findIndex(({ kind }) => kind === "unread");
  assert.equal(items[at - 1].key, "$event40");
  assert.equal(items[at + 1].key, "$event41");
});

const member = (number, content, previousContent = null) => ({
  ...new FakeStore({ count: 1 }).get("timeline:!deck:rookery.example").segments[0].rows[0],
  eventId: `$member${number}`, type: "m.room.member", stateKey: "@zoe:rookery.example", content, previousContent,
});
const segment = (rows) => ({ segments: [{ rows, isStart: true, isLive: true, isLoadingBefore: false, isLoadingAfter: false }], echoes: [] });

test("many_changes_of_members_in_a_row_are_one_item_that_still_finds_each_event", () => {
  const rows = Array.from({ length: 6 }, (_, at) => member(at, { membership: "join", displayname: `Zoe ${at}` }));
  const { items, index } = new ItemList().build(segment(rows));
  assert.deepEqual(items.map(({ kind }) => kind), ["start", "day", "group"]);
  for (const row of rows) assert.equal(index.get(row.eventId), 2);
});

test("lines_say_what_changed", () => {
  const renamed = lineOf(member(1, { membership: "join", displayname: "Zoë" }, { membership: "join", displayname: "Zoe" }));
  assert.deepEqual(renamed, { key: "line.member.renamed", values: { who: "Zoe", now: "Zoë" } });
  const kicked = lineOf(member(2, { membership: "leave", reason: "noise" }, { membership: "join", displayname: "Zoe" }));
  assert.deepEqual([kicked.key, kicked.values.whom, kicked.values.reason], ["line.member.kicked.why", "Zoe", "noise"]);
  const name = { ...member(3, { name: "Attic" }, { name: "Deck" }), type: "m.room.name", stateKey: "" };
  assert.deepEqual(lineOf(name).values, { who: "Ada", before: "Deck", now: "Attic" });
  assert.equal(lineOf({ ...name, content: { name: "Deck" } }), null);
});

test("a_call_that_nobody_answered_is_missed", () => {
  const step = (number, type, content = {}) => ({ ...member(number, { call_id: "c", ...content }), type, stateKey: null });
  const unanswered = [step(1, "m.call.invite"), step(2, "m.call.hangup", { reason: "user_hangup" })];
  const answered = [step(1, "m.call.invite"), step(2, "m.call.answer"), step(3, "m.call.hangup", { reason: "user_hangup" })];
  const missed = (rows) => new ItemList().build(segment(rows)).items.at(-1).isMissed;
  assert.equal(missed(unanswered), true);
  assert.equal(missed(answered), false);
});

test("a_text_names_a_room_or_a_user_by_address_id_or_link_and_nothing_else", () => {
  const path = (text) => {
    const named = namedBy(text);
    return named && [named.place, named.eventId, ...named.via];
  };
  assert.deepEqual(path(" #hall:example.org "), ["#hall:example.org", null]);
  assert.deepEqual(path("!4rPY6O"), ["!4rPY6O", null]);
  assert.deepEqual(path("@ada:example.org:8448"), ["@ada:example.org:8448", null]);
  assert.deepEqual(path("https://matrix.to/#/%23hall%3Aexample.org"), ["#hall:example.org", null]);
  assert.deepEqual(path("https://matrix.to/#/!a:b/$e?via=b&via=c"), ["!a:b", "$e", "b", "c"]);
  for (const text of ["", "hall", "#hall", "@ada", "# hall:x", "https://example.org/room/!a", "#a:b/c", "https://matrix.to/#/hall"]) assert.equal(namedBy(text), null, text);
});

test("links_of_matrix_lead_to_this_chat_and_others_lead_away", () => {
  assert.equal(pathInside("https://matrix.to/#/@ada:example.org"), "/people/@ada:example.org");
  assert.equal(pathInside("https://matrix.to/#/!a:b?via=c"), "/room/!a:b?via=c");
  assert.equal(pathInside("https://matrix.to/#/%23hall:example.org/$event"), "/room/%23hall:example.org/$event");
  for (const href of ["https://matrix.to/", "https://matrix.to.example/#/@ada:b", "https://example.org/room/!a", "http://matrix.to.evil/#/!a", "mailto:ada@example.org"]) {
    assert.equal(pathInside(href), null, href);
  }
});

test("only_addresses_of_the_web_become_links", () => {
  const links = (text) => pieces(text).filter(({ href }) => href !== null).map(({ text }) => text);
  assert.deepEqual(links("see https://a.example/x, (http://b.example/y_(z)) and mailto:c@d.example."), [
    "https://a.example/x", "http://b.example/y_(z)", "mailto:c@d.example",
  ]);
  assert.deepEqual(links("javascript:alert(1) data:text/html,x file:///etc/passwd vbscript:x"), []);
  assert.equal(safeHref("JaVaScRiPt:alert(1)"), null);
  assert.equal(pieces("a https://a.example b").map(({ text }) => text).join(""), "a https://a.example b");
});

test("marks_become_html_and_nothing_else_does", () => {
  assert.deepEqual(written("plain 2 * 3 * 4, a_b_c"), { body: "plain 2 * 3 * 4, a_b_c", kind: "TEXT" });
  assert.equal(written("**bold** and *soft* `x<y` ~~no~~").formattedBody, "<strong>bold</strong> and <em>soft</em> <code>x&lt;y</code> <del>no</del>");
  assert.equal(written("<img src=x onerror=alert(1)> **b**").formattedBody, "&lt;img src=x onerror=alert(1)&gt; <strong>b</strong>");
  assert.equal(written('[x](https://a.example/"onmouseover=alert(1))').formattedBody.includes('"onmouseover'), false);
  assert.equal(written("```\nlet a = *b*;\n```").formattedBody, "<pre><code>let a = *b*;</code></pre>");
  assert.equal(written("- one\n- two").formattedBody, "<ul><li>one</li><li>two</li></ul>");
  assert.equal(written("/me waves").kind, "EMOTE");
  assert.ok(written("broken \ud800 text").body.isWellFormed());
});

test("a_word_at_the_caret_offers_members_and_emoji", () => {
  const members = new FakeStore({ count: 1 }).get("members:!deck:rookery.example").members;
  const asked = askedAt("hello @gr", 9);
  assert.deepEqual([asked.kind, asked.word], ["member", "gr"]);
  const [grace] = choices(asked, members, null);
  assert.deepEqual(complete("hello @gr!", 9, asked, grace), { text: "hello @Grace !", caret: 13 });
  assert.equal(askedAt("mail@gr", 7), null);
  assert.equal(choices(askedAt(":ta", 3), [], null)[0].text, "🎉 ");
  assert.equal(withEmoji("done :tada: at 10:30:00 :nothing:"), "done 🎉 at 10:30:00 :nothing:");
  assert.deepEqual(mentioned("hi @Grace", new Map([["@grace:x", "@Grace"], ["@bob:x", "@Bob"]])), ["@grace:x"]);
});
