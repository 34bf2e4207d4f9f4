// The address of the server, from the forms that users write.

/**
 * The address of GraphQL: that of the server, with or without a path, with or without `/graphql` and a slash at its end.
 *
 * @throws {TypeError} It is not an address of the web.
 */
export function graphqlUrl(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new TypeError(`${JSON.stringify(url)} is no URL: give the address of the server, such as https://chat.example.org`);
  }
  if (!/^(https?|wss?):$/.test(parsed.protocol)) {
    throw new TypeError(`${JSON.stringify(url)} is no address of a web server: it has to begin with https:// or http://`);
  }
  const path = parsed.pathname.replace(/\/+$/, "");
  const end = path.endsWith("/graphql") ? "" : "/graphql";
  return `${parsed.protocol.replace("ws", "http")}//${parsed.host}${path}${end}`;
}

/** The same for a WebSocket. */
export function socketUrl(url: string): string {
  return graphqlUrl(url).replace(/^http/, "ws");
}
