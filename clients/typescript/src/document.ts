// GraphQL documents, as text or with the types of their data and variables.

import type { DocumentTypeDecoration } from "@graphql-typed-document-node/core";
import { print, type DocumentNode } from "graphql";

/** A document: text, or a generated one with types (`TypedDocumentNode`, `TypedDocumentString`). */
export type Document<Data, Variables> = string | DocumentTypeDecoration<Data, Variables>;

/** The text to send. */
export function textOf(document: Document<unknown, never>): string {
  return typeof document === "object" && "kind" in document ? print(document as DocumentNode) : String(document);
}

/** The variables of a call, which may be left out if all of them may, and its options. */
export type Arguments<Variables> = object extends Variables
  ? [variables?: Variables, options?: CallOptions]
  : [variables: Variables, options?: CallOptions];

/** The options of every call. */
export interface CallOptions {
  /** Gives the call up. A mutation that was sent may still be executed. */
  signal?: AbortSignal | undefined;
}

/** Signals when either one does. */
export function either(signal: AbortSignal, other: AbortSignal | undefined): AbortSignal {
  return other ? AbortSignal.any([signal, other]) : signal;
}
