"use strict";

// Everything shown is put in as text, never as markup.

const KINDS = { 0: "#", 2: "voice ", 4: "category ", 5: "news ", 11: "thread ", 15: "forum " };
const byId = (id) => document.getElementById(id);
const names = { users: new Map(), channels: new Map() };
const answers = new Map(); // what only the person sees, by channel
let state = null;
let current = null;
let shown = "";

async function call(method, path, body) {
  const options = { method, headers: { "content-type": "application/json" } };
  if (body) options.body = JSON.stringify(body);
  const response = await fetch("/sandbox/" + path, options);
  const text = await response.text();
  const json = text ? JSON.parse(text) : null;
  if (!response.ok) throw new Error((json && json.error) || response.statusText);
  return json;
}

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined && text !== null) node.textContent = text;
  return node;
}

// Discord's marks, as far as the bot uses them.
const MARKS = /`([^`]+)`|\*\*\*(.+?)\*\*\*|\*\*(.+?)\*\*|<@!?(\d+)>|<#(\d+)>|\[([^\]]+)\]\((https?:[^)\s]+)\)|(https?:\/\/[^\s<>]+)/;

function marked(text) {
  const parts = document.createDocumentFragment();
  let rest = text || "";
  for (let found = MARKS.exec(rest); found; found = MARKS.exec(rest)) {
    parts.append(rest.slice(0, found.index), mark(found));
    rest = rest.slice(found.index + found[0].length);
  }
  parts.append(rest);
  return parts;
}

function mark([, code, both, bold, user, channel, label, target, url]) {
  if (code) return element("code", "", code);
  if (both || bold) return element("strong", "", both || bold);
  if (user) return element("span", "mention", "@" + (names.users.get(user) || user));
  if (channel) return element("span", "mention", "#" + (names.channels.get(channel) || channel));
  return link(label || url, target || url);
}

function link(text, url, className) {
  const node = element("a", className, text);
  if (/^https?:\/\//.test(url)) node.href = url;
  node.rel = "noreferrer";
  node.target = "_blank";
  return node;
}

function embed(data) {
  const node = element("div", "embed");
  if (data.color) node.style.borderLeftColor = "#" + data.color.toString(16).padStart(6, "0");
  if (data.title) {
    const title = element("div", "title");
    if (data.url) title.append(link(data.title.replaceAll("*", ""), data.url));
    else title.append(marked(data.title));
    node.append(title);
  }
  if (data.description) {
    const description = element("div");
    description.append(marked(data.description));
    node.append(description);
  }
  const fields = element("div", "fields");
  for (const field of data.fields || []) {
    const box = element("div", field.inline ? "field" : "field wide");
    const value = element("div", "value");
    value.append(marked(field.value));
    box.append(element("div", "name", field.name), value);
    fields.append(box);
  }
  if (fields.childNodes.length) node.append(fields);
  if (data.footer) node.append(element("div", "footer", data.footer.text));
  return node;
}

function message(json, ephemeral) {
  const node = element("li", ephemeral ? "ephemeral" : "");
  node.append(element("span", "author", json.author.username));
  if (json.author.bot) node.append(element("span", "bot", "APP"));
  const note = (json.edited_timestamp ? " (edited)" : "") + (ephemeral ? " only you can see this" : "");
  node.append(element("span", "time", new Date(json.timestamp).toLocaleTimeString() + note));
  const content = element("div");
  content.append(marked(json.content));
  node.append(content);
  for (const data of json.embeds) node.append(embed(data));
  for (const row of json.components) {
    for (const button of row.components) node.append(link(button.label, button.url || "", "button"));
  }
  return node;
}

async function refresh() {
  state = await call("GET", "state");
  for (const user of state.users) names.users.set(user.id, user.username);
  const guild = state.guilds[0];
  if (!guild) return;
  for (const channel of guild.channels) names.channels.set(channel.id, channel.name);
  if (!current) current = (guild.channels.find((channel) => channel.name === "alerts") || guild.channels[0]).id;
  drawPlaces(guild);
  const messages = await call("GET", `channels/${current}/messages`);
  const mine = answers.get(current) || [];
  const all = messages.map((entry) => message(entry.json, false)).concat(mine.map((json) => message(json, true)));
  const signature = current + JSON.stringify(messages) + mine.length;
  if (signature === shown) return;
  shown = signature;
  byId("messages").replaceChildren(...all);
  byId("messages").scrollTop = byId("messages").scrollHeight;
}

function drawPlaces(guild) {
  byId("guild").textContent = guild.name;
  byId("channel").textContent = "#" + names.channels.get(current);
  const connected = state.sessions.some((session) => session.connected);
  byId("status").textContent = state.bot.username + (connected ? " is connected." : " is not connected.");
  const items = guild.channels.map((channel) => {
    const item = element("li");
    const button = element("button", "", (KINDS[channel.type] || "") + channel.name);
    button.setAttribute("aria-current", channel.id === current);
    button.onclick = () => { current = channel.id; refresh(); };
    item.append(button);
    return item;
  });
  byId("channels").replaceChildren(...items);
  if (byId("user").childNodes.length) return;
  for (const id of guild.members.filter((id) => id !== state.bot.id)) {
    const option = element("option", "", names.users.get(id) + (id === guild.owner ? " (owner)" : ""));
    option.value = id;
    byId("user").append(option);
  }
}

// As Discord's client does it: #name and @name become the marks of channel and user.
function resolved(text) {
  const find = (map, name) => [...map].find(([, known]) => known === name);
  return text
    .replace(/(^|\s)#([\w-]+)/g, (all, before, name) => {
      const found = find(names.channels, name);
      return found ? `${before}<#${found[0]}>` : all;
    })
    .replace(/(^|\s)@([\w-]+)/g, (all, before, name) => {
      const found = find(names.users, name);
      return found ? `${before}<@${found[0]}>` : all;
    });
}

async function slash(text, place) {
  const words = text.slice(1).trim().split(/\s+/);
  const options = {};
  for (const word of words.filter((word) => word.includes(":"))) {
    const [name, ...rest] = word.split(":");
    options[name] = resolved(rest.join(":")).replace(/^<[#@]!?(\d+)>$/, "$1");
  }
  const command = words.filter((word) => !word.includes(":")).join(" ");
  let outcome = await call("POST", "interact", { ...place, command, options });
  if (outcome.answer && outcome.answer.kind === 9) {
    const inputs = {};
    for (const row of outcome.answer.data.components) {
      for (const input of row.components || [row.component]) {
        inputs[input.custom_id] = prompt(row.label || input.label) || "";
      }
    }
    outcome = await call("POST", "modal", { interaction: outcome.id, inputs });
  }
  if (!outcome.answer) throw new Error("The application did not respond");
  const hidden = outcome.messages.map((entry) => entry.json).filter((json) => json.flags & 64);
  answers.set(place.channel, (answers.get(place.channel) || []).concat(hidden));
}

byId("form").onsubmit = async (event) => {
  event.preventDefault();
  const text = byId("text").value;
  const place = { user: byId("user").value, channel: current };
  byId("error").textContent = "";
  try {
    if (text.startsWith("/")) await slash(text, place);
    else await call("POST", "say", { ...place, content: resolved(text) });
    byId("text").value = "";
    await refresh();
  } catch (error) {
    byId("error").textContent = error.message;
  }
};

refresh();
setInterval(() => refresh().catch(() => { byId("status").textContent = "The sandbox has ended."; }), 1000);
