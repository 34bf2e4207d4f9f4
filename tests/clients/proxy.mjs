// A bad network between a client and the server: connections that pass through it can be cut.

import { once } from "node:events";
import { connect, createServer } from "node:net";

/**
 * Listens on a port of its own. `bytes()` says after how many bytes, of both directions together, the next connection
 * is cut; never, if it answers Infinity. `cut()` cuts all that are open.
 */
export async function proxy(context, bytes = () => Infinity) {
  const { hostname, port } = new URL(process.env.ROOKERY_URL);
  const open = new Set();
  const network = { url: "", cuts: 0 };
  network.cut = () => {
    for (const pair of open) destroy(pair);
  };

  function destroy(pair) {
    if (!open.delete(pair)) return;
    network.cuts++;
    for (const socket of pair) socket.destroy();
  }

  const listener = createServer((near) => {
    const far = connect(Number(port), hostname);
    const pair = [near, far];
    open.add(pair);
    let left = bytes();
    for (const [from, to] of [[near, far], [far, near]]) {
      from.on("data", (data) => {
        if ((left -= data.length) < 0) return destroy(pair);
        to.write(data);
      });
      from.on("end", () => to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => open.delete(pair) && to.destroy());
    }
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  context.after(() => {
    for (const pair of open) for (const socket of pair) socket.destroy();
    listener.close();
  });
  network.url = `http://127.0.0.1:${listener.address().port}`;
  return network;
}
