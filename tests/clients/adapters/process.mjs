// A client in its own process, for other languages: it takes calls as lines of JSON, and answers the same way.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/**
 * The adapter for a program. `command(place)` returns its file, its arguments and its environment. A call has an `id`, the
 * `token`, `do` ("run" or "subscribe"), the `document` and the `variables`. Its answers have the same `id`, and `next` for
 * each result of a subscription, then `data` or `error`: `{ message, code }`.
 */
export const inProcess = (command) => ({
  form: "websocket",
  isFinal: (reason) => reason?.code === 4403 || reason?.code === 401 || reason?.code === "UNAUTHENTICATED",
  open(place) {
    const { file, args, env } = command(place);
    const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "inherit"] });
    const calls = new Map();
    let count = 0;
    const call = (what, observer) => {
      const id = count++;
      calls.set(id, observer);
      child.stdin.write(`${JSON.stringify({ id, token: place.token, ...what })}\n`);
      return () => calls.delete(id);
    };
    const ended = (reason) => {
      for (const { error } of [...calls.values()]) error(new Error(reason));
    };
    child.on("exit", (code) => ended(`the process ended with ${code}`));
    child.on("error", ({ message }) => ended(message));
    createInterface(child.stdout).on("line", (line) => {
      const { id, next, error, data } = JSON.parse(line);
      const observer = calls.get(id);
      if (next) return observer?.next(next);
      calls.delete(id);
      if (error) observer?.error(Object.assign(new Error(error.message), error));
      else observer?.complete(data);
    });
    return {
      run: (document, variables = {}) =>
        new Promise((complete, error) => call({ do: "run", document, variables }, { complete, error })),
      subscribe: (document, variables, observer) => call({ do: "subscribe", document, variables }, observer),
      close: () => child.kill(),
    };
  },
});
