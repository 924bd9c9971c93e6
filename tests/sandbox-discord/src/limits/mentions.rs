//! `allowed_mentions`, and who a message pings.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::{error::FormErrors, form::Field, snowflake};

const LISTED_MAX: usize = 100;

/// Who got a notification from a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Pings {
    /// Users named one by one, and the author of the message replied to.
    #[serde(serialize_with = "snowflake::as_strings")]
    pub users: BTreeSet<u64>,
    /// Roles whose members were all notified.
    #[serde(serialize_with = "snowflake::as_strings")]
    pub roles: BTreeSet<u64>,
    /// Whether `@everyone` or `@here` notified the whole channel.
    pub everyone: bool,
}

impl Pings {
    /// Whether nobody was notified.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a message is allowed to ping. The default, for a message that does not
/// say, is everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct AllowedMentions(Option<Allowed>);

#[derive(Debug, Clone, Default)]
struct Allowed {
    parse: BTreeSet<String>,
    users: BTreeSet<u64>,
    roles: BTreeSet<u64>,
    replied_user: bool,
}

impl AllowedMentions {
    /// Reads and checks the field of that name.
    pub(crate) fn check(field: &Field<'_>, errors: &mut FormErrors) -> Self {
        if !field.is_object(errors) {
            return Self::default();
        }
        field.refuse_nulls(errors);
        let allowed = Allowed {
            parse: parse_list(field, errors),
            users: id_list(field, "users", errors),
            roles: id_list(field, "roles", errors),
            replied_user: field.get("replied_user").and_then(|flag| flag.boolean(errors)).unwrap_or(false),
        };
        for (name, listed) in [("users", &allowed.users), ("roles", &allowed.roles)] {
            if allowed.parse.contains(name) && !listed.is_empty() {
                let message = format!("parse:[\"{name}\"] and {name}: [ids...] are mutually exclusive.");
                field.refuse(errors, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", message);
            }
        }
        Self(Some(allowed))
    }

    /// The default of an answer to an interaction: users only.
    pub(crate) fn or_users(self) -> Self {
        let users = || Allowed { parse: BTreeSet::from(["users".to_owned()]), ..Allowed::default() };
        Self(Some(self.0.unwrap_or_else(users)))
    }

    /// The users and roles that this content would ping, and the author of the
    /// message replied to. It is stricter than Discord: a mention inside a code
    /// span counts.
    pub(crate) fn pings(&self, content: &str, replied_to: Option<u64>) -> Pings {
        let found = mentioned(content);
        let Some(allowed) = &self.0 else {
            let mut pings = found;
            pings.users.extend(replied_to);
            return pings;
        };
        let select = |name: &str, found: BTreeSet<u64>, listed: &BTreeSet<u64>| -> BTreeSet<u64> {
            let all = allowed.parse.contains(name);
            found.into_iter().filter(|id| all || listed.contains(id)).collect()
        };
        let mut users = select("users", found.users, &allowed.users);
        users.extend(replied_to.filter(|_| allowed.replied_user));
        Pings {
            users,
            roles: select("roles", found.roles, &allowed.roles),
            everyone: found.everyone && allowed.parse.contains("everyone"),
        }
    }
}

fn parse_list(field: &Field<'_>, errors: &mut FormErrors) -> BTreeSet<String> {
    let items = field.get("parse").map(|parse| parse.items(errors, 3)).unwrap_or_default();
    let mut parse = BTreeSet::new();
    for item in items {
        match item.value.as_str() {
            Some(kind @ ("users" | "roles" | "everyone")) => {
                parse.insert(kind.to_owned());
            }
            _ => {
                let message = "Value must be one of {'roles', 'users', 'everyone'}.";
                item.refuse(errors, "BASE_TYPE_CHOICES", message);
            }
        }
    }
    parse
}

fn id_list(field: &Field<'_>, name: &str, errors: &mut FormErrors) -> BTreeSet<u64> {
    let items = field.get(name).map(|list| list.items(errors, LISTED_MAX)).unwrap_or_default();
    let mut ids = BTreeSet::new();
    for item in items {
        if let Some(id) = item.snowflake(errors)
            && !ids.insert(id)
        {
            item.refuse(errors, "SET_TYPE_ALREADY_CONTAINS_VALUE", "The set already contains this value");
        }
    }
    ids
}

/// Every mention written in the text.
pub(crate) fn mentioned(content: &str) -> Pings {
    let everyone = content.contains("@everyone") || content.contains("@here");
    let mut pings = Pings { everyone, ..Pings::default() };
    for part in content.split("<@").skip(1) {
        let Some((inside, _)) = part.split_once('>') else { continue };
        if let Some(role) = inside.strip_prefix('&') {
            pings.roles.extend(snowflake::parse(role));
        } else {
            pings.users.extend(snowflake::parse(inside.strip_prefix('!').unwrap_or(inside)));
        }
    }
    pings
}

/// The list of ids as Discord writes it.
pub(crate) fn id_strings(ids: &BTreeSet<u64>) -> Value {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().into()
}
