// The operations of a call, as docs/calls.md explains them.

import type { Store } from "rookery-client/store";

interface Refusal {
  code: string;
  message: string;
}

interface Payload {
  call?: { callId: string } | null;
  partyId?: string | null;
  refusal: Refusal | null;
}

const DOCUMENTS = {
  placeCall: `mutation Place($input: PlaceCallInput!) { placeCall(input: $input) { call { callId } partyId refusal { code message } } }`,
  answerCall: `mutation Answer($input: AnswerCallInput!) { answerCall(input: $input) { call { callId } partyId refusal { code message } } }`,
  sendCallSignal: `mutation Signal($input: SendCallSignalInput!) { sendCallSignal(input: $input) { refusal { code message } } }`,
  hangUpCall: `mutation HangUp($input: HangUpCallInput!) { hangUpCall(input: $input) { refusal { code message } } }`,
  rejectCall: `mutation Reject($input: RejectCallInput!) { rejectCall(input: $input) { refusal { code message } } }`,
};
const ICE = `query Ice { iceServers { urls username credential } }`;

/** The server refused a step of a call. */
export class CallRefused extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Runs a step of a call. Throws if the server refuses it. */
export async function act(store: Store, name: keyof typeof DOCUMENTS, input: object): Promise<Payload> {
  const answer = (await store.run<unknown, object>(DOCUMENTS[name] as never, input)) as Record<string, Payload>;
  const payload = answer[name]!;
  if (payload.refusal) throw new CallRefused(payload.refusal.code, payload.refusal.message);
  return payload;
}

interface Servers {
  iceServers: { urls: string[]; username: string | null; credential: string | null }[];
}

/** The servers that help two devices to find each other; none on a server that knows none. */
export async function iceServers(store: Store): Promise<RTCIceServer[]> {
  const answer = await store.query<Servers, object>(ICE as never, {} as never);
  return answer.iceServers.map(({ urls, username, credential }) =>
    username === null || credential === null ? { urls } : { urls, username, credential },
  );
}
