//! What earlier messages say about an alert's issue, for its post.

use shared::{Alert, ChannelId, GuildId};

use super::services::Services;
use crate::{
    delivery::{
        issue::{IssueKey, is_remark},
        messages::{ShownMessage, naming},
    },
    render::{Change, Exhibit, History},
};

/// What is known about the issue besides the alert. If the issue is back, it
/// names the first message. If the alert comes after the issue's end, it says
/// so.
pub(super) async fn history(
    services: &Services,
    channel: ChannelId,
    guild: GuildId,
    alert: &Alert,
) -> anyhow::Result<History> {
    let own = Change::of(alert);
    let is_return = own.as_ref().is_some_and(Change::is_return);
    let mut history = History::default();
    if let Some(issue) = IssueKey::of(alert).filter(|_| is_return || alert.kind == "issue.created")
        && let Some((message, shown)) = first_about(services, channel, &issue).await?
    {
        history = shown.of_issue(&issue).map(|told| told.folded.history.clone()).unwrap_or_default();
        let url = format!("https://discord.com/channels/{guild}/{channel}/{message}");
        history.earlier = is_return.then_some(url);
    }
    if let Some(own) = own {
        history.add(&own);
    }
    Ok(history)
}

/// Gives a remark the title of its issue, and the link if it has none. Both
/// come from this post (`exhibits`) or an earlier message.
pub(super) async fn name_issue(
    services: &Services,
    channel: ChannelId,
    alert: &mut Alert,
    exhibits: &[Exhibit],
) -> anyhow::Result<()> {
    let Some(issue) = IssueKey::of(alert).filter(|_| is_remark(alert)) else { return Ok(()) };
    let earlier = match naming(exhibits, &issue) {
        Some(_) => None,
        None => first_about(services, channel, &issue).await?,
    };
    let earlier = earlier.as_ref().and_then(|(_, shown)| shown.naming(&issue));
    if let Some(known) = naming(exhibits, &issue).or(earlier) {
        alert.title = known.title.clone().or_else(|| alert.title.take());
        alert.url = alert.url.take().or_else(|| known.url.clone());
    }
    Ok(())
}

/// The first message about the issue that is still known, and what it shows.
async fn first_about(
    services: &Services,
    channel: ChannelId,
    issue: &IssueKey,
) -> anyhow::Result<Option<(u64, ShownMessage)>> {
    let entry = services.messages.entry(channel, issue).await?;
    for message in entry.into_iter().flat_map(|entry| entry.messages) {
        if let Some(shown) = services.messages.shown(channel, message).await? {
            return Ok(Some((message, shown)));
        }
    }
    Ok(None)
}
