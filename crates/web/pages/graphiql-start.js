// Starts GraphiQL twice: one acts, and the one below it watches the stream, so that a message arrives in the same window.
// Queries and mutations go over HTTP, subscriptions over graphql-transport-ws.
"use strict";

self.MonacoEnvironment = {
  getWorker(_, label) {
    const kind = ["json", "graphql"].includes(label) ? label : "editor";
    return new Worker(`/web/graphiql-5.4.0-${kind}-worker.js`);
  },
};

// The operation that a request executes. GraphiQL may still name that of the tab before, so the only one of a document wins.
function chosen({ query, operationName }) {
  const operations = [...query.matchAll(/^\s*(query|mutation|subscription)\b\s*(\w*)/gm)].map(([, kind, name]) => ({ kind, name }));
  return operations.find(({ name }) => name === operationName) ?? operations[0] ?? { kind: "query", name: "" };
}

// The token of the last login on this page, or whatever was put into the field for it. It is kept nowhere else, and gone
// with the page.
let token;
let field;

function actWith(given) {
  token = given || undefined;
  if (field && field.value.trim() !== (given ?? "")) field.value = given ?? "";
  if (token) watch();
}

// Runs the subscription below with the new token, also if it ran with another one.
function watch() {
  const button = document.querySelector("#watch .graphiql-execute-button");
  if (button?.ariaLabel.startsWith("Stop")) button.click();
  requestAnimationFrame(() => document.querySelector("#watch .graphiql-execute-button")?.click());
}

function authorized(headers) {
  const named = Object.keys(headers).some((name) => name.toLowerCase() === "authorization");
  return named || !token ? headers : { ...headers, Authorization: `Bearer ${token}` };
}

function remember(status, data) {
  const login = Object.values(data ?? {}).find((payload) => payload?.token);
  if (login) actWith(login.token);
  else if (status === 401 || data?.logOut) actWith(undefined);
}

// One socket for each subscription, so that each goes out with the token in the headers of its tab.
async function* follow(request, headers) {
  const url = (location.protocol === "https:" ? "wss://" : "ws://") + location.host + "/graphql";
  const client = Ide.createClient({ url, connectionParams: Object.fromEntries(new Headers(authorized(headers))) });
  try {
    yield* client.iterate(request);
  } catch (error) {
    if (error instanceof CloseEvent) {
      throw new Error(`The server closed the socket: ${error.code} ${error.reason}`);
    }
    throw error;
  } finally {
    client.dispose();
  }
}

// Without the chunks that have nothing but a position: the last event stays on the screen.
async function* followEvents(request, headers) {
  let isFirst = true;
  for await (const result of follow(request, headers)) {
    const isEmpty = Object.values(result.data ?? {}).some((chunk) => chunk?.events?.length === 0);
    if (isFirst || !isEmpty) yield result;
    isFirst = false;
  }
}

async function ask(request, headers) {
  const answer = await fetch("/graphql", {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/graphql-response+json, application/json;q=0.9",
      ...authorized(headers),
    },
    body: JSON.stringify(request),
  });
  const result = await answer.json();
  remember(answer.status, result.data);
  return result;
}

// GraphiQL shows each result of the stream in the place of the one before.
const fetcher = (stream) => (request, { headers = {} } = {}) => {
  const { kind, name } = chosen(request);
  const named = { ...request, operationName: name || undefined };
  return kind === "subscription" ? stream(named, headers) : ask(named, headers);
};

// A place of its own in the browser's storage for what the user writes below.
function storageOf(prefix) {
  const keys = () => Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  return {
    get length() {
      return keys().length;
    },
    getItem: (key) => localStorage.getItem(prefix + key),
    setItem: (key, value) => localStorage.setItem(prefix + key, value),
    removeItem: (key) => localStorage.removeItem(prefix + key),
    clear: () => keys().forEach((key) => localStorage.removeItem(key)),
  };
}

async function start() {
  const { createElement, createRoot, GraphiQL } = Ide;
  const examples = (await (await fetch("/web/examples.graphql")).text()).split(/^# ---.*$/m).map((query) => query.trim() + "\n");
  const isStream = (query) => /^subscription/m.test(query);
  const defaultTabs = examples.filter((query) => !isStream(query)).map((query) => ({ query }));
  // A link may bring a query. GraphiQL gives it a tab beside those of the last visit, but not beside the first ones.
  const initialQuery = new URLSearchParams(location.search).get("query") ?? undefined;
  if (initialQuery) defaultTabs.unshift({ query: initialQuery });
  const tokenField = createElement("input", {
    className: "graphiql-token",
    type: "password",
    "aria-label": "Access token",
    placeholder: "Access token",
    title: "Requests of this page go out with this token. Registering or logging in here fills it in.",
    autoComplete: "off",
    spellCheck: false,
    ref: (element) => void (field = element),
    onChange: (event) => actWith(event.target.value.trim()),
  });
  const home = createElement("a", { className: "graphiql-logo-link", href: "/" }, "Rookery");
  const act = createElement(
    GraphiQL,
    {
      fetcher: fetcher(follow),
      initialQuery,
      defaultTabs,
      defaultEditorToolsVisibility: false,
      isHeadersEditorEnabled: true,
      shouldPersistHeaders: false,
    },
    createElement(GraphiQL.Logo, null, tokenField, home),
  );
  createRoot(document.getElementById("act")).render(act);
  const watching = createElement(
    GraphiQL,
    {
      fetcher: fetcher(followEvents),
      defaultTabs: examples.filter(isStream).map((query) => ({ query })),
      defaultEditorToolsVisibility: false,
      isHeadersEditorEnabled: false,
      shouldPersistHeaders: false,
      storage: storageOf("watch:"),
      plugins: [],
      referencePlugin: null,
    },
    createElement(GraphiQL.Logo, null, "What happens to you, as it happens"),
  );
  createRoot(document.getElementById("watch")).render(watching);
}

start();
