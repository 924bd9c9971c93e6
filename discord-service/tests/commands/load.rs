//! What a guild that types without end costs the others.

use std::time::Instant;

use discord_service::gateway::Handler as _;
use futures::future::join_all;

use crate::stage::Stage;

/// Twenty at once and one a second later on; each may find that what is
/// remembered has just ended.
#[tokio::test]
async fn permissions_are_read_anew_only_so_often() {
    let stage = Stage::set().await;
    let start = Instant::now();
    for _ in 0..60 {
        stage.answer(stage.member, stage.office, "!sentry channel").await;
    }
    let most = 20 + 2 * (start.elapsed().as_secs() + 1);
    let stats = stage.sandbox.stats();
    for endpoint in ["GET /guilds/{guild_id}", "GET /guilds/{guild_id}/members/{user_id}"] {
        let reads = stats.answers(endpoint, Some(200));
        assert!((20..=most).contains(&reads), "{endpoint}: {reads} of at most {most}");
    }
}

#[tokio::test]
async fn a_flood_of_commands_is_cut_off() {
    let stage = Stage::set().await;
    let start = Instant::now();
    let commands = (0..300).map(|_| {
        let id = stage.sandbox.say(stage.member, stage.office, "!sentry h").expect("may write");
        stage.commands.typed(stage.typed(id, stage.member, stage.office, "!sentry h"))
    });
    join_all(commands).await;
    let messages = stage.sandbox.messages(stage.office);
    let answers = messages.iter().filter(|message| message.author == stage.sandbox.bot()).count() as u64;
    let most = 200 + 4 * (start.elapsed().as_secs() + 1);
    assert!((200..=most).contains(&answers), "{answers} answers, at most {most}");
}
