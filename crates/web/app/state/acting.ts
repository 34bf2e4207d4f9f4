// Actions of the user: they run through the store, and a refusal is a note on the screen.
//
// Invariant: nothing that the user did fails in silence.

import type { Document } from "rookery-client";
import type { Store } from "rookery-client/store";
import { toast } from "../parts/toast.js";
import { t, type TextName } from "../texts/index.js";

interface Refusal {
  code: string;
  message: string;
}

/** Runs a mutation. Returns its payload, or null after a refusal or a failure, which it shows. */
export async function act<Data extends object, Input extends object>(
  store: Store,
  document: Document<Data, { input: Input }>,
  input: Input,
  why: (refusal: unknown) => string = reason,
): Promise<Data[keyof Data] | null> {
  try {
    const data = await store.run(document, input);
    const payload = Object.values(data)[0] as (Data[keyof Data] & { refusal?: Refusal | null }) | undefined;
    if (payload && !payload.refusal) return payload;
    toast(why(payload?.refusal), "bad");
  } catch (error) {
    toast(reason(error), "bad");
  }
  return null;
}

/** Why something did not work, as a sentence. `error` is a refusal or an error with a `code`. */
export function reason(error: unknown): string {
  const { code, message } = (error ?? {}) as Partial<Refusal>;
  const known = REASONS[code ?? ""];
  if (known) return t(known);
  return message ? t("reason.other", { message }) : t("reason.unknown");
}

/** Why a room did not let the user in: there, a server that forbids something forbids just that. */
export function reasonAtDoor(error: unknown): string {
  return (error as Partial<Refusal> | null)?.code === "FORBIDDEN" ? t("reason.notLetIn") : reason(error);
}

/** Refusals that users meet. */
const REASONS: Record<string, TextName> = {
  BANNED: "reason.banned",
  DEVICE_NOT_FOUND: "reason.gone",
  FORBIDDEN: "reason.forbidden",
  INSUFFICIENT_POWER: "reason.forbidden",
  ALIAS_TAKEN: "reason.aliasTaken",
  INVALID_ALIAS: "reason.aliasInvalid",
  NOT_INVITED: "reason.notInvited",
  NOT_A_MEMBER: "reason.notMember",
  NO_SUCH_ROOM: "reason.noRoom",
  NO_SUCH_USER: "reason.noUser",
  OFFLINE: "reason.offline",
  PASSWORD_TOO_SHORT: "reason.passwordShort",
  PASSWORD_TOO_LONG: "reason.passwordLong",
  FEDERATION_OFF: "reason.noOtherServers",
  NOT_IN_ALLOWED_ROOM: "reason.notInvited",
  NOT_KNOCKABLE: "reason.notKnockable",
  ROOM_REPLACED: "reason.replaced",
  SERVER_UNREACHABLE: "reason.unreachable",
  TOO_LARGE: "reason.tooLarge",
  TOO_MANY_REMOTE_ACTIONS: "reason.tooManyWaiting",
  RATE_LIMITED: "reason.tooFast",
  REGISTRATION_CLOSED: "reason.registrationClosed",
  TARGET_BANNED: "reason.targetBanned",
  TARGET_NOT_BELOW: "reason.targetNotBelow",
  UNAUTHENTICATED: "reason.ended",
  USER_NAME_INVALID: "reason.nameInvalid",
  USER_NAME_TAKEN: "reason.nameTaken",
  WOULD_LOCK_OUT: "reason.lockOut",
  WRONG_CREDENTIALS: "reason.credentials",
};
