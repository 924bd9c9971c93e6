// Times as Discord shows them, in the reader's own zone.

import { make } from "./dom.js";

const STYLES = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
  s: { dateStyle: "short", timeStyle: "short" },
  S: { dateStyle: "short", timeStyle: "medium" },
};
const UNITS = [["year", 31_557_600], ["month", 2_629_800], ["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always" });

const absolute = (date, style) => new Intl.DateTimeFormat(undefined, STYLES[style] || STYLES.f).format(date);

/** "3 minutes ago", "in 2 hours". */
function ago(date, now = Date.now()) {
  const seconds = Math.round((date - now) / 1000);
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) || ["second", 1];
  return relative.format(Math.trunc(seconds / size), unit);
}

/** The time of `<t:seconds:style>`. */
export function timestamp(seconds, style) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return make("span", {}, "Invalid Date");
  const text = style === "R" ? ago(date) : absolute(date, style || "f");
  return make("time", {
    class: "timestamp", datetime: date.toISOString(), title: absolute(date, "F"), "data-relative": style === "R",
  }, text);
}

/** "Today at 14:32", as in a message's head or an embed's footer. */
export function moment(iso) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return make("span", {}, "Invalid Date");
  const day = (offset) => new Date(Date.now() - offset * 86_400_000).toDateString();
  const time = absolute(date, "t");
  const name = date.toDateString() === day(0) ? "Today at " : date.toDateString() === day(1) ? "Yesterday at " : "";
  const text = name ? name + time : absolute(date, "s");
  return make("time", { datetime: date.toISOString(), title: absolute(date, "F") }, text);
}

/** Keeps every relative time on the page true. */
export function keepTime() {
  setInterval(() => {
    for (const node of document.querySelectorAll("time[data-relative]")) {
      const text = ago(new Date(node.dateTime));
      if (node.textContent !== text) node.textContent = text;
    }
  }, 1000);
}
