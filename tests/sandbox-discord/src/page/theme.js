// Light or dark: as the system says, until the person says otherwise.

import { byId } from "./dom.js";

const KEY = "theme";
const system = matchMedia("(prefers-color-scheme: light)");

function chosen() {
  const asked = new URLSearchParams(location.search).get("theme");
  return ["light", "dark"].includes(asked) ? asked : localStorage.getItem(KEY);
}

const current = () => document.documentElement.dataset.theme || (system.matches ? "light" : "dark");

function name() {
  byId("theme").textContent = current() === "light" ? "Dark theme" : "Light theme";
}

export function startTheme() {
  if (chosen()) document.documentElement.dataset.theme = chosen();
  name();
  system.addEventListener("change", name);
  byId("theme").addEventListener("click", () => {
    const next = current() === "light" ? "dark" : "light";
    document.documentElement.dataset.theme = next;
    localStorage.setItem(KEY, next);
    name();
  });
}
