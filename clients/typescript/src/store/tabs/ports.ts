// Ports between pages and hubs: over a MessagePort, over a BroadcastChannel of two ends, or within one page.

import type { Port } from "./protocol.js";
import { signOfLife, watch } from "./locks.js";

/** What `MessagePort` and `BroadcastChannel` have in common. */
export interface Channel extends EventTarget {
  postMessage(message: unknown): void;
  close(): void;
}

/** A message beside those of the protocol: the name of the lock that the other end holds while it lives. */
interface Alive {
  kind: "alive";
  lock: string;
}

/** A port whose other end is in another program. */
export function portOver<Out, In>(channel: Channel): Port<Out, In> {
  const closing = new AbortController();
  const { signal } = closing;
  let onGone = () => {};
  const gone = () => {
    if (!signal.aborted) onGone();
  };
  let take = (_: In) => {};
  const receive = (event: Event) => {
    const message = (event as MessageEvent<In | Alive>).data;
    if (isAlive(message)) watch(message.lock, gone, signal);
    else take(message);
  };
  // Chromium 122 and later say so when the other end of a MessagePort goes.
  channel.addEventListener("close", gone, { signal });
  signOfLife().then((lock) => {
    if (!signal.aborted) channel.postMessage({ kind: "alive", lock } satisfies Alive);
  });
  return {
    post: (message) => {
      if (!signal.aborted) channel.postMessage(message);
    },
    listen: (listener) => {
      take = listener;
      channel.addEventListener("message", receive, { signal });
      (channel as Partial<MessagePort>).start?.();
    },
    onGone: (listener) => void (onGone = listener),
    close: () => {
      closing.abort();
      // The last message may still be on its way.
      channel.close();
    },
  };
}

function isAlive(message: unknown): message is Alive {
  return (message as Partial<Alive>).kind === "alive";
}

/** Two ends within one program. Objects pass as they are: nothing changes views in place. */
export function pair<Out, In>(): [Port<Out, In>, Port<In, Out>] {
  const left: End<Out, In> = end(() => right);
  const right: End<In, Out> = end(() => left);
  return [left, right];
}

interface End<Out, In> extends Port<Out, In> {
  deliver(message: In): void;
}

function end<Out, In>(other: () => End<In, Out>): End<Out, In> {
  let take: ((message: In) => void) | undefined;
  let isClosed = false;
  const early: In[] = [];
  return {
    post: (message) => {
      if (!isClosed) queueMicrotask(() => other().deliver(message));
    },
    listen: (listener) => {
      take = listener;
      for (const message of early.splice(0)) listener(message);
    },
    onGone: () => {},
    close: () => void (isClosed = true),
    deliver: (message) => {
      if (isClosed) return;
      if (take) take(message);
      else early.push(message);
    },
  };
}
