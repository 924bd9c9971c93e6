// The list of channels, and whose eyes these are.

import { byId, make } from "./dom.js";
import { nameComposer } from "./composer.js";
import { channelName, guild, isThread, ordered, userName, world } from "./world.js";

// Signs that every font has.
const SIGNS = { 2: "♪", 5: "⚑", 10: "↳", 11: "↳", 12: "↳", 13: "♪", 15: "☰", 16: "☰" };
const KINDS = { 2: "voice channel", 5: "announcements", 10: "thread", 11: "thread", 12: "private thread", 13: "stage", 15: "forum", 16: "media" };
let drawn = "";

/** Opens a channel. */
export function open(id, refresh) {
  world.channel = id;
  history.replaceState(null, "", "#" + encodeURIComponent(channelName(id)));
  closeMenu();
  draw(refresh);
  return refresh();
}

/** The channel of the address, else #alerts, else the first. */
function first() {
  const wanted = decodeURIComponent(location.hash.slice(1));
  const all = ordered();
  const named = (name) => all.find((channel) => channel.name === name);
  return (named(wanted) || named("alerts") || all[0] || {}).id;
}

function item(channel, refresh) {
  const kind = KINDS[channel.type];
  if (channel.type === 4) return make("li", { class: "category" }, channel.name);
  const button = make("button", {
    type: "button", "data-id": channel.id, "aria-current": channel.id === world.channel && "page",
    "aria-label": kind ? `${channel.name}, ${kind}` : channel.name,
    onclick: () => open(channel.id, refresh),
  }, make("span", { class: "sign", "aria-hidden": "true" }, SIGNS[channel.type] || "#"), channel.name);
  return make("li", { class: isThread(channel) ? "thread" : "" }, button);
}

/** Draws the list again where it has changed. */
export function draw(refresh) {
  if (!world.channels.has(world.channel)) world.channel = first();
  const bot = world.state.bot.username;
  const connected = world.state.sessions.some((session) => session.connected);
  byId("status").textContent = bot + (connected ? " is online" : " is offline");
  byId("status").classList.toggle("online", connected);
  const now = JSON.stringify([[...world.channels.values()].map(({ id, name, type }) => [id, name, type]), guild().members, world.channel]);
  if (now === drawn) return;
  drawn = now;
  byId("guild").textContent = guild().name;
  byId("channel").textContent = channelName(world.channel);
  document.title = `#${channelName(world.channel)} · Sandbox Discord`;
  const focused = byId("channels").contains(document.activeElement) && document.activeElement.dataset.id;
  byId("channels").replaceChildren(...ordered().map((channel) => item(channel, refresh)));
  const same = focused && byId("channels").querySelector(`[data-id="${focused}"]`);
  if (same) same.focus();
  drawUsers();
  nameComposer();
}

function drawUsers() {
  const people = guild().members.filter((id) => !world.users.get(id)?.bot);
  if (!people.includes(world.user)) world.user = people.includes(guild().owner) ? guild().owner : people[0];
  byId("user").replaceChildren(...people.map((id) => make("option", { value: id, selected: id === world.user },
    userName(id) + (id === guild().owner ? " (owner)" : ""))));
}

function closeMenu() {
  document.body.classList.remove("menu-open");
  byId("menu").setAttribute("aria-expanded", "false");
}

/** The arrow keys go through the list; in a narrow window it is a menu. */
export function startPlaces(refresh) {
  byId("user").addEventListener("change", (event) => {
    world.user = event.target.value;
    refresh();
  });
  byId("menu").addEventListener("click", () => {
    const shown = document.body.classList.toggle("menu-open");
    byId("menu").setAttribute("aria-expanded", String(shown));
    const current = byId("channels").querySelector("[aria-current]");
    if (shown && current) current.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !document.body.classList.contains("menu-open")) return;
    closeMenu();
    byId("menu").focus();
  });
  byId("places").addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !event.target.dataset.id) return;
    const all = [...byId("channels").querySelectorAll("button")];
    all[(all.indexOf(event.target) + step + all.length) % all.length].focus();
    event.preventDefault();
  });
  byId("shade").addEventListener("click", closeMenu);
  addEventListener("hashchange", () => open(first(), refresh));
}
