//! Lists of people and teams, and the pages of all lists.

use serde_json::Value;

use super::{Answer, Call, Outcome, organizations::find_project};
use crate::world::{
    World,
    organization::{Member, Team},
};

const PAGE: usize = 100;

/// One page, with the `Link` of its neighbours (`Endpoint.paginate` in `src/sentry/api/base.py`,
/// `OffsetPaginator` in `src/sentry/api/paginator.py`). A cursor is `size:page:backwards`.
pub(super) fn page(call: &Call, items: Vec<Value>) -> Outcome {
    let size = call.asked("per_page").map_or(Ok(PAGE), str::parse).unwrap_or_default();
    if !(1..=PAGE).contains(&size) {
        let words = format!("Invalid per_page value. Must be between 1 and {PAGE}.");
        return Err(Answer::detail(400, &words));
    }
    let number = match call.asked("cursor") {
        None => 0,
        Some(cursor) => {
            read_cursor(cursor).ok_or_else(|| Answer::detail(400, "Invalid cursor parameter."))?
        }
    };
    let (start, total) = (number.saturating_mul(size), items.len());
    let shown: Vec<Value> = items.into_iter().skip(start).take(size).collect();
    let more = start.saturating_add(size) < total;
    let before = format!("{size}:{}:1", i64::try_from(number).unwrap_or(i64::MAX) - 1);
    let after = format!("{size}:{}:0", number.saturating_add(1));
    let link =
        format!("{}, {}", link(call, "previous", number > 0, &before), link(call, "next", more, &after));
    Ok(Answer::json(200, &Value::Array(shown)).header("Link", link))
}

fn read_cursor(cursor: &str) -> Option<usize> {
    let mut parts = cursor.split(':');
    let (Some(size), Some(page), Some("0" | "1"), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    size.parse::<usize>().ok()?;
    page.parse().ok()
}

fn link(call: &Call, rel: &str, results: bool, cursor: &str) -> String {
    let kept: Vec<&str> = call.query_string.split('&').filter(|pair| !pair.starts_with("cursor=")).collect();
    let query = kept.join("&");
    format!(
        "<{}?{query}&cursor={cursor}>; rel=\"{rel}\"; results=\"{results}\"; cursor=\"{cursor}\"",
        call.address
    )
}

/// Members who joined, and invited ones. `query` filters by `email:`, `user.id:`, or any part of name and address
/// (`src/sentry/core/endpoints/organization_member_index.py`).
pub(super) fn members(world: &mut World, call: &Call) -> Outcome {
    let query = call.asked("query").unwrap_or_default();
    let fits = |member: &&Member| {
        let own = member.organization == call.organization.id && member.active;
        own && query.split_whitespace().all(|word| member_fits(member, word))
    };
    page(call, world.members.iter().filter(fits).map(Member::json).collect())
}

fn member_fits(member: &Member, word: &str) -> bool {
    let user = member.user.map(|id| id.to_string());
    match word.split_once(':') {
        Some(("email", email)) => member.email == email,
        Some(("id", id)) => member.id.to_string() == id,
        Some(("user.id", id)) => user.as_deref() == Some(id),
        Some(("isInvited", wanted)) => (wanted == "true") == user.is_none(),
        Some(_) => false,
        None => {
            let word = word.to_lowercase();
            member.email.to_lowercase().contains(&word) || member.name.to_lowercase().contains(&word)
        }
    }
}

/// Teams. `query` is a part of the slug (`src/sentry/core/endpoints/organization_teams.py`).
pub(super) fn teams(world: &mut World, call: &Call) -> Outcome {
    let query = call.asked("query").unwrap_or_default().to_lowercase();
    let fits =
        |team: &&Team| team.organization == call.organization.id && team.slug.to_lowercase().contains(&query);
    page(call, world.teams.values().filter(fits).map(Team::json).collect())
}

pub(super) fn project_teams(world: &mut World, call: &Call) -> Outcome {
    let project = find_project(world, call)?;
    let teams = project.teams.iter().filter_map(|team| world.teams.get(team));
    page(call, teams.map(Team::json).collect())
}

/// Those who are in a team of the project (`src/sentry/api/endpoints/project_members.py`).
pub(super) fn project_members(world: &mut World, call: &Call) -> Outcome {
    let project = find_project(world, call)?;
    let teams = project.teams.iter().filter_map(|team| world.teams.get(team));
    let users: Vec<u64> = teams.flat_map(|team| team.users.iter().copied()).collect();
    let inside = |member: &&Member| {
        member.organization == call.organization.id && member.user.is_some_and(|id| users.contains(&id))
    };
    let found = world.members.iter().filter(inside).filter(|member| member.active);
    page(call, found.map(Member::json).collect())
}
