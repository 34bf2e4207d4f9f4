// Programs that a test or a measurement starts: coturn, and a server that names it as its relay.
// COTURN and ROOKERY are the programs, TURN_SECRET is the secret of both.

import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Starts a program that ends with the test `context`. */
function start(context, program, args, env = {}) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "ignore", "pipe"] });
  context.after(async () => {
    if (child.exitCode !== null) return;
    child.kill();
    await once(child, "exit");
  });
  return child;
}

/** A port that nobody listens on. */
export async function freePort() {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

/** Starts a server with these arguments and variables of the environment. `prepare` fills the folder of its data, `started` gets its process. Returns its address. */
export function startServer(context, args, variables = {}, prepare = (_) => {}, started = (_) => {}) {
  const data = mkdtempSync(join(tmpdir(), "rookery-calls-"));
  prepare(data);
  const secret = { ...variables, ROOKERY_TURN_SECRET: process.env.TURN_SECRET };
  const serve = ["serve", "--listen", "127.0.0.1:0", "--data", data, ...args];
  const rookery = start(context, process.env.ROOKERY, serve, secret);
  started(rookery);
  context.after(() => rmSync(data, { recursive: true }));
  const lines = createInterface({ input: rookery.stderr });
  return new Promise((resolve, reject) => {
    lines.on("line", (line) => {
      const at = line.match(/listening on (http:\/\/\S+)/)?.[1];
      if (at) resolve(at);
    });
    lines.on("close", () => reject(new Error("the server did not start")));
  });
}

/** Starts coturn. Returns its port. */
export async function startCoturn(context) {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "rookery-coturn-"));
  start(context, process.env.COTURN, [
    ...["--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", `--listening-port=${port}`, "--realm=localhost"],
    ...["--use-auth-secret", `--static-auth-secret=${process.env.TURN_SECRET}`, "--allow-loopback-peers"],
    ...["--no-cli", "--no-tls", "--no-dtls", "--no-tcp", "--log-file=stdout", "-n"],
    ...[`--pidfile=${join(folder, "pid")}`, `--userdb=${join(folder, "users")}`],
  ]).stderr.resume();
  context.after(() => rmSync(folder, { recursive: true }));
  return port;
}

/** Starts coturn, and a server that names it as its relay. Returns the address of the server. */
export async function serverWithCoturn(context) {
  return startServer(context, ["--turn-uris", `turn:127.0.0.1:${await startCoturn(context)}`]);
}
