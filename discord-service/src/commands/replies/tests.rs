//! The exact text of every reply.

use clap::Parser as _;
use serenity::model::Permissions;
use shared::UserId;

use super::*;
use crate::{
    commands::parse::{Form, SlashOnly},
    dead_letters::Replayed,
    guilds::Missing,
    store::{ProjectSlug, Registration, WriteOutcome},
};

const CHANNEL: ChannelId = ChannelId::new(42);
const USER: UserId = UserId::new(7);
const URL: &str = "https://bot.example.com:8443/sentry-bot/channel?id=42";

/// A bot with these settings, whose `/sentry` has the id 9.
pub(super) struct Bot(ReplySettings);

impl Bot {
    pub(super) fn new(arguments: &[&str]) -> Self {
        let arguments =
            ["discord-service", "--glyph-url", "https://example.com/glyph.png"].iter().chain(arguments);
        Self(ReplySettings::new(&Settings::try_parse_from(arguments).expect("valid settings")))
    }

    pub(super) fn with_url() -> Self {
        Self::new(&["--public-url", "https://bot.example.com:8443/"])
    }

    pub(super) fn to(&self, form: Form) -> ReplyTexts<'_> {
        let names = CommandNames { form, prefix: &self.0.prefix, slash_id: Some(9) };
        ReplyTexts { names, settings: &self.0 }
    }

    /// The replies to typed commands.
    pub(super) fn typed(&self) -> ReplyTexts<'_> {
        self.to(Form::Typed)
    }
}

fn slug(text: &str) -> ProjectSlug {
    text.parse().expect("a slug")
}

pub(super) fn says(reply: &Reply, text: &str) {
    assert_eq!(reply, &Reply::Text(text.to_owned()));
}

/// The embed, after the parts that all have.
pub(super) fn embed(reply: Reply) -> Value {
    let mut embed = match reply {
        Reply::Embed(embed) => embed,
        Reply::Text(text) | Reply::WithButton(text, _) => json!({"title": text}),
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
    let bot = Bot::new(&[]);
    says(&bot.typed().authorized(CHANNEL, WriteOutcome::Changed, false), "<#42> is now authorized");
    says(&bot.typed().authorized(CHANNEL, WriteOutcome::Unchanged, false), "<#42> is already authorized");
}

#[test]
fn authorizing_lists_the_steps_when_the_url_is_known() {
    let steps = |test: &str, status: &str| {
        format!(
            "
1. Copy this URL: `{URL}`
2. Paste it into Sentry:
   - as *Webhook URL*: Settings → Developer Settings → Create New Integration → Internal Integration. Switch *Alert Rule Action* on. The bot needs a public certificate for this.
   - or in an older project: Settings → Legacy Integrations → WebHooks → *Callback URLs*.
3. Add an alert rule to the project. Its action is the webhook: your integration, or *WebHooks*. Sentry sends nothing without a rule.
4. Use {test} in <#42>. If an alert is missing, {status} says why."
        )
    };
    let bot = Bot::with_url();
    let typed = steps("`!sentry test`", "`!sentry status`");
    let slash = steps("</sentry test:9>", "</sentry status:9>");
    says(
        &bot.typed().authorized(CHANNEL, WriteOutcome::Changed, false),
        &format!("<#42> is now authorized{typed}"),
    );
    says(
        &bot.to(Form::Slash).authorized(CHANNEL, WriteOutcome::Unchanged, false),
        &format!("<#42> is already authorized{slash}"),
    );
}

#[test]
fn a_channel_is_revoked() {
    says(&revoked(CHANNEL, WriteOutcome::Changed), "Revoked access from <#42>");
    says(&revoked(CHANNEL, WriteOutcome::Unchanged), "<#42> is not yet authorized");
}

#[test]
fn a_project_is_registered() {
    let reply =
        |bot: &Bot, secured, outcome| bot.typed().registered((CHANNEL, secured), USER, &slug("web"), outcome);
    let (bot, with_url) = (Bot::new(&[]), Bot::with_url());
    says(&reply(&bot, false, Registration::Registered), "Registered Sentry project: `web`");
    says(
        &reply(&bot, false, Registration::Taken(UserId::new(8))),
        "Sentry project: `web` is already registered to <@8>",
    );
    says(
        &reply(&with_url, false, Registration::Registered),
        &format!(
            "Registered Sentry project: `web`\n\
             To be mentioned, use this URL in Sentry, for this project alone: `{URL}&mention=7`"
        ),
    );
    says(
        &reply(&with_url, true, Registration::Registered),
        "Registered Sentry project: `web`\n\
         To be mentioned, add this to the URL in Sentry, for this project alone: `&mention=7`",
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
    says(&channel_missing(Missing::Nowhere), "That channel does not exist in this server.");
    says(&channel_missing(Missing::OtherGuild), "That channel belongs to another server.");
    says(
        &channel_missing(Missing::NoAccess),
        "I cannot see that channel.\n\
         If it is private, give me View Channel there. Into a private thread, invite me with a mention.",
    );
    says(
        &channel_missing(Missing::Ambiguous),
        "Several channels have that name. Pick one from the list that Discord shows after `#`, or use its id.",
    );
    says(&takes_no_messages(CHANNEL), "<#42> cannot take messages. Choose a channel that people write in.");
    says(
        &Bot::new(&[]).typed().cannot_post(
            CHANNEL,
            PurposeOfPosts::Authorization,
            Permissions::VIEW_CHANNEL | Permissions::EMBED_LINKS,
            None,
        ),
        "I cannot post in <#42>, so it is not authorized. Missing permission: View Channel, Embed Links\n\
         Give it to me in the channel's settings. Then use `!sentry channel authorize` again.",
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
fn refusals_name_commands_as_their_reader_gives_them() {
    let (bot, other) = (Bot::new(&[]), Bot::new(&["--command-prefix", "?s"]));
    let not_authorized =
        |command: &str| format!("This channel is not authorized. Use {command} to authorize channels.");
    says(&bot.typed().not_authorized(), &not_authorized("`!sentry channel authorize`"));
    says(&bot.to(Form::Slash).not_authorized(), &not_authorized("</sentry channel authorize:9>"));
    says(&other.typed().not_authorized(), &not_authorized("`?s channel authorize`"));
    says(&other.typed().unknown_word(), "Unknown command. Use `?s h` to see all commands.");
}

#[test]
fn what_is_private_leads_to_its_slash_command() {
    let bot = Bot::new(&[]);
    let known = bot.typed();
    let unknown = ReplyTexts { names: CommandNames { slash_id: None, ..known.names }, ..known };
    let token = "Use `/sentry channel secure` so that the token stays private";
    let secret = "Use `/sentry channel secret` so that the secret stays private";
    says(&unknown.slash_only(SlashOnly::Secure), token);
    says(&known.slash_only(SlashOnly::Secure), &format!("{token}\n</sentry channel secure:9>"));
    let open = "</sentry channel open:9> takes that back.";
    says(&known.slash_only(SlashOnly::Open), &format!("{token}\n{open}"));
    says(&unknown.slash_only(SlashOnly::Secret), secret);
    says(&known.slash_only(SlashOnly::Secret), &format!("{secret}\n</sentry channel secret:9>"));
}

#[test]
fn the_overview_of_channels() {
    let bot = Bot::new(&[]);
    let usage = json!({
        "name": "Usage", "value": "`!sentry channel authorize #example`\n`!sentry channel revoke #example`",
    });
    assert_eq!(
        embed(bot.typed().channels(&[], &[], None)),
        json!({
            "title": "***SENTRY CHANNEL AUTHORIZATION***",
            "fields": [usage, {"name": "Authorized Channels", "value": "None"}],
        })
    );
    assert_eq!(
        embed(bot.typed().channels(
            &[CHANNEL, ChannelId::new(43)],
            &[ChannelId::new(9), ChannelId::new(10)],
            None
        )),
        json!({
            "title": "***SENTRY CHANNEL AUTHORIZATION***",
            "fields": [
                usage,
                {"name": "Authorized Channels", "value": "<#42>, <#43>"},
                {"name": "Without Effect (deleted, private, or another server's)", "value": "`9`, `10`"},
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
    let bot = Bot::new(&[]);
    for (slug, value) in [(None, "None"), (Some("web"), "`web`")] {
        assert_eq!(
            embed(bot.typed().project(slug)),
            json!({
                "title": "***SENTRY PROJECT REGISTRATION***",
                "fields": [usage, {"name": "Registered Project", "value": value}],
            })
        );
    }
}

#[test]
fn a_replay_counts_in_good_grammar_and_says_why_the_channel_was_closed() {
    let bot = Bot::new(&[]);
    let says = |replayed, closed, text: &str| says(&bot.typed().replaying(replayed, closed), text);
    let of = |alerts, unreadable| Replayed { alerts, unreadable, ..Replayed::default() };
    says(of(0, 0), None, "There is nothing to replay in this channel.");
    says(of(0, 0), Some("Missing Access"), "There is nothing to replay in this channel.");
    says(
        Replayed { ended_early: true, ..of(0, 0) },
        None,
        "I cannot replay now.\n\
         The queue is full. Use `!sentry replay` again for the rest, after these are posted.",
    );
    says(of(1, 1), None, "Replaying 1 alert\nI cannot read 1 dead letter. It stays.");
    says(
        of(2, 0),
        Some("Missing Access"),
        "Replaying 2 alerts\nDiscord refused posts there until now: `Missing Access`\n\
         The next alert tries again.",
    );
}
