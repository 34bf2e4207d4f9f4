// A bad network between a client and the server: it can cut its connections.

import { once } from "node:events";
import { connect, createServer } from "node:net";

/** The header with the type of an answer. */
const FORM = /^(?:content-type|upgrade): ([^;\r]+)/gim;

/**
 * Listens on its own port. `bytes()` returns the number of bytes, of both directions together, after which it cuts the
 * next connection; Infinity means never. `cut()` cuts all open connections. `forms` has the kinds of answers so far:
 * their content types, and the protocols of upgrades.
 */
export async function proxy(context, bytes = () => Infinity) {
  const { hostname, port } = new URL(process.env.ROOKERY_URL);
  const open = new Set();
  const network = { url: "", cuts: 0, forms: new Set() };
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
    far.on("data", (data) => {
      for (const [, form] of data.toString("latin1").matchAll(FORM)) network.forms.add(form);
    });
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
