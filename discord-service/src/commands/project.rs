//! `project …`: which project a user owns, so that its alerts may mention them.

use super::{
    Asker, CommandError, Commands,
    parse::ProjectCommand,
    replies::{self, Reply},
};

impl Commands {
    /// Carries out a command that was typed in an authorized channel.
    pub(super) async fn project(&self, by: Asker, command: ProjectCommand) -> Result<Reply, CommandError> {
        match command {
            ProjectCommand::Overview => {
                let projects = self.store.projects(by.guild).await?;
                Ok(self.replies(by.form).project(projects.get(&by.user).map(String::as_str)))
            }
            ProjectCommand::Register(slug) => {
                let secured = self.trusts.is_secured(by.channel).await?;
                let outcome = self.store.register(by.guild, by.user, &slug).await?;
                Ok(self.replies(by.form).registered((by.channel, secured), by.user, &slug, outcome))
            }
            ProjectCommand::Revoke => {
                let slug = self.store.unregister(by.guild, by.user).await?;
                Ok(replies::project_revoked(slug.as_deref()))
            }
        }
    }
}
