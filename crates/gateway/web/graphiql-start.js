// Starts GraphiQL: queries and mutations over HTTP, subscriptions over graphql-transport-ws.
"use strict";

function isSubscription(document, operationName) {
  const operations = (document?.definitions ?? []).filter((node) => node.kind === "OperationDefinition");
  const chosen = operations.find((node) => node.name?.value === operationName) ?? operations[0];
  return chosen?.operation === "subscription";
}

// The token of the last login on this page, or whatever was put into the field for it. It is kept nowhere else, and gone
// with the page.
let token;
let field;

function actWith(given) {
  token = given || undefined;
  if (field && field.value.trim() !== (given ?? "")) field.value = given ?? "";
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
  const client = graphqlWs.createClient({ url, connectionParams: Object.fromEntries(new Headers(authorized(headers))) });
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

function fetcher(request, { headers = {}, documentAST } = {}) {
  return isSubscription(documentAST, request.operationName) ? follow(request, headers) : ask(request, headers);
}

async function start() {
  const examples = (await (await fetch("/web/examples.graphql")).text()).split(/^# ---.*$/m);
  const defaultTabs = examples.map((query) => ({ query: query.trim() + "\n" }));
  // A link may bring a query. GraphiQL gives it a tab beside those of the last visit, but not beside the first ones.
  const query = new URLSearchParams(location.search).get("query") ?? undefined;
  if (query) defaultTabs.unshift({ query });
  const { createElement } = React;
  const tokenField = createElement("input", {
    className: "graphiql-token",
    type: "password",
    "aria-label": "Access token",
    placeholder: "Access token",
    title: "Requests of this page go out with this token. Registering or logging in here fills it in.",
    autoComplete: "off",
    spellCheck: false,
    ref: (element) => (field = element),
    onChange: (event) => actWith(event.target.value.trim()),
  });
  const home = createElement("a", { className: "graphiql-logo-link", href: "/" }, "Rookery");
  const logo = createElement(GraphiQL.Logo, null, tokenField, home);
  const page = createElement(
    GraphiQL,
    {
      fetcher,
      query,
      defaultTabs,
      defaultEditorToolsVisibility: "headers",
      isHeadersEditorEnabled: true,
      shouldPersistHeaders: false,
    },
    logo,
  );
  ReactDOM.createRoot(document.getElementById("graphiql")).render(page);
}

start();
