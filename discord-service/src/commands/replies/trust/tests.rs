//! The exact texts about tokens and client secrets.

use super::{
    super::tests::{Bot, says},
    *,
};
use crate::commands::parse::Form;

const CHANNEL: ChannelId = ChannelId::new(42);

#[test]
fn a_secured_channel_is_authorized_without_a_url_that_it_refuses() {
    says(
        &Bot::with_url().typed().authorized(CHANNEL, WriteOutcome::Changed, true),
        "<#42> is now authorized\n\
         It is secured, so Sentry needs the URL with the token.\n\
         Is the token lost? </sentry channel secure:9> makes a new one.\n\
         </sentry channel open:9> accepts the URL without a token.",
    );
}

#[test]
fn a_token_that_is_not_in_force_says_so_and_what_to_do() {
    let token = "a-token".to_owned().into();
    let url = "`https://bot.example.com:8443/sentry-bot/channel?id=42&token=a-token`";
    says(
        &Bot::with_url().to(Form::Slash).securing(CHANNEL, &token),
        &format!(
            "Making a new token for <#42>. It is not in force yet: wait until this message changes. \
             If it does not change within a minute, use this command again.\n\
             Paste this URL into Sentry, in place of the old one: {url}"
        ),
    );
    says(
        &Bot::new(&[]).to(Form::Slash).perhaps_secured(CHANNEL, &token),
        "The store is unavailable, so it is not certain that <#42> takes this token. \
         Use this command again in a minute. Until then keep the token: it may be in force.\n\
         Add this to the URL in Sentry: `&token=a-token`",
    );
}

#[test]
fn securing_shows_the_token_and_where_it_goes() {
    let token = "a-token".to_owned().into();
    let first = "<#42> is now secured: it takes only URLs with this new token, or signed requests.";
    let last = "You see the token only this once. Earlier tokens no longer work.\n\
                Is it lost, or does somebody else know it? Use this command again.";
    let url = "https://bot.example.com:8443/sentry-bot/channel?id=42&token=a-token";
    says(
        &Bot::with_url().to(Form::Slash).secured(CHANNEL, &token, true),
        &format!("{first}\nPaste this URL into Sentry, in place of the old one: `{url}`\n{last}"),
    );
    says(
        &Bot::new(&[]).to(Form::Slash).secured(CHANNEL, &token, false),
        &format!(
            "{first}\nAdd this to the URL in Sentry: `&token=a-token`\n{last}\n\
             The channel is not authorized yet: use </sentry channel authorize:9>."
        ),
    );
}

#[test]
fn client_secrets_are_told_by_their_ids() {
    let ids = ["1a".to_owned(), "2b".to_owned()];
    says(
        &Bot::new(&[]).to(Form::Slash).secret_stored(CHANNEL, SecretOutcome::Already, &ids),
        "<#42> has this client secret already\nIts client secrets, oldest first: `1a`, `2b`",
    );
    says(
        &secret_removed(CHANNEL, "3c` @everyone", WriteOutcome::Unchanged, &[]),
        "<#42> has no client secret `3c@everyone`\nIt has no client secrets.",
    );
}
