//! GlitchTip: its general webhook has Slack's shape, its Discord one Discord's.
//! The first line of a body says whether it is about issues, a monitor or a test.

use serde_json::Value;
use shared::{
    Alert,
    alert::{MAX_ITEMS, Sender, UNKNOWN_PROJECT, kept_text},
};

use super::{
    link,
    shape::{MAX_ALERTS, Report, Reports, Shape},
    slug::slug,
};
use crate::payload::{
    fields::{id, items, kept_link, label, text},
    state_subject::StateSubject,
    title::meaningful,
};

/// The names that it has given itself in `alias`.
const ALIASES: [&str; 2] = ["GlitchTip", "Glitchy"];

pub(super) const GENERAL: Shape = Shape {
    sender: Sender::GlitchTip,
    schema: include_str!("../../../schemas/glitchtip.json"),
    is: |body| {
        let attachments = items(body, &["attachments"]);
        // Only GlitchTip misspells it, and today's bodies always have it, even if it is null.
        let misspelt = attachments.iter().any(|attachment| attachment.get("mrkdown_in").is_some());
        let named = text(body, &["alias"]).is_some_and(|alias| ALIASES.contains(&alias));
        misspelt || says_its_name(body, "text") || (named && body.get("attachments").is_some())
    },
    read: |body| {
        let attachments = items(body, &["attachments"]);
        let short_ids = items(body, &["sections"]).iter().map(|section| text(section, &["activitySubtitle"]));
        let mut short_ids = short_ids.map(|subtitle| subtitle.and_then(short_id));
        let all = attachments.iter().map(|attachment| Item {
            short_id: short_ids.next().flatten(),
            ..Item::of(attachment, &ATTACHMENT)
        });
        read(text(body, &["text"]).unwrap_or_default(), all)
    },
};

pub(super) const DISCORD: Shape = Shape {
    sender: Sender::GlitchTip,
    schema: include_str!("../../../schemas/glitchtip_discord.json"),
    is: |body| body.get("embeds").is_some() && says_its_name(body, "content"),
    read: |body| {
        let embeds = items(body, &["embeds"]).iter().map(|embed| Item::of(embed, &EMBED));
        read(text(body, &["content"]).unwrap_or_default(), embeds)
    },
};

fn says_its_name(body: &Value, key: &str) -> bool {
    text(body, &[key]).is_some_and(|line| line.starts_with("GlitchTip "))
}

/// What a body is about.
#[derive(Clone, Copy)]
enum Occasion {
    Issues,
    Uptime,
    Test,
}

/// The names of an item's parts.
struct Names {
    link: &'static str,
    text: &'static str,
    field: &'static str,
}

const ATTACHMENT: Names = Names { link: "title_link", text: "text", field: "title" };
const EMBED: Names = Names { link: "url", text: "description", field: "name" };

/// An attachment or an embed: an issue, a monitor or a test.
struct Item<'a> {
    title: Option<&'a str>,
    link: Option<&'a str>,
    /// The culprit of an issue; what happened to a monitor.
    text: Option<&'a str>,
    level: Option<&'static str>,
    fields: Vec<(&'a str, &'a str)>,
    short_id: Option<&'a str>,
}

fn read<'a>(line: &str, all: impl ExactSizeIterator<Item = Item<'a>>) -> Reports {
    let occasion = match line {
        _ if line.starts_with("GlitchTip Uptime") => Occasion::Uptime,
        _ if line.starts_with("GlitchTip Test") => Occasion::Test,
        _ => Occasion::Issues,
    };
    // GlitchTip sends a few of many issues, and says here how many there are.
    let announced = line.split_once('(').and_then(|(_, rest)| rest.split_once(" issues)"));
    let announced = announced.and_then(|(number, _)| number.parse::<u32>().ok()).unwrap_or_default();
    let total = u64::from(announced).max(all.len() as u64);
    Reports { first: all.take(MAX_ALERTS).map(|item| item.report(occasion, line)).collect(), total }
}

impl<'a> Item<'a> {
    fn of(item: &'a Value, names: &Names) -> Self {
        let pair = |field: &'a Value| Some((text(field, &[names.field])?, text(field, &["value"])?));
        Self {
            title: text(item, &["title"]).and_then(meaningful),
            link: text(item, &[names.link]),
            text: text(item, &[names.text]).and_then(meaningful),
            level: item.get("color").and_then(level),
            fields: items(item, &["fields"]).iter().filter_map(pair).collect(),
            short_id: None,
        }
    }

    fn report(&self, occasion: Occasion, line: &str) -> Report {
        let mut report = Report::new(match occasion {
            Occasion::Issues => "error",
            Occasion::Uptime if self.text.is_some_and(|text| text.contains("back up")) => "uptime.up",
            Occasion::Uptime => "uptime.down",
            Occasion::Test => "test",
        });
        let alert = &mut report.alert;
        alert.title =
            [self.title, self.text, Some(line), Some("GlitchTip")].into_iter().flatten().find_map(kept_text);
        alert.url = self.link.and_then(kept_link);
        alert.level = self.level.map(str::to_owned);
        alert.short_id = self.short_id.and_then(id);
        for (name, value) in &self.fields {
            match name.to_lowercase().as_str() {
                "project" => name_project(alert, value),
                "environment" => alert.environment = label(value),
                "release" => alert.release = label(value),
                "server name" => {
                    alert.tags.extend(label(value).map(|value| ("server_name".to_owned(), value)))
                }
                // Tags that the admin of GlitchTip has chosen for its alerts.
                other => alert.tags.extend(label(other).zip(label(value))),
            }
        }
        alert.tags.truncate(MAX_ITEMS);
        match occasion {
            Occasion::Issues => {
                alert.culprit = self.text.and_then(kept_text);
                alert.issue_id = self.link.and_then(link::number);
            }
            Occasion::Uptime => {
                alert.message = self.text.and_then(kept_text);
                alert.details.category = Some("uptime".to_owned());
                // An issue may have the same number, and so may a monitor of another server.
                let monitor = StateSubject::named("uptime", self.link.or(self.title).unwrap_or_default());
                alert.issue_id = id(&format!("uptime-{}", monitor.id));
                report.state = Some(monitor);
            }
            Occasion::Test => {
                alert.message = self.text.and_then(kept_text);
                let project = self.text.and_then(|said| said.strip_prefix("Test notification for project "));
                if let Some((project, _)) =
                    project.and_then(|said| said.rsplit_once(". Your alert recipient"))
                {
                    name_project(alert, project);
                }
            }
        }
        report
    }
}

fn name_project(alert: &mut Alert, name: &str) {
    alert.project = slug(name).unwrap_or_else(|| UNKNOWN_PROJECT.to_owned());
    alert.project_name = kept_text(name);
}

/// The level behind a colour. `error` and `fatal` share one.
fn level(color: &Value) -> Option<&'static str> {
    let rgb = match color {
        Value::String(text) => u64::from_str_radix(text.trim().strip_prefix('#')?, 16).ok()?,
        number => number.as_u64()?,
    };
    match rgb {
        0xE5_2B_50 => Some("error"),
        0xE9_B9_49 => Some("warning"),
        0x4B_60_B4 => Some("info"),
        _ => None,
    }
}

/// The short id in `[View Issue SHOP-7](https://…)`, as older versions send it.
fn short_id(subtitle: &str) -> Option<&str> {
    subtitle.split_once("[View Issue ")?.1.split_once(']').map(|(id, _)| id)
}
