// Names as the screens show them.

/** The name of a user: the one that they chose, or the first part of their ID. */
export function nameOf({ displayName, userId }: { displayName?: string | null; userId: string }): string {
  return displayName || localpart(userId);
}

/** `@ada:example.org` is "ada". */
export function localpart(userId: string): string {
  return /^@([^:]+)/.exec(userId)?.[1] ?? userId;
}
