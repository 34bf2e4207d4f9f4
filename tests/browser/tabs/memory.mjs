// Measures the heap of a page with the whole store, after events in many rooms.
//
//   ROOKERY_URL=... CHROMIUM=/usr/bin/chromium node tests/browser/tabs/memory.mjs [EVENTS] [ROOMS]
//
// Start the server with `--limits-rate none`. Prints a line of JSON: MiB after 1,000 events, and after all of them.

import { pathToFileURL } from "node:url";
import { act, ask, register } from "../../clients/person.mjs";
import { CREATE_ROOM, JOIN_ROOM, SEND_MESSAGE } from "../../clients/operations.mjs";
import { begin, end, isIn, scene } from "./scene.mjs";

const WRITERS = 16;
const TOGETHER = 10;

/** The heap of a page after a collection, in MiB. */
async function heap(page) {
  const devtools = await page.context().newCDPSession(page);
  for (let times = 0; times < 3; times++) await devtools.send("HeapProfiler.collectGarbage");
  return (await devtools.send("Runtime.getHeapUsage")).usedSize / 2 ** 20;
}

/** The heap of a page that follows these rooms, after each of these numbers of events. */
export async function heaps(context, counts, rooms, text = "of the measurement") {
  const { token, open } = await scene(context, `reader${Date.now()}`, "&leader");
  const writers = [];
  for (let number = 0; number < WRITERS; number++) writers.push(await register(`writer${number}x${Date.now()}`));
  const ids = [];
  for (let number = 0; number < rooms; number++) {
    const { room } = await act(writers[number % WRITERS].token, CREATE_ROOM, { name: `Room ${number}`, preset: "PUBLIC" });
    await act(token, JOIN_ROOM, { room: { roomId: room.roomId } });
    ids.push(room.roomId);
  }
  const page = await open();
  await isIn(page, "live");
  await page.evaluate(() => void store.subscribe("home", () => {}));
  /** Writer n created the rooms n, n + 16, ... and writes to them in turn, with many messages in a request. */
  const write = async (writer, first, end) => {
    const own = ids.filter((_, index) => index % WRITERS === writer);
    let number = first + writer;
    while (number < end) {
      const fields = [];
      for (; number < end && fields.length < TOGETHER; number += WRITERS) {
        const input = `{ roomId: "${own[Math.floor(number / WRITERS) % own.length]}", body: $text }`;
        fields.push(`m${fields.length}: sendMessage(input: ${input}) { refusal { code } }`);
      }
      await ask(writers[writer].token, `mutation ($text: String!) { ${fields.join(" ")} }`, { text });
    }
  };
  const found = [];
  let sent = 0;
  for (const count of counts) {
    await Promise.all(writers.map((_, writer) => write(writer, sent, count)));
    sent = count;
    const last = { roomId: ids[0], body: `the last of ${count}` };
    await act(writers[0].token, SEND_MESSAGE, last);
    await page.waitForFunction((body) => store.get("home")?.rooms[0]?.lastMessage?.content.body === body, last.body, { timeout: 300_000 });
    found.push(await heap(page));
  }
  return found;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [events, rooms] = [Number(process.argv[2] ?? 50_000), Number(process.argv[3] ?? 200)];
  const ends = [];
  await begin();
  try {
    const found = await heaps({ after: (it) => ends.push(it) }, [0, 1_000, events], rooms);
    const [empty, few, many] = found.map((it) => Math.round(it * 10) / 10);
    console.log(JSON.stringify({ rooms, events, empty, after1000: few, afterAll: many, ratio: Math.round((10 * many) / few) / 10 }));
  } finally {
    for (const it of ends) await it();
    await end();
  }
}
