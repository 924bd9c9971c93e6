//! Why an alert did not arrive, and what helps, in an admin's words.

use shared::refusal;

use crate::dead_letters;

/// What happened, and what to do about it. `prefix` begins commands.
pub(super) fn of_refusal(reason: refusal::Reason, prefix: &str) -> String {
    use refusal::Reason;
    match reason {
        Reason::Source => {
            "It came from an address that is not let in. Only Sentry's own are: for a Sentry of your own, ask \
             the bot's operator to allow its address."
                .to_owned()
        }
        Reason::Query => {
            "The URL has a part that is unknown, broken or double. Besides `id` it may have `&mention=USER_ID` \
             and `&token=…` only: paste it into Sentry again."
                .to_owned()
        }
        Reason::MentionNotAnId => {
            "The text after `&mention=` in the URL is not a user's id. Right-click the user → Copy User ID, or \
             leave it out."
                .to_owned()
        }
        Reason::NotJson => {
            "Its body was missing, cut or not JSON. Sentry never sends this: find out what else calls this URL."
                .to_owned()
        }
        Reason::TooLarge => {
            "Its body was too large. Ask the bot's operator to raise `MAX_BODY_BYTES`.".to_owned()
        }
        Reason::Schema => {
            "Sentry sent something this bot does not know, or it was not Sentry. Tell the bot's operator which \
             rule was broken."
                .to_owned()
        }
        Reason::NotAuthorized => {
            format!("The channel was not authorized. Use `{prefix} channel authorize` with this channel.")
        }
        Reason::Token => {
            "The token in the URL was missing or wrong. Paste the URL with the channel's own token into Sentry, or \
             make a new one with `/sentry channel secure`; without tokens, leave `&token=` out."
                .to_owned()
        }
        Reason::Signature => {
            "Its signature was missing, too old, or made with another secret. Copy the integration's client secret \
             from Sentry and store it with `/sentry channel secret`."
                .to_owned()
        }
        Reason::Repeat => {
            "A signed request came a second time and was not posted again. If you sent it twice yourself, all is \
             well; otherwise somebody has captured it."
                .to_owned()
        }
        Reason::UserUnknown => {
            "Discord does not know the mentioned user. Correct the id behind `&mention=` in the URL.".to_owned()
        }
        Reason::UserWithoutProject => {
            format!("The mentioned user has no project. They type `{prefix} project register` with its slug.")
        }
        Reason::UserOnOtherProject => format!(
            "The mentioned user has another project. They type `{prefix} project register` with this one's slug, or \
             you take `&mention=` out of the URL."
        ),
        Reason::QueueUnavailable => {
            "The bot could not store it, so it is lost. If this continues, tell the bot's operator.".to_owned()
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

/// The same of an alert that was taken and cannot be posted.
pub(super) fn of_dead_letter(reason: dead_letters::DeadLetterReason, prefix: &str) -> String {
    use dead_letters::DeadLetterReason;
    match reason {
        DeadLetterReason::Revoked => format!(
            "The channel was no longer authorized. Use `{prefix} channel authorize`, then `{prefix} replay` there."
        ),
        DeadLetterReason::Untrusted => {
            "The token or client secret that vouched for it was revoked, or the channel was secured before it came. \
             Paste the channel's present URL into Sentry; what already waited must be sent by Sentry again."
                .to_owned()
        }
        DeadLetterReason::Mention => format!(
            "The mentioned user has not registered its project. They type `{prefix} project register` with its slug; \
             then `{prefix} replay`."
        ),
        DeadLetterReason::Expired => {
            format!("It waited too long. `{prefix} replay` posts it all the same.")
        }
        DeadLetterReason::Unreachable => {
            format!(
                "Discord did not let the bot post in this channel. It follows by itself as soon as Discord does, \
                 unless it may have been posted: then use `{prefix} replay`."
            )
        }
        DeadLetterReason::Refused => {
            format!(
                "Discord refused the message itself. Tell the bot's operator; `{prefix} replay` tries again."
            )
        }
        DeadLetterReason::Unreadable => {
            "It was not an alert that this version of the bot can read. Tell the bot's operator.".to_owned()
        }
    }
}
