//! The commands: `!sentry …`, `@bot …`.
