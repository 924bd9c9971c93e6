// The messages of the open channel.

import { get } from "./api.js";
import { byId } from "./dom.js";
import { answersHere, waitingHere } from "./interact.js";
import { continues, message, thinking } from "./message.js";
import { channelName, world } from "./world.js";

/** What is drawn, by key: the node, and the text of what it shows. */
let drawn = new Map();
let channel = null;
let messages = [];

/** Reads the open channel again and draws what has changed. */
export async function refreshLog() {
  const asked = world.channel;
  const fresh = await get(`channels/${asked}/messages`);
  if (asked !== world.channel) return;
  messages = fresh.map((entry) => entry.json);
  drawLog();
}

/** Ids are ordered by time; as text the longer one is the later one. */
const older = (one, other) => one.id.length - other.id.length || (one.id < other.id ? -1 : 1);

function entries() {
  const mine = new Map(answersHere().map((hidden) => [hidden.json, hidden]));
  const all = [...messages, ...mine.keys()].sort(older);
  const shown = all.map((json, index) => {
    const [before, hidden] = [all[index - 1], mine.get(json)];
    const grouped = !hidden && !mine.has(before) && continues(json, before);
    const text = JSON.stringify([json, grouped, Boolean(hidden), world.user]);
    return { key: json.id, text, draw: () => message(json, { grouped, hidden }) };
  });
  const late = waitingHere().map((entry, index) => ({ key: "waiting-" + index, text: entry.used, draw: () => thinking(entry) }));
  return [...shown, ...late];
}

/** Draws only what has changed, so that focus, open menus and selections stay. */
export function drawLog() {
  const list = byId("messages");
  const view = byId("log");
  const moved = channel !== world.channel;
  if (moved) {
    list.replaceChildren();
    drawn = new Map();
    channel = world.channel;
    view.setAttribute("aria-label", `Messages in #${channelName(channel)}`);
  }
  const atEnd = moved || view.scrollHeight - view.scrollTop - view.clientHeight < 80;
  const next = new Map();
  let last = null;
  for (const { key, text, draw } of entries()) {
    const known = drawn.get(key);
    const node = known && known.text === text ? known.node : replaced(known, draw());
    if (node !== (last ? last.nextElementSibling : list.firstElementChild)) {
      if (last) last.after(node);
      else list.prepend(node);
    }
    next.set(key, { node, text });
    last = node;
  }
  for (const [key, { node }] of drawn) if (!next.has(key)) node.remove();
  const changed = next.size !== drawn.size || [...next].some(([key, { text }]) => !drawn.has(key) || drawn.get(key).text !== text);
  drawn = next;
  byId("empty").hidden = next.size > 0;
  if (changed && atEnd) view.scrollTop = view.scrollHeight;
}

/** Puts the new node in the old one's place, and the focus where it was. */
function replaced(known, node) {
  if (!known) return node;
  const id = known.node.contains(document.activeElement) && document.activeElement.dataset.customId;
  known.node.replaceWith(node);
  const same = id && [...node.querySelectorAll("[data-custom-id]")].find((one) => one.dataset.customId === id && !one.disabled);
  if (same) same.focus();
  return node;
}
