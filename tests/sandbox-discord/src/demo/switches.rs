//! Faults that a person switches on and off.

use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use strum::VariantArray;

use crate::{EdgeAnswer, Effect, Fault, world::World};

/// Longer than anybody looks on.
const TIME_OUT: Duration = Duration::from_secs(24 * 3600);

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, VariantArray)]
#[serde(rename_all = "snake_case")]
pub(super) enum Switch {
    /// Discord's edge refuses every request, as text.
    EdgeRefusal,
    /// Discord answers 500 to every request.
    ServerErrors,
    /// The bot is timed out in every server.
    TimedOut,
    /// nats-server is halted; it goes on where it was.
    NatsStopped,
}

impl Switch {
    fn fault(self) -> Option<Fault> {
        let effect = match self {
            Self::EdgeRefusal => Effect::Edge(EdgeAnswer::text(403, "error code: 1020")),
            Self::ServerErrors => Effect::Status(500),
            Self::TimedOut | Self::NatsStopped => return None,
        };
        Some(Fault::new(effect).everywhere().named(self.label()))
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::EdgeRefusal => "Discord's edge refuses (403 as text)",
            Self::ServerErrors => "Discord answers 500",
            Self::TimedOut => "The bot is timed out",
            Self::NatsStopped => "NATS is stopped",
        }
    }

    /// What to see while it is on.
    pub(super) const fn help(self) -> &'static str {
        match self {
            Self::EdgeRefusal => "Nothing is lost: alerts wait and are posted afterwards.",
            Self::ServerErrors => "Posts are repeated until Discord confirms them. Nothing is posted twice.",
            Self::TimedOut => "Alerts become dead letters. They are posted when the time-out ends.",
            Self::NatsStopped => "Webhooks wait for up to 2.5 s. Then they are answered 503.",
        }
    }

    /// Whether it can be used here.
    pub(super) fn is_available(self, nats: Option<i32>) -> bool {
        self != Self::NatsStopped || nats.is_some()
    }

    pub(super) fn is_on(self, world: &World, nats: Option<i32>) -> bool {
        match self {
            Self::TimedOut => world.guilds.values().any(|guild| {
                guild.members.get(&world.bot).is_some_and(super::super::world::guild::Member::is_timed_out)
            }),
            Self::NatsStopped => nats.is_some_and(is_halted),
            Self::EdgeRefusal | Self::ServerErrors => world.faults.has(self.label()),
        }
    }

    pub(super) fn turn(self, on: bool, world: &mut World, nats: Option<i32>) -> anyhow::Result<()> {
        match self {
            Self::TimedOut => {
                let guilds: Vec<_> = world.guilds.keys().copied().collect();
                for guild in guilds {
                    world.time_out(guild, world.bot, on.then_some(TIME_OUT));
                }
            }
            Self::NatsStopped => {
                let pid = nats.context("the sandbox was not told which process is NATS (--nats-pid)")?;
                let pid = Pid::from_raw(pid).context("no process has that id")?;
                let signal = if on { Signal::STOP } else { Signal::CONT };
                kill_process(pid, signal).context("NATS does not run any more")?;
            }
            Self::EdgeRefusal | Self::ServerErrors => {
                world.faults.remove(self.label());
                if let Some(fault) = self.fault().filter(|_| on) {
                    world.faults.add(fault);
                }
            }
        }
        Ok(())
    }
}

/// Whether the process is halted by a signal: its state in `/proc/<pid>/stat`,
/// after the name in brackets.
fn is_halted(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
}
