// Embeds: author, title, text, fields, footer.

import { GLYPH, link, make } from "./dom.js";
import { blocks, inline } from "./markdown.js";
import { moment } from "./time.js";

const picture = (url, className) => make("img", { class: className, src: GLYPH, alt: "", title: url });

export function embed(data) {
  const body = make("div", { class: "embed-body" },
    data.author && author(data.author),
    data.title && make("div", { class: "embed-title" }, link(data.url, {}, inline(data.title))),
    data.description && make("div", { class: "embed-description" }, blocks(data.description)),
    fields(data.fields || []),
  );
  const node = make("article", { class: "embed", "aria-label": "Embed" }, body,
    data.thumbnail && picture(data.thumbnail.url, "thumbnail"),
    data.image && picture(data.image.url, "image"),
    footer(data));
  if (typeof data.color === "number") {
    node.style.borderInlineStartColor = "#" + data.color.toString(16).padStart(6, "0");
  }
  return node;
}

function author(data) {
  return make("div", { class: "embed-author" },
    data.icon_url && picture(data.icon_url, "icon"),
    link(data.url, {}, data.name));
}

/** Inline fields share a row, three at most; any other has a row of its own. */
function fields(all) {
  if (!all.length) return null;
  const rows = [];
  for (const field of all) {
    const row = rows.at(-1);
    if (field.inline && row && row[0].inline && row.length < 3) row.push(field);
    else rows.push([field]);
  }
  const box = (row) => (field) => make("div", { class: field.inline ? `field of-${row.length}` : "field" },
    make("dt", {}, inline(field.name)), make("dd", {}, blocks(field.value)));
  return make("dl", { class: "fields" }, rows.flatMap((row) => row.map(box(row))));
}

function footer(data) {
  if (!data.footer && !data.timestamp) return null;
  const text = data.footer && data.footer.text;
  return make("div", { class: "embed-footer" },
    data.footer && data.footer.icon_url && picture(data.footer.icon_url, "icon"),
    make("span", {}, text, text && data.timestamp && " • ", data.timestamp && moment(data.timestamp)));
}
