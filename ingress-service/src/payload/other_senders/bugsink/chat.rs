//! Bugsink's bodies in Slack's and in Discord's shape.

use serde_json::Value;
use shared::alert::{Sender, kept_text};

use super::{UNTITLED, report};
use crate::payload::{
    fields::{items, kept_link, label, text},
    other_senders::{
        link,
        shape::{Report, Reports, Shape},
    },
    state_subject::StateSubject,
    title::meaningful,
};

/// How a test begins in both shapes.
const TEST: &str = "Test message by Bugsink";

pub(in crate::payload::other_senders) const DISCORD: Shape = Shape {
    sender: Sender::Bugsink,
    schema: include_str!("../../../../schemas/bugsink_discord.json"),
    is: |body| {
        let description = first_embed(body).and_then(|embed| text(embed, &["description"]));
        description.is_some_and(|said| word(said).is_some() || said.starts_with(TEST))
    },
    read: |body| ChatIssue::of_embed(first_embed(body).unwrap_or(&Value::Null)).reports(),
};

pub(in crate::payload::other_senders) const SLACK: Shape = Shape {
    sender: Sender::Bugsink,
    schema: include_str!("../../../../schemas/bugsink_slack.json"),
    is: |body| {
        let mut sections = texts(body, false);
        sections.any(|said| said.starts_with(TEST) || link_in(said).is_some())
    },
    read: |body| ChatIssue::of_blocks(body).reports(),
};

/// What both shapes say.
#[derive(Default)]
struct ChatIssue<'a> {
    title: Option<&'a str>,
    reason: Option<&'a str>,
    /// Why an issue is no longer muted; the sentence of a test.
    note: Option<&'a str>,
    url: Option<&'a str>,
    project: Option<String>,
    /// The name that the webhook has in Bugsink: a test says it.
    webhook: Option<String>,
}

impl<'a> ChatIssue<'a> {
    fn of_embed(embed: &'a Value) -> Self {
        let field = |wanted: &str| {
            let is = |field: &&Value| text(field, &["name"]).is_some_and(|name| name == wanted);
            items(embed, &["fields"]).iter().find(is).and_then(|field| text(field, &["value"]))
        };
        let description = text(embed, &["description"]);
        Self {
            title: text(embed, &["title"]),
            reason: description.and_then(word),
            note: description.filter(|said| said.starts_with(TEST)).or_else(|| field("Unmute Reason")),
            url: text(embed, &["url"]),
            project: field("Project").map(str::to_owned),
            webhook: field("Message Backend").map(str::to_owned),
        }
    }

    /// The header is the title. That is foreign text, so nothing else is read from
    /// it. One section is the reason, one the link, and another may be the note.
    fn of_blocks(body: &'a Value) -> Self {
        let mut message = Self { title: texts(body, true).next(), ..Self::default() };
        for said in texts(body, false) {
            match (link_in(said), word(said)) {
                (Some(url), _) => message.url = Some(url),
                (None, Some(word)) => message.reason = Some(word),
                (None, None) => message.note = Some(said),
            }
        }
        let fields = items(body, &["blocks"]).iter().flat_map(|block| items(block, &["fields"]));
        for field in fields.filter_map(|field| text(field, &["text"])) {
            match field.split_once("*: ") {
                Some(("*project", name)) => message.project = Some(unescaped(name)),
                Some(("*message backend", name)) => message.webhook = Some(unescaped(name)),
                _ => {}
            }
        }
        message
    }

    fn reports(&self) -> Reports {
        Reports { first: vec![self.report()], total: 1 }
    }

    fn report(&self) -> Report {
        let is_test = self.note.is_some_and(|said| said.starts_with(TEST));
        let reason = if is_test { "TEST" } else { self.reason.unwrap_or_default() };
        let mut report = report(reason, self.note.filter(|_| !is_test), self.project.as_deref());
        let alert = &mut report.alert;
        let title = self.title.and_then(meaningful).and_then(kept_text);
        alert.title = title.or_else(|| Some(UNTITLED.to_owned()));
        alert.url = self.url.and_then(kept_link);
        if is_test {
            alert.message = self.note.and_then(kept_text);
            let webhook = self.webhook.as_deref().and_then(label);
            alert.details.evidence.extend(webhook.map(|name| ("Message backend".to_owned(), name)));
            return report;
        }
        alert.issue_id = self.url.and_then(link::uuid);
        // Without a link, only the title tells issues apart.
        let issue = alert.issue_id.as_deref().or(alert.title.as_deref()).unwrap_or_default();
        report.state = Some(StateSubject::named("issue", issue));
        report
    }
}

fn first_embed(body: &Value) -> Option<&Value> {
    items(body, &["embeds"]).first()
}

/// The texts of the headers, or of all other blocks.
fn texts(body: &Value, headers: bool) -> impl Iterator<Item = &str> {
    let blocks = items(body, &["blocks"]).iter();
    let blocks = blocks.filter(move |block| (text(block, &["type"]) == Some("header")) == headers);
    blocks.filter_map(|block| text(block, &["text", "text"]))
}

/// The first word of `NEW issue`.
fn word(said: &str) -> Option<&str> {
    let word = said.strip_suffix(" issue")?;
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte == b'-';
    (!word.is_empty() && word.bytes().all(plain)).then_some(word)
}

/// The URL in `<URL|view on Bugsink>`.
fn link_in(said: &str) -> Option<&str> {
    said.strip_prefix('<')?.strip_suffix("|view on Bugsink>")
}

/// A text without the escapes that Slack needs.
fn unescaped(text: &str) -> String {
    let text = text.replace("\\*", "*").replace("\\_", "_");
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
