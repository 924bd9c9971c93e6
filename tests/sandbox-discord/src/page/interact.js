// What a person does with the bot, and the answers that only they see.

import { get, post } from "./api.js";
import { ask } from "./modal.js";
import { world } from "./world.js";

const EPHEMERAL = 64;
const MODAL = 9;

/** The answers for one person alone, oldest first. */
let hidden = [];
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
  if (!outcome.answer) throw new Error(used ? "The application did not respond" : "This interaction failed");
  if (outcome.answer.kind === MODAL) {
    const inputs = await ask(outcome.answer.data);
    if (inputs) await settle("modal", { interaction: outcome.id, inputs }, used);
    return;
  }
  keep(outcome, entry);
}

function keep(outcome, { user, channel, used }) {
  const mine = outcome.messages.map((message) => message.json).filter((json) => json.flags & EPHEMERAL);
  for (const json of mine) {
    const known = hidden.find((entry) => entry.json.id === json.id);
    if (known) known.json = json;
    else hidden.push({ user, channel, used, interaction: outcome.id, json });
  }
  changed();
}

/** Asks for edits and later answers to what is on the screen. */
export async function refreshAnswers() {
  const ids = new Set(answersHere().map((entry) => entry.interaction));
  for (const id of ids) {
    const entry = hidden.find((entry) => entry.interaction === id);
    const before = JSON.stringify(hidden);
    const outcome = await get(`interactions/${id}`);
    const gone = (known) => known.interaction === id && !outcome.messages.some((message) => message.id === known.json.id);
    hidden = hidden.filter((known) => !gone(known));
    if (JSON.stringify(hidden) !== before) changed();
    const fresh = outcome.messages.filter((message) => message.edited || !hidden.some((known) => known.json.id === message.id));
    if (entry && fresh.length) keep({ ...outcome, id }, entry);
  }
}
