// One message.

import { components } from "./components.js";
import { GLYPH, make, unseen } from "./dom.js";
import { embed } from "./embed.js";
import { dismiss } from "./interact.js";
import { blocks, inline } from "./markdown.js";
import { moment } from "./time.js";
import { guild, userName, world } from "./world.js";

/** Messages of one author within this time share a head. */
const GROUP = 7 * 60_000;

const avatar = (author) => author.bot
  ? make("img", { class: "avatar", src: GLYPH, alt: "" })
  : make("span", { class: `avatar tint-${Number(author.id.slice(-2)) % 5}`, "aria-hidden": "true" }, author.username[0].toUpperCase());

const head = (json) => make("h2", { class: "head" },
  make("span", { class: "author" }, json.author.username),
  json.author.bot && make("span", { class: "bot" }, "APP"),
  make("span", { class: "time" }, moment(json.timestamp)));

/** Whether it goes on under the head of the one before. */
export function continues(json, before) {
  return Boolean(before) && before.author.id === json.author.id && !json.referenced_message
    && new Date(json.timestamp) - new Date(before.timestamp) < GROUP;
}

const ownRoles = () => guild().member_roles[world.user] || [];
const pinged = (json) => json.mention_everyone || json.mentions.some((user) => user.id === world.user)
  || json.mention_roles.some((role) => ownRoles().includes(role));

function reference(json) {
  const original = json.referenced_message;
  if (original === undefined) return null;
  const text = original ? original.content || "a message" : "Original message was deleted";
  const name = original && make("span", { class: "author" }, "@" + original.author.username + " ");
  return make("div", { class: "reference" }, unseen("Reply to "), name, make("span", {}, inline(text.split("\n")[0])));
}

/** `hidden` is the entry of an answer for one person alone. */
export function message(json, { grouped = false, hidden = null } = {}) {
  const classes = ["message", grouped && "grouped", hidden && "ephemeral", pinged(json) && "pinged"].filter(Boolean);
  const edited = json.edited_timestamp && make("span", { class: "edited", title: json.edited_timestamp }, " (edited)");
  return make("li", { class: classes.join(" "), "data-message": json.id },
    hidden && hidden.used && make("div", { class: "reference" }, `${userName(hidden.user)} used `, make("span", { class: "mention" }, hidden.used)),
    reference(json),
    avatar(json.author),
    make("div", { class: "body" },
      head(json),
      json.content && make("div", { class: "content" }, blocks(json.content), edited),
      json.embeds.map(embed),
      components(json),
      !json.content && edited,
      hidden && make("p", { class: "private" }, "Only you can see this • ",
        make("button", { type: "button", class: "plain", onclick: () => dismiss(json.id) }, "Dismiss message"))));
}

/** A command that the bot has not answered yet. */
export function thinking(entry) {
  return make("li", { class: "message ephemeral" },
    make("div", { class: "reference" }, `${userName(entry.user)} used `, make("span", { class: "mention" }, entry.used)),
    make("img", { class: "avatar", src: GLYPH, alt: "" }),
    make("div", { class: "body" }, make("p", { class: "private" }, `${world.state.bot.username} is thinking…`)));
}

