// What is offered while a person types: commands, options, values, names.

import { post } from "./api.js";
import { channelsLike, commands, offered, parse, resolved, stands, usersLike } from "./commands.js";
import { byId, make } from "./dom.js";
import { Listbox } from "./listbox.js";
import { world } from "./world.js";

const MOST = 25;

/**
 * A suggestion is `{text, note, insert, from}`: `insert` takes the place of
 * what was typed from `from` on.
 */
async function suggestions(text) {
  if (text.startsWith("/")) return slash(text);
  const [, mark, name] = /(?:^|\s)([#@])([\w-]*)$/.exec(text) || [];
  if (!mark) return [];
  const from = text.length - name.length - 1;
  return (mark === "#" ? channelsLike(name) : usersLike(name)).map((item) => ({ ...item, insert: item.text + " ", from }));
}

/** Commands that begin like this, else those with these words in name or description. */
function commandsLike(text) {
  const words = text.toLowerCase().split(/\s+/);
  const begins = commands().filter(({ path }) => path.startsWith(text.trimStart()));
  const has = ({ path, description }) => words.every((word) => `${path} ${description}`.toLowerCase().includes(word));
  return begins.length ? begins : commands().filter(has);
}

async function slash(text) {
  const typed = parse(text);
  if (!typed || (!typed.tail && !typed.focused && typed.command.path === text.slice(1))) {
    return commandsLike(text.slice(1)).map((command) => ({
      text: "/" + command.path, note: command.description, insert: `/${command.path} `, from: 0,
    }));
  }
  const value = typed.focused && typed.tail.trim();
  const values = typed.focused ? await forOption(typed, value) : [];
  const done = typed.focused && typed.tail.endsWith(" ") && value;
  if (typed.focused && !done) {
    return values.map((item) => ({ ...item, insert: item.text + " ", from: typed.start }));
  }
  const rest = done ? text.slice(typed.start).split(/\s+/).at(-1) : typed.tail.trim();
  return typed.command.options
    .filter((option) => !(option.name in typed.values) && option.name.startsWith(rest))
    .sort((a, b) => Boolean(b.required) - Boolean(a.required))
    .map((option) => ({
      text: option.name + ":", note: option.description + (option.required ? " (required)" : ""),
      insert: option.name + ":", from: text.length - rest.length,
    }));
}

async function forOption(typed, value) {
  const known = offered(typed.focused, value);
  if (known) return known;
  const { name } = typed.focused;
  const options = { ...resolved(typed), [name]: value };
  const body = { user: world.user, channel: world.channel, command: typed.command.path, options, focused: name };
  const { choices } = await post("autocomplete", body);
  for (const choice of choices) stands(name, choice.name, choice.value);
  return choices.map((choice) => ({ text: choice.name }));
}

/** Offers suggestions above the input; `key` is asked first about each key. */
export function offerCompletions(input) {
  const list = new Listbox("Suggestions", pick);
  byId("suggestions").append(list.node);
  input.setAttribute("aria-controls", list.node.id);
  const count = byId("suggestion-count");

  function tell() {
    input.setAttribute("aria-expanded", String(list.open));
    if (list.active) input.setAttribute("aria-activedescendant", list.active);
    else input.removeAttribute("aria-activedescendant");
    [...list.node.children].forEach((node, at) => node.setAttribute("aria-selected", String(at === list.current)));
  }

  function hide() {
    list.hide();
    count.textContent = "";
    tell();
  }

  function pick(item) {
    input.value = input.value.slice(0, item.from) + item.insert;
    input.focus();
    update();
  }

  async function update() {
    const text = input.value;
    const found = await suggestions(text).catch(() => []);
    if (text !== input.value) return;
    // Text that is already there is not suggested.
    const items = found.filter((item) => text.slice(item.from) !== item.text).slice(0, MOST);
    list.show(items, (item) => [
      make("span", { class: "option-label" }, item.text),
      item.note && make("span", { class: "option-description" }, item.note),
    ]);
    count.textContent = items.length ? `${items.length} suggestions` : "";
    tell();
  }

  /** Whether the key was used up. */
  function key(event) {
    if (!list.open) return false;
    if (event.key === "Escape") {
      hide();
    } else if (event.key === "Tab" && !event.shiftKey) {
      pick(list.items[Math.max(list.current, 0)]);
    } else if (event.key === "Enter") {
      const unfinished = input.value.startsWith("/") && !parse(input.value);
      if (list.current < 0 && !unfinished) return false;
      pick(list.items[Math.max(list.current, 0)]);
    } else if ((event.key !== "ArrowDown" && event.key !== "ArrowUp") || !list.move(event.key)) {
      return false;
    }
    tell();
    return true;
  }

  input.addEventListener("input", update);
  input.addEventListener("blur", hide);
  return { key, hide, update };
}
