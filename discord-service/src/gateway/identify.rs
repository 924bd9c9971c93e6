//! When and where a shard may identify.

use std::time::Duration;

use shared::process::BadToken;
use tokio::time::{Instant, sleep};

use super::{
    context::ActiveShard,
    identify_budget::{GatewayInfo, StartLimit},
    identify_slots::IdentifySlot,
    reconnect_backoff::ask_again,
};
use crate::discord::DiscordError;

/// What Discord said of the day's IDENTIFYs is asked again after so long: other
/// shards and pods use them as well.
const FRESH: Duration = Duration::from_secs(1);
/// The longest time between two checks whether there are IDENTIFYs again.
const CHECK_EVERY: Duration = Duration::from_secs(60);

/// Waits until the shard may identify, and returns where to. `last`: when this
/// process sent an IDENTIFY for it last.
///
/// # Errors
/// When Discord refuses the token.
pub(super) async fn may_identify(
    shard: &ActiveShard<'_>,
    last: Option<Instant>,
) -> Result<(String, IdentifySlot), BadToken> {
    let (id, context) = (shard.id, shard.context);
    let (mut failures, mut said) = (0, false);
    let mut slot = None;
    loop {
        let info = match GatewayInfo::ask(&context.discord).await {
            Ok(info) => info,
            Err(DiscordError::BadToken(bad_token)) => return Err(bad_token),
            Err(error) => {
                failures += 1;
                tracing::warn!(shard.id = id.id, %error, "cannot look up Discord's gateway; trying again");
                slot = None;
                sleep(ask_again(failures)).await;
                continue;
            }
        };
        failures = 0;
        if let Some(wait) = info.limit.wait(id.total, last.map(|last| last.elapsed())) {
            slot = None;
            tell(shard, info.limit, wait, &mut said);
            sleep(wait.clamp(FRESH, CHECK_EVERY)).await;
            continue;
        }
        if let Some(slot) = slot.take() {
            return Ok((info.url, slot));
        }
        let began = Instant::now();
        let taken = context.slots.take(id.id, info.limit.max_concurrency).await;
        if began.elapsed() < FRESH {
            return Ok((info.url, taken));
        }
        slot = Some(taken);
    }
}

/// Says in readiness, and once in the log, what the shard waits for.
fn tell(shard: &ActiveShard<'_>, limit: StartLimit, wait: Duration, said: &mut bool) {
    let StartLimit { remaining, total, .. } = limit;
    let words = format!(
        "only {remaining} of the day's {total} IDENTIFYs are left: the next is sent in about {} min",
        wait.as_secs().div_ceil(60)
    );
    if !std::mem::replace(said, true) {
        tracing::error!(
            shard.id = shard.id.id,
            remaining,
            total,
            wait_secs = wait.as_secs(),
            "few of the day's IDENTIFYs are left: commands in this shard's servers are off until the next may be sent"
        );
    }
    shard.context.status.down(shard.id, words);
}
