//! Why a rule or a mute was not made, and what helps.

use shared::{ChannelId, RoleId, wire};

use super::{Reply, ReplyTexts, mention};
use crate::{
    commands::parse::RulesMistake,
    rules::{MAX_TEXT, MOST, RuleRefusal},
};

impl ReplyTexts<'_> {
    /// To a home or a target that is not authorized.
    pub(in crate::commands) fn authorize_first(&self, channel: ChannelId) -> Reply {
        let authorize = self.names.slash("channel authorize");
        format!("{} is not authorized. Use {authorize} with it first.", mention(&channel)).into()
    }

    /// To a secured target of an open home.
    pub(in crate::commands) fn target_is_secured(&self, home: ChannelId, target: ChannelId) -> Reply {
        let (home, target) = (mention(&home), mention(&target));
        format!(
            "{target} is secured, and {home} is not: strangers could send alerts through {home}.\n\
             Secure {home} first, with {}.",
            self.names.slash("channel secure")
        )
        .into()
    }

    /// To a route, where the bot's own permissions at NATS are those of an older version.
    pub(in crate::commands) fn cannot_route(&self) -> Reply {
        format!(
            "No rule can send alerts on yet: I cannot write to `$KV.{}.>` at NATS.\n\
             My operator must bring its `accounts.conf` up to date. Then use {} again.",
            wire::ROUTED,
            self.names.slash("rule add")
        )
        .into()
    }

    /// To a role that the bot cannot mention in this channel.
    pub(in crate::commands) fn role_not_mentionable(&self, role: RoleId, channel: ChannelId) -> Reply {
        format!(
            "I cannot mention <@&{role}> in {}.\n\
             Allow it in Server Settings → Roles → the role → *Allow anyone to @mention this role*, \
             or give me Mention Everyone there. Then use {} again.",
            mention(&channel),
            self.names.slash("rule add")
        )
        .into()
    }

    /// `rule add`, where the list takes no such rule.
    pub(in crate::commands) fn rule_refused(&self, home: ChannelId, refusal: RuleRefusal) -> Reply {
        match refusal {
            RuleRefusal::Full => format!(
                "{} has {MOST} rules already. Remove one first, with {}.",
                mention(&home),
                self.names.slash("rule remove")
            ),
            RuleRefusal::Duplicate(number) => format!("Rule {number} says the same already"),
        }
        .into()
    }

    /// `mute`, where as many run as may.
    pub(in crate::commands) fn too_many_mutes(&self, home: ChannelId) -> Reply {
        let unmute = self.names.slash("unmute");
        format!("{} has {MOST} mutes already. End one first, with {unmute}.", mention(&home)).into()
    }
}

/// To options that make no rule, mute or alert.
pub(in crate::commands) fn mistaken_rules(mistake: RulesMistake) -> Reply {
    match mistake {
        RulesMistake::NotAPattern => {
            return format!(
                "Please input 1 to {MAX_TEXT} characters for a project or an environment, e.g. `web-*`"
            )
            .into();
        }
        RulesMistake::Blank(option) => {
            return format!("`{option}` has only blanks. Fill it in, or leave it out.").into();
        }
        RulesMistake::NotAnIssue => {
            "Please input the link, the number or the short id of the issue, e.g. `BACKEND-1F`"
        }
        RulesMistake::NotAChoice => return super::super::unknown_slash(),
        RulesMistake::NoTarget => "Where to? Choose a channel for these alerts in the option `to`.",
        RulesMistake::NotARoute => {
            "Only a route goes to a channel. Choose the action `route`, or leave `to` out."
        }
        RulesMistake::NoMessage => {
            "What is dropped has no message, so it mentions nobody. Choose another action, or leave `mention` out."
        }
        RulesMistake::IssueAndConditions => {
            "One issue needs no other condition. Leave `issue` out, or the conditions."
        }
    }
    .into()
}

/// To a route that leads back.
pub(in crate::commands) fn routes_to_its_home(home: ChannelId) -> Reply {
    let home = mention(&home);
    format!("These alerts come to {home} anyway. Choose another channel, or the action `keep`.").into()
}

/// To the role of everyone as a mention.
pub(in crate::commands) fn mentions_everyone() -> Reply {
    "A rule cannot mention everyone. Choose another role, or a member.".into()
}

/// To an id for a mention that is neither a role nor a member.
pub(in crate::commands) fn mentions_nobody() -> Reply {
    "This server has no such role or member. Choose one from the list that Discord shows.".into()
}

/// To a number that no rule has. `rules`: how many there are.
pub(in crate::commands) fn no_such_rule(home: ChannelId, number: usize, rules: usize) -> Reply {
    let home = mention(&home);
    match rules {
        0 => format!("{home} has no rules"),
        1 => format!("{home} has no rule {number}, only rule 1"),
        _ => format!("{home} has no rule {number}, only rules 1 to {rules}"),
    }
    .into()
}

/// To a number that no mute has had.
pub(in crate::commands) fn no_such_mute(home: ChannelId, number: u64) -> Reply {
    format!("{} has no mute {number}", mention(&home)).into()
}
