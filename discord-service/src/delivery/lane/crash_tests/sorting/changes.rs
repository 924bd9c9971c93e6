//! Changes of issues whose messages are in other channels.

use super::{
    super::{all, change},
    *,
};

fn web(alert: Alert) -> Alert {
    Alert { project: "web".to_owned(), ..alert }
}

fn changes() -> [Alert; 2] {
    [change(2, "alpha", "issue.resolved"), change(3, "alpha", "issue.unresolved")].map(web)
}

impl FakeState {
    /// How many messages of this channel have ever been there.
    fn messages_of(&self, channel: ChannelId) -> usize {
        self.messages.values().filter(|message| message.channel == channel).count()
    }

    /// Whether a message of this channel shows the text.
    fn shows(&self, channel: ChannelId, text: &str) -> bool {
        let mut messages = self.messages.values().filter(|message| message.channel == channel);
        messages.any(|message| message.embeds.iter().any(|embed| embed.to_string().contains(text)))
    }
}

#[test]
fn changes_of_an_issue_follow_its_messages() {
    let (news, changes) = (web(event(1, "alpha")), changes());
    let mut followed = 0;
    let histories = all(1, async |world| {
        world.lock().rules.insert(CHANNEL, usual());
        history(&world, std::slice::from_ref(&news), |world| world.copy_ids.clear()).await;
        let has_left = world.lock().counts(CHANNEL).routed == 1;
        // No rule sends them there any more.
        world.lock().rules.insert(CHANNEL, rules(Vec::new(), Vec::new()));
        history(&world, &changes, |world| world.copy_ids.clear()).await;
        let world = world.lock();
        let accepted: Vec<Alert> = [news.clone()].into_iter().chain(changes.clone()).collect();
        world.check_changes(&accepted);
        // A target that is found not authorized leaves its changes at home.
        if has_left && world.denied == 0 {
            assert_eq!(world.messages_of(CHANNEL), 0, "the home shows changes of what it does not show");
        }
        if world.unlucky + world.denied == 0 && world.dead().is_empty() {
            assert!(has_left);
            assert_eq!(world.counts(CHANNEL).routed, 3, "the news and both changes");
            assert!(world.shows(TARGET, "actor-3."), "the target does not show the last change");
            followed += 1;
        }
    });
    assert!(histories > 20 && followed > histories / 3, "{histories}, {followed}");
}

#[test]
fn changes_go_to_each_channel_that_shows_the_issue() {
    let (at_home, routed, changes) = (web(event(1, "alpha")), web(event(4, "alpha")), changes());
    let mut followed = 0;
    let histories = all(1, async |world| {
        history(&world, std::slice::from_ref(&at_home), |_| {}).await;
        world.lock().rules.insert(CHANNEL, usual());
        history(&world, std::slice::from_ref(&routed), |world| world.copy_ids.clear()).await;
        history(&world, &changes, |world| world.copy_ids.clear()).await;
        let world = world.lock();
        world.check_changes(&changes);
        let of_issue = |channel: ChannelId| {
            let mut keys = world.buckets.keys().map(|(_, key)| key);
            keys.any(|key| key.starts_with(&format!("{channel}.issue.")))
        };
        // What a process had no time to remember may be lacking.
        if world.unlucky + world.denied == 0 && world.dead().is_empty() && of_issue(CHANNEL) {
            for channel in [CHANNEL, TARGET] {
                assert!(world.shows(channel, "actor-3."), "{channel} does not show the last change");
            }
            assert_eq!(world.counts(CHANNEL).routed, 1, "changes that stay as well do not count");
            followed += 1;
        }
    });
    assert!(histories > 20 && followed > histories / 3, "{histories}, {followed}");
}
