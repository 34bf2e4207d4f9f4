// Joining by a link: someone who came with one, and registered for it, is asked nothing more.

let isWanted = false;

/** The next room that the reader opens is joined at once. */
export function joinAfterLogin(): void {
  isWanted = true;
}

/** Whether the room of now was opened for joining. It is true once. */
export function takeWish(): boolean {
  const wanted = isWanted;
  isWanted = false;
  return wanted;
}
