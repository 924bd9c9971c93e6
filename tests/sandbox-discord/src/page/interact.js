// What a person does with the bot, and the answers that only they see.

import { get, post } from "./api.js";
import { ask } from "./modal.js";
import { world } from "./world.js";

const EPHEMERAL = 64;
const MODAL = 9;

/** How long the bot may take for what follows its first answer, in milliseconds. */
const FOLLOW_UP = 120_000;

/** The answers for one person alone, oldest first. */
let hidden = [];
/** Ids of those that the person took off the screen. */
const dismissed = new Set();
/** What the person did lately, by interaction: more may come. */
const recent = new Map();
/** Commands that the bot has not answered yet. */
const waiting = new Set();
let changed = () => {};

/** Calls this after each change of what `answersHere` gives. */
export function whenAnswered(act) {
  changed = act;
}

const place = () => ({ user: world.user, channel: world.channel });
const isHere = (entry) => entry.user === world.user && entry.channel === world.channel;

/** What this person alone sees in the open channel. */
export const answersHere = () => hidden.filter(isHere);
/** What the bot is thinking about in the open channel. */
export const waitingHere = () => [...waiting].filter(isHere);

/** Takes an answer off the screen. */
export function dismiss(id) {
  dismissed.add(id);
  hidden = hidden.filter((entry) => entry.json.id !== id);
  changed();
}

/** Uses a slash command. */
export async function use(command, options) {
  await settle("interact", { ...place(), command, options }, `/${command}`);
}

/** Presses a button, or chooses from a menu. */
export async function press(message, customId, values) {
  const body = { ...place(), message: message.id, custom_id: customId };
  await settle("press", values ? { ...body, values } : body, null);
}

/** Sends it, and does what the answer asks for. */
async function settle(path, body, used) {
  const entry = { user: world.user, channel: world.channel, used };
  if (used) waiting.add(entry);
  changed();
  let outcome;
  try {
    outcome = await post(path, body);
  } finally {
    waiting.delete(entry);
    changed();
  }
  recent.set(outcome.id, { entry, until: Date.now() + FOLLOW_UP });
  if (!outcome.answer) throw new Error(used ? "The application did not respond" : "This interaction failed");
  if (outcome.answer.kind === MODAL) {
    const inputs = await ask(outcome.answer.data);
    if (inputs) await settle("modal", { interaction: outcome.id, inputs }, used);
    return;
  }
  keep(outcome, entry);
}

const isNewer = (json, known) => (json.edited_timestamp || "") > (known.edited_timestamp || "");

/** Puts answers for this person alone on the screen, or their newer text. */
function keep(outcome, { user, channel, used }) {
  for (const { json } of outcome.messages) {
    if (!(json.flags & EPHEMERAL) || dismissed.has(json.id)) continue;
    const known = hidden.find((entry) => entry.json.id === json.id);
    if (!known) hidden.push({ user, channel, used, interaction: outcome.id, json });
    else if (isNewer(json, known.json)) known.json = json;
  }
  changed();
}

/** Asks for edits of what is on the screen, and for answers that came later. */
export async function refreshAnswers() {
  for (const [id, { until }] of recent) if (until < Date.now()) recent.delete(id);
  const entries = new Map([...recent].map(([id, { entry }]) => [id, entry]));
  for (const entry of answersHere()) entries.set(entry.interaction, entry);
  for (const [id, entry] of entries) {
    const outcome = await get(`interactions/${id}`);
    const ids = outcome.messages.map((message) => message.id);
    hidden = hidden.filter((known) => known.interaction !== id || ids.includes(known.json.id));
    keep(outcome, entry);
  }
}
