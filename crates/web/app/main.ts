// The script of a page.
//
// Invariant: no other file does anything to a page when it is loaded; `start` does.

import { start } from "./start.js";

void start();
