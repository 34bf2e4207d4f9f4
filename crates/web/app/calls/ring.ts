// Rings: a sound, the title of the page, and a notification if the user allowed them.
//
// Invariant: of all tabs of the browser, one makes the sound and shows the notification.

import { t } from "../texts/index.js";

const BEAT_MS = 2600;

export class Ring {
  #context: AudioContext | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #title: string | null = null;
  #note: Notification | null = null;
  #release: (() => void) | null = null;
  #isOver = false;

  /** @param isCaller a soft tone for the one who calls */
  constructor(
    readonly callId: string,
    readonly who: string,
    readonly isCaller: boolean,
  ) {}

  begin() {
    if (!this.isCaller) {
      this.#title = document.title;
      let isNamed = false;
      const blink = () => {
        isNamed = !isNamed;
        document.title = isNamed ? t("call.title", { who: this.who }) : (this.#title ?? "");
      };
      blink();
      this.#timer = setInterval(blink, BEAT_MS / 2);
    }
    const alone = () => this.#alone();
    if (navigator.locks) void navigator.locks.request(`rookery.ring:${this.callId}`, alone).catch(() => {});
    else void alone();
  }

  /** Runs in one tab at a time: when it is closed, another one goes on. */
  async #alone() {
    if (this.#isOver) return;
    this.#sound();
    if (!this.isCaller && document.hidden && globalThis.Notification?.permission === "granted") {
      this.#note = new Notification(t("call.title", { who: this.who }), { tag: `rookery.call:${this.callId}`, requireInteraction: true });
      this.#note.onclick = () => window.focus();
    }
    await new Promise<void>((resolve) => (this.#release = resolve));
  }

  /** Two tones, again and again. A browser that wants a click first keeps it silent. */
  #sound() {
    try {
      const context = (this.#context = new AudioContext());
      const tones = this.isCaller ? [440, 480] : [660, 880];
      const beat = () => {
        const now = context.currentTime;
        for (const [at, tone] of tones.entries()) {
          const [source, volume] = [context.createOscillator(), context.createGain()];
          source.frequency.value = tone;
          const begin = now + (this.isCaller ? 0 : at * 0.22);
          volume.gain.setValueAtTime(0, begin);
          volume.gain.linearRampToValueAtTime(this.isCaller ? 0.03 : 0.12, begin + 0.03);
          volume.gain.linearRampToValueAtTime(0, begin + (this.isCaller ? 0.9 : 0.35));
          source.connect(volume).connect(context.destination);
          source.start(begin);
          source.stop(begin + 1);
        }
      };
      beat();
      const timer = setInterval(beat, BEAT_MS);
      context.onstatechange = () => context.state === "closed" && clearInterval(timer);
    } catch {
      // A device without sound rings by its title.
    }
  }

  end() {
    this.#isOver = true;
    clearInterval(this.#timer);
    if (this.#title !== null) document.title = this.#title;
    void this.#context?.close();
    this.#note?.close();
    this.#release?.();
  }
}
