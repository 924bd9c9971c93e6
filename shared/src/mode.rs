//! The runtime mode, which both services take from `RUNTIME_MODE`.

/// How strict a process is about the outside world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum RuntimeMode {
    /// Only allowed source addresses; production keys.
    #[default]
    Production,
    /// Any source address; development keys.
    Development,
}

impl RuntimeMode {
    /// The name as it is set and as it is shown in the operator's own Sentry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Development => "development",
        }
    }
}
