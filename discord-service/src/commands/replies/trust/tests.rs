//! The exact texts about tokens and client secrets.

use super::{
    super::tests::{replies, says, with_url},
    *,
};

const CHANNEL: ChannelId = ChannelId::new(42);

#[test]
fn a_secured_channel_is_authorized_without_a_url_that_it_refuses() {
    let text = match with_url().authorized(CHANNEL, WriteOutcome::Changed, true) {
        Reply::Text(text) => text,
        Reply::Embed(embed) => embed.to_string(),
    };
    assert!(text.starts_with("<#42> is now authorized\nIt is secured"), "{text}");
    assert!(!text.contains("https://") && text.contains("`/sentry channel secure` again"), "{text}");
}

#[test]
fn a_token_that_is_not_in_force_says_so_and_what_to_do() {
    let token = "a-token".to_owned().into();
    let url = "`https://bot.example.com:8443/sentry-bot/channel?id=42&token=a-token`";
    says(
        &with_url().securing(CHANNEL, &token),
        &format!(
            "Making a new token for <#42>. It is not in force yet: this message changes in a moment and says when it is. \
             If it does not change within a minute, use this command again.\n\
             URL to paste into Sentry's webhooks: {url}"
        ),
    );
    says(
        &replies(&[]).perhaps_secured(CHANNEL, &token),
        "The store is unavailable, so it is not certain that <#42> takes this token. \
         Use this command again in a minute. Until then keep the token: it may be in force.\n\
         Add it to the URL that Sentry calls: `&token=a-token`",
    );
}

#[test]
fn securing_shows_the_token_and_where_it_goes() {
    let token = "a-token".to_owned().into();
    let first = "<#42> is now secured: it takes only URLs with this new token, or signed requests. \
                 An earlier token is no longer valid.";
    let last = "The token is shown only this once. If it gets lost or known, use this command again.";
    let url = "https://bot.example.com:8443/sentry-bot/channel?id=42&token=a-token";
    says(
        &with_url().secured(CHANNEL, &token, true),
        &format!("{first}\nURL to paste into Sentry's webhooks: `{url}`\n{last}"),
    );
    says(
        &replies(&[]).secured(CHANNEL, &token, false),
        &format!(
            "{first}\nAdd it to the URL that Sentry calls: `&token=a-token`\n{last}\n\
             The channel is not authorized yet: use `/sentry channel authorize`."
        ),
    );
}

#[test]
fn client_secrets_are_told_by_their_ids() {
    let ids = ["1a".to_owned(), "2b".to_owned()];
    says(
        &secret_stored(CHANNEL, SecretOutcome::Already, &ids),
        "<#42> has this client secret already\nIts client secrets, oldest first: `1a`, `2b`",
    );
    says(
        &secret_removed(CHANNEL, "3c` @everyone", WriteOutcome::Unchanged, &[]),
        "<#42> has no client secret `3c@everyone`\nIt has no client secrets.",
    );
}
