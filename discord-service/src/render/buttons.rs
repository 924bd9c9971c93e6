//! The buttons below a message of one embed.

use serde_json::Value;
use serenity::{
    all::ButtonStyle,
    builder::{CreateActionRow, CreateButton},
};
use shared::{Alert, alert::Frame};

use super::{Embed, json::to_json};

/// The custom id of the button that shows the stack trace. It carries no authority:
/// what it shows is found by its message.
pub const STACK_TRACE: &str = "stack-trace";

/// Whether a message of this alert alone has that button.
///
/// Some webhooks name only the failing file and function. The embed shows both already.
pub fn offers_stack_trace(alert: &Alert) -> bool {
    let located = |frame: &Frame| frame.line.is_some() || frame.source.is_some();
    alert.frame.as_ref().is_some_and(|frame| located(frame) || !alert.callers.is_empty())
}

/// The row of buttons, if the message has any.
pub(super) fn of(embeds: &[Embed]) -> Option<Value> {
    let [embed] = embeds else { return None };
    let link = embed.link.as_ref().map(|link| CreateButton::new_link(link.as_str()).label(embed.label));
    let trace = CreateButton::new(STACK_TRACE).label("Stack trace").style(ButtonStyle::Secondary);
    let buttons: Vec<_> = link.into_iter().chain(embed.stack_trace.then_some(trace)).collect();
    (!buttons.is_empty()).then(|| to_json(&[CreateActionRow::Buttons(buttons)]))
}
