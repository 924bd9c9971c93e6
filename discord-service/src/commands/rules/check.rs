//! `rule check`: what would become of an alert.

use chrono::Utc;
use shared::ChannelId;

use super::{Asker, ChannelArgument, CommandError, Commands, Reply, replies};
use crate::{
    commands::{
        parse::CheckedAlert,
        replies::{Obstacle, TargetProblem},
    },
    rules::{Action, AlertFacts, Rule},
};

impl Commands {
    pub(super) async fn check_rules(
        &self,
        by: Asker,
        home: ChannelId,
        alert: &CheckedAlert,
    ) -> Result<Reply, CommandError> {
        let rules = self.store.rules_now(home).await?;
        let facts = AlertFacts {
            project: alert.project.as_deref(),
            environment: alert.environment.as_deref(),
            level: alert.level,
            kind: Some(alert.kind),
            ..AlertFacts::default()
        };
        let (now_ms, decides) = (Utc::now().timestamp_millis(), rules.rule_for(&facts));
        let authorized = self.store.channels(by.guild).await?;
        let obstacle = if !authorized.contains(&home) {
            Some(Obstacle::HomeNotAuthorized)
        } else if let Some(mute) = rules.mute_for(&facts, now_ms) {
            Some(Obstacle::Muted { target: None, mute: mute.clone() })
        } else if let Some((_, Rule { action: Action::Route(target), .. })) = decides {
            match self.target_problem(by, home, *target, &authorized).await? {
                Some(problem) => Some(Obstacle::Target(*target, problem)),
                None => {
                    let theirs = self.store.rules_now(*target).await?;
                    let mute = theirs.mute_for(&facts, now_ms).cloned();
                    mute.map(|mute| Obstacle::Muted { target: Some(*target), mute })
                }
            }
        } else {
            None
        };
        Ok(replies::rule_decides(home, alert, decides, obstacle.as_ref()))
    }

    /// Why alerts of `home` do not get to this target now. `authorized` are the channels of
    /// the server that are.
    pub(super) async fn target_problem(
        &self,
        by: Asker,
        home: ChannelId,
        target: ChannelId,
        authorized: &[ChannelId],
    ) -> Result<Option<TargetProblem>, CommandError> {
        if !authorized.contains(&target) {
            return Ok(Some(TargetProblem::NotAuthorized));
        }
        if self.trusts.is_secured(target).await? && !self.trusts.is_secured(home).await? {
            return Ok(Some(TargetProblem::Secured));
        }
        if self.facts.find(by.guild, &ChannelArgument::Id(target)).await?.is_err() {
            return Ok(Some(TargetProblem::Hidden));
        }
        Ok(self.why_closed(target).await.map(TargetProblem::Closed))
    }
}
