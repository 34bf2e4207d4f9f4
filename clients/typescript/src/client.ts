// One device of one user.

import { Actions, type Action, type Payload, type Request } from "./actions.js";
import { backOff, type Wait } from "./backoff.js";
import type { Chunk, OnConnection, Position } from "./chunk.js";
import { consume, type Batch, type BatchFields, type ConsumeOptions } from "./consume.js";
import { either, textOf, type Arguments, type CallOptions, type Document } from "./document.js";
import { Echoes } from "./echoes.js";
import { Refused, RequestFailed } from "./errors.js";
import {
  AcknowledgeDocument,
  type AcknowledgeInput,
  CountedDocument,
  FollowDocument,
  LogInDocument,
  LogOutDocument,
  SendDocument,
  SetPresenceDocument,
  SetTypingDocument,
  type ConsumeSubscription,
  type CountedQuery,
  type FollowSubscription,
  type LogInInput,
  type LogInMutation,
  type Presence,
  type SendMutation,
  type SetPresenceInput,
  type SetTypingInput,
} from "./generated.js";
import { request, type Endpoint } from "./http.js";
import { again } from "./retry.js";
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

/** The answer of `Client.send`. */
export type Sent = SendMutation["sendMessage"];

/** The options of an action. */
export interface ActionOptions<Draft> extends CallOptions {
  /** What to show until the event comes: see {@link Client.echoes}. */
  draft?: Draft | undefined;
}

/** The payload of the one mutation of a document. */
export type PayloadOf<Data> = Data extends Record<string, infer P> ? (P extends Payload ? P : Payload) : Payload;

/**
 * Logs in on a new device, or again on the device that you name.
 *
 * @throws {Refused} Such as `WRONG_CREDENTIALS`.
 */
export async function logIn(
  endpoint: Endpoint,
  input: LogInInput,
  { signal = new AbortController().signal }: CallOptions = {},
): Promise<Login> {
  const { logIn } = await request<LogInMutation>(endpoint, textOf(LogInDocument), { input }, signal);
  const { token, deviceId, user, refusal } = logIn;
  if (refusal) throw new Refused(refusal);
  if (token === null || deviceId === null || user === null) throw new TypeError("a login without a token");
  return { token, deviceId, user };
}

/**
 * Queries the last action number of this device, and continues after it.
 *
 * @throws {TypeError} The URL is not valid.
 * @throws {UnexpectedAnswer} Another program than a Rookery server answers at the URL.
 * @throws {Disconnected} Nothing answered for as long as `connectWait`: the server is down, or the URL is wrong.
 */
export async function connect<Draft = string>(
  options: ClientOptions,
  { signal }: CallOptions = {},
): Promise<Client<Draft>> {
  const ending = new AbortController();
  const wait = options.wait ?? backOff;
  const late = AbortSignal.timeout(options.connectWait ?? CONNECT_WAIT_MS);
  const given = either(ending.signal, signal);
  const { viewer } = await again(() => request<CountedQuery>(options, textOf(CountedDocument), {}, given), wait, given, late);
  if (!viewer) throw new RequestFailed([{ message: "the token is not valid", extensions: { code: "UNAUTHENTICATED" } }]);
  const ask: Request = (document, variables, signal) => request(options, textOf(document), variables, signal);
  const actions = new Actions(viewer.device.lastActionId, ask, wait, ending.signal);
  return new Client(options, actions, wait, ending);
}

/** Queries, actions and the stream of a device. */
export class Client<Draft = string> {
  /** Sent actions whose events are not on the stream yet. */
  readonly echoes = new Echoes<Draft>();
  /** Ends the streams before the session does, so that they end without an error. */
  readonly #leaving = new AbortController();

  /** Use {@link connect}. */
  constructor(
    private readonly options: ClientOptions,
    private readonly actions: Actions,
    private readonly wait: Wait,
    private readonly ending: AbortController,
  ) {}

  /** Runs a query; retries until an answer comes. */
  query<Data, Variables extends object = object>(
    document: Document<Data, Variables>,
    ...[variables, options]: Arguments<Variables>
  ): Promise<Data> {
    return this.#ask<Data>(document, variables ?? {}, options);
  }

  #ask<Data>(document: Document<Data, never>, variables: object, { signal }: CallOptions = {}): Promise<Data> {
    const given = either(this.ending.signal, signal);
    return again(() => request<Data>(this.options, textOf(document), variables, given), this.wait, given);
  }

  /**
   * Starts the one mutation of `document`, whose variable is `$input`, with the next number. It happens once, and after
   * all earlier actions. A `draft` is among the {@link echoes} until its event comes on the stream. If you give an action
   * up with a `signal`, it may have been executed.
   */
  act<Data, Input extends object>(
    document: Document<Data, { input: Input }>,
    input: Input,
    options: ActionOptions<Draft> = {},
  ): Action<PayloadOf<Data>> {
    return this.#show(this.actions.start<PayloadOf<Data>>(document, input, options.signal), options.draft);
  }

  /**
   * Repeats an action whose answer did not come before the program ended, with the same number. Do this for all such
   * actions, in their order, before you start new ones.
   */
  resend<Data, Input extends object>(
    actionId: number,
    document: Document<Data, { input: Input }>,
    input: Input,
    options: ActionOptions<Draft> = {},
  ): Action<PayloadOf<Data>> {
    return this.#show(this.actions.resend<PayloadOf<Data>>(actionId, document, input, options.signal), options.draft);
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
  send(roomId: string, body: string, options: ActionOptions<Draft> = {}): Action<Sent> {
    return this.act(SendDocument, { roomId, body }, options);
  }

  /**
   * Sends a text message under a name of your own. Under one name the user sends one event, for ever: a program that starts
   * again sends nothing twice if it names each message after its cause, such as the event that it answers.
   */
  sendOnce(transactionId: string, roomId: string, body: string, { signal }: CallOptions = {}): Promise<Sent> {
    return this.actions.named<Sent>(SendDocument, { roomId, body, transactionId }, signal);
  }

  /**
   * Says whether you are typing on this device. It ends by itself after `timeoutSeconds`, or when you send a message.
   *
   * @throws {Refused} You are not in the room.
   */
  async setTyping(
    roomId: string,
    isTyping: boolean,
    { timeoutSeconds, ...options }: CallOptions & { timeoutSeconds?: number } = {},
  ): Promise<void> {
    const input: SetTypingInput = { roomId, isTyping, ...(timeoutSeconds !== undefined && { timeoutSeconds }) };
    const { refusal } = (await this.#ask(SetTypingDocument, { input }, options)).setTyping;
    if (refusal) throw new Refused(refusal);
  }

  /** Sets the presence of this device, and the status message of the user. */
  async setPresence(
    presence: Presence,
    { statusMessage, ...options }: CallOptions & { statusMessage?: string } = {},
  ): Promise<void> {
    const input: SetPresenceInput = { presence, ...(statusMessage !== undefined && { statusMessage }) };
    await this.#ask(SetPresenceDocument, { input }, options);
  }

  /**
   * Yields each chunk of the event stream once, over all cuts, until you leave the loop or {@link close}. Store
   * `position` together with the content of the chunk, and pass it as `after` when your program starts again.
   */
  async *follow<C extends Pick<Chunk, "position"> = FollowSubscription["eventStream"]>(
    options: FollowOptions<C> = {},
  ): AsyncGenerator<C & OnConnection, void, undefined> {
    const { url, token, webSocket } = this.options;
    const context = { url, token, webSocket, wait: this.wait, signal: either(this.ending.signal, this.#leaving.signal) };
    const { document, ephemeral = false, counts = false, ...rest } = options;
    // A document of the program's own need not have the variables for what it may select.
    const selected = document === undefined ? { ephemeral, counts } : {};
    yield* follow<C>(context, { ...rest, query: textOf(document ?? FollowDocument), selected });
  }

  /**
   * Yields the batches of the consumer `name` of the user, over all cuts, until you leave the loop or {@link close}. The
   * server remembers how far it has come: acknowledge each batch once you have worked it off.
   */
  async *consume<C extends BatchFields = ConsumeSubscription["consume"]>(
    name: string,
    options: ConsumeOptions<C> = {},
  ): AsyncGenerator<Batch<C>, void, undefined> {
    const { url, token, webSocket } = this.options;
    const context = { url, token, webSocket, wait: this.wait, signal: either(this.ending.signal, this.#leaving.signal) };
    yield* consume<C>(context, name, options, (position, batch) =>
      this.acknowledge(name, position, { ...options, batch }),
    );
  }

  /**
   * Acknowledges the batches of a consumer up to a position. {@link consume} gives each batch an `acknowledge` of its own.
   *
   * @throws {Refused} Such as `POSITION_NOT_DELIVERED`.
   */
  async acknowledge(
    name: string,
    position: Position,
    { batch, signal }: CallOptions & { batch?: string } = {},
  ): Promise<void> {
    const input: AcknowledgeInput = { name, position, ...(batch !== undefined && { batch }) };
    const { refusal } = (await this.#ask(AcknowledgeDocument, { input }, { signal })).acknowledge;
    if (refusal) throw new Refused(refusal);
  }

  /** A counter that proves that {@link follow} has yielded everything. */
  sequences(): Sequences {
    return new Sequences();
  }

  /**
   * Ends the streams, logs out this device, or all devices of the user, and closes the client. A token that is not valid
   * any more is logged out.
   */
  async logOut({ everywhere = false, ...options }: CallOptions & { everywhere?: boolean } = {}): Promise<void> {
    this.#leaving.abort();
    try {
      await this.#ask(LogOutDocument, { input: { everywhere } }, options);
    } catch (error) {
      if (!(error instanceof RequestFailed && error.code === "UNAUTHENTICATED")) throw error;
    }
    this.close();
  }

  /** Ends the streams and gives up requests in flight: keep the number of an action to repeat it. */
  close(): void {
    this.ending.abort();
  }
}
