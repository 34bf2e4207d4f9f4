// The message that a message replies to: a short quote that leads to the message.

import { useEffect, useState } from "preact/hooks";
import type { EventId, Row } from "rookery-client/store";
import { html } from "../html.js";
import { Icon } from "../parts/icon.js";
import { nameOf as nameOfUser } from "../state/names.js";
import { t } from "../texts/index.js";
import { nameOf } from "../timeline/changes.js";
import { preview, readable } from "./body.js";
import type { Conversation } from "./conversation.js";

interface Quote {
  name: string;
  text: string;
}

const QUOTED = `query Quoted($eventId: EventID!) {
  event(eventId: $eventId) { text isRedacted sender { userId displayName } }
}`;

interface Quoted {
  event: { text: string | null; isRedacted: boolean; sender: { userId: string; displayName: string | null } } | null;
}

/** Quotes of events that no timeline has, by event. The number of them is bounded. */
const asked = new Map<EventId, Promise<Quote | null>>();
const ASKED_MAX = 500;

function ask({ store }: Conversation, eventId: EventId): Promise<Quote | null> {
  let answer = asked.get(eventId);
  if (answer) return answer;
  if (asked.size >= ASKED_MAX) asked.clear();
  answer = store
    .query<Quoted, { eventId: EventId }>(QUOTED as never, { eventId } as never)
    .then(({ event }) => event && { name: nameOfUser(event.sender), text: preview({ body: event.text ?? "" }) })
    .catch(() => {
      asked.delete(eventId);
      return null;
    });
  asked.set(eventId, answer);
  return answer;
}

export function quoteOf(row: Row): Quote {
  return { name: nameOf(row), text: row.redaction ? t("message.redacted") : preview(row.content) };
}

export function ReplyQuote({ eventId, conversation }: { eventId: EventId; conversation: Conversation }) {
  const row = conversation.rowOf(eventId);
  const [fetched, setFetched] = useState<Quote | null>(null);
  useEffect(() => {
    let isHere = true;
    if (!row) void ask(conversation, eventId).then((quote) => isHere && setFetched(quote));
    return () => {
      isHere = false;
    };
  }, [eventId, row === undefined]);
  const quote = row ? quoteOf(row) : fetched;
  const label = t("message.replyTo", { who: quote ? readable(quote.name) : "…" });
  return html`<button type="button" class="quote" aria-label=${label} title=${label} onClick=${() => conversation.goTo(eventId)}>
    <${Icon} name="reply" />
    ${quote ? html`<bdi dir="auto" class="name">${readable(quote.name).slice(0, 60)}</bdi><span class="one-line" dir="auto">${quote.text}</span>` : html`<span class="one-line">…</span>`}
  </button>`;
}
