// Turns what is typed into a message: the text as it is, and HTML if the text has marks of Markdown.
//
// Invariant: text of the user reaches the HTML only through `escape`. Readers clean the HTML again, whoever wrote it.

/** `**bold**`, `*emphasis*`, `~~gone~~`, `` `code` `` and `[text](address)`, each within one line. */
const MARKS =
  /(`+)(?<code>[^`\n]+)\1|\*\*(?<strong>[^*\n]+)\*\*|(?<![\w*])\*(?<star>[^*\s][^*\n]*?)\*(?![\w*])|(?<!\w)_(?<em>[^_\s][^_\n]*?)_(?!\w)|~~(?<del>[^~\n]+)~~|\[(?<text>[^\]\n]+)\]\((?<href>https?:\/\/[^\s)]+)\)/u;

export function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function inline(text: string): string {
  const found = MARKS.exec(text);
  if (!found) return escape(text);
  const { code, strong, star, em, del, text: label, href } = found.groups!;
  const before = escape(text.slice(0, found.index));
  const after = inline(text.slice(found.index + found[0].length));
  const tag = (name: string, content: string) => `${before}<${name}>${content}</${name}>${after}`;
  if (code !== undefined) return tag("code", escape(code));
  if (strong !== undefined) return tag("strong", inline(strong));
  if (star !== undefined || em !== undefined) return tag("em", inline(star ?? em!));
  if (del !== undefined) return tag("del", inline(del));
  return `${before}<a href="${escape(href!)}">${escape(label!)}</a>${after}`;
}

/** The lines of a list or of a quote, and the place after them. */
function taken(lines: readonly string[], from: number, mark: RegExp): [string[], number] {
  const found: string[] = [];
  let at = from;
  for (; at < lines.length && mark.test(lines[at]!); at += 1) found.push(lines[at]!.replace(mark, ""));
  return [found, at];
}

const FENCE = /^```\s*[\w+-]*\s*$/;
const QUOTE = /^>\s?/;
const BULLET = /^\s{0,3}[-*+]\s+/;
const NUMBER = /^\s{0,3}\d{1,9}[.)]\s+/;

/** The text as HTML. */
export function htmlOf(text: string): string {
  const lines = text.split("\n");
  const blocks: string[] = [];
  let paragraph: string[] = [];
  const end = () => {
    if (paragraph.length > 0) blocks.push(`<p>${paragraph.join("<br>")}</p>`);
    paragraph = [];
  };
  for (let at = 0; at < lines.length; ) {
    const line = lines[at]!;
    const closing = FENCE.test(line) ? lines.findIndex((other, index) => index > at && /^```\s*$/.test(other)) : -1;
    const list = BULLET.test(line) ? BULLET : NUMBER.test(line) ? NUMBER : null;
    if (closing > 0) {
      end();
      blocks.push(`<pre><code>${escape(lines.slice(at + 1, closing).join("\n"))}</code></pre>`);
      at = closing + 1;
    } else if (QUOTE.test(line)) {
      end();
      const [quoted, next] = taken(lines, at, QUOTE);
      blocks.push(`<blockquote>${quoted.map(inline).join("<br>")}</blockquote>`);
      at = next;
    } else if (list) {
      end();
      const [items, next] = taken(lines, at, list);
      const start = list === NUMBER ? ` start="${parseInt(line.trim(), 10)}"` : "";
      const name = list === NUMBER ? "ol" : "ul";
      blocks.push(`<${name}${start}>${items.map((item) => `<li>${inline(item)}</li>`).join("")}</${name}>`);
      at = next;
    } else {
      if (line.trim() === "") end();
      else paragraph.push(inline(line));
      at += 1;
    }
  }
  end();
  return blocks.length === 1 && blocks[0]!.startsWith("<p>") ? blocks[0]!.slice(3, -4) : blocks.join("");
}

/** The bodies to send for a text: the HTML only if it says more than the text. */
export function written(text: string): { body: string; formattedBody?: string; kind: "TEXT" | "EMOTE" } {
  const kind = text.startsWith("/me ") ? "EMOTE" : "TEXT";
  const body = (kind === "EMOTE" ? text.slice(4) : text).trim().toWellFormed();
  const html = htmlOf(body);
  const isPlain = !/<(?!br>|p>|\/p>)/.test(html);
  return isPlain ? { body, kind } : { body, formattedBody: html, kind };
}
