// gql for Python, in its own process, which takes calls as lines of JSON; `PYTHON_GQL` is its folder.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("python_gql.py", import.meta.url));

export const pythonGql = {
  form: "websocket",
  isFinal: ({ code }) => code === 4403 || code === "UNAUTHENTICATED",
  open({ url, token }) {
    const env = { ...process.env, PYTHONPATH: process.env.PYTHON_GQL };
    const child = spawn("python3", [PROGRAM, url], { env, stdio: ["pipe", "pipe", "inherit"] });
    const calls = new Map();
    let count = 0;
    const call = (what, observer) => {
      const id = count++;
      calls.set(id, observer);
      child.stdin.write(`${JSON.stringify({ id, token, ...what })}\n`);
      return () => calls.delete(id);
    };
    child.on("exit", (code) => {
      for (const { error } of [...calls.values()]) error(new Error(`the process ended with ${code}`));
    });
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
};
