//! The colours of all embeds: Sentry's own.

use shared::Alert;

use super::{Folded, history::Mood};

/// Of an alert without a level that we know, and of replies to commands.
pub(crate) const DEFAULT: u32 = 0xE7_4C_3C;
const OVER: u32 = 0x4D_C7_71;
const ARCHIVED: u32 = 0x95_A5_A6;
const DEBUG: u32 = 0xFB_E1_4F;
const INFO: u32 = 0x27_88_CE;
const WARNING: u32 = 0xFF_C2_27;
const ERROR: u32 = 0xE0_3E_2F;
const FATAL: u32 = 0xFA_47_47;

/// The colour of an embed: by the level, green for what is over, and grey for
/// what nobody wants to hear of.
pub(super) fn of(folded: &Folded) -> u32 {
    let alert = &folded.latest;
    match folded.history.mood(alert) {
        Mood::Own if alert.kind.ends_with(".resolved") || alert.kind == "uptime.up" => OVER,
        Mood::Own if alert.kind == "issue.archived" => ARCHIVED,
        Mood::Resolved => OVER,
        Mood::Archived => ARCHIVED,
        Mood::Own | Mood::Open => of_level(alert),
    }
}

fn of_level(alert: &Alert) -> u32 {
    match alert.level.as_deref().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "debug" => DEBUG,
        "info" => INFO,
        "warning" => WARNING,
        "error" => ERROR,
        "fatal" => FATAL,
        _ => DEFAULT,
    }
}
