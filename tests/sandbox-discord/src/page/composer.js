// The line to write in.

import { post } from "./api.js";
import { commands, parse, resolved } from "./commands.js";
import { offerCompletions } from "./complete.js";
import { byId, complain } from "./dom.js";
import { use } from "./interact.js";
import { channelName, takesMessages, world } from "./world.js";

let completions;
const sent = [];
let recalled = 0;

// As Discord's client does it: #name and @name become the marks of channel and user.
function marked(text) {
  const find = (map, key, name) => [...map.values()].find((known) => known[key] === name);
  return text
    .replace(/(^|\s)#([\w-]+)/g, (all, before, name) => {
      const found = find(world.channels, "name", name);
      return found ? `${before}<#${found.id}>` : all;
    })
    .replace(/(^|\s)@([\w-]+)/g, (all, before, name) => {
      const found = find(world.users, "username", name);
      return found ? `${before}<@${found.id}>` : all;
    });
}

async function slash(text) {
  const typed = parse(text.trimEnd());
  if (!typed) {
    const known = commands().length ? "Type / to see those that there are." : "The bot has registered none yet: is it running?";
    throw new Error(`There is no command ${text.trim()}. ${known}`);
  }
  const missing = typed.command.options.filter((option) => option.required && !typed.values[option.name]);
  if (missing.length) throw new Error(`The option ${missing[0].name} is required: ${missing[0].description}`);
  if (!typed.focused && typed.tail.trim()) throw new Error(`There is no option ${typed.tail.trim()}. Options are typed as name:value`);
  clear();
  await use(typed.command.path, resolved(typed));
}

function clear() {
  byId("text").value = "";
  completions.hide();
}

async function send(refresh) {
  const text = byId("text").value;
  if (!text.trim()) return;
  complain(null);
  try {
    if (text.startsWith("/")) {
      await slash(text);
    } else {
      await post("say", { user: world.user, channel: world.channel, content: marked(text) });
      clear();
    }
    sent.push(text);
    recalled = sent.length;
  } catch (error) {
    complain(error);
  }
  await refresh();
}

/** Puts a command into the line, for the person to go on. */
export function fill(text) {
  byId("text").value = text;
  byId("text").focus();
  completions.update();
}

/** The line says where it leads. */
export function nameComposer() {
  const place = world.channels.get(world.channel);
  const open = place && takesMessages(place);
  const name = "Message #" + channelName(world.channel);
  byId("text").placeholder = open ? name : "This channel takes no messages";
  byId("text").setAttribute("aria-label", name);
  byId("text").disabled = !open;
}

/** Sends on Enter, and calls back what was sent with the arrow keys. */
export function startComposer(refresh) {
  const input = byId("text");
  completions = offerCompletions(input);
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    send(refresh);
  });
  input.addEventListener("input", () => complain(null));
  input.addEventListener("keydown", (event) => {
    if (completions.key(event)) {
      event.preventDefault();
      return;
    }
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || !sent.length || (input.value && input.value !== sent[recalled])) return;
    recalled = Math.min(Math.max(recalled + step, 0), sent.length);
    input.value = sent[recalled] || "";
    event.preventDefault();
  });
}
