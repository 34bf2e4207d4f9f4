// The engine in a page, where there is no SharedWorker: the page that holds the lock leads, the others talk to it.
//
// A page connects over a BroadcastChannel of its own, whose name it calls on the common one. A page that begins to lead
// says so, and the others connect again.
//
// **Invariant:** only the holder of the lock has an engine. The browser passes the lock on when the holder closes or dies.

import type { StartEngine } from "./engine.js";
import { Hub } from "./hub.js";
import { hold } from "./locks.js";
import type { Link } from "./page.js";
import { pair, portOver } from "./ports.js";
import type { PortOfHub, PortOfPage, ToHub, ToPage } from "./protocol.js";

/** On the common channel. */
type Call =
  /** A page leads from now on. */
  | { kind: "leads" }
  /** A page wants to connect over the channel of this name. */
  | { kind: "connect"; channel: string };

/** The first message on the channel of a page: the leader listens. */
interface Opened {
  kind: "opened";
}

/** The way to the page that leads, which may be this one. */
export function leaderLink(start: StartEngine, { name = "rookery" } = {}): Link {
  const common = new BroadcastChannel(name);
  const call = (message: Call) => common.postMessage(message);
  let hub: Hub | null = null;
  let isClosed = false;
  let onPort = (_: PortOfPage) => {};
  /** The channel of the last call, until the leader has opened it. */
  let calling: BroadcastChannel | null = null;

  common.onmessage = ({ data }: MessageEvent<Call>) => {
    if (data.kind === "leads") connect();
    else if (hub) {
      const channel = new BroadcastChannel(data.channel);
      channel.postMessage({ kind: "opened" } satisfies Opened);
      hub.accept(portOver(channel) as PortOfHub);
    }
  };

  function connect(): void {
    if (hub || isClosed) return;
    calling?.close();
    const channel = new BroadcastChannel(`${name}:${crypto.getRandomValues(new Uint32Array(4)).join("-")}`);
    calling = channel;
    channel.addEventListener(
      "message",
      () => {
        if (calling !== channel) return;
        calling = null;
        onPort(portOver(channel) as PortOfPage);
      },
      { once: true },
    );
    call({ kind: "connect", channel: channel.name });
  }

  const lock = hold(`${name}:engine`);

  function lead(): void {
    if (isClosed) return lock.release();
    calling?.close();
    calling = null;
    hub = new Hub({ start, onOutdated: () => void retire() });
    const [mine, its] = pair<ToHub, ToPage>();
    hub.accept(its);
    onPort(mine);
    call({ kind: "leads" });
  }

  /** Lets another page lead. */
  async function retire(): Promise<void> {
    const last = hub;
    hub = null;
    await last?.close();
    lock.release();
  }

  return {
    open: (given) => {
      onPort = given;
      connect();
      void lock.granted.then(lead);
    },
    close: () => {
      isClosed = true;
      calling?.close();
      common.close();
      // The messages that end this page are on their way to the hub: the store closes after they have arrived.
      setTimeout(() => void retire());
    },
  };
}
