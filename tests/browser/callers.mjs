// Users on pages of examples/call in a real browser, with fake cameras and microphones.

import { chromium } from "playwright-core";
import { PASSWORD, roomOf } from "./api.mjs";

const server = process.env.ROOKERY_URL;

/** A browser whose pages may use a camera and a microphone that are not there. */
export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: [
      // Root may not use Chromium's sandbox; it loads only our own pages here.
      ...(process.getuid() === 0 ? ["--no-sandbox"] : []),
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--autoplay-policy=no-user-gesture-required",
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      // A machine with nothing but loopback finds no candidate without this.
      "--allow-loopback-in-peer-connection",
    ],
  });

/** A page on which a new user of the server `at` is logged in, in a browser profile of its own. */
export async function person({ browser, context }, username, { query = "", at = server } = {}) {
  const profile = await browser.newContext();
  context.after(() => profile.close());
  const page = await profile.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(`uncaught: ${error.message}`));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  await page.goto(`${at}/examples/call${query}`);
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Register" }).click();
  await page.locator("#me", { hasText: "@" }).waitFor();
  const token = await page.evaluate(() => sessionStorage.getItem("token"));
  return { page, faults, token, userId: await page.locator("#me").textContent() };
}

/** Two users of a server on pages of their own, and a room of both. */
export async function two(place, names, where = {}) {
  const [ada, bob] = [await person(place, names[0], where), await person(place, names[1], where)];
  const room = await roomOf(where.at ?? server, [ada, bob]);
  return { ada, bob, room };
}

/** Places a call on the first page, and answers it on the second. */
export async function call({ ada, bob, room }) {
  await ada.page.getByLabel("Room").fill(room);
  await ada.page.getByLabel("User", { exact: true }).fill(bob.userId);
  await ada.page.getByRole("button", { name: "Call with video" }).click();
  await bob.page.locator("#peer", { hasText: `${ada.userId} calls` }).waitFor();
  await bob.page.getByRole("button", { name: "Answer" }).click();
  for (const { page } of [ada, bob]) await page.locator("#peer", { hasText: "In a call" }).waitFor();
}

/** What a page receives: decoded frames, packets of sound, and the picture as it looks now. */
const received = (page) =>
  page.evaluate(async () => {
    const stats = [...(await globalThis.currentCall().pc.getStats()).values()];
    const inbound = (kind) => stats.find((it) => it.type === "inbound-rtp" && it.kind === kind);
    const video = document.getElementById("remote");
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [64, 48];
    const drawing = canvas.getContext("2d");
    drawing.drawImage(video, 0, 0, canvas.width, canvas.height);
    const pixels = drawing.getImageData(0, 0, canvas.width, canvas.height).data;
    const pair = stats.find((it) => it.type === "candidate-pair" && it.nominated && it.state === "succeeded");
    const local = stats.find((it) => it.id === pair?.localCandidateId);
    return {
      frames: inbound("video")?.framesDecoded ?? 0,
      packets: inbound("audio")?.packetsReceived ?? 0,
      picture: [...pixels].join(),
      way: local?.candidateType,
    };
  });

/** Waits until the picture has changed and both counters have grown since a first look. */
export async function moves(page) {
  const until = async (holds) => {
    for (;;) {
      const now = await received(page);
      if (holds(now)) return now;
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
    }
  };
  const first = await until((now) => now.frames > 0 && now.packets > 0);
  return until((now) => now.frames > first.frames && now.packets > first.packets && now.picture !== first.picture);
}
