// What the page knows of the sandbox, and who looks at it.

export const world = {
  /** The answer of `GET /sandbox/state`. */
  state: null,
  /** The id of the channel that is open. */
  channel: null,
  /** The id of the user whose eyes these are. */
  user: null,
  users: new Map(),
  channels: new Map(),
  roles: new Map(),
};

export const guild = () => world.state.guilds[0];

/** Takes in a new state. */
export function learn(state) {
  world.state = state;
  for (const user of state.users) world.users.set(user.id, user);
  for (const place of state.guilds) {
    for (const role of place.roles || []) world.roles.set(role.id, role);
    world.channels = new Map(place.channels.map((channel) => [channel.id, channel]));
  }
}

export const isThread = (channel) => [10, 11, 12].includes(channel.type);
/** Categories, forums and media channels take no messages. */
export const takesMessages = (channel) => ![4, 15, 16].includes(channel.type);

export const userName = (id) => (world.users.get(id) || {}).username || "unknown-user";
export const channelName = (id) => (world.channels.get(id) || {}).name || "unknown";
export const roleName = (id) => (world.roles.get(id) || {}).name || "unknown-role";

/** Channels in the order of the list: each with its threads below it. */
export function ordered() {
  const all = [...world.channels.values()];
  const tops = all.filter((channel) => !isThread(channel));
  return tops.flatMap((top) => [top, ...all.filter((channel) => isThread(channel) && channel.parent_id === top.id)]);
}
