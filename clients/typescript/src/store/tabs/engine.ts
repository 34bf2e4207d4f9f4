// The parts of the engine of its device that a hub needs.

import type { Engine } from "../engine/engine.js";
import type { SharedSession } from "./protocol.js";

/** The part of an engine that a hub uses. */
export type HubEngine = Pick<Engine, "view" | "watch" | "onChange" | "onSignal" | "execute" | "close">;

/** Starts the engine of a session. */
export type StartEngine = (session: SharedSession) => Promise<HubEngine>;
