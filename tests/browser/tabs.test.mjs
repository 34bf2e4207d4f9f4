// Tabs of one user share one device: they send while tabs are killed, and everything arrives once and in the order of each tab.
// ROOKERY_URL is the server's address, CHROMIUM the browser's program; `cargo xtask test browser` sets both.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { begin, crash, end, isIn, scene, send, sentAll, shows, WAYS } from "./tabs/scene.mjs";

before(begin);
after(end);

for (const [way, name, query] of WAYS) {
  test(`four_tabs_send_400_messages_while_tabs_are_killed_and_each_comes_once_in_order: ${way}`, async (context) => {
    const { roomId, open, bodies, faults } = await scene(context, `tabs-${name}`, query);
    // The first tab has the engine in its process, in both ways.
    const tabs = [await open(), await open(), await open(), await open()];
    const sent = tabs.map(() => []);
    const perhaps = new Set();
    const answers = [];
    const say = (index) => {
      const body = `${index} ${sent[index].length}`;
      sent[index].push(body);
      answers.push(send(tabs[index], roomId, body));
    };
    const everybody = [0, 1, 2, 3];
    for (let round = 0; round < 10; round++) {
      const victim = round % 4;
      for (let times = 0; times < 5; times++) everybody.forEach(say);
      await Promise.all(answers.splice(0));
      // The others send while the victim dies with a message of its own, whose fate nobody knows.
      const last = `${victim} perhaps ${round}`;
      perhaps.add(last);
      send(tabs[victim], roomId, last).catch(() => {});
      const others = everybody.filter((it) => it !== victim);
      for (let times = 0; times < 2; times++) others.forEach(say);
      const dying = round % 3 === 1 ? tabs[victim].close() : crash(tabs[victim]);
      for (let times = 0; times < 3; times++) others.forEach(say);
      await dying;
      tabs[victim] = await open();
      for (let times = 0; times < 5; times++) say(victim);
    }
    await Promise.all(answers);
    await sentAll(tabs[0]);
    const all = await bodies();
    const sure = all.filter((body) => !perhaps.has(body));
    assert.equal(sure.length, 400);
    for (const [index, mine] of sent.entries()) assert.deepEqual(sure.filter((body) => body.startsWith(`${index} `)), mine);
    for (const body of perhaps) assert.ok(all.filter((it) => it === body).length <= 1, body);
    assert.deepEqual(faults, []);
  });
}

test("tabs_that_count_for_themselves_lose_messages", async (context) => {
  const { roomId, open, bodies } = await scene(context, "tabs-alone");
  const tabs = [await open(undefined, "&alone=one"), await open(undefined, "&alone=two")];
  for (const tab of tabs) await isIn(tab, "live");
  for (let round = 0; round < 20; round++) await Promise.all(tabs.map((tab, index) => send(tab, roomId, `${index} ${round}`)));
  for (const tab of tabs) await sentAll(tab);
  assert.ok((await bodies()).length < 40);
});

for (const [way, name, query] of WAYS) {
  test(`tabs_share_one_socket_and_the_next_one_takes_over_when_the_engine_is_killed: ${way}`, async (context) => {
    const { roomId, open, bodies, sockets, faults } = await scene(context, `heirs-${name}`, query);
    const begun = performance.now();
    const [first] = [await open()];
    await isIn(first, "live");
    const opening = performance.now() - begun;
    const others = [await open(), await open(), await open()];
    for (const tab of others) await isIn(tab, "live");
    assert.equal(sockets(), 1);
    await send(others[0], roomId, "before");
    for (const tab of others) await shows(tab, roomId, "before");
    // The engine dies with these in its hands.
    const answers = others.map((tab, index) => send(tab, roomId, `during ${index}`));
    const killed = performance.now();
    await crash(first);
    answers.push(send(others[0], roomId, "after"));
    for (const tab of others) await shows(tab, roomId, "after");
    const takeover = performance.now() - killed;
    context.diagnostic(`a tab opened in ${Math.round(opening)} ms, the next engine delivered after ${Math.round(takeover)} ms`);
    assert.ok(takeover < 4 * opening, `${takeover} ms, and ${opening} ms to open the first tab`);
    await Promise.all(answers);
    const all = await bodies();
    assert.deepEqual(all.toSorted(), ["after", "before", "during 0", "during 1", "during 2"]);
    assert.ok(all.indexOf("during 0") < all.indexOf("after"));
    assert.equal(sockets(), 1);
    assert.deepEqual(faults, []);
  });
}
