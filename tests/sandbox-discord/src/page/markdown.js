// Discord's markdown, as far as a bot's messages use it.

import { link, make } from "./dom.js";
import { timestamp } from "./time.js";
import { channelName, roleName, userName, world } from "./world.js";

const mention = (text, attributes) => make("span", { class: "mention", ...attributes }, text);
const within = (tag, attributes) => (found) => make(tag, attributes, inline(found[1]));

function command([, name, id]) {
  const button = make("button", { type: "button", class: "mention", "data-command": name, title: `Write /${name}` }, "/" + name);
  button.dataset.id = id;
  return button;
}

function channel([, id]) {
  const known = world.channels.has(id);
  return known
    ? make("button", { type: "button", class: "mention", "data-channel": id }, "#" + channelName(id))
    : mention("#unknown");
}

function spoiler(found) {
  const show = (event) => event.currentTarget.classList.add("shown");
  return make("button", { type: "button", class: "spoiler", title: "Show the spoiler", onclick: show }, inline(found[1]));
}

function code([, , text]) {
  return make("code", {}, text.replace(/^ (?=`)/, "").replace(/(?<=`) $/, ""));
}

// The first that fits at a place decides.
const RULES = [
  [/\\([^\sA-Za-z0-9])/y, ([, mark]) => mark],
  [/(`+)([\s\S]*?[^`])\1(?!`)/y, code],
  [/<t:(-?\d{1,15})(?::([tTdDfFRsS]))?>/y, ([, seconds, style]) => timestamp(Number(seconds), style)],
  [/<@!?(\d+)>/y, ([, id]) => mention("@" + userName(id))],
  [/<@&(\d+)>/y, ([, id]) => mention("@" + roleName(id))],
  [/<#(\d+)>/y, channel],
  [/<\/([\p{L}\p{N}_-]+(?: [\p{L}\p{N}_-]+){0,2}):(\d+)>/uy, command],
  [/<a?:(\w+):\d+>/y, ([, name]) => `:${name}:`],
  [/<(https?:\/\/[^\s<>]+)>/iy, ([, url]) => link(url, {}, url)],
  [/\[((?:\\[\s\S]|[^\[\]\\])+)\]\(<?(https?:\/\/(?:[^\s()<>]|\([^\s()<>]*\))+)>?(?:\s+"[^"]*")?\)/iy,
    ([, label, url]) => link(url, { title: url }, inline(label))],
  [/https?:\/\/[^\s<]*[^\s<.,:;"'\])]/iy, ([url]) => link(url, {}, url)],
  [/\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)/y, within("strong", {})],
  [/__((?:\\[\s\S]|[^\\])+?)__(?!_)/y, within("u", {})],
  [/~~((?:\\[\s\S]|[^\\])+?)~~/y, within("s", {})],
  [/\|\|((?:\\[\s\S]|[^\\])+?)\|\|/y, spoiler],
  [/\*(?=\S)((?:\\[\s\S]|\*\*|[^*\\])+?)(?<!\s)\*(?!\*)/y, within("em", {})],
  [/(?<![\p{L}\p{N}])_((?:\\[\s\S]|__|[^_\\])+?)_(?![\p{L}\p{N}_])/uy, within("em", {})],
  [/@(?:everyone|here)\b/y, ([text]) => mention(text)],
];
const PLAIN = /[^\\`<[h*_~|@]+|[\s\S]/iuy;

/** Text of one piece: in a line, a title, a field's name. */
export function inline(text) {
  const parts = document.createDocumentFragment();
  let at = 0;
  while (at < text.length) {
    const [rule, found] = match(text, at);
    parts.append(rule(found));
    at += found[0].length;
  }
  parts.normalize();
  return parts;
}

function match(text, at) {
  for (const [pattern, rule] of RULES) {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) return [rule, found];
  }
  PLAIN.lastIndex = at;
  return [([plain]) => plain, PLAIN.exec(text)];
}

const FENCE = /(?<!\\)```(?:([a-z0-9_+\-.#]+)\n)?\n*([\s\S]*?[^\s`][\s\S]*?)\n*```\n?/gi;

/** A whole text: blocks, and lines between them. */
export function blocks(text) {
  const parts = document.createDocumentFragment();
  let at = 0;
  for (const found of (text || "").matchAll(FENCE)) {
    lines(parts, text.slice(at, found.index).replace(/\n$/, ""));
    parts.append(make("pre", { tabindex: 0, "aria-label": found[1] ? `Code, ${found[1]}` : "Code" }, make("code", {}, found[2])));
    at = found.index + found[0].length;
  }
  lines(parts, (text || "").slice(at));
  return parts;
}

const ITEM = /^(\s*)(?:[-*]|(\d{1,3})\.) +(.*)$/;

function lines(parts, text) {
  const waiting = text === "" ? [] : text.split("\n");
  let plain = [];
  const flush = () => {
    if (plain.length) parts.append(make("div", { class: "lines" }, inline(plain.join("\n"))));
    plain = [];
  };
  while (waiting.length) {
    const block = quote(waiting) || heading(waiting) || list(waiting);
    if (block) {
      flush();
      parts.append(block);
    } else {
      plain.push(waiting.shift());
    }
  }
  flush();
}

function quote(waiting) {
  if (waiting[0].startsWith(">>> ")) {
    const rest = waiting.splice(0).join("\n").slice(4);
    return make("blockquote", {}, blocks(rest));
  }
  const quoted = [];
  while (waiting.length && /^> /.test(waiting[0])) quoted.push(waiting.shift().slice(2));
  return quoted.length ? make("blockquote", {}, blocks(quoted.join("\n"))) : null;
}

function heading(waiting) {
  const [, marks, text] = /^(#{1,3}|-#) +(.+)$/.exec(waiting[0]) || [];
  if (!marks) return null;
  waiting.shift();
  if (marks === "-#") return make("small", { class: "subtext" }, inline(text));
  return make("div", { class: "heading-" + marks.length, role: "heading", "aria-level": marks.length + 2 }, inline(text));
}

function list(waiting) {
  const [, indent, number] = ITEM.exec(waiting[0]) || [];
  if (indent === undefined) return null;
  const node = number ? make("ol", { start: number }) : make("ul");
  while (waiting.length) {
    const [, deep, numbered, text] = ITEM.exec(waiting[0]) || [];
    if (deep === undefined || deep.length < indent.length) break;
    if (deep.length === indent.length && Boolean(numbered) !== Boolean(number)) break;
    if (deep.length > indent.length && node.lastElementChild) {
      node.lastElementChild.append(list(waiting));
      continue;
    }
    waiting.shift();
    node.append(make("li", {}, inline(text)));
  }
  return node;
}
