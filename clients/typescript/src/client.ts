// One device of one user.

import { Actions, type Action, type Payload } from "./actions.js";
import { backOff, pause, type Wait } from "./backoff.js";
import type { Chunk } from "./chunk.js";
import { Echoes } from "./echoes.js";
import { Refused, isPassing, retryAfterMs } from "./errors.js";
import { request, type Endpoint } from "./http.js";
import { Sequences } from "./sequences.js";
import { follow, type FollowOptions } from "./stream.js";

/** The connection to the server. */
export interface ClientOptions extends Endpoint {
  token: string;
  /** The class `WebSocket`; needed on Node.js before version 22, where the package `ws` has it. */
  webSocket?: unknown;
  /** The pauses between retries; by default they grow each time. */
  wait?: Wait;
  /** How long {@link connect} tries to reach the server, in milliseconds; 15 seconds by default. */
  connectWait?: number | undefined;
}

const CONNECT_WAIT_MS = 15_000;

/** A logged-in device. Store the token: the server shows it once. */
export interface Login {
  token: string;
  deviceId: string;
  user: { userId: string };
}

const LOG_IN = /* GraphQL */ `
  mutation LogIn($input: LogInInput!) {
    logIn(input: $input) { token deviceId user { userId } refusal { code message } }
  }
`;

const COUNTED = /* GraphQL */ `
  query Counted { viewer { device { lastActionId } } }
`;

const SEND = /* GraphQL */ `
  mutation Send($input: SendMessageInput!) {
    sendMessage(input: $input) { event { eventId sequence actionId } position refusal { code message retryAfter } }
  }
`;

/** The answer of `Client.send`. */
export interface Sent extends Payload {
  event: { eventId: string; sequence: number; actionId: number | null } | null;
}

/**
 * Logs in on a new device, or again on the device that you name.
 *
 * @throws {Refused} Such as `WRONG_CREDENTIALS`.
 */
export async function logIn(
  endpoint: Endpoint,
  input: { username: string; password: string; deviceId?: string; deviceName?: string },
): Promise<Login> {
  const { signal } = new AbortController();
  const { logIn } = await request<{ logIn: Login & Payload }>(endpoint, LOG_IN, { input }, signal);
  if (logIn.refusal) throw new Refused(logIn.refusal);
  return logIn;
}

/**
 * Queries the last action number of this device, and continues after it.
 *
 * @throws {TypeError} The URL is not valid.
 * @throws {UnexpectedAnswer} Another program than a Rookery server answers at the URL.
 * @throws {Disconnected} Nothing answered for as long as `connectWait`: the server is down, or the URL is wrong.
 */
export async function connect<Draft = string>(options: ClientOptions): Promise<Client<Draft>> {
  const ending = new AbortController();
  const ask = <Data>(document: string, variables: object) => request<Data>(options, document, variables, ending.signal);
  const wait = options.wait ?? backOff;
  type Counted = { viewer: { device: { lastActionId: number } } };
  const late = AbortSignal.timeout(options.connectWait ?? CONNECT_WAIT_MS);
  const { viewer } = await again(() => ask<Counted>(COUNTED, {}), wait, ending.signal, late);
  const actions = new Actions(viewer.device.lastActionId, ask, wait, ending.signal);
  return new Client(options, actions, wait, ending);
}

/** Retries until there is an answer that a retry would not change, or until the deadline. */
async function again<T>(attempt: () => Promise<T>, wait: Wait, signal: AbortSignal, late?: AbortSignal): Promise<T> {
  const either = late ? AbortSignal.any([signal, late]) : signal;
  for (let failures = 1; ; failures++) {
    let waitMs = 0;
    try {
      return await attempt();
    } catch (error) {
      if (!isPassing(error) || late?.aborted) throw error;
      waitMs = retryAfterMs(error);
    }
    await pause(wait, failures, either, waitMs);
  }
}

/** Queries, actions and the stream of a device. */
export class Client<Draft = string> {
  /** Sent actions whose events are not on the stream yet. */
  readonly echoes = new Echoes<Draft>();

  /** Use {@link connect}. */
  constructor(
    private readonly options: ClientOptions,
    private readonly actions: Actions,
    private readonly wait: Wait,
    private readonly ending: AbortController,
  ) {}

  /** Runs a query; retries until an answer comes. */
  query<Data>(document: string, variables: object = {}): Promise<Data> {
    const { signal } = this.ending;
    return again(() => request<Data>(this.options, document, variables, signal), this.wait, signal);
  }

  /**
   * Starts the one mutation of `document`, whose variable is `$input`, with the next number. It happens once, and after
   * all earlier actions. A `draft` is among the {@link echoes} until its event comes on the stream.
   */
  act<P extends Payload>(document: string, input: object, draft?: Draft): Action<P> {
    return this.#show(this.actions.start<P>(document, input), draft);
  }

  /**
   * Repeats an action whose answer did not come before the program ended, with the same number. Do this for all such
   * actions, in their order, before you start new ones.
   */
  resend<P extends Payload>(actionId: number, document: string, input: object, draft?: Draft): Action<P> {
    return this.#show(this.actions.resend<P>(actionId, document, input), draft);
  }

  #show<P extends Payload>(action: Action<P>, draft: Draft | undefined): Action<P> {
    const { actionId, answer } = action;
    if (draft !== undefined) {
      this.echoes.add(actionId, draft);
      const settle = (event: object | null | undefined) => this.echoes.answered(actionId, event);
      answer.then(({ event }) => settle(event), () => settle(null));
    }
    return action;
  }

  /** Sends a text message. */
  send(roomId: string, body: string, draft?: Draft): Action<Sent> {
    return this.act<Sent>(SEND, { roomId, body }, draft);
  }

  /**
   * Yields each chunk of the event stream once, over all cuts, until you leave the loop or {@link close}. Store
   * `position` together with the content of the chunk, and pass it as `after` when your program starts again.
   */
  async *follow<C extends Pick<Chunk, "position"> = Chunk>(options: FollowOptions = {}): AsyncGenerator<C, void, undefined> {
    const { url, token, webSocket } = this.options;
    const context = { url, token, webSocket, wait: this.wait, signal: this.ending.signal };
    yield* follow<C>(context, options);
  }

  /** A counter that proves that {@link follow} has yielded everything. */
  sequences(): Sequences {
    return new Sequences();
  }

  /** Ends the streams and gives up requests in flight: keep the number of an action to repeat it. */
  close(): void {
    this.ending.abort();
  }
}
