//! What a reader sees, as text pictures; and, for any alert at all, that
//! Discord takes it and nothing in it does harm.

mod arbitrary;
mod discord;
mod history;
mod markdown;
mod messages;
mod modern;
mod pictures;
mod platform;
mod properties;
mod readable;
mod stranded;

use shared::{Alert, ChannelId};
use url::Url;

use super::{Embed, Folded, History, Layout, Style, embed};

/// 23 November 2025, 13:51:02 UTC.
const HAPPENED: i64 = 1_763_905_862_123;

/// All layouts.
const LAYOUTS: [Layout; 3] = [Layout::Classic, Layout::Modern, Layout::Compact];

fn style() -> Style {
    Style::of(Layout::Classic)
}

impl Style {
    fn of(layout: Layout) -> Self {
        let glyph_url = Url::parse("https://glyph.example/sentry.png").expect("a URL");
        Self { layout, glyph_url, links: true }
    }
}

/// The alert with nothing in it but what is always there.
fn bare() -> Alert {
    Alert {
        timestamp_ms: HAPPENED,
        ..Alert::new("error", "backend-api", ChannelId::new(1), HAPPENED + 2_000)
    }
}

/// A usual exception.
fn exception() -> Alert {
    Alert {
        title: Some("KeyError: 'order_id'".to_owned()),
        level: Some("error".to_owned()),
        culprit: Some("orders.views in lookup".to_owned()),
        url: Some("https://acme.sentry.io/issues/6100221732/?referrer=webhooks_plugin".to_owned()),
        rules: vec!["Send a notification for high priority issues".to_owned()],
        environment: Some("production".to_owned()),
        release: Some("backend@3.14.1".to_owned()),
        frame: Some(shared::alert::Frame {
            file: "orders/views.py".to_owned(),
            line: Some(88),
            function: Some("lookup".to_owned()),
            source: Some("    return ORDERS[request.data[\"order_id\"]]".to_owned()),
        }),
        ..bare()
    }
}

fn lone(latest: Alert) -> Folded {
    let at = latest.timestamp_ms;
    Folded { latest, count: 1, first_ms: at, last_ms: at, history: History::default() }
}

fn rendered(alert: Alert) -> Embed {
    embed(&lone(alert), &style(), super::MAX_MESSAGE_CHARS)
}
