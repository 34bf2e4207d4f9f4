// The client in Rust; `RUST_CLIENT` is its program.

import { inProcess } from "./process.mjs";

export const rustClient = inProcess(({ url }) => ({ file: process.env.RUST_CLIENT, args: [url] }));
