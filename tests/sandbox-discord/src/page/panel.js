// "Send as Sentry": payloads, storms, and what the ingress answered.

import { get, post } from "./api.js";
import { byId, complain, make } from "./dom.js";
import { drawCounters, drawFaults } from "./faults.js";
import { channelName, world } from "./world.js";

/** The folders of fixtures, in the order of the menu. */
const GROUPS = {
  legacy: "Sentry: legacy webhooks", platform: "Sentry: internal integration", reports: "Sentry: from reports",
  glitchtip: "GlitchTip", bugsink: "Bugsink",
};
/** What an internal integration may be sent for. */
const RESOURCES = ["event_alert", "issue", "metric_alert", "error", "comment", "activity_alert", "seer"];
const PASTE = "paste";

/** "legacy/11_python_exception.json" is "python exception". */
const title = (path) => path.replace(/^.*\//, "").replace(/\.json$/, "").replace(/^\d+_/, "").replace(/_/g, " ").replace(/\./g, ": ");

function drawFixtures(fixtures) {
  const groups = Map.groupBy(fixtures, (path) => path.split("/")[0]);
  const options = (paths) => paths.map((path) => make("option", { value: path }, title(path)));
  byId("fixture").replaceChildren(
    ...Object.keys(GROUPS).filter((group) => groups.has(group))
      .map((group) => make("optgroup", { label: GROUPS[group] }, options(groups.get(group)))),
    make("optgroup", { label: "Your own" }, make("option", { value: PASTE }, "Paste a body")));
  // The payload whose alert shows most.
  byId("fixture").value = fixtures.find((path) => path.endsWith("_python_exception.json")) || fixtures[0] || PASTE;
  byId("resource").replaceChildren(
    make("option", { value: "" }, "legacy webhook, GlitchTip, Bugsink"),
    ...RESOURCES.map((name) => make("option", { value: name }, name)));
  byId("glitchtip").hidden = !groups.has("glitchtip");
  const usual = (groups.get("glitchtip") || []).find((path) => path.endsWith("general_issue.json"));
  byId("glitchtip").onclick = () => send({ fixture: usual || groups.get("glitchtip")[0] });
}

function chosen() {
  const fixture = byId("fixture").value;
  if (fixture !== PASTE) return { fixture };
  return { pasted: { body: byId("pasted").value, resource: byId("resource").value } };
}

/** The ingress's words, out of `{"error": …}`, or as they are. */
function words(body) {
  try {
    const { error, message } = JSON.parse(body);
    return (error && error.message) || error || message || "";
  } catch {
    return body;
  }
}

function tell({ answers }) {
  const line = ({ status, body, count }) => make("li", { class: status >= 200 && status < 300 ? "good" : "bad" },
    make("strong", {}, `${count} × ${status || "no answer"}`), " ", words(body));
  byId("sent").replaceChildren(make("ul", {}, answers.map(line)));
}

async function send(payload) {
  complain(null);
  byId("sent").textContent = "Sending…";
  const body = {
    channel: world.channel, payload, as_now: byId("as-now").checked,
    token: byId("token").value, secret: byId("secret").value,
  };
  try {
    tell(await post("demo/send", body));
  } catch (error) {
    byId("sent").replaceChildren(make("p", { class: "bad" }, error.message));
  }
}

function show(open) {
  document.body.classList.toggle("panel-open", open);
  byId("panel").hidden = !open;
  byId("panel-toggle").setAttribute("aria-expanded", String(open));
}

const on = (id, event, act) => byId(id).addEventListener(event, act);

function listen() {
  on("panel-toggle", "click", () => {
    show(byId("panel").hidden);
    if (!byId("panel").hidden) byId("panel-close").focus();
  });
  const close = () => {
    show(false);
    byId("panel-toggle").focus();
  };
  on("panel-close", "click", close);
  on("panel", "keydown", (event) => event.key === "Escape" && close());
  on("fixture", "change", () => { byId("pasted-part").hidden = byId("fixture").value !== PASTE; });
  on("send", "submit", (event) => {
    event.preventDefault();
    send(chosen());
  });
  on("storm", "submit", (event) => {
    event.preventDefault();
    send({ storm: Number(byId("storm-count").value) });
  });
}

/** Shows the panel, where there is a bot beside the sandbox. */
export async function startPanel() {
  const demo = await get("demo");
  byId("send-part").hidden = !demo.ingress;
  if (!demo.ingress) {
    byId("panel-toggle").textContent = "Faults";
    byId("panel").setAttribute("aria-label", "Faults");
  }
  byId("counters-part").hidden = !demo.counters;
  drawFixtures(demo.fixtures || []);
  listen();
  const asked = new URLSearchParams(location.search).get("panel");
  show(asked ? asked === "open" : Boolean(demo.ingress) && innerWidth > 1100);
}

/** Reads counters and faults again, while they are on the screen. */
export async function refreshPanel() {
  if (byId("panel").hidden) return;
  const demo = await get("demo");
  byId("target").textContent = "#" + channelName(world.channel);
  drawCounters(demo.counters);
  drawFaults(demo.faults);
}
