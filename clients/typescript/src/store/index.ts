// The store: what a page of a chat shows, kept on the device and up to date.

export type * from "./contract.js";
export * from "./tabs/index.js";
