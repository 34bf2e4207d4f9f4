// A Rookery server: its queries and mutations over HTTP, its stream over a WebSocket.

/** The server refused a request, or could not be reached. */
export class Refused extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

export class Server {
  constructor(url, token = null) {
    this.url = url;
    this.token = token;
  }

  /** Runs a query or a mutation, and returns its data. */
  async ask(query, variables = {}) {
    const headers = { "Content-Type": "application/json" };
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    const body = JSON.stringify({ query, variables });
    const response = await fetch(this.url, { method: "POST", headers, body });
    const { data, errors } = await response.json();
    if (errors) throw new Refused(errors[0].message, errors[0].extensions?.code);
    return data;
  }

  /** Runs the only mutation of a document, and returns its payload. Throws if it was refused. */
  async act(mutation, input) {
    const [payload] = Object.values(await this.ask(mutation, { input }));
    if (payload.refusal) throw new Refused(payload.refusal.message, payload.refusal.code);
    return payload;
  }

  /**
   * Follows a subscription until `signal` aborts, and connects again after each interruption.
   * `next` gets the data of each answer; `opened` is called at the begin of each connection.
   */
  async follow(document, { next, opened, signal }) {
    for (let pause = 250; !signal.aborted; pause = Math.min(2 * pause, 8000)) {
      const lasted = await this.#connection(document, { next, opened, signal });
      if (lasted) pause = 250;
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
    }
  }

  /** One connection; resolves when it has ended, with whether the subscription had begun. */
  #connection(query, { next, opened, signal }) {
    return new Promise((resolve) => {
      const url = new URL(this.url);
      url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
      const socket = new WebSocket(url, "graphql-transport-ws");
      const send = (message) => socket.send(JSON.stringify(message));
      let begun = false;
      const close = () => socket.close(1000);
      signal.addEventListener("abort", close);
      socket.onopen = () => send({ type: "connection_init", payload: { Authorization: `Bearer ${this.token}` } });
      socket.onclose = () => {
        signal.removeEventListener("abort", close);
        resolve(begun);
      };
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        if (message.type === "connection_ack") send({ id: "1", type: "subscribe", payload: { query } });
        else if (message.type === "ping") send({ type: "pong" });
        else if (message.type === "complete" || message.type === "error") close();
        else if (message.type === "next" && message.payload.data) {
          if (!begun) opened();
          begun = true;
          next(message.payload.data);
        }
      };
    });
  }
}
