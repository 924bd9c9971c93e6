// A list to choose from: arrow keys, Home, End, Enter, Escape.

import { make } from "./dom.js";

let made = 0;

/**
 * The options of a list, with one of them current.
 * `choose` gets the item; `pick` by mouse keeps the focus where it is.
 */
export class Listbox {
  constructor(label, choose) {
    this.choose = choose;
    this.items = [];
    this.current = -1;
    this.node = make("ul", { role: "listbox", class: "listbox", id: `listbox-${++made}`, "aria-label": label, hidden: true });
    this.node.addEventListener("mousedown", (event) => event.preventDefault());
  }

  get open() {
    return !this.node.hidden;
  }

  /** Shows these items, each drawn by `draw`, or nothing where there is none. */
  show(items, draw, current = -1) {
    this.items = items;
    this.node.replaceChildren(...items.map((item, index) => make("li", {
      role: "option", id: `${this.node.id}-${index}`, "aria-selected": "false", onclick: () => this.choose(item),
    }, draw(item))));
    this.node.hidden = !items.length;
    this.go(current);
  }

  hide() {
    this.node.hidden = true;
    this.current = -1;
  }

  go(index) {
    this.current = index;
    [...this.node.children].forEach((node, at) => node.classList.toggle("current", at === index));
    const node = this.node.children[index];
    if (node) node.scrollIntoView({ block: "nearest" });
  }

  /** The id of the current option, for `aria-activedescendant`. */
  get active() {
    return this.current < 0 ? null : `${this.node.id}-${this.current}`;
  }

  /** Moves with the arrow keys; whether the key was one of them. */
  move(key) {
    const last = this.items.length - 1;
    const to = {
      ArrowDown: this.current >= last ? 0 : this.current + 1,
      ArrowUp: this.current <= 0 ? last : this.current - 1,
      Home: 0,
      End: last,
    }[key];
    if (to === undefined) return false;
    this.go(to);
    return true;
  }
}
