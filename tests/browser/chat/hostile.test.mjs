// Forty hostile messages: they run nothing, load nothing, and stay in their rows. CHROMIUM is the browser.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { HOSTILE } from "./setting/hostile.mjs";
import { launch, open, painted, withOptions } from "./setting/pages.mjs";
import { enter, pathOf, register, roomOf, say, server, shown } from "./setting/people.mjs";
import { serve } from "./setting/served.mjs";

let browser;
let address;
const ends = [];

before(async () => {
  browser = await launch();
  address = await serve({ after: (end) => ends.push(end) }, "timeline-page.mjs");
});

after(async () => {
  await browser?.close();
  for (const end of ends) await end();
});

/** Chromium reports handlers of events and styles when it reads the text of a message, before its Sanitizer removes them. */
const isReport = (fault) => /^console: (?:Executing inline event handler|Applying inline style) violates/.test(fault);

/** What is wrong with the page: elements that run or load, and rows that leave their place. */
function inspect() {
  const wrong = [];
  const bodies = document.querySelectorAll(".body");
  const allowed = /^(?:DIV|SPAN|P|BR|HR|STRONG|B|EM|I|U|S|DEL|SUB|SUP|CODE|PRE|BLOCKQUOTE|UL|OL|LI|H[1-6]|TABLE|THEAD|TBODY|TR|TH|TD|CAPTION|DETAILS|SUMMARY|A)$/;
  for (const element of [...bodies].flatMap((body) => [...body.querySelectorAll("*")])) {
    if (!allowed.test(element.tagName)) wrong.push(`element ${element.tagName}`);
    for (const { name, value } of element.attributes) {
      const isKnown = ["href", "rel", "target", "title", "dir", "start", "class"].includes(name);
      if (!isKnown || (name === "class" && !value.includes("edited"))) wrong.push(`attribute ${name}=${value}`);
    }
  }
  for (const link of document.querySelectorAll(".body a")) {
    if (!/^(?:https?|mailto):/.test(link.protocol)) wrong.push(`link to ${link.href}`);
    if (!link.rel.includes("noopener") || !link.rel.includes("noreferrer") || link.target !== "_blank") wrong.push(`link ${link.rel} ${link.target}`);
  }
  const scroller = document.querySelector(".scroller");
  if (scroller.scrollWidth > scroller.clientWidth) wrong.push(`the timeline is ${scroller.scrollWidth} px wide`);
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth || root.scrollHeight > root.clientHeight) wrong.push("the page scrolls");
  let end = -Infinity;
  for (const line of document.querySelectorAll(".line")) {
    const { top, bottom, height } = line.getBoundingClientRect();
    if (top < end - 1) wrong.push(`a row overlaps: ${line.textContent.slice(0, 40)}`);
    if (height > 700) wrong.push(`a row is ${height} px high: ${line.textContent.slice(0, 40)}`);
    end = bottom;
  }
  // A message must not paint over others: its content is cut off at its row.
  for (const content of document.querySelectorAll(".content")) {
    if (getComputedStyle(content).overflow !== "clip") wrong.push("a content is not cut off");
  }
  if (document.getElementsByTagName("*").length >= 3000) wrong.push("too many elements");
  if (globalThis.ran) wrong.push(`ran ${globalThis.ran} times`);
  return wrong;
}

test("forty_hostile_messages_run_nothing_and_break_no_layout", async (context) => {
  assert.equal(HOSTILE.length, 40);
  const { page, faults } = await open({ browser, context }, withOptions(address, { count: 5 }));
  const requests = [];
  page.on("request", (request) => requests.push(request.url()));
  await page.locator(".line").first().waitFor();
  assert.equal(await page.evaluate(() => "setHTML" in Element.prototype), true, "the browser has a Sanitizer");
  const wrong = [];
  // Each beside an honest one, in pieces, so that all are in the page at some time.
  for (const content of HOSTILE) {
    // Playwright's own transport does not carry broken UTF-16.
    const escaped = JSON.stringify(content).replaceAll(/[\uD800-\uDFFF\u2028\u2029]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);
    const before = await page.locator(".line").count();
    await page.evaluate((json) => globalThis.fake.put(JSON.parse(json)), escaped);
    await page.evaluate(() => globalThis.fake.say("an honest message"));
    await painted(page);
    const now = await page.locator(".line").count();
    assert.ok(now >= Math.min(before + 1, 120), `${now} rows after ${before}: ${escaped.slice(0, 90)}`);
    wrong.push(...(await page.evaluate(inspect)).map((it) => `${it} in ${escaped.slice(0, 90)}`));
  }
  for (const link of await page.locator(".body a").all()) await link.dispatchEvent("focus");
  assert.deepEqual(wrong, []);
  assert.deepEqual(requests, [], "nothing was loaded");
  assert.deepEqual(faults.filter((fault) => !isReport(fault)), []);
  // Names, topics, reactions and reasons are written by people too.
  await page.evaluate(() => {
    const long = "\u202E<img src=x onerror=alert(1)>".repeat(200);
    const fake = globalThis.fake;
    const eventId = fake.say("named");
    fake.replace(eventId, { senderName: long, reactions: [{ key: long, count: 3, isMine: false, userIds: ["@bob:rookery.example"] }] });
    const line = fake.say("");
    fake.replace(line, { type: "m.room.name", stateKey: "", content: { name: long }, previousContent: { name: "Deck" }, senderName: long });
    const gone = fake.say("");
    fake.replace(gone, { content: {}, redaction: { byId: "@bob:rookery.example", reason: long } });
  });
  await painted(page);
  assert.deepEqual(await page.evaluate(inspect), []);
  assert.deepEqual(faults.filter((fault) => !isReport(fault)), []);
});

test("without_a_sanitizer_the_plain_text_is_shown", async (context) => {
  const { page } = await open({ browser, context }, "about:blank");
  await page.addInitScript(() => delete Element.prototype.setHTML);
  await page.goto(withOptions(address, { count: 3 }));
  await page.evaluate(() => globalThis.fake.put({ msgtype: "m.text", body: "the plain one", format: "org.matrix.custom.html", formatted_body: "<b>the formatted one</b>" }));
  await page.locator(".body", { hasText: "the plain one" }).waitFor();
  assert.equal(await page.getByText("the formatted one").count(), 0);
});

test("allowed_marks_are_shown_as_marks", async (context) => {
  const { page } = await open({ browser, context }, withOptions(address, { count: 3 }));
  await page.evaluate(() =>
    globalThis.fake.put({
      msgtype: "m.text", body: "x", format: "org.matrix.custom.html",
      formatted_body: '<strong>bold</strong> <a href="https://a.example/">link</a> <span data-mx-color="#f00">kept</span><ul><li>item</li></ul>',
    }),
  );
  const body = page.locator(".formatted");
  await body.locator("strong", { hasText: "bold" }).waitFor();
  assert.equal(await body.locator("a").getAttribute("href"), "https://a.example/");
  assert.match(await body.textContent(), /kept/);
  assert.equal(await body.locator("span").count(), 0);
  assert.equal(await body.locator("li").count(), 1);
});

test("hostile_messages_of_a_server_run_nothing_and_break_no_layout", async (context) => {
  const users = [await register("ada"), await register("mallory")];
  const roomId = await roomOf(users);
  const send = `mutation ($input: SendEventInput!) { sendEvent(input: $input) { event { eventId } refusal { code } } }`;
  let taken = 0;
  for (const content of HOSTILE) {
    const body = JSON.stringify({ query: send, variables: { input: { roomId, type: "m.room.message", content } } });
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${users[1].token}` };
    const response = await fetch(`${server}/graphql`, { method: "POST", headers, body });
    const { data } = await response.json();
    if (data?.sendEvent?.event) taken += 1;
  }
  assert.ok(taken >= 30, `the server took ${taken} of them`);
  const last = await say(users[0], roomId, "the honest end");
  assert.ok(last);
  const { page, faults } = await enter({ browser, context }, users[0], pathOf(roomId));
  await shown(page, "the honest end");
  await page.mouse.move(800, 400);
  for (let at = 0; at < 12; at += 1) {
    assert.deepEqual(await page.evaluate(inspect), []);
    await page.mouse.wheel(0, -900);
    await painted(page);
  }
  await page.locator(".is-start").waitFor();
  assert.deepEqual(faults.filter((fault) => !isReport(fault)), []);
});
