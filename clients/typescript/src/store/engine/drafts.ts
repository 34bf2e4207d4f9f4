// The content that a draft sends and its echo shows: the same content that the server makes of the same input.

import type { Draft, Json } from "../contract.js";
import type { SendMessageInput } from "../generated.js";

const TYPES = { TEXT: "m.text", EMOTE: "m.emote", NOTICE: "m.notice" } as const;

/** The input of `sendMessage`. */
export function inputOf(roomId: string, draft: Draft, edits?: string): SendMessageInput {
  const { mentions, mentionsRoom, ...rest } = draft;
  const named = mentions || mentionsRoom ? { mentions: { userIds: [...(mentions ?? [])], isRoom: mentionsRoom ?? false } } : {};
  const given = Object.entries({ ...rest, edits }).filter(([, value]) => value !== undefined);
  return { roomId, ...(Object.fromEntries(given) as { body: string }), ...named };
}

/** The content of the message. */
export function contentOf({ body, formattedBody, kind, replyTo, threadRoot, mentions, mentionsRoom }: Draft, edits?: string): Json {
  const text = {
    msgtype: TYPES[kind ?? "TEXT"],
    body,
    ...(formattedBody === undefined ? {} : { format: "org.matrix.custom.html", formatted_body: formattedBody }),
    ...(mentions?.length || mentionsRoom ? { "m.mentions": { user_ids: [...(mentions ?? [])], room: mentionsRoom ?? false } } : {}),
  };
  if (edits !== undefined) {
    return { ...text, "m.new_content": text, "m.relates_to": { rel_type: "m.replace", event_id: edits } };
  }
  const reply = replyTo === undefined ? {} : { "m.in_reply_to": { event_id: replyTo } };
  const thread = threadRoot === undefined ? {} : { rel_type: "m.thread", event_id: threadRoot };
  return replyTo === undefined && threadRoot === undefined ? text : { ...text, "m.relates_to": { ...thread, ...reply } };
}
