//! Puts dead letters of a closed channel back into the queue.

use shared::ChannelId;

use super::services::Services;
use crate::{closure::Following, dead_letters::DeadLetter};

/// Puts at most this many dead letters back, the oldest first. Returns where to
/// go on. After the last of them nothing is left.
pub(super) async fn put_back(
    services: &Services,
    channel: ChannelId,
    Following { next, last }: Following,
    most: usize,
) -> anyhow::Result<u64> {
    let letters = &services.dead_letters;
    let page = letters.unreachable(channel, next).await?;
    if page.is_empty() {
        return Ok(last + 1);
    }
    let (mut next, mut back) = (next, 0);
    for (sequence, letter) in page {
        if sequence > last || back == most {
            break;
        }
        next = sequence + 1;
        if let Some(DeadLetter { alert: Some(alert), .. }) =
            letter.filter(|letter| letter.follows(services.oldest_ms()))
        {
            letters.put_back(sequence, &alert).await?;
            back += 1;
        }
    }
    Ok(next)
}
