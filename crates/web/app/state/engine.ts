// The engine, as a script of its own: a page needs it only if there is no SharedWorker.

export { startEngine } from "rookery-client/store/worker";
