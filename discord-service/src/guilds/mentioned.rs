//! Whom a message may mention.

use shared::{RoleId, UserId};

/// Whom an id stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mentioned {
    /// The role of everyone.
    Everyone,
    /// Another role.
    Role {
        /// Its id.
        id: RoleId,
        /// Whether a message of anybody notifies its members. If not, the author needs
        /// Mention Everyone.
        by_anybody: bool,
    },
    /// A member of the guild.
    Member(UserId),
}
