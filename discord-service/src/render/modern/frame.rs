//! The failing line of code.

use shared::alert::Frame;

use crate::render::{
    clean::clean,
    size::{cut, units},
    text::{MAX_PLACE, Text},
};

/// What is shown of a line of code.
const MAX_LINE: usize = 120;
/// Sentry cuts long lines around the column that failed, and leaves this.
const SNIP: &str = "{snip}";

/// Where it failed, and the line itself where that is known and can be read.
pub(super) fn text(frame: &Frame) -> Option<Text> {
    let source = frame.source.as_deref().filter(|_| !is_minified(frame));
    let Some(line) = source.and_then(line) else { return Text::place(&place(frame)) };
    let place = Some(cut(&clean(&place(frame)), MAX_PLACE)).filter(|place| !place.is_empty());
    let lines: Vec<_> = place.into_iter().chain([format!("    {line}")]).collect();
    Some(Text::block(&lines))
}

/// `file:line in function`, or `function (library)` of a program without its symbols.
pub(super) fn place(frame: &Frame) -> String {
    let Frame { file, line, function, .. } = frame;
    let function = function.as_deref().filter(|function| !function.trim().is_empty());
    match (line, function) {
        (None, Some(function)) if is_library(file) => format!("{function} ({file})"),
        (line, function) => {
            let line = line.map(|line| format!(":{line}")).unwrap_or_default();
            let function = function.map(|function| format!(" in {function}")).unwrap_or_default();
            let minified = if is_minified(frame) { " (minified)" } else { "" };
            format!("{file}{line}{function}{minified}")
        }
    }
}

fn is_library(file: &str) -> bool {
    let endings = [".so", ".dylib", ".dll", ".exe", ".framework"];
    !file.contains('.') || file.contains(".so.") || endings.iter().any(|ending| file.ends_with(ending))
}

/// Whether the whole program is a few long lines.
fn is_minified(frame: &Frame) -> bool {
    let source = frame.source.as_deref().unwrap_or_default().trim();
    let is_endless = units(source) > MAX_LINE && !source.contains(' ');
    is_script(&frame.file) && (is_endless || source.contains(SNIP))
}

fn is_script(file: &str) -> bool {
    let path = file.split(['?', '#']).next().unwrap_or(file);
    [".js", ".mjs", ".cjs"].iter().any(|ending| path.ends_with(ending))
}

/// The line, or the part of it that failed: Sentry keeps what is around that.
fn line(source: &str) -> Option<String> {
    let source = clean(source);
    let (before, rest) = match source.strip_prefix(SNIP) {
        Some(rest) => (true, rest),
        None => (false, source.as_str()),
    };
    let (after, rest) = match rest.strip_suffix(SNIP) {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let rest = rest.trim();
    let excess = units(rest).saturating_sub(MAX_LINE);
    let skipped = match (before, after) {
        (true, true) => excess / 2,
        (true, false) => excess,
        (false, _) => 0,
    };
    let kept: String = rest.chars().skip(skipped).collect();
    let begin = if before || skipped > 0 { "…" } else { "" };
    let end = if after && units(&kept) <= MAX_LINE { "…" } else { "" };
    (!rest.is_empty()).then(|| [begin, cut(kept.trim(), MAX_LINE).as_str(), end].concat())
}
