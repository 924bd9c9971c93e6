// The slash commands that the bot registered, and what a person has typed of one.

import { world, guild, channelName, roleName, userName, ordered, isThread } from "./world.js";

const CHANNEL = 7;
const ROLE = 8;
const MENTIONABLE = 9;
const USER = 6;
const BOOLEAN = 5;

function flatten(definition, path) {
  const options = definition.options || [];
  const inner = options.filter((option) => option.type <= 2);
  if (!inner.length) return [{ path, description: definition.description, options }];
  return inner.flatMap((option) => flatten(option, `${path} ${option.name}`));
}

/** Every command with its groups and subcommands written out: `sentry channel authorize`. */
export const commands = () => (world.state.commands || []).flatMap((command) => flatten(command, command.name));

/** The command, its options so far, and the option that is being typed. `null`: no known command. */
export function parse(text) {
  const typed = text.slice(1);
  const fits = ({ path }) => typed === path || typed.startsWith(path + " ");
  const command = commands().filter(fits).sort((a, b) => b.path.length - a.path.length)[0];
  if (!command) return null;
  const rest = typed.slice(command.path.length);
  const known = (found) => command.options.some((option) => option.name === found[1]);
  const marks = [...rest.matchAll(/(?<=\s)([\p{L}\p{N}_-]+):/gu)].filter(known);
  const values = {};
  marks.forEach((mark, index) => {
    const end = index + 1 < marks.length ? marks[index + 1].index : rest.length;
    values[mark[1]] = rest.slice(mark.index + mark[0].length, end).trim();
  });
  const last = marks.at(-1);
  const start = last ? last.index + last[0].length : 0;
  return {
    command,
    values,
    /** The words after the last option's name, or after the command. */
    tail: rest.slice(start),
    /** Where in the text they begin. */
    start: 1 + command.path.length + start,
    focused: last ? command.options.find((option) => option.name === last[1]) : null,
  };
}

const named = (kind, name, list) => {
  const wanted = name.replace(/^[#@]/, "");
  return (list.find(([, known]) => known === wanted) || [])[0] || /^(?:<[#@]!?&?)?(\d+)>?$/.exec(name)?.[1] || wanted;
};

/** Names of the bot's own completions, by what they stand for: the bot gets the value. */
const completed = new Map();

/** Remembers that this name, offered by the bot, stands for this value. */
export const stands = (option, name, value) => completed.set(`${option} ${name}`, String(value));

/** The values as Discord sends them: ids in place of names. */
export function resolved({ command, values }) {
  const users = () => [...world.users.values()].map((user) => [user.id, user.username]);
  const roles = () => [...world.roles.values()].map((role) => [role.id, role.name.replace(/^@/, "")]);
  const lists = {
    [CHANNEL]: () => [...world.channels.values()].map((channel) => [channel.id, channel.name]),
    [USER]: users,
    [ROLE]: roles,
    [MENTIONABLE]: () => [...users(), ...roles()],
  };
  const options = {};
  for (const [name, text] of Object.entries(values)) {
    const { type, choices } = command.options.find((option) => option.name === name);
    const choice = (choices || []).find((choice) => choice.name === text);
    if (lists[type]) options[name] = named(type, text, lists[type]());
    else if (choice) options[name] = String(choice.value);
    else options[name] = completed.get(`${name} ${text}`) ?? text;
  }
  return options;
}

const label = (channel) => {
  const parent = isThread(channel) && channelName(channel.parent_id);
  return { text: "#" + channel.name, note: parent ? `thread in #${parent}` : "" };
};

/** Channels whose name begins like this, or has it within. */
export function channelsLike(text, types = []) {
  const wanted = text.replace(/^#/, "").toLowerCase();
  return ordered()
    .filter((channel) => channel.name.toLowerCase().includes(wanted) && (!types.length || types.includes(channel.type)))
    .map(label);
}

/** Members of the server whose name has this within. */
export function usersLike(text) {
  const wanted = text.replace(/^@/, "").toLowerCase();
  return guild().members.map((id) => ({ text: "@" + userName(id) })).filter(({ text }) => text.toLowerCase().includes(wanted));
}

const rolesLike = (text) => (guild().roles || [])
  .map((role) => ({ text: "@" + roleName(role.id).replace(/^@/, ""), note: "role" }))
  .filter((item) => item.text.toLowerCase().includes(text.replace(/^@/, "").toLowerCase()));

/** What may be typed for an option, where the client knows it. `null`: only the bot knows. */
export function offered(option, text) {
  const like = (items) => items.filter((item) => item.text.toLowerCase().includes(text.toLowerCase()));
  if ((option.choices || []).length) return like(option.choices.map((choice) => ({ text: choice.name })));
  if (option.autocomplete) return null;
  if (option.type === CHANNEL) return channelsLike(text, option.channel_types || []);
  if (option.type === USER) return usersLike(text);
  if (option.type === ROLE) return rolesLike(text);
  if (option.type === MENTIONABLE) return [...usersLike(text), ...rolesLike(text)];
  if (option.type === BOOLEAN) return like([{ text: "true" }, { text: "false" }]);
  return [];
}
