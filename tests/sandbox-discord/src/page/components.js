// Buttons and menus under a message.

import { complain, link, make } from "./dom.js";
import { Listbox } from "./listbox.js";
import { channelName, roleName, userName, world, guild } from "./world.js";
import { press } from "./interact.js";

const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link" };

/** The rows of components of a message. */
export function components(message) {
  const row = (row) => make("div", { class: "components" }, row.components.map((component) => one(message, component)));
  return (message.components || []).map(row);
}

const emoji = (data) => data && make("span", { class: "emoji", "aria-hidden": "true" }, data.id ? `:${data.name}:` : data.name);

function one(message, component) {
  return component.type === 2 ? button(message, component) : menu(message, component);
}

function button(message, data) {
  const attributes = { class: "button " + (STYLES[data.style] || "secondary") };
  if (data.style === 5) {
    const opens = make("span", { class: "opens", "aria-hidden": "true" }, "↗");
    return link(data.url, attributes, emoji(data.emoji), data.label, opens);
  }
  const onclick = (event) => act(event.currentTarget, message, data.custom_id);
  return make("button", {
    ...attributes, type: "button", disabled: data.disabled, "data-custom-id": data.custom_id, onclick,
  }, emoji(data.emoji), data.label);
}

async function act(node, message, customId, values) {
  node.setAttribute("aria-busy", "true");
  complain(null);
  try {
    await press(message, customId, values);
  } catch (error) {
    complain(error);
  } finally {
    node.removeAttribute("aria-busy");
  }
}

/** What a menu offers: its own options, or who and what is in the server. */
function offered(data) {
  const users = () => guild().members.map((id) => ({ value: id, label: "@" + userName(id) }));
  const roles = () => (guild().roles || []).map((role) => ({ value: role.id, label: "@" + roleName(role.id) }));
  const channels = () => [...world.channels.values()]
    .filter((channel) => !(data.channel_types || []).length || data.channel_types.includes(channel.type))
    .map((channel) => ({ value: channel.id, label: "#" + channelName(channel.id) }));
  return { 3: () => data.options || [], 5: users, 6: roles, 7: () => [...users(), ...roles()], 8: channels }[data.type]();
}

function menu(message, data) {
  const most = data.max_values ?? 1;
  const chosen = new Set(offered(data).filter((option) => option.default).map((option) => option.value));
  const label = data.placeholder || "Make a selection";
  const list = new Listbox(label, choose);
  if (most > 1) list.node.setAttribute("aria-multiselectable", "true");
  const opener = make("button", {
    type: "button", class: "opener", role: "combobox", "aria-haspopup": "listbox", "aria-expanded": "false",
    "aria-controls": list.node.id, "aria-label": label, disabled: data.disabled, "data-custom-id": data.custom_id,
    onclick: () => (list.open ? close() : open()), onkeydown: key, onblur: () => close(),
  });
  const name = () => offered(data).filter((option) => chosen.has(option.value)).map((option) => option.label).join(", ");
  const draw = (option) => [
    make("span", { class: "option-label" }, emoji(option.emoji), option.label),
    option.description && make("span", { class: "option-description" }, option.description),
  ];
  const mark = () => {
    opener.textContent = name() || label;
    opener.classList.toggle("empty", !name());
    [...list.node.children].forEach((node, at) => node.setAttribute("aria-selected", chosen.has(list.items[at].value)));
    opener.setAttribute("aria-activedescendant", list.active || "");
  };

  function open() {
    list.show(offered(data), draw, 0);
    opener.setAttribute("aria-expanded", "true");
    mark();
  }

  /** A menu for several sends its choice when it is closed. */
  function close(send = true) {
    if (!list.open) return;
    list.hide();
    opener.setAttribute("aria-expanded", "false");
    if (send && most > 1 && chosen.size >= (data.min_values ?? 1)) act(opener, message, data.custom_id, [...chosen]);
    mark();
  }

  function choose(option) {
    if (most === 1) {
      chosen.clear();
      chosen.add(option.value);
      close(false);
      act(opener, message, data.custom_id, [option.value]);
      return;
    }
    if (!chosen.delete(option.value) && chosen.size < most) chosen.add(option.value);
    mark();
  }

  function key(event) {
    if (!list.open) {
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      open();
    } else if (event.key === "Escape") {
      close(false);
    } else if (event.key === "Enter" || event.key === " ") {
      choose(list.items[list.current]);
    } else if (!list.move(event.key)) {
      return;
    }
    opener.setAttribute("aria-activedescendant", list.active || "");
    event.preventDefault();
    event.stopPropagation();
  }

  mark();
  return make("div", { class: "menu" }, opener, list.node);
}
