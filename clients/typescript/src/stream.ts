// The event stream, each chunk once, over as many connections as it takes.
//
// graphql-ws reconnects by itself after a cut and repeats its first message, with the `after` of the beginning: all
// later events would come again. So its retries are off (`retryAttempts: 0`), and each new connection gets a new
// subscription, from the last chunk that the consumer took.

import { createClient, type Client as Socket } from "graphql-ws";
import { pause, type Wait } from "./backoff.js";
import type { Chunk, OnConnection, Position } from "./chunk.js";
import { either, type CallOptions, type Document } from "./document.js";
import { RequestFailed, StreamEnded, UpgradeRefused, isPassing, retryAfterMs, type GraphQLFailure } from "./errors.js";
import type { FollowSubscription, FollowSubscriptionVariables } from "./generated.js";
import { request } from "./http.js";
import { socketUrl } from "./url.js";

/** Options of a stream. */
export interface FollowOptions<C = FollowSubscription["eventStream"]> extends CallOptions {
  /** The position to start from. Without it, `sync` comes first; without `sync`, the stream starts now. */
  after?: Position | undefined;
  /**
   * Loads the first screen (`initialSync`) and returns its position. The client calls it if there is no position to
   * resume from: at the start without `after`, and if the server does not know the position, as after a restored backup.
   */
  sync?: (() => Promise<Position>) | undefined;
  /** `FilterBy` of the schema: `{ conditions: { ... } }` or `{ filterId }`. */
  filter?: FollowSubscriptionVariables["filter"];
  /** Also yield typing and presence: see `Activity`. */
  ephemeral?: boolean | undefined;
  /** Also yield unread counts when they change. */
  counts?: boolean | undefined;
  /** Your own subscription to `eventStream(after: $after, filter: $filter)`, which selects `position`. */
  document?: Document<{ eventStream: C }, FollowSubscriptionVariables> | undefined;
}

/** The options of {@link follow}, with the text of the subscription and its variables beside `after` and `filter`. */
export interface StreamOptions extends Pick<FollowOptions, "after" | "sync" | "filter" | "signal"> {
  query: string;
  selected?: object;
}

/** The parts of the client that a stream needs. */
export interface StreamContext {
  url: string;
  token: string;
  webSocket: unknown;
  wait: Wait;
  signal: AbortSignal;
}

/** Most chunks in the queue; with more, the subscription ends and resumes when the consumer has taken them. */
const WAITING_MAX = 256;

/** The client pings a connection after this silence, and gives it up without an answer. */
const SILENCE_MS = 20_000;
const PONG_WAIT_MS = 10_000;

/** After this number of connections in a row that did not open while HTTP works, the client gives up the stream. */
const REFUSED_MAX = 5;

/** Close codes after which a retry would fail again. 4403 means that the token is not valid, or no longer. */
const FINAL: ReadonlySet<number> = new Set([1002, 1003, 1007, 1009, 4004, 4005, 4400, 4401, 4403, 4406, 4409, 4429]);

/**
 * Yields each chunk once. It ends when the signal is aborted, or when the consumer leaves the loop.
 *
 * @throws {StreamEnded} The server closed the stream for good.
 * @throws {RequestFailed} The server does not accept the subscription.
 * @throws {UpgradeRefused} HTTP works, and no WebSocket opens.
 */
export async function* follow<C extends Pick<Chunk, "position">>(
  given: StreamContext,
  { after, sync, filter, query, selected, signal }: StreamOptions,
): AsyncGenerator<C & OnConnection, void, undefined> {
  const context = { ...given, signal: either(given.signal, signal) };
  let position = after ?? (await sync?.());
  const resync = async (error: unknown) => {
    if (!sync || !(error instanceof RequestFailed) || error.code !== "POSITION_UNKNOWN") return false;
    position = await sync();
    return true;
  };
  const variables = () => ({ after: position, filter, ...selected });
  for await (const { data, isFirst } of resubscribe<{ eventStream: C }>(context, query, variables, resync)) {
    position = data.eventStream.position;
    yield { ...data.eventStream, isFirst };
  }
}

/** An answer of a subscription. */
export interface Answer<T> {
  data: T;
  /** It is the first one of its connection. */
  isFirst: boolean;
}

/**
 * Yields the answers of a subscription, and subscribes again after each end that a retry solves. `variables` are made for
 * each subscription. `solve` returns whether it removed the cause of an error.
 */
export async function* resubscribe<T>(
  context: StreamContext,
  query: string,
  variables: () => Record<string, unknown>,
  solve: (error: unknown) => Promise<boolean> = async () => false,
): AsyncGenerator<Answer<T>, void, undefined> {
  const { socket, opened } = openSocket(context);
  try {
    let failures = 0;
    let refused = 0;
    while (!context.signal.aborted) {
      const before = opened();
      let isFirst = true;
      let waitMs = 0;
      try {
        for await (const data of subscribe<T>(socket, query, variables(), context.signal)) {
          failures = 0;
          yield { data, isFirst };
          isFirst = false;
        }
        // Too many answers were in the queue, or the server completed the subscription.
        if (!isFirst) continue;
      } catch (error) {
        if (await solve(error)) continue;
        judge(error);
        waitMs = retryAfterMs(error);
        if (opened() > before) refused = 0;
        else if (await answers(context)) refused++;
        if (refused >= REFUSED_MAX) throw new UpgradeRefused(socketUrl(context.url), refused);
      }
      await pause(context.wait, ++failures, context.signal, waitMs);
    }
  } finally {
    await socket.dispose();
  }
}

/** Throws errors that a retry would not solve. A cut, a restart and 4008 (`SLOW_CONSUMER`) pass. */
function judge(error: unknown): void {
  if (isCloseEvent(error)) {
    if (FINAL.has(error.code)) throw new StreamEnded(error.code, error.reason);
  } else if (error instanceof RequestFailed && !isPassing(error)) throw error;
}

/** Whether the server answers over HTTP. Throws errors that a retry would not solve, such as an invalid token. */
async function answers({ url, token, signal }: StreamContext): Promise<boolean> {
  try {
    await request({ url, token }, "{ __typename }", {}, signal);
    return true;
  } catch (error) {
    if (signal.aborted || isPassing(error)) return false;
    throw error;
  }
}

function isCloseEvent(error: unknown): error is { code: number; reason: string } {
  return typeof error === "object" && error !== null && "code" in error && typeof error.code === "number" && "reason" in error;
}

/** A socket, and the number of its openings. */
function openSocket({ url, token, webSocket }: StreamContext): { socket: Socket; opened: () => number } {
  let pongIsDue: ReturnType<typeof setTimeout> | undefined;
  let count = 0;
  const socket = createClient({
    url: socketUrl(url),
    webSocketImpl: webSocket,
    connectionParams: { Authorization: `Bearer ${token}` },
    retryAttempts: 0,
    keepAlive: SILENCE_MS,
    on: {
      opened: () => count++,
      ping: (received) => {
        if (!received) pongIsDue = setTimeout(() => socket.terminate(), PONG_WAIT_MS);
      },
      pong: (received) => {
        if (received) clearTimeout(pongIsDue);
      },
      closed: () => clearTimeout(pongIsDue),
    },
  });
  return { socket, opened: () => count };
}

/** The answers of one subscription on one connection; throws the reason of its end. */
async function* subscribe<D>(
  socket: Socket,
  query: string,
  variables: Record<string, unknown>,
  signal: AbortSignal,
): AsyncGenerator<D, void, undefined> {
  const waiting: D[] = [];
  let ended = false;
  let reason: unknown;
  let wake = () => {};
  const end = (why?: unknown) => {
    if (ended) return;
    [ended, reason] = [true, why];
    unsubscribe();
    wake();
  };
  const stop = () => end();
  const unsubscribe = socket.subscribe<D>(
    { query, variables },
    {
      next({ data, errors }) {
        if (ended) return;
        if (errors) return end(new RequestFailed(errors as readonly GraphQLFailure[]));
        if (data) waiting.push(data);
        if (waiting.length >= WAITING_MAX) end();
        wake();
      },
      error: (why) => end(Array.isArray(why) ? new RequestFailed(why as GraphQLFailure[]) : why),
      complete: () => end(),
    },
  );
  signal.addEventListener("abort", stop);
  try {
    for (;;) {
      const chunk = waiting.shift();
      if (chunk !== undefined) yield chunk;
      else if (ended && reason !== undefined) throw reason;
      else if (ended) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    signal.removeEventListener("abort", stop);
    unsubscribe();
  }
}
