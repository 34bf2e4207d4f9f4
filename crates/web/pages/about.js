// Fills in what depends on where this page was loaded from.
"use strict";

const endpoint = location.origin + "/graphql";
document.getElementById("host").textContent = location.host;
document.getElementById("endpoint").textContent = endpoint;

async function check() {
  const health = document.getElementById("health");
  try {
    const answer = await fetch("/graphql", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: "{ __typename }" }),
    });
    const { data } = await answer.json();
    const good = answer.ok && Boolean(data);
    health.className = good ? "health good" : "health bad";
    health.textContent = good ? "healthy" : "answers with " + answer.status;
  } catch {
    health.className = "health bad";
    health.textContent = "does not answer";
  }
}

function commandFor(operation, needsToken) {
  const query = operation.replace(/^\s*#.*$/gm, "").replace(/\s+/g, " ").trim();
  const token = needsToken ? " \\\n  -H 'Authorization: Bearer TOKEN'" : "";
  const body = JSON.stringify({ query }).replaceAll("'", "'\\''");
  return `curl ${endpoint} \\\n  -H 'Content-Type: application/json'${token} \\\n  -d '${body}'`;
}

function show(place, command) {
  const text = document.createElement("pre");
  text.textContent = command;
  const copy = document.createElement("button");
  copy.type = "button";
  copy.textContent = "Copy";
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(command);
      copy.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text);
    }
  });
  place.replaceChildren(text, copy);
}

async function fillCommands() {
  const examples = (await (await fetch("/web/examples.graphql")).text()).split(/^# ---.*$/m);
  for (const place of document.querySelectorAll("[data-example]")) {
    const { example, token } = place.dataset;
    const operation = examples.find((text) => new RegExp(`(query|mutation) ${example}\\b`).test(text));
    if (operation) show(place, commandFor(operation, token !== undefined));
  }
}

check();
setInterval(check, 15000);
fillCommands();
