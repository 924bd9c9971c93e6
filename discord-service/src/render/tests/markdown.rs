//! What Discord's clients take for markdown, written down apart from the code under test.

use serde_json::Value;

use super::discord::{fields, text};

/// Foreign text where markdown would be read.
pub(super) fn loose_markdown(embed: &Value) -> Vec<String> {
    match embed.pointer("/author/name").and_then(Value::as_str) {
        None => classic(embed),
        Some(author) => modern(embed, author),
    }
}

fn classic(embed: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let description = text(embed, "/description");
    let slug = description.strip_suffix('…').unwrap_or(description);
    if !is_code(description)
        && (slug.contains("__") || slug.contains(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))))
    {
        faults.push(format!("markdown in the description: {description:?}"));
    }
    for field in fields(embed) {
        let (name, value) = (text(field, "/name"), text(field, "/value"));
        let harmless = match name {
            "Alerts" => {
                value.starts_with('×')
                    && value.chars().skip(1).all(|c| c.is_ascii_alphanumeric() || " :-".contains(c))
            }
            "First message" => is_plain_link(value),
            "Routing" => is_stranded(value),
            "URL" => is_code(value) || is_plain_link(value),
            _ => value.lines().all(is_code),
        };
        if !harmless {
            faults.push(format!("{name} is no code: {value:?}"));
        }
    }
    let footer = embed.pointer("/footer/text").and_then(Value::as_str).unwrap_or_default();
    if ["@", "](", "://", "`"].iter().any(|mark| footer.contains(mark)) {
        faults.push(format!("footer: {footer:?}"));
    }
    faults
}

/// Exactly one span of inline code: Discord ends a span at the first run of as
/// many backticks as it began with.
pub(super) fn is_code(text: &str) -> bool {
    let fence: String = text.chars().take_while(|&c| c == '`').collect();
    let inner = text.strip_prefix(&fence).and_then(|rest| rest.strip_suffix(&fence));
    fence.len() == 1 && inner.is_some_and(|inner| !inner.trim().is_empty() && !inner.contains('`'))
}

/// A link as Discord recognises one by itself, and nothing else beside it.
fn is_plain_link(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    let (host, tail) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host_is_one = host.contains('.') || host.starts_with('[');
    host_is_one
        && !host.contains('@')
        && !tail.is_empty()
        && tail.chars().all(|c| c.is_ascii_graphic() && !"`<>()[]{}*|\\\"'^".contains(c))
}

fn modern(embed: &Value, author: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let slug = author.strip_prefix("Sentry Alert").map(|rest| rest.strip_prefix(" · ").unwrap_or(rest));
    let in_slug = |c: char| c.is_ascii_alphanumeric() || "-_.…".contains(c);
    if !slug.is_some_and(|slug| slug.chars().all(in_slug)) {
        faults.push(format!("author: {author:?}"));
    }
    let mut check = |place: &str, harmless: bool, text: &str| {
        if !harmless {
            faults.push(format!("markdown in {place}: {text:?}"));
        }
    };
    let title = text(embed, "/title");
    check("title", !is_markup(title, true), title);
    let mut in_block = false;
    for line in text(embed, "/description").lines() {
        match (line, in_block) {
            ("```", _) => in_block = !in_block,
            (line, true) => check("a block", !line.contains('`'), line),
            (line, false) => check("the description", is_own_line(line), line),
        }
    }
    check("a block without an end", !in_block, "");
    for field in fields(embed) {
        let (name, value) = (text(field, "/name"), text(field, "/value"));
        check("a name", name.chars().all(in_slug) && !is_markup(name, true), name);
        let harmless = match name {
            "Impact" => value.chars().all(|c| c.is_ascii_alphanumeric() || ", ".contains(c)),
            "Since" => is_ago(value),
            "Evidence" => value.lines().all(is_evidence),
            _ => value.lines().all(is_code),
        };
        check(name, harmless, value);
        let fits = field["inline"] != true || value.encode_utf16().count() <= 66;
        check("a narrow field", fits, value);
    }
    faults
}

/// Pieces of our own, and foreign prose.
fn is_own_line(line: &str) -> bool {
    let pieces = line.split(" · ").enumerate();
    pieces.map(|(at, piece)| (at == 0, piece)).all(|(at_start, piece)| {
        let is_link =
            piece.strip_prefix("[First message](https://discord.com/channels/").is_some_and(|rest| {
                rest.strip_suffix(')')
                    .is_some_and(|path| path.chars().all(|c| c.is_ascii_digit() || c == '/'))
            });
        is_link
            || is_stranded(piece)
            || is_code(piece)
            || is_ago(piece)
            || is_pace(piece)
            || !is_markup(piece, at_start)
    })
}

/// Our own words about a rule's target, and its id.
fn is_stranded(piece: &str) -> bool {
    let brief = piece.strip_prefix("not in <#");
    let whole = ["A rule sends this to <#", "This belongs to <#"];
    let whole = whole.iter().find_map(|begin| piece.strip_prefix(begin));
    let Some((id, why)) = brief.or(whole).and_then(|rest| rest.split_once('>')) else { return false };
    let whys: &[&str] = match brief {
        Some(_) => &[": full", ": no access", ": secured"],
        None => &[
            ", where too many alerts wait",
            ", where the bot cannot post any more",
            ", which is secured, and this channel is not",
        ],
    };
    id.parse::<u64>().is_ok() && whys.contains(&why)
}

fn is_ago(piece: &str) -> bool {
    let time = piece.strip_prefix("first ").unwrap_or(piece);
    let seconds = time.strip_prefix("<t:").and_then(|rest| rest.strip_suffix(":R>"));
    seconds.is_some_and(|seconds| seconds.parse::<u64>().is_ok())
}

/// Code, or a name in code and how long ago that was.
fn is_evidence(line: &str) -> bool {
    let told = line.rsplit_once(' ').filter(|(_, time)| is_ago(time));
    is_code(told.map_or(line, |(name, _)| name))
}

fn is_pace(piece: &str) -> bool {
    let pace = piece.strip_prefix("**×").and_then(|rest| rest.strip_suffix("**"));
    pace.is_some_and(|pace| pace.chars().all(|c| c.is_ascii_alphanumeric() || c == ' '))
}

/// Whether anything in it could be markup. A backslash takes the meaning of what follows it.
fn is_markup(text: &str, at_start: bool) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let joins = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(char::is_ascii_alphanumeric);
    let list = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_list = list != text && [". ", ") "].iter().any(|mark| list.starts_with(mark));
    let begins = text.starts_with(['>', '#', '-', '+']) && !joins(Some(1));
    if at_start && (is_list || begins) {
        return true;
    }
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let rest = chars.get(at + 1..).unwrap_or_default();
        match c {
            '\\' if rest.first().is_some_and(char::is_ascii_punctuation) => at += 1,
            // Discord shows it before letters and digits.
            '\\' if joins(Some(at + 1)) => {}
            '\\' | '*' | '`' | '[' => return true,
            '~' | '|' if rest.first() == Some(&c) => return true,
            '<' if !matches!(rest.first(), Some(' ' | '=')) => return true,
            '@' => {
                let name = rest.iter().collect::<String>().to_lowercase();
                if ["everyone", "here"].iter().any(|group| name.starts_with(group)) {
                    return true;
                }
            }
            '_' if !(joins(at.checked_sub(1)) && joins(Some(at + 1))) => return true,
            ':' => {
                let name: Vec<_> = rest.iter().take_while(|c| !c.is_whitespace() && **c != ':').collect();
                if rest.starts_with(&['/', '/']) || !name.is_empty() && rest.get(name.len()) == Some(&':') {
                    return true;
                }
            }
            _ => {}
        }
        at += 1;
    }
    false
}
