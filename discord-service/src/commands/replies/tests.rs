//! The exact text of every reply.

use clap::Parser as _;
use shared::UserId;

use super::{help::README_URL, *};
use crate::store::{ProjectSlug, Registration};

const CHANNEL: ChannelId = ChannelId::new(42);
const USER: UserId = UserId::new(7);

pub(super) fn replies(arguments: &[&str]) -> Replies {
    let arguments =
        ["discord-service", "--glyph-url", "https://example.com/glyph.png"].iter().chain(arguments);
    Replies::new(&Settings::try_parse_from(arguments).expect("valid settings"))
}

pub(super) fn with_url() -> Replies {
    replies(&["--public-url", "https://bot.example.com:8443/"])
}

fn slug(text: &str) -> ProjectSlug {
    text.parse().expect("a slug")
}

pub(super) fn says(reply: &Reply, text: &str) {
    assert_eq!(reply, &Reply::Text(text.to_owned()));
}

/// The embed, after the parts that all have.
fn embed(reply: Reply) -> Value {
    let mut embed = match reply {
        Reply::Embed(embed) => embed,
        Reply::Text(text) => json!({"title": text}),
    };
    assert_eq!(embed["color"], 0xE7_4C_3C);
    assert_eq!(embed["thumbnail"], json!({"url": "https://example.com/glyph.png"}));
    let parts = embed.as_object_mut().expect("an object");
    parts.remove("color");
    parts.remove("thumbnail");
    embed
}

#[test]
fn a_channel_is_authorized() {
    let replies = replies(&[]);
    says(&replies.authorized(CHANNEL, WriteOutcome::Changed, false), "<#42> is now authorized");
    says(&replies.authorized(CHANNEL, WriteOutcome::Unchanged, false), "<#42> is already authorized");
}

#[test]
fn authorizing_prints_the_url_when_it_is_known() {
    let next = "
URL to paste into Sentry's webhooks: `https://bot.example.com:8443/sentry-bot/channel?id=42`
1. Legacy webhooks, where the project still offers them: Settings → Projects → *the project* → Legacy Integrations → WebHooks: paste it into *Callback URLs*. Alert rule's action: *WebHooks*.
2. Otherwise an internal integration: Settings → Developer Settings → Create New Integration → Internal Integration: paste it into *Webhook URL* and switch *Alert Rule Action* on. Alert rule's action: the integration's name. Here Sentry verifies the certificate: it must be of a public authority.
Sentry sends nothing before the project has an alert rule with the webhook action.
Then `!sentry test` in the channel tries the rest of the way, and `!sentry status` says what did not arrive and why.";
    let replies = with_url();
    says(
        &replies.authorized(CHANNEL, WriteOutcome::Changed, false),
        &format!("<#42> is now authorized{next}"),
    );
    says(
        &replies.authorized(CHANNEL, WriteOutcome::Unchanged, false),
        &format!("<#42> is already authorized{next}"),
    );
}

#[test]
fn a_channel_is_revoked() {
    says(&revoked(CHANNEL, WriteOutcome::Changed), "Revoked access from <#42>");
    says(&revoked(CHANNEL, WriteOutcome::Unchanged), "<#42> is not yet authorized");
}

#[test]
fn a_project_is_registered() {
    let reply = |replies: Replies, outcome| replies.registered(CHANNEL, USER, &slug("web"), outcome);
    says(&reply(replies(&[]), Registration::Registered), "Registered Sentry project: `web`");
    says(
        &reply(replies(&[]), Registration::Taken(UserId::new(8))),
        "Sentry project: `web` is already registered to <@8>",
    );
    says(
        &reply(with_url(), Registration::Registered),
        "Registered Sentry project: `web`\nURL whose alerts mention you here: \
         `https://bot.example.com:8443/sentry-bot/channel?id=42&mention=7`",
    );
}

#[test]
fn a_project_is_revoked() {
    says(&project_revoked(Some("web")), "Revoked Sentry project: `web`");
    says(&project_revoked(None), "You have no project to be revoked");
}

#[test]
fn a_stored_slug_never_leaves_its_code_span() {
    says(&project_revoked(Some("a`b` @everyone\n\u{202e}c")), "Revoked Sentry project: `ab@everyonec`");
    says(&project_revoked(Some("``")), "Revoked Sentry project: `?`");
    let long = format!("Revoked Sentry project: `{}…`", "a".repeat(99));
    says(&project_revoked(Some(&"a".repeat(3_000))), &long);
}

#[test]
fn refusals() {
    says(
        &no_permission(),
        "You have no sufficient permission in this guild to use this command. \
         Please contact guild administrator.",
    );
    says(&not_a_channel(), "Please input the correct channel format, e.g. `#example`");
    says(&not_a_slug(), "Please input the correct project slug, e.g. `project-name-slug`");
    says(&channel_missing(Missing::Nowhere), "That channel does not exist in this guild.");
    says(&channel_missing(Missing::OtherGuild), "That channel belongs to another guild.");
    says(
        &channel_missing(Missing::NoAccess),
        "I have no access to that channel: it is private, or it belongs to another guild.",
    );
    says(
        &channel_missing(Missing::Ambiguous),
        "Several channels of this guild have that name. Please use the channel's id instead.",
    );
    says(
        &takes_no_messages(CHANNEL),
        "<#42> cannot take messages. Please choose a channel that people write in.",
    );
    says(
        &cannot_post(CHANNEL, Permissions::VIEW_CHANNEL | Permissions::EMBED_LINKS),
        "I cannot post in <#42>, so it is not authorized. Missing permission: View Channel, Embed Links",
    );
    says(&guilds_only(), "Please use this command in a channel of a server.");
    says(&unknown_slash(), "I do not know this command, or no longer. Please reload Discord and try again.");
    says(&too_many(), "Too many commands at once. Please try again in a minute.");
    says(&store_unavailable(), "The store is unavailable. Please try again in a minute.");
    says(
        &discord_unavailable(),
        "Discord does not answer my questions at the moment. Please try again in a minute.",
    );
    says(&no_embeds(), "I need the permission Embed Links in this channel to answer.");
}

#[test]
fn refusals_show_the_prefix_that_is_set() {
    says(
        &replies(&[]).not_authorized(),
        "This channel is not authorized. Use `!sentry channel authorize` to authorize channels.",
    );
    let replies = replies(&["--command-prefix", "?s"]);
    says(
        &replies.not_authorized(),
        "This channel is not authorized. Use `?s channel authorize` to authorize channels.",
    );
    says(&replies.unknown_word(), "Unknown command. Use `?s h` to see all commands.");
}

#[test]
fn what_is_private_leads_to_its_slash_command() {
    says(&slash_only(SlashOnly::Secure), "Use `/sentry channel secure` so that the token stays private");
    says(
        &slash_only(SlashOnly::Open),
        "Use `/sentry channel secure` so that the token stays private\n`/sentry channel open` takes that back.",
    );
    says(&slash_only(SlashOnly::Secret), "Use `/sentry channel secret` so that the secret stays private");
}

#[test]
fn the_overview_of_channels() {
    let usage = json!({
        "name": "Usage", "value": "`!sentry channel authorize #example`\n`!sentry channel revoke #example`",
    });
    assert_eq!(
        embed(replies(&[]).channels(&[], &[], None)),
        json!({
            "title": "***SENTRY CHANNEL AUTHORIZATION***",
            "fields": [usage, {"name": "Authorized Channels", "value": "None"}],
        })
    );
    assert_eq!(
        embed(replies(&[]).channels(
            &[CHANNEL, ChannelId::new(43)],
            &[ChannelId::new(9), ChannelId::new(10)],
            None
        )),
        json!({
            "title": "***SENTRY CHANNEL AUTHORIZATION***",
            "fields": [
                usage,
                {"name": "Authorized Channels", "value": "<#42>, <#43>"},
                {"name": "Without Effect (deleted, private, or of another guild)", "value": "`9`, `10`"},
            ],
        })
    );
}

#[test]
fn the_overview_of_one_s_project() {
    let usage = json!({
        "name": "Usage",
        "value": "`!sentry project register project-name-slug`\n`!sentry project revoke`",
    });
    for (slug, value) in [(None, "None"), (Some("web"), "`web`")] {
        assert_eq!(
            embed(replies(&[]).project(slug)),
            json!({
                "title": "***SENTRY PROJECT REGISTRATION***",
                "fields": [usage, {"name": "Registered Project", "value": value}],
            })
        );
    }
}

#[test]
fn the_help_names_every_command_with_an_example() {
    let embed = embed(replies(&["--command-prefix", "?s"]).help());
    assert_eq!(embed["title"], "***SENTRY HELP***");
    assert_eq!(
        embed["description"],
        format!("Posts alerts of Sentry into authorized channels. How to set it up: [README]({README_URL})")
    );
    let fields: Vec<String> = embed["fields"]
        .as_array()
        .expect("fields")
        .iter()
        .map(|field| {
            format!("{}: {}", field["name"].as_str().expect("name"), field["value"].as_str().expect("value"))
        })
        .collect();
    assert_eq!(
        fields.join("\n"),
        "?s h: Shows this help.\nExample: `?s h`
?s channel: Shows the authorized channels of this guild.\nExample: `?s channel`
?s channel authorize #channel: Lets Sentry post into a channel. Short: `authorize`.\nExample: `?s channel authorize #example`
?s channel revoke #channel: Takes that back. Short: `revoke`.\nExample: `?s channel revoke #example`
/sentry channel secure #channel: From now on the channel takes only URLs with its new token, or signed requests.\nExample: `/sentry channel secure channel:#example`
/sentry channel open #channel: Takes that back: the channel takes all alerts of Sentry again.\nExample: `/sentry channel open channel:#example`
/sentry channel secret #channel: Keeps the client secret of an internal integration, so that its requests are verified.\nExample: `/sentry channel secret channel:#example`
?s project: Shows your project.\nExample: `?s project`
?s project register slug: Makes a project yours, so that its alerts can mention you.\nExample: `?s project register project-name-slug`
?s project revoke: Gives your project back.\nExample: `?s project revoke`
?s replay: Posts once more what could not be posted in this channel.\nExample: `?s replay`
?s status: Shows what this channel received, and why alerts did not arrive. Of another channel: `status #channel`.\nExample: `?s status`
?s test: Sends a sample alert into this channel and says how long it took.\nExample: `?s test`"
    );
}

#[test]
fn a_replay_counts_in_good_grammar_and_says_why_the_channel_was_closed() {
    let of = |alerts, unreadable| Replayed { alerts, unreadable, ..Replayed::default() };
    says(&replaying(of(0, 0), None), "There is nothing to replay in this channel.");
    says(&replaying(of(0, 0), Some("Missing Access")), "There is nothing to replay in this channel.");
    says(
        &replaying(Replayed { ended_early: true, ..of(0, 0) }, None),
        "I cannot replay now.\nThe queue is full. The others stay: use `replay` again after these are posted.",
    );
    says(&replaying(of(1, 1), None), "Replaying 1 alert\nI cannot read 1 dead letter. It stays.");
    says(
        &replaying(of(2, 0), Some("Missing Access")),
        "Replaying 2 alerts\nDiscord refused posts in this channel until now: Missing Access\n\
         The next alert tries again.",
    );
}
