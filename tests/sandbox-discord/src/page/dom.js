// Everything shown is put in as text, never as markup.

/** Stands for every picture: this page asks no other host. */
export const GLYPH = "/sandbox/page/glyph.svg";

export const byId = (id) => document.getElementById(id);

/** An element with attributes, listeners (`onclick`) and children. Absent values are left out. */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child || child === 0));
  return node;
}

/** A link to a web page; anything else stays plain text. */
export function link(url, attributes, ...children) {
  if (!/^https?:\/\//i.test(url || "")) return make("span", attributes, ...children);
  return make("a", { ...attributes, href: url, rel: "noreferrer", target: "_blank" }, ...children);
}

/** What a screen reader says and nobody sees. */
export const unseen = (text) => make("span", { class: "unseen" }, text);

/** Shows what went wrong, in words. */
export function complain(error) {
  byId("error").textContent = error ? error.message || String(error) : "";
}
