//! A stack trace as the text of a message. Foreign text stays inside one code block,
//! where Discord reads no markdown and pings nobody.

#[cfg(test)]
mod tests;

use shared::alert::Frame;

use crate::render::{self, clean};

/// Discord's limit for the text of a message.
const MAX_CHARS: usize = 2_000;
/// Nine callers with their source lines fit.
const MAX_LINE: usize = 160;
const FENCE: &str = "```";
/// What is kept free for the last line, which says how many are left out.
const ROOM_FOR_MORE: usize = 40;

/// The exceptions, the cause first, and then the frames, the newest call first.
pub(super) fn block(title: Option<&str>, causes: &[String], frames: &[Frame]) -> String {
    let raised: Vec<_> = causes.iter().map(String::as_str).chain(title).filter_map(line).collect();
    let mut text = format!("{FENCE}\n");
    for (index, exception) in raised.iter().enumerate() {
        let led = if index == 0 { "" } else { "led to " };
        text.push_str(&format!("{led}{exception}\n"));
    }
    if !raised.is_empty() {
        text.push('\n');
    }
    let room = MAX_CHARS - FENCE.len() - ROOM_FOR_MORE;
    for (index, frame) in frames.iter().enumerate() {
        let shown = lines(frame);
        if render::units(&text) + render::units(&shown) > room {
            text.push_str(&format!("… and {} more\n", frames.len() - index));
            break;
        }
        text.push_str(&shown);
    }
    text + FENCE
}

/// Where it is, and the source line.
fn lines(frame: &Frame) -> String {
    let mut place = frame.file.clone();
    if let Some(line) = frame.line {
        place.push_str(&format!(":{line}"));
    }
    if let Some(function) = &frame.function {
        place.push_str(&format!(" in {function}"));
    }
    let source = frame.source.as_deref().and_then(line).map(|source| format!("    {source}"));
    line(&place).into_iter().chain(source).map(|line| line + "\n").collect()
}

fn line(text: &str) -> Option<String> {
    let line = render::cut(&clean(text), MAX_LINE);
    (!line.is_empty()).then_some(line)
}
