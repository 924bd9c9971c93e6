//! One shard: sessions one after another, until it is stopped or Discord does
//! not want it any more.

use std::time::Duration;

use shared::{process::BadToken, shutdown::CancellationToken};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::{
    Context, ShardId,
    close_codes::{self, Closed},
    events_in_flight::EventsInFlight,
    identify::may_identify,
    identify_budget::GatewayInfo,
    reconnect_backoff::{ConnectionOutcome, ReconnectBackoff, ask_again},
    resumable::Progress,
    session::{self, Greeting, SessionEnd},
    stored_session::StoredSession,
};
use crate::{discord::DiscordError, lease::Lease};

/// For noting down where a session ended.
const LAST_WORD: Duration = Duration::from_millis(300);

/// Serves one shard until the lease is to be given up or is lost. Where Discord
/// closes it with a final code, it stays off until then, and the readiness says
/// so.
///
/// # Errors
/// When Discord refuses the token.
pub(super) async fn run(shard: ShardId, context: &Context, lease: Lease) -> Result<(), BadToken> {
    context.status.down(shard, "connecting");
    let fence = lease.fence();
    let result = fence.while_held(serve_and_keep(shard, context, &lease)).await;
    context.status.forget(shard);
    result.unwrap_or(Ok(()))
}

/// Goes on where the predecessor stopped, and leaves word where it stops itself.
async fn serve_and_keep(shard: ShardId, context: &Context, lease: &Lease) -> Result<(), BadToken> {
    let opening = StoredSession::open(&context.bucket, shard);
    let Some(mut kept) = lease.stop().run_until_cancelled(opening).await else { return Ok(()) };
    let (session, changes) = watch::channel(kept.session());
    let progress = Progress { session, in_flight: EventsInFlight::default() };
    tokio::select! {
        ended = serve(shard, context, lease, &progress) => ended?,
        never = kept.follow(changes, &progress.in_flight) => match never {},
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
    let mut tries = ReconnectBackoff::default();
    // When an IDENTIFY was sent last.
    let mut identified = None;
    while !stop.is_cancelled() {
        let with_content = context.with_content();
        let url = resumable.borrow().as_ref().map(|session| session.url.clone());
        let identifies = url.is_none();
        let (url, greeting) = match url {
            Some(url) => (url, Greeting::Resume),
            None => match stop.run_until_cancelled(may_identify(shard, context, identified)).await {
                Some(granted) => {
                    granted.map(|(url, slot)| (url, Greeting::Identify { slot, with_content }))?
                }
                None => break,
            },
        };
        let up = || context.status.up(shard);
        let (end, outcome) = session::run(&url, greeting, shard, context, progress, lease, up).await;
        let why = match end {
            SessionEnd::Stopped => break,
            SessionEnd::Closed { asks: Closed::BadToken, .. } => return Err(BadToken),
            SessionEnd::Closed { asks: Closed::ContentNotGranted, .. } if with_content => {
                context.do_without_content();
                resumable.send_replace(None);
                continue;
            }
            SessionEnd::Closed { asks: Closed::ContentNotGranted, .. } => {
                stay_off(shard, context, 4014, stop).await;
                break;
            }
            SessionEnd::Closed { asks: Closed::Final(code), .. } => {
                stay_off(shard, context, code, stop).await;
                break;
            }
            SessionEnd::Closed { asks: Closed::TooFewShards, .. } => {
                return ask_for_more(shard, context, stop).await;
            }
            SessionEnd::Closed { asks: Closed::Identify, words } => {
                resumable.send_replace(None);
                words
            }
            SessionEnd::Closed { asks: Closed::Resume, words } => words,
            SessionEnd::Lost(error) => format!("{error:#}"),
        };
        if identifies && outcome != ConnectionOutcome::Unreached {
            identified = Some(Instant::now());
        }
        metrics::counter!("sentry_bot_gateway_reconnects_total").increment(1);
        let next = tries.note(outcome, resumable.borrow().is_some());
        if next.gives_up {
            resumable.send_replace(None);
        }
        let (wait, resumes) = (next.wait(), resumable.borrow().is_some());
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(shard.id, why, resumes, wait_ms, "the shard connects to the gateway again");
        context.status.down(shard, format!("reconnecting: {why}"));
        stop.run_until_cancelled(sleep(wait)).await;
    }
    Ok(())
}

/// Waits for `stop`: Discord would close the shard the same way again.
async fn stay_off(shard: ShardId, context: &Context, code: u16, stop: &CancellationToken) {
    let why = close_codes::words(code);
    tracing::error!(
        shard.id,
        code,
        why,
        "Discord closed the gateway for good: commands are off, alerts go on"
    );
    context.status.down(shard, format!("closed with {code} ({why}); commands are off"));
    stop.cancelled().await;
}

/// The bot is in too many guilds for so few shards. Asks Discord how many it wants
/// now until that is more, and lets all pods share so many.
async fn ask_for_more(shard: ShardId, context: &Context, stop: &CancellationToken) -> Result<(), BadToken> {
    let words = close_codes::words(4011);
    tracing::error!(shard.id, shards = shard.total, "closed with 4011 ({words}): asking how many shards");
    let why =
        format!("closed with 4011 ({words}); commands are off until Discord names more than {}", shard.total);
    context.status.down(shard, why);
    let mut tries = 0;
    loop {
        match stop.run_until_cancelled(GatewayInfo::ask(&context.discord)).await {
            None => return Ok(()),
            Some(Ok(info)) if info.shards > shard.total => {
                tracing::info!(from = shard.total, to = info.shards, "Discord wants more shards");
                context.status.down(shard, format!("Discord wants {} shards now: sharing them", info.shards));
                context.wanted.send_if_modified(|wanted| {
                    let is_more = info.shards > *wanted;
                    *wanted = info.shards.max(*wanted);
                    is_more
                });
                // The keeper takes this one back before it grants any of the others.
                stop.cancelled().await;
                return Ok(());
            }
            Some(Ok(_)) => {}
            Some(Err(DiscordError::BadToken(bad_token))) => return Err(bad_token),
            Some(Err(error)) => {
                tracing::warn!(shard.id, %error, "cannot ask how many shards there should be")
            }
        }
        tries += 1;
        stop.run_until_cancelled(sleep(ask_again(tries))).await;
    }
}
