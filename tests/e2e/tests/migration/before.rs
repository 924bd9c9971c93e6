//! What the Python bot leaves behind: its documents, and the server that it served.

use std::time::Duration;

use harness::firestore::{FirestoreEmulator, FirestoreProject};
use sandbox_discord::{Channel, Clocks, Config, Guild, Limit, Sandbox, User};
use serde_json::{Value, json};

/// A field that names no channel and no user. Old databases have such fields.
const ODD: &str = "general";

pub(crate) struct Before {
    pub(crate) sandbox: Sandbox,
    pub(crate) database: FirestoreProject,
    pub(crate) guild: u64,
    pub(crate) owner: u64,
    /// Has the project `backend-api`.
    pub(crate) alice: u64,
    /// Authorized.
    pub(crate) alerts: u64,
    /// Listed by the guild, but of another guild.
    pub(crate) foreign: u64,
}

impl Before {
    /// With the keys in the database, `sentryURL` among them.
    pub(crate) async fn new(emulator: &FirestoreEmulator, sentry_url: &str) -> Self {
        // Commands and alerts share a channel here, and its limit.
        let fast = |clocks: &mut Clocks| clocks.channel = Limit::new(5, Duration::from_millis(250));
        let sandbox = Sandbox::start(Config::default().clocks(fast)).await;
        let (owner, alice) = (sandbox.add_user(User::new("owner")), sandbox.add_user(User::new("alice")));
        let guild = sandbox.add_guild(Guild::new("Team", owner));
        sandbox.set_member(guild, alice, &[]);
        let elsewhere = sandbox.add_guild(Guild::new("Elsewhere", owner));
        let alerts = sandbox.add_channel(guild, Channel::text("alerts"));
        let foreign = sandbox.add_channel(elsewhere, Channel::text("foreign"));
        let database = emulator.project();
        let keys = [
            ("discordKey", sandbox.token()),
            ("discordKey_dev", "another".to_owned()),
            ("sentryURL", sentry_url.to_owned()),
            ("sentryURL_dev", String::new()),
        ];
        database.write("keys/api", fields(keys.map(|(name, value)| (name.to_owned(), value)))).await;
        let own = |id: u64| (id.to_string(), id.to_string());
        let odd = (ODD.to_owned(), "x".to_owned());
        let channels = fields([own(alerts), own(foreign), odd.clone()]);
        database.write(&format!("channel-list/{guild}"), channels).await;
        let projects = fields([(alice.to_string(), "backend-api".to_owned()), odd]);
        database.write(&format!("user-projects/{guild}"), projects).await;
        Self { sandbox, database, guild, owner, alice, alerts, foreign }
    }

    /// All documents as they are now.
    pub(crate) async fn documents(&self) -> [Value; 3] {
        [
            self.database.read("keys/api").await,
            self.database.read(&format!("channel-list/{}", self.guild)).await,
            self.database.read(&format!("user-projects/{}", self.guild)).await,
        ]
    }
}

/// The fields as Firestore's REST interface writes them.
fn fields(fields: impl IntoIterator<Item = (String, String)>) -> Value {
    fields.into_iter().map(|(name, value)| (name, json!({ "stringValue": value }))).collect()
}
