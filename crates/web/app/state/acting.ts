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
): Promise<Data[keyof Data] | null> {
  try {
    const data = await store.run(document, input);
    const payload = Object.values(data)[0] as (Data[keyof Data] & { refusal?: Refusal | null }) | undefined;
    if (payload && !payload.refusal) return payload;
    toast(reason(payload?.refusal), "bad");
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
