//! Where an event failed: the innermost stack frame of the user's own code, and its
//! callers. The exceptions that led to the last one are here too.

#[cfg(test)]
mod tests;

use serde_json::Value;
use shared::alert::{Frame, MAX_CAUSES, MAX_FRAMES, kept_text};

use super::{
    fields::{items, label, text},
    title::{exception, exceptions},
};

/// What stands for a function without a name: in browsers, in stripped binaries.
const NAMELESS: [&str; 3] = ["?", "<redacted>", "<unknown>"];

/// The failing frame and its callers, the innermost first. These are the frames that
/// Sentry marked as the user's own. Where none is marked, they are the innermost of all.
/// The exceptions are asked first, from the last one raised. Then come the event's own
/// stack, and the thread that crashed.
pub(super) fn stack(event: &Value) -> Vec<Frame> {
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
    let innermost_first = |wanted: fn(&Value) -> bool, frames: &[Value]| -> Vec<Frame> {
        frames.iter().rev().filter(|frame| wanted(frame)).filter_map(frame).take(MAX_FRAMES).collect()
    };
    [raised, own, crashed]
        .iter()
        .flat_map(|stacks| [(stacks, is_own as fn(&Value) -> bool), (stacks, |_| true)])
        .flat_map(|(stacks, wanted)| stacks.iter().map(move |frames| innermost_first(wanted, frames)))
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

/// The exceptions that led to the last one, the first raised first. A group of
/// exceptions says nothing that its members do not say.
pub(super) fn causes(event: &Value) -> Vec<String> {
    let [causes @ .., _] = exceptions(event) else { return Vec::new() };
    let is_group =
        |cause: &&Value| cause.pointer("/mechanism/is_exception_group") == Some(&Value::Bool(true));
    let said = causes.iter().filter(|cause| !is_group(cause)).filter_map(exception);
    said.filter_map(|cause| label(&cause)).take(MAX_CAUSES).collect()
}

fn frames<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    items(value, &[name, "frames"])
}

fn is_own(frame: &Value) -> bool {
    frame.get("in_app") == Some(&Value::Bool(true))
}

/// `None` when the frame names no file, module or library.
fn frame(frame: &Value) -> Option<Frame> {
    let kept = |key| text(frame, &[key]).and_then(label);
    let library = || label(text(frame, &["package"])?.rsplit(['/', '\\']).next()?);
    Some(Frame {
        file: ["filename", "module", "abs_path"].into_iter().find_map(kept).or_else(library)?,
        line: frame.get("lineno").and_then(Value::as_u64).filter(|line| *line > 0),
        function: kept("function").filter(|name| !NAMELESS.contains(&name.as_str())),
        source: text(frame, &["context_line"]).and_then(kept_text),
    })
}
