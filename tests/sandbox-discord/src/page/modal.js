// A modal that the bot opened, as a dialog.

import { make } from "./dom.js";
import { blocks } from "./markdown.js";
import { world } from "./world.js";

/** Resolves with the inputs by custom id, or with null where the person closed it. */
export function ask(data) {
  return new Promise((resolve) => {
    const inputs = (data.components || []).map(input);
    const title = make("h2", { id: "modal-title" }, data.title);
    const form = make("form", { method: "dialog" },
      make("header", {}, title, make("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => dialog.close() }, "×")),
      make("p", { class: "note" }, `This form goes to ${world.state.bot.username}.`),
      inputs.map((input) => input.node),
      make("footer", {},
        make("button", { type: "button", class: "button quiet", onclick: () => dialog.close() }, "Cancel"),
        make("button", { class: "button primary", value: "submit" }, "Submit")));
    const dialog = make("dialog", { id: "modal", "aria-labelledby": "modal-title" }, form);
    dialog.addEventListener("close", () => {
      const filled = Object.fromEntries(inputs.map((input) => [input.id, input.field.value]));
      dialog.remove();
      resolve(dialog.returnValue === "submit" ? filled : null);
    });
    document.body.append(dialog);
    dialog.showModal();
    if (inputs.length) inputs[0].field.focus();
  });
}

/** A label with its input, or an action row with one, as modals were built before labels. */
function input(row) {
  if (row.type === 10) return { node: make("div", { class: "modal-text" }, blocks(row.content)), field: {} };
  const data = row.component || row.components[0];
  const id = "modal-" + data.custom_id;
  const limits = { minlength: data.min_length, maxlength: data.max_length ?? 4000 };
  const required = data.required !== false;
  const attributes = { id, name: data.custom_id, required, placeholder: data.placeholder, autocomplete: "off", ...limits };
  if (row.description) attributes["aria-describedby"] = id + "-help";
  const field = data.style === 2 ? make("textarea", { ...attributes, rows: 4 }) : make("input", { ...attributes, type: "text" });
  field.value = data.value || "";
  const count = make("span", { class: "count", "aria-hidden": "true" });
  const tell = () => { count.textContent = data.max_length ? `${field.value.length}/${data.max_length}` : ""; };
  field.addEventListener("input", tell);
  tell();
  const star = required && make("span", { class: "required", "aria-hidden": "true" }, " *");
  const node = make("div", { class: "modal-input" },
    make("label", { for: id }, row.label || data.label, star),
    row.description && make("p", { id: id + "-help", class: "note" }, row.description),
    field, count);
  return { node, field, id: data.custom_id };
}
