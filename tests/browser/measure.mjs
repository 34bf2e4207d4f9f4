// Measures the first load and the start of the chat, as ratios within one run.
//
//   ROOKERY_URL=... CHROMIUM=/usr/bin/chromium node tests/browser/measure.mjs [ROUNDS] [ROOMS]
//
// Start the server with `--limits-rate none`. Prints a line of JSON for each measurement: medians in milliseconds, and ratios.
// A start is measured in the page, from the beginning of the navigation to the frame after the first room is in the page.

import { pathToFileURL } from "node:url";
import { launch } from "./callers.mjs";
import { act, ask, register } from "../clients/person.mjs";
import { CREATE_ROOM } from "../clients/operations.mjs";

const server = process.env.ROOKERY_URL;
/** A logged-in user in this number of rooms. */
async function userIn(name, rooms) {
  const { token, userId } = await register(`${name}${Date.now()}`);
  const { deviceId } = (await ask(token, "{ viewer { device { deviceId } } }")).viewer.device;
  for (let number = 0; number < rooms; number += 1) await act(token, CREATE_ROOM, { name: `Room ${number}`, preset: "PUBLIC" });
  return { token, userId, deviceId, since: Date.now() };
}

/** Runs in a page before its scripts: notes when the element was there and a frame was painted after it. */
const watch = (selector) => {
  const look = () => {
    if (!document.querySelector(selector)) return requestAnimationFrame(look);
    requestAnimationFrame(() => setTimeout(() => (globalThis.paintedAt ??= performance.now())));
  };
  look();
};

/** The time in ms from the navigation to the painted element. */
async function start(profile, selector, path = "/") {
  const page = await profile.newPage();
  await page.addInitScript(watch, selector);
  await page.goto(server + path);
  const painted = await (await page.waitForFunction(() => globalThis.paintedAt)).jsonValue();
  return { page, painted };
}

/** A browser profile in which this user is logged in; with no user, one that is not. */
async function profileOf(browser, session) {
  const profile = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  if (!session) return profile;
  const page = await profile.newPage();
  await page.goto(`${server}/favicon.svg`);
  await page.evaluate((it) => localStorage.setItem("rookery.session", it), JSON.stringify(session));
  await page.close();
  return profile;
}

/** Waits until the device has stored the list of rooms: the server is not needed for the next start. */
const isStored = (page, rooms) =>
  page.waitForFunction(async (rooms) => {
    const [found] = await indexedDB.databases();
    if (!found) return false;
    const database = await new Promise((resolve, reject) => {
      const opening = indexedDB.open(found.name);
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = () => reject(opening.error);
    });
    const counted = new Promise((resolve) => {
      const count = database.transaction("rooms").objectStore("rooms").count();
      count.onsuccess = () => resolve(count.result);
    });
    const result = await counted;
    database.close();
    return result >= rooms;
  }, rooms, { polling: 200 });

/** The kilobytes on the wire of a first visit: everything but the answers of /graphql. */
async function firstLoad(browser) {
  const profile = await browser.newContext();
  const page = await profile.newPage();
  const devtools = await profile.newCDPSession(page);
  await devtools.send("Network.enable");
  const paths = new Map();
  let bytes = 0;
  devtools.on("Network.responseReceived", ({ requestId, response }) => paths.set(requestId, new URL(response.url).pathname));
  devtools.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (paths.get(requestId) !== "/graphql") bytes += encodedDataLength;
  });
  await page.goto(server);
  await page.locator("form").first().waitFor();
  await page.waitForLoadState("networkidle");
  await profile.close();
  return bytes / 1024;
}

const median = (values) => values.toSorted((one, other) => one - other)[values.length >> 1];
const print = (line) => console.log(JSON.stringify(line, (_, value) => (typeof value === "number" ? Math.round(value * 100) / 100 : value)));

/** The median of the first starts of a device, for users with these numbers of rooms. */
export async function homes(context, rooms, rounds) {
  const browser = await launch();
  context.after(() => browser.close());
  const users = [];
  for (const count of rooms) users.push(await userIn(`in${count}x`, count));
  const times = rooms.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, user] of users.entries()) times[index].push(await firstStart(browser, user));
  }
  return times.map(median);
}

/** The time of the first start of a device, in ms. */
async function firstStart(browser, session) {
  const profile = await profileOf(browser, session);
  const { painted } = await start(profile, ".room-line");
  await profile.close();
  return painted;
}

async function main(rounds, many) {
  const browser = await launch();
  try {
    print({ measured: "first load", kibibytes: await firstLoad(browser) });
    const [few, full] = [await userIn("few", 20), await userIn("full", many)];
    const times = { empty: [], few: [], full: [], warm: [], warmFull: [] };
    const kept = await profileOf(browser, few);
    const keptFull = await profileOf(browser, full);
    for (const [profile, rooms] of [[kept, 20], [keptFull, many]]) {
      const { page } = await start(profile, ".room-line");
      await isStored(page, rooms);
      await page.close();
    }
    const emptyProfile = await profileOf(browser, null);
    await (await start(emptyProfile, "form")).page.close();
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, session] of [["few", few], ["full", full]]) {
        times[name].push(await firstStart(browser, session));
      }
      for (const [name, profile, selector] of [["empty", emptyProfile, "form"], ["warm", kept, ".room-line"], ["warmFull", keptFull, ".room-line"]]) {
        const { page, painted } = await start(profile, selector);
        times[name].push(painted);
        await page.close();
      }
    }
    const medians = Object.fromEntries(Object.entries(times).map(([name, values]) => [name, median(values)]));
    print({ measured: "home, first start of a device", rooms: [20, many], ms: [medians.few, medians.full], ratio: medians.full / medians.few });
    print({ measured: "home, warm start, beside an empty page", rooms: 20, ms: [medians.empty, medians.warm], ratio: medians.warm / medians.empty });
    print({ measured: "home, warm start, beside an empty page", rooms: many, ms: [medians.empty, medians.warmFull], ratio: medians.warmFull / medians.empty });
  } finally {
    await browser.close();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main(Number(process.argv[2] ?? 9), Number(process.argv[3] ?? 1_000));
