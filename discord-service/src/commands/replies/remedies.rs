//! Why an alert did not arrive, and what helps, in an admin's words.

use shared::refusal;

use crate::{
    commands::names::CommandNames,
    dead_letters::{DeadLetter, DeadLetterReason},
};

/// Why a request was refused, and what to do about it.
pub(super) fn of_refusal(reason: refusal::Reason, names: &CommandNames<'_>) -> String {
    use refusal::Reason;
    let [secure, secret] = ["channel secure", "channel secret"].map(|words| names.slash(words));
    let [authorize, register] = ["channel authorize", "project register"].map(|words| names.of(words));
    match reason {
        Reason::Source => {
            "It came from an address that is not allowed. For a Sentry of your own, ask the bot's operator to allow \
             its address."
                .to_owned()
        }
        Reason::Query => {
            "The URL is broken. After `id` it may have only `&mention=USER_ID` and `&token=…`, each once. Copy it again."
                .to_owned()
        }
        Reason::MentionNotAnId => {
            "The text after `&mention=` in the URL is not a user's id. Copy the id from the user's profile (⋯ → Copy User \
             ID), or leave `&mention=` out."
                .to_owned()
        }
        Reason::NotJson => {
            "Its body was missing, cut or not JSON. Sentry never sends this. Find out what else calls this URL."
                .to_owned()
        }
        Reason::TooLarge => {
            "Its body was too large. Ask the bot's operator to raise `MAX_BODY_BYTES`.".to_owned()
        }
        Reason::Schema => {
            "Sentry sent something this bot does not know, or it was not Sentry. Tell the bot's operator."
                .to_owned()
        }
        Reason::NotAuthorized => {
            format!("The channel was not authorized. Use {authorize} with this channel.")
        }
        Reason::Token => format!(
            "The token in the URL was missing or wrong. Paste the URL that {secure} showed into Sentry, or use it again \
             for a new one. If the channel has no token, leave `&token=` out."
        ),
        Reason::Signature => format!(
            "Its signature was missing, too old, or made with another secret. Copy the integration's client secret \
             from Sentry and store it with {secret}."
        ),
        Reason::Repeat => format!(
            "The same request came a second time and was not posted again. If you or your server sent it twice, all is \
             well. If not, somebody may have captured it: use {secure}."
        ),
        Reason::UserUnknown => {
            "Discord does not know the mentioned user. Correct the id after `&mention=` in the URL.".to_owned()
        }
        Reason::UserWithoutProject => {
            format!("The mentioned user has no project. They use {register} with the project's slug.")
        }
        Reason::UserOnOtherProject => format!(
            "The mentioned user has another project. They use {register} with this project's slug, or you remove \
             `&mention=` from the URL."
        ),
        Reason::QueueUnavailable => {
            "The bot could not store it, so it is lost. If this goes on, tell the bot's operator.".to_owned()
        }
        Reason::BacklogFull => {
            "Too many alerts were waiting for this channel, so it is lost. Make Sentry's alert rules less noisy, or \
             give some projects another channel."
                .to_owned()
        }
        Reason::Internal => "The bot failed on it. Tell the bot's operator.".to_owned(),
        Reason::Other => {
            "It was refused. The bot's operator finds the reason in the log of ingress-service.".to_owned()
        }
    }
}

/// Why an accepted alert cannot be posted, and what to do about it.
pub(super) fn of_dead_letter(letter: &DeadLetter, names: &CommandNames<'_>) -> String {
    let [authorize, register, replay] =
        ["channel authorize", "project register", "replay"].map(|words| names.of(words));
    let home = letter.alert.as_ref().and_then(|alert| alert.routing.home);
    let words = match letter.reason {
        DeadLetterReason::Revoked => {
            format!("The channel was no longer authorized. Use {authorize}, then {replay} there.")
        }
        DeadLetterReason::Untrusted if home.is_some() => {
            "The keys of that channel do not let it in any more, or this channel is secured and that one is not."
                .to_owned()
        }
        DeadLetterReason::Untrusted => {
            "Its token or client secret was revoked, or the channel was secured before it came. Paste the channel's \
             new URL into Sentry. Sentry must send again what already waited."
                .to_owned()
        }
        DeadLetterReason::Mention => format!(
            "The mentioned user has not registered the project. They use {register} with its slug. Then use {replay}."
        ),
        DeadLetterReason::Expired => format!("It waited too long. {replay} posts it all the same."),
        // Only what was surely not posted follows by itself.
        DeadLetterReason::Unreachable if letter.may_have_been_posted => {
            format!("Discord did not let the bot post in this channel. If you do not see it there, use {replay}.")
        }
        DeadLetterReason::Unreachable => {
            "Discord did not let the bot post in this channel. It follows by itself when Discord does.".to_owned()
        }
        DeadLetterReason::Refused => {
            format!("Discord refused the message itself. Tell the bot's operator. {replay} tries again.")
        }
        DeadLetterReason::Unreadable => {
            "It was not an alert that this version of the bot can read. Tell the bot's operator.".to_owned()
        }
    };
    let words = home.map(|home| format!("A rule of <#{home}> sent it here. ")).unwrap_or_default() + &words;
    if letter.may_have_been_posted { words + " It may have been posted." } else { words }
}
