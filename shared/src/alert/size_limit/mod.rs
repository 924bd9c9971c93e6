//! Keeps a record on the bus at [`MAX_RECORD`] bytes, even for hostile input.
//! Sentry's texts are short, but each character of a hostile one may take four
//! bytes, or two.

#[cfg(test)]
mod tests;

use super::{Alert, MAX_RECORD};
use crate::text::cut;

/// What stays of the title and of the lesser texts, in characters.
const KEPT: usize = 100;

/// Cuts something, given by how many bytes the record is too long; `false` where
/// nothing is left to cut.
type CutStep = fn(&mut Alert, usize) -> bool;

/// In the order in which a reader misses them least. The ids, the link and the
/// first 100 characters of the title stay: they fit in any case.
const CUTS: [CutStep; 10] =
    [callers, frame, causes, evidence, tags, message, lesser_texts, rules, title, lesser_texts_wholly];

/// The record of an alert that is too long, cut.
pub(super) fn fitted(mut alert: Alert) -> Vec<u8> {
    let mut record = alert.record();
    for cut in CUTS {
        while let Some(excess) = record.len().checked_sub(MAX_RECORD + 1) {
            if !cut(&mut alert, excess + 1) {
                break;
            }
            record = alert.record();
        }
    }
    record
}

fn callers(alert: &mut Alert, _: usize) -> bool {
    alert.callers.pop().is_some()
}

fn causes(alert: &mut Alert, _: usize) -> bool {
    alert.details.causes.pop().is_some()
}

fn frame(alert: &mut Alert, excess: usize) -> bool {
    let Some(frame) = &mut alert.frame else { return false };
    if frame.source.is_some() {
        shorten(&mut frame.source, excess);
    } else if frame.function.is_some() {
        shorten(&mut frame.function, excess);
    } else {
        alert.frame = None;
    }
    true
}

fn evidence(alert: &mut Alert, _: usize) -> bool {
    alert.details.evidence.pop().is_some()
}

fn tags(alert: &mut Alert, _: usize) -> bool {
    alert.tags.pop().is_some()
}

fn message(alert: &mut Alert, excess: usize) -> bool {
    let cut = alert.message.is_some();
    shorten(&mut alert.message, excess);
    cut
}

fn lesser_texts(alert: &mut Alert, _: usize) -> bool {
    let shortened = others(alert).into_iter().flatten().any(cut_to_kept);
    shortened || cut_to_kept(&mut alert.project)
}

fn rules(alert: &mut Alert, _: usize) -> bool {
    alert.rules.pop().is_some()
}

fn title(alert: &mut Alert, _: usize) -> bool {
    alert.title.as_mut().is_some_and(cut_to_kept)
}

fn lesser_texts_wholly(alert: &mut Alert, _: usize) -> bool {
    others(alert).into_iter().any(|text| text.take().is_some())
}

/// The texts beside the title, the message and the link, the longest kind first.
fn others(alert: &mut Alert) -> [&mut Option<String>; 12] {
    let details = &mut alert.details;
    [
        &mut details.query,
        &mut alert.culprit,
        &mut alert.project_name,
        &mut details.how,
        &mut details.category,
        &mut details.priority,
        &mut details.assignee,
        &mut details.actor,
        &mut alert.logger,
        &mut alert.level,
        &mut alert.release,
        &mut alert.environment,
    ]
}

fn cut_to_kept(text: &mut String) -> bool {
    // A text that was cut has a mark at its end: it has the length again.
    let long = text.chars().count() > KEPT;
    if long {
        *text = cut(text, KEPT);
    }
    long
}

/// Takes so many bytes off the text as it is encoded, or all of it.
fn shorten(text: &mut Option<String>, excess: usize) {
    let Some(whole) = text.take() else { return };
    let size: usize = whole.chars().map(encoded).sum();
    let room = size.saturating_sub(excess + '…'.len_utf8());
    let mut used = 0;
    let fitting = whole.chars().take_while(|c| {
        used += encoded(*c);
        used <= room
    });
    let fitting = fitting.count();
    *text = (fitting > 0).then(|| cut(&whole, fitting + 1));
}

/// How many bytes a character takes in JSON.
const fn encoded(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        _ => c.len_utf8(),
    }
}
