// Switches for faults, and what the services have counted.

import { post } from "./api.js";
import { byId, complain, make } from "./dom.js";

const COUNTERS = {
  accepted: "taken from Sentry", waiting: "not posted yet", posted: "shown in Discord",
  folded: "joined an earlier embed", dead: "dead letters",
};

/** Draws the counters; what a service does not tell is a dash. */
export function drawCounters(counters) {
  const list = byId("counters");
  if (!list.childElementCount) {
    list.append(...Object.entries(COUNTERS).map(([name, note]) => make("div", {},
      make("dt", {}, name, make("span", { class: "note" }, note)),
      make("dd", { id: "count-" + name }, "–"))));
  }
  for (const name of Object.keys(COUNTERS)) {
    byId("count-" + name).textContent = String(counters?.[name] ?? "–");
  }
}

async function turn(event) {
  const box = event.target;
  complain(null);
  try {
    await post("demo/faults", { fault: box.value, on: box.checked });
  } catch (error) {
    box.checked = !box.checked;
    complain(error);
  }
}

/** Draws the switches once, then only their state. */
export function drawFaults(faults) {
  const list = byId("faults");
  if (list.childElementCount !== faults.length) {
    list.replaceChildren(...faults.map(({ fault, label, help }) => {
      const id = `fault-${fault}`;
      const box = make("input", { type: "checkbox", role: "switch", id, value: fault, onchange: turn, "aria-describedby": id + "-help" });
      return make("li", {}, box, make("label", { for: id }, label), make("p", { class: "note", id: id + "-help" }, help));
    }));
  }
  for (const { fault, on } of faults) byId(`fault-${fault}`).checked = on;
}
