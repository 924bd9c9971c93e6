//! One shard: sessions one after another, until it is stopped or Discord does
//! not want it any more.

use std::time::Duration;

use rand::Rng as _;
use serde::Deserialize;
use shared::{process::BadToken, shutdown::CancellationToken};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::{
    Context, ShardId,
    kept::Kept,
    session::{self, End, Greeting, Progress},
    slots::Slot,
    status::State,
    unfinished::Unfinished,
    wire::{self, Closed},
};
use crate::{
    discord::{Discord, DiscordError},
    lease::Lease,
};

/// The waits between failures double from this …
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
/// … to this: 720 IDENTIFYs a day, where Discord takes 1,000.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// A connection that lasted so long was no failure.
const STABLE: Duration = Duration::from_secs(60);
/// More failures than these lengthen no wait for a session that came up and is
/// to be resumed: a resume costs no IDENTIFY, and commands wait for it.
const RESUMING: u32 = 2;
/// So many tries to resume a session may fail in a row before it is given up.
const RESUME_TRIES: u32 = 3;
/// For noting down where a session ended.
const LAST_WORD: Duration = Duration::from_millis(300);

/// What Discord says about connecting.
/// <https://docs.discord.com/developers/events/gateway#get-gateway-bot>
#[derive(Debug, Deserialize)]
pub(super) struct GatewayInfo {
    url: String,
    /// How many shards the bot should have.
    pub(super) shards: u32,
    session_start_limit: StartLimit,
}

#[derive(Debug, Deserialize)]
struct StartLimit {
    /// IDENTIFYs left today.
    remaining: u32,
    /// Milliseconds until there are all of them again.
    reset_after: u64,
    max_concurrency: u32,
}

impl GatewayInfo {
    pub(super) async fn ask(discord: &Discord) -> Result<Self, DiscordError> {
        discord.get("/gateway/bot", "/gateway/bot").await
    }
}

/// Serves one shard until the lease is to be given up or is lost. Where Discord
/// closes it with a final code, it stays off until then, and the readiness says
/// so.
///
/// # Errors
/// When Discord refuses the token.
pub(super) async fn run(shard: ShardId, context: &Context, lease: Lease) -> Result<(), BadToken> {
    context.status.set(shard, State::Down("connecting"));
    let fence = lease.fence();
    let result = fence.while_held(serve_and_keep(shard, context, &lease)).await;
    context.status.forget(shard);
    result.unwrap_or(Ok(()))
}

/// Goes on where the predecessor stopped, and leaves word where it stops itself.
async fn serve_and_keep(shard: ShardId, context: &Context, lease: &Lease) -> Result<(), BadToken> {
    let opening = Kept::open(&context.bucket, shard);
    let Some(mut kept) = lease.stop().run_until_cancelled(opening).await else { return Ok(()) };
    let (session, changes) = watch::channel(kept.session());
    let progress = Progress { session, unfinished: Unfinished::default() };
    tokio::select! {
        ended = serve(shard, context, lease, &progress) => ended?,
        never = kept.follow(changes, &progress.unfinished) => match never {},
    }
    // What is still being handled is finished here.
    let last = progress.session.borrow().clone();
    // Without it the successor hears a little twice, or begins anew.
    let _ = timeout(LAST_WORD, kept.save(last)).await;
    Ok(())
}

async fn serve(
    shard: ShardId,
    context: &Context,
    lease: &Lease,
    progress: &Progress,
) -> Result<(), BadToken> {
    let (stop, resumable) = (lease.stop(), &progress.session);
    let mut failures = 0;
    while !stop.is_cancelled() {
        let with_content = context.with_content();
        let url = resumable.borrow().as_ref().map(|session| session.url.clone());
        let (url, greeting) = match url {
            Some(url) => (url, Greeting::Resume),
            None => match stop.run_until_cancelled(may_identify(shard, context)).await {
                Some(granted) => {
                    granted.map(|(url, slot)| (url, Greeting::Identify { slot, with_content }))?
                }
                None => break,
            },
        };
        let began = Instant::now();
        let mut came_up = false;
        let up = || {
            came_up = true;
            context.status.set(shard, State::Up);
        };
        match session::run(&url, greeting, shard, context, progress, lease, up).await {
            End::Stopped => break,
            End::Closed(Closed::BadToken) => return Err(BadToken),
            End::Closed(Closed::ContentNotGranted) if with_content => {
                context.do_without_content();
                resumable.send_replace(None);
                continue;
            }
            End::Closed(Closed::ContentNotGranted) => stay_off(shard, context, 4014, stop).await,
            End::Closed(Closed::Final(code)) => stay_off(shard, context, code, stop).await,
            End::Closed(Closed::Identify) => drop(resumable.send_replace(None)),
            End::Closed(Closed::Resume) => tracing::debug!(shard.id, "Discord asks the shard to reconnect"),
            End::Lost(error) => {
                tracing::warn!(shard.id, error = format!("{error:#}"), "lost the gateway; reconnecting");
            }
        }
        metrics::counter!("sentry_bot_gateway_reconnects_total").increment(1);
        let resumes = came_up && resumable.borrow().is_some();
        failures = count(failures, began.elapsed(), resumes);
        if failures > RESUME_TRIES && !came_up {
            resumable.send_replace(None);
        }
        // A session that was stable resumes at once; the state shows what lasts.
        if failures > 1 || resumable.borrow().is_none() {
            context.status.set(shard, State::Down("reconnecting"));
            let patience = if resumes { failures.min(RESUMING) } else { failures };
            stop.run_until_cancelled(sleep(wait(patience))).await;
        }
    }
    Ok(())
}

/// The failures in a row, after one more connection that lasted so long. Those
/// that only lead to a resume do not make the next IDENTIFY wait longer.
fn count(failures: u32, lasted: Duration, resumes: bool) -> u32 {
    match (lasted >= STABLE, resumes) {
        (true, _) => 1,
        (false, true) => (failures + 1).min(RESUMING.max(failures)),
        (false, false) => failures + 1,
    }
}

/// Waits for Discord's next free moment to identify, and returns where to.
async fn may_identify(shard: ShardId, context: &Context) -> Result<(String, Slot), BadToken> {
    let mut failures = 0;
    loop {
        match GatewayInfo::ask(&context.discord).await {
            Ok(GatewayInfo { session_start_limit: StartLimit { remaining: 0, reset_after, .. }, .. }) => {
                tracing::error!(
                    shard.id,
                    "all of the day's gateway sessions are used up: commands are off until they are back"
                );
                sleep(Duration::from_millis(reset_after).clamp(SHORTEST_WAIT, LONGEST_WAIT)).await;
            }
            Ok(info) => {
                let slot = context.slots.take(shard.id, info.session_start_limit.max_concurrency).await;
                return Ok((info.url, slot));
            }
            Err(DiscordError::BadToken(bad_token)) => return Err(bad_token),
            Err(error) => {
                failures += 1;
                tracing::warn!(shard.id, %error, "cannot look up Discord's gateway; trying again");
                sleep(wait(failures)).await;
            }
        }
    }
}

/// Waits for `stop`: Discord would close the shard the same way again.
async fn stay_off(shard: ShardId, context: &Context, code: u16, stop: &CancellationToken) {
    let why = wire::final_words(code);
    tracing::error!(
        shard.id,
        code,
        why,
        "Discord closed the gateway for good: commands are off, alerts go on"
    );
    context.status.set(shard, State::Off { code, why });
    stop.cancelled().await;
}

/// Doubles with each failure, and differs between pods.
fn wait(failures: u32) -> Duration {
    let longest = SHORTEST_WAIT.saturating_mul(1 << failures.clamp(1, 8)).min(LONGEST_WAIT);
    rand::rng().random_range(longest / 2..=longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_discord_lets_resume_is_never_kept_waiting_for_long() {
        let brief = Duration::from_secs(1);
        let often = |failures, resumes| (0..50).fold(failures, |n, _| count(n, brief, resumes));
        assert_eq!(often(0, true), RESUMING);
        assert!(wait(RESUMING) <= 4 * SHORTEST_WAIT);
        assert_eq!(often(5, true), 5, "IDENTIFYs that failed before still count");
        assert_eq!(often(0, false), 50, "an IDENTIFY waits longer each time");
        assert_eq!(count(50, STABLE, false), 1);
    }

    #[test]
    fn waits_grow_and_stay_bounded() {
        assert!(wait(0) >= SHORTEST_WAIT && wait(1) <= 2 * SHORTEST_WAIT);
        assert!(wait(u32::MAX) >= LONGEST_WAIT / 2 && wait(u32::MAX) <= LONGEST_WAIT);
    }
}
