//! The failing line: the innermost stack frame of the user's own code.

#[cfg(test)]
mod tests;

use serde_json::Value;
use shared::alert::{Frame, kept_text};

use super::{
    fields::{items, label, text},
    title::exceptions,
};

/// The innermost frame that Sentry marked as the user's own, else the
/// innermost of all. The exceptions are asked first, from the last one raised;
/// where they have no stack, the event's own; then the thread that crashed.
pub(super) fn failing(event: &Value) -> Option<Frame> {
    let raised: Vec<_> =
        exceptions(event).iter().rev().map(|exception| frames(exception, "stacktrace")).collect();
    let own = vec![frames(event, "stacktrace"), frames(event, "sentry.interfaces.Stacktrace")];
    let crashed: Vec<_> = items(event, &["threads", "values"])
        .iter()
        .filter(|thread| {
            ["crashed", "current"].iter().any(|flag| thread.get(flag) == Some(&Value::Bool(true)))
        })
        .map(|thread| frames(thread, "stacktrace"))
        .collect();
    [raised, own, crashed].iter().find_map(|stacks| innermost(stacks))
}

fn frames<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    items(value, &[name, "frames"])
}

fn innermost(stacks: &[&[Value]]) -> Option<Frame> {
    let in_app = |frame: &&Value| frame.get("in_app") == Some(&Value::Bool(true));
    let users = stacks.iter().flat_map(|frames| frames.iter().rev()).filter(in_app).find_map(frame);
    users.or_else(|| stacks.iter().flat_map(|frames| frames.iter().rev()).find_map(frame))
}

/// `None` when the frame names no file, module or library.
fn frame(frame: &Value) -> Option<Frame> {
    let kept = |key| text(frame, &[key]).and_then(label);
    let library = || label(text(frame, &["package"])?.rsplit(['/', '\\']).next()?);
    Some(Frame {
        file: ["filename", "module", "abs_path"].into_iter().find_map(kept).or_else(library)?,
        line: frame.get("lineno").and_then(Value::as_u64).filter(|line| *line > 0),
        function: kept("function"),
        source: text(frame, &["context_line"]).and_then(kept_text),
    })
}
