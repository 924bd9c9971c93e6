// Starts the page and keeps it fresh.

import { get } from "./api.js";
import { fill, startComposer } from "./composer.js";
import { byId, complain } from "./dom.js";
import { refreshAnswers, whenAnswered } from "./interact.js";
import { drawLog, refreshLog } from "./log.js";
import { refreshPanel, startPanel } from "./panel.js";
import { draw, open, startPlaces } from "./places.js";
import { startTheme } from "./theme.js";
import { keepTime } from "./time.js";
import { learn } from "./world.js";

const EVERY = 1000;

async function refresh() {
  learn(await get("state"));
  draw(refresh);
  await refreshLog();
  await refreshAnswers();
  await refreshPanel();
}

/** Channels and commands that are named in a text lead there. */
function follow(event) {
  const mark = event.target.closest("[data-channel], [data-command]");
  if (!mark) return;
  if (mark.dataset.command) fill(`/${mark.dataset.command} `);
  else open(mark.dataset.channel, refresh).catch(complain);
}

async function tick() {
  try {
    await refresh();
    document.body.classList.remove("lost");
  } catch (error) {
    byId("status").textContent = error.message;
    document.body.classList.add("lost");
  }
  setTimeout(tick, EVERY);
}

startTheme();
startComposer(refresh);
startPlaces(refresh);
whenAnswered(drawLog);
keepTime();
byId("log").addEventListener("click", follow);
startPanel().catch(complain).then(tick);
