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

/** The medians of first starts of a device, for users with these numbers of rooms; then those of an empty page and of later starts. */
export async function starts(rooms, rounds) {
  const browser = await launch();
  try {
    const users = [];
    for (const count of rooms) users.push(await userIn(`in${count}x`, count));
    const first = rooms.map(() => []);
    for (let round = 0; round < rounds; round += 1) {
      for (const [index, user] of users.entries()) first[index].push(await firstStart(browser, user));
    }
    const kept = [];
    for (const [index, user] of users.entries()) kept.push(await stored(browser, user, rooms[index]));
    const [empty, ...later] = await warm(browser, kept, rounds);
    return { first: first.map(median), empty, later };
  } finally {
    await browser.close();
  }
}

/** A browser profile with the stored rooms of this user. */
async function stored(browser, user, rooms) {
  const profile = await profileOf(browser, user);
  const { page } = await start(profile, ".room-line");
  await isStored(page, rooms);
  await page.close();
  return profile;
}

async function warm(browser, kept, rounds) {
  const profiles = [[await profileOf(browser, null), "form"], ...kept.map((profile) => [profile, ".room-line"])];
  const times = profiles.map(() => []);
  // The first round fills the cache of the browser.
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, [profile, selector]] of profiles.entries()) {
      const { page, painted } = await start(profile, selector);
      if (round > 0) times[index].push(painted);
      await page.close();
    }
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
  print({ measured: "first load", kibibytes: await firstLoad(browser) });
  await browser.close();
  const rooms = [20, many];
  const { first, empty, later } = await starts(rooms, rounds);
  print({ measured: "home, first start of a device", rooms, ms: first, ratio: first[1] / first[0] });
  for (const [index, count] of rooms.entries()) {
    print({ measured: "home, warm start, beside an empty page", rooms: count, ms: [empty, later[index]], ratio: later[index] / empty });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main(Number(process.argv[2] ?? 9), Number(process.argv[3] ?? 1_000));
