//! The runtime mode, which both services take from `RUNTIME_MODE`.

/// How strict a process is about the outside world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum RuntimeMode {
    /// Only allowed addresses may send. Production keys are used.
    #[default]
    Production,
    /// Any address may send. Development keys are used.
    Development,
}

impl RuntimeMode {
    /// The name in `RUNTIME_MODE` and in the operator's own Sentry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Development => "development",
        }
    }
}
