// Measures the heap of a page with the whole store, after events in many rooms.
//
//   ROOKERY_URL=... CHROMIUM=/usr/bin/chromium node tests/browser/tabs/memory.mjs [EVENTS] [ROOMS]
//
// Start the server with `--limits-rate none`. Prints a line of JSON: MiB after 1,000 events, and after all of them.

import { act, register } from "../../clients/person.mjs";
import { CREATE_ROOM, JOIN_ROOM, SEND_MESSAGE } from "../../clients/operations.mjs";
import { begin, end, isIn, scene } from "./scene.mjs";

const [events, rooms] = [Number(process.argv[2] ?? 50_000), Number(process.argv[3] ?? 200)];
const ends = [];

/** The heap of a page after a collection, in MiB. */
async function heap(page) {
  const devtools = await page.context().newCDPSession(page);
  for (let times = 0; times < 3; times++) await devtools.send("HeapProfiler.collectGarbage");
  return (await devtools.send("Runtime.getHeapUsage")).usedSize / 2 ** 20;
}

await begin();
try {
  const { token, open } = await scene({ after: (it) => ends.push(it) }, `reader${Date.now()}`, "&leader");
  const writers = [];
  for (let number = 0; number < 16; number++) writers.push(await register(`writer${number}x${Date.now()}`));
  const ids = [];
  for (let number = 0; number < rooms; number++) {
    const { room } = await act(writers[number % 16].token, CREATE_ROOM, { name: `Room ${number}`, preset: "PUBLIC" });
    await act(token, JOIN_ROOM, { room: { roomId: room.roomId } });
    ids.push(room.roomId);
  }
  const page = await open();
  await isIn(page, "live");
  await page.evaluate(() => void store.subscribe("home", () => {}));
  let sent = 0;
  /** Sends up to this number of events, and waits until the page has the last one of each room. */
  const sendUpTo = async (count) => {
    const write = async (writer) => {
      // Writer n created the rooms n, n + 16, ...
      for (let number = sent + writer; number < count; number += 16) {
        const roomId = ids[(Math.floor(number / 16) * 16 + writer) % (rooms - (rooms % 16))];
        await act(writers[writer].token, SEND_MESSAGE, { roomId, body: `Message ${number} of the measurement` });
      }
    };
    await Promise.all(writers.map((_, writer) => write(writer)));
    sent = count;
    const last = { roomId: ids[0], body: `the last of ${count}` };
    await act(writers[0].token, SEND_MESSAGE, last);
    await page.waitForFunction((body) => store.get("home")?.rooms[0]?.lastMessage?.content.body === body, last.body, { timeout: 300_000 });
  };
  const empty = await heap(page);
  await sendUpTo(1_000);
  const few = await heap(page);
  await sendUpTo(events);
  const many = await heap(page);
  const round = (value) => Math.round(value * 10) / 10;
  console.log(JSON.stringify({ rooms, events, empty: round(empty), after1000: round(few), afterAll: round(many), ratio: round(many / few) }));
} finally {
  for (const it of ends) await it();
  await end();
}
