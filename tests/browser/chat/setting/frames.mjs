// Watches the rows of a timeline frame by frame, in the page.

/** Runs in the page: notes the time, the places of the rows and those in view, at each frame, until `stopWatch`. */
export function watch() {
  const scroller = document.querySelector(".scroller");
  const frames = [];
  let isOn = true;
  const note = (time) => {
    if (!isOn) return;
    const { top, bottom } = scroller.getBoundingClientRect();
    const [rows, seen] = [{}, []];
    for (const row of document.querySelectorAll(".line:not([data-loose])")) {
      const place = row.getBoundingClientRect();
      rows[row.dataset.key] = place.top;
      if (place.bottom > top && place.top < bottom) seen.push(row.dataset.key);
    }
    frames.push({ time, rows, seen, elements: document.getElementsByTagName("*").length, lines: document.querySelectorAll(".line").length });
    requestAnimationFrame(note);
  };
  requestAnimationFrame(note);
  globalThis.stopWatch = () => {
    isOn = false;
    return frames;
  };
}

/**
 * How far rows moved from each frame to the next one: the movement that all rows in view share, and the largest
 * difference of a row from it. Rows count that are in view in one of both frames. Without such a row: `Infinity`.
 */
export function movements(frames) {
  const found = [];
  for (let at = 1; at < frames.length; at += 1) {
    const [before, now] = [frames[at - 1], frames[at]];
    const seen = new Set([...before.seen, ...now.seen]);
    const moved = [...seen].filter((key) => key in before.rows && key in now.rows).map((key) => now.rows[key] - before.rows[key]);
    if (moved.length === 0) {
      if (before.seen.length > 0) found.push({ shared: Infinity, spread: Infinity });
      continue;
    }
    moved.sort((one, other) => one - other);
    const shared = moved[Math.floor(moved.length / 2)];
    found.push({ shared, spread: Math.max(...moved.map((it) => Math.abs(it - shared))), time: frames[at].time });
  }
  return found;
}

export const p95 = (values) => [...values].sort((one, other) => one - other)[Math.floor(values.length * 0.95)];

/**
 * How much longer the frames of the moving page take than those of the still one: the ratio of the shortest p95 of a turn of
 * each. `turn(name)` returns the durations of some frames of one of both. Other work makes frames longer and never shorter, so
 * it takes turns until the ratio is small enough, or until `turns` undisturbed ones have shown that it is not. A busy machine
 * gets twice as many. `isBusy` says that other programs disturbed nearly all of them: then the ratio says nothing.
 */
export async function slowness(turn, enough, turns) {
  const best = { moving: Infinity, still: Infinity };
  let undisturbed = 0;
  const isEnough = (count) => count > 1 && best.moving <= enough * best.still;
  for (let count = 0; count < 2 * turns && undisturbed < turns && !isEnough(count); count += 1) {
    const before = hasProcessor();
    for (const name of ["moving", "still"]) best[name] = Math.min(best[name], p95(await turn(name, count)));
    if (before && hasProcessor()) undisturbed += 1;
  }
  return { ...best, ratio: best.moving / best.still, isBusy: undisturbed < UNDISTURBED_MIN };
}

/** As many undisturbed turns say that a page is slow. */
const UNDISTURBED_MIN = 3;
const SPIN_MS = 30;

/** Whether this process gets a processor for as long as it wants one: other programs leave it less. */
function hasProcessor() {
  const [begin, used] = [performance.now(), process.cpuUsage()];
  while (performance.now() - begin < SPIN_MS);
  const { user, system } = process.cpuUsage(used);
  return (user + system) / 1000 >= 0.9 * (performance.now() - begin);
}

/** The durations of frames in milliseconds. */
export const durations = (frames) => frames.slice(1).map(({ time }, at) => time - frames[at].time);
