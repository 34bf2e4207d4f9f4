// The script of the pages of tabs.test.mjs, which is also that of their SharedWorker.

import { openStore, serveWorker, startEngine } from "rookery-client/store";

if ("SharedWorkerGlobalScope" in globalThis) serveWorker(globalThis, startEngine);
else {
  const { searchParams } = new URL(location.href);
  const session = JSON.parse(searchParams.get("session"));
  if (searchParams.has("leader") || searchParams.has("alone")) delete globalThis.SharedWorker;
  const worker = () => new SharedWorker(searchParams.get("worker") ?? "/page.js", { name: "rookery" });
  // The mistake that the tests have to find: a store whose name no other page has counts for itself.
  const name = searchParams.get("alone") ?? "rookery";
  globalThis.store = openStore({ session, worker, start: startEngine, name });
  
}
