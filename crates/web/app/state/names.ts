// Names as the screens show them.

/** The name of a user: the one that they chose, or the first part of their ID. */
export function nameOf({ displayName, userId }: { displayName?: string | null; userId: string }): string {
  return displayName || localpart(userId);
}

/** `@ada:example.org` is "ada". */
export function localpart(userId: string): string {
  return /^@([^:]+)/.exec(userId)?.[1] ?? userId;
}

/** Whether a user is of another server than a user of this one. */
export function isElsewhere(userId: string, own: string | undefined): boolean {
  return own !== undefined && userId.slice(userId.indexOf(":")) !== own.slice(own.indexOf(":"));
}

/** The power of a member. Creators of a room have no level: they are above all others. */
export function powerOf(level: number | null | undefined): number {
  return level === null ? Infinity : (level ?? 0);
}
