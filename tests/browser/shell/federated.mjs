// Two servers that federate over loopback, by certificates of an authority of their own. OPENSSL is the program.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freshServer } from "./visits.mjs";

/** A port of TCP that nobody listens on. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** An authority, and a certificate of `localhost` by it. Returns the paths of the files. */
function certificates(context) {
  const folder = mkdtempSync(join(tmpdir(), "rookery-certificates-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const openssl = (...args) => execFileSync(process.env.OPENSSL, args, { cwd: folder, stdio: "pipe" });
  const key = (name) => openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", `${name}.key`);
  const subject = (name) => ["-subj", `/CN=${name}`, "-days", "2"];
  key("ca");
  const isAuthority = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"];
  openssl("req", "-x509", "-new", "-key", "ca.key", "-out", "ca.pem", ...subject("Rookery test"), ...isAuthority);
  key("localhost");
  openssl("req", "-new", "-key", "localhost.key", "-out", "localhost.csr", "-subj", "/CN=localhost");
  writeFileSync(join(folder, "names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\n");
  openssl("x509", "-req", "-in", "localhost.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "localhost.pem");
  return { ca: join(folder, "ca.pem"), certificate: join(folder, "localhost.pem"), key: join(folder, "localhost.key") };
}

/** Two servers. Each has an address, a name, and functions that stop it and let it go on. */
export async function twoServers(context, args = []) {
  const { ca, certificate, key } = certificates(context);
  const start = async () => {
    const port = await freePort();
    const name = `localhost:${port}`;
    const federation = ["--server-name", name, "--federation-listen", `127.0.0.1:${port}`, "--federation-public-rooms", "on"];
    const trust = ["--federation-certificate", certificate, "--federation-key", key, "--federation-ca", ca, "--federation-allow-networks", "127.0.0.1"];
    const found = {};
    // A program that stands still does not end.
    context.after(() => found.program?.kill("SIGCONT"));
    const at = await freshServer(context, [...federation, ...trust, "--federation-retry-longest", "2s", ...args], {}, undefined, (program) => (found.program = program));
    return { at, name, stop: () => found.program.kill("SIGSTOP"), goOn: () => found.program.kill("SIGCONT") };
  };
  return [await start(), await start()];
}
