// The text of a document, without the printer of the package `graphql`, which is as large as the core of the store.

import type { Document } from "../document.js";

/**
 * The text to send.
 *
 * @throws {TypeError} The document is a tree without its text.
 */
export function textOf(document: Document<unknown, never>): string {
  if (typeof document !== "object" || !("kind" in document)) return String(document);
  const { loc } = document as { loc?: { source: { body: string } } };
  if (loc) return loc.source.body;
  throw new TypeError("the store takes documents as text, or as `gql` and `TypedDocumentString` make them");
}
