// A proxy between a browser and a server that cuts connections, and that can be offline.

import { createServer, connect } from "node:net";

export class Proxy {
  #sockets = new Set();
  #server;
  #isCut = false;
  cuts = 0;

  constructor(target) {
    this.target = new URL(target);
  }

  /** Listens until the test `context` ends. */
  async listen(context) {
    this.#server = createServer((incoming) => {
      if (this.#isCut) return incoming.destroy();
      const outgoing = connect(Number(this.target.port), this.target.hostname);
      for (const [from, to] of [[incoming, outgoing], [outgoing, incoming]]) {
        this.#sockets.add(from);
        from.pipe(to);
        from.on("error", () => to.destroy());
        from.on("close", () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
    });
    await new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    context.after(() => {
      this.cut();
      this.#server.close();
    });
    this.address = `http://127.0.0.1:${this.#server.address().port}`;
    return this;
  }

  /** Ends all connections. */
  cut() {
    this.cuts += 1;
    for (const socket of [...this.#sockets]) socket.destroy();
  }

  set isOffline(isOffline) {
    this.#isCut = isOffline;
    if (isOffline) this.cut();
  }
}
