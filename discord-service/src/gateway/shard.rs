//! One shard: sessions one after another, until it is stopped or Discord does
//! not want it any more.

use std::time::Duration;

use shared::process::BadToken;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::{
    close_codes::{self, Closed},
    context::{ActiveShard, GatewayContext},
    events_in_flight::EventsInFlight,
    identify::may_identify,
    identify_budget::GatewayInfo,
    reconnect_backoff::{ConnectionOutcome, ReconnectBackoff, ask_again},
    resumable::Progress,
    session::{self, Greeting, SessionEnd},
    shard_id::ShardId,
    stored_session::StoredSession,
};
use crate::{discord::DiscordError, lease::Lease};

/// For noting down where a session ended.
const LAST_WORD: Duration = Duration::from_millis(300);

/// Serves one shard until the lease is to be given up or is lost. If Discord closes
/// the shard with a final code, it stays off until then, and readiness says so.
///
/// # Errors
/// When Discord refuses the token.
pub(super) async fn run(id: ShardId, context: &GatewayContext, lease: Lease) -> Result<(), BadToken> {
    context.status.down(id, "connecting");
    let fence = lease.fence();
    let result = fence.while_held(serve_and_store(id, context, &lease)).await;
    context.status.forget(id);
    result.unwrap_or(Ok(()))
}

/// Continues the predecessor's session, and stores its own for a successor.
async fn serve_and_store(id: ShardId, context: &GatewayContext, lease: &Lease) -> Result<(), BadToken> {
    let opening = StoredSession::open(&context.bucket, id);
    let Some(mut stored) = lease.stop().run_until_cancelled(opening).await else { return Ok(()) };
    let (session, changes) = watch::channel(stored.session());
    let progress = Progress { session, in_flight: EventsInFlight::default() };
    let shard = ActiveShard { id, context, lease, progress: &progress };
    tokio::select! {
        ended = shard.serve() => ended?,
        never = stored.follow(changes, &progress.in_flight) => match never {},
    }
    // What is still being handled is finished here.
    let last = progress.session.borrow().clone();
    // If this fails, the successor hears a little twice, or begins a new session.
    let _ = timeout(LAST_WORD, stored.save(last)).await;
    Ok(())
}

impl ActiveShard<'_> {
    /// One session after another.
    async fn serve(&self) -> Result<(), BadToken> {
        let (stop, resumable) = (self.lease.stop(), &self.progress.session);
        let mut backoff = ReconnectBackoff::default();
        // When an IDENTIFY was sent last.
        let mut identified = None;
        while !stop.is_cancelled() {
            let with_content = self.context.with_content();
            let url = resumable.borrow().as_ref().map(|session| session.url.clone());
            let identifies = url.is_none();
            let (url, greeting) = match url {
                Some(url) => (url, Greeting::Resume),
                None => match stop.run_until_cancelled(may_identify(self, identified)).await {
                    Some(granted) => {
                        granted.map(|(url, slot)| (url, Greeting::Identify { slot, with_content }))?
                    }
                    None => break,
                },
            };
            let (end, outcome) = session::run(self, &url, greeting).await;
            let why = match end {
                SessionEnd::Stopped => break,
                SessionEnd::Closed { asks: Closed::BadToken, .. } => return Err(BadToken),
                SessionEnd::Closed { asks: Closed::ContentNotGranted, .. } if with_content => {
                    self.context.do_without_content();
                    resumable.send_replace(None);
                    continue;
                }
                SessionEnd::Closed { asks: Closed::ContentNotGranted, .. } => {
                    self.stay_off(4014).await;
                    break;
                }
                SessionEnd::Closed { asks: Closed::Final(code), .. } => {
                    self.stay_off(code).await;
                    break;
                }
                SessionEnd::Closed { asks: Closed::TooFewShards, .. } => return self.ask_for_more().await,
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
            let next = backoff.note(outcome, resumable.borrow().is_some());
            if next.gives_up {
                resumable.send_replace(None);
            }
            let (wait, resumes) = (next.wait(), resumable.borrow().is_some());
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            tracing::info!(
                shard.id = self.id.id,
                why,
                resumes,
                wait_ms,
                "the shard connects to the gateway again"
            );
            self.context.status.down(self.id, format!("reconnecting: {why}"));
            stop.run_until_cancelled(sleep(wait)).await;
        }
        Ok(())
    }

    /// Waits for the lease's stop: Discord would close the shard the same way again.
    async fn stay_off(&self, code: u16) {
        let why = close_codes::words(code);
        tracing::error!(
            shard.id = self.id.id,
            code,
            why,
            "Discord closed the gateway for good: commands are off, alerts go on"
        );
        self.context.status.down(self.id, format!("closed with {code} ({why}); commands are off"));
        self.lease.stop().cancelled().await;
    }

    /// The bot is in too many guilds for so few shards. Asks Discord how many it wants
    /// until that is more, and lets all pods share so many.
    async fn ask_for_more(&self) -> Result<(), BadToken> {
        let (Self { context, .. }, ShardId { id, total }) = (self, self.id);
        let stop = self.lease.stop();
        let words = close_codes::words(4011);
        tracing::error!(shard.id = id, shards = total, "closed with 4011 ({words}): asking how many shards");
        let why =
            format!("closed with 4011 ({words}); commands are off until Discord names more than {total}");
        context.status.down(self.id, why);
        let mut tries = 0;
        loop {
            match stop.run_until_cancelled(GatewayInfo::ask(&context.discord)).await {
                None => return Ok(()),
                Some(Ok(info)) if info.shards > total => {
                    tracing::info!(from = total, to = info.shards, "Discord wants more shards");
                    context
                        .status
                        .down(self.id, format!("Discord wants {} shards now: sharing them", info.shards));
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
                    tracing::warn!(shard.id = id, %error, "cannot ask how many shards there should be")
                }
            }
            tries += 1;
            stop.run_until_cancelled(sleep(ask_again(tries))).await;
        }
    }
}
