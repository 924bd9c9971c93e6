//! The product under a steady load while something goes wrong.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use e2e::{Dead, Ledger, Stack, scaled, soak};
use futures::future::join_all;
use harness::wait::{SOON, wait_for};
use sandbox_discord::{Config, Limit};
use tokio::time::sleep;

pub(crate) const CREATE: &str = "POST /channels/{channel_id}/messages";
pub(crate) const EDIT: &str = "PATCH /channels/{channel_id}/messages/{message_id}";

/// Between two alerts of the load in one channel.
const PAUSE: Duration = Duration::from_millis(250);

/// The longest until the dead letters of a closed channel are posted. The bot
/// tries a guild's channels over a minute, and a busy machine may need a second
/// round.
const HEALED: Duration = Duration::from_secs(150);

/// The longest until every alert is posted or a dead letter.
pub(crate) fn settled() -> Duration {
    Duration::from_secs(scaled(60, 300))
}

/// Discord with its real limits for `make soak`, and with a faster window of a
/// channel otherwise.
pub(crate) fn discord() -> Config {
    Config::default().clocks(|clocks| {
        clocks.identify_window = Duration::from_millis(200);
        if !soak() {
            clocks.channel = Limit::new(5, Duration::from_millis(250));
        }
    })
}

/// The stack, its channels, and what was sent to them.
pub(crate) struct Scene {
    pub(crate) stack: Stack,
    pub(crate) ledger: Ledger,
    pub(crate) channels: Vec<u64>,
    sent: AtomicUsize,
    /// Held while an alert is sent: the ledger knows the order of a channel's alerts.
    sending: Mutex<BTreeMap<u64, Arc<tokio::sync::Mutex<()>>>>,
}

impl Scene {
    /// A stack with this many authorized channels.
    pub(crate) async fn start(channels: usize) -> Self {
        Self::with(discord(), channels).await
    }

    pub(crate) async fn with(sandbox: Config, channels: usize) -> Self {
        let (stack, ledger) = (Stack::builder().sandbox(sandbox).start().await, Ledger::default());
        let channels = stack.authorized_channels(channels, &ledger).await;
        stack.until_drained(settled()).await;
        Self { stack, ledger, channels, sent: AtomicUsize::new(0), sending: Mutex::default() }
    }

    /// Sends one alert about an issue of its own. Returns its title.
    pub(crate) async fn alert(&self, channel: u64) -> String {
        let turn = self.sending.lock().expect("no panic while held").entry(channel).or_default().clone();
        let _turn = turn.lock().await;
        let title = format!("alert {}", self.sent.fetch_add(1, Ordering::Relaxed));
        let status = self.ledger.send(&self.stack, channel, &title).await;
        assert!(matches!(status, Some(200 | 202)), "{status:?} for {title:?} in {channel}");
        title
    }

    /// Acts while alerts keep coming in all channels.
    pub(crate) async fn under_load<T>(&self, act: impl Future<Output = T>) -> T {
        let done = AtomicBool::new(false);
        let acting = async {
            let out = act.await;
            done.store(true, Ordering::Relaxed);
            out
        };
        let load = join_all(self.channels.iter().map(async |channel| {
            while !done.load(Ordering::Relaxed) {
                self.alert(*channel).await;
                sleep(PAUSE).await;
            }
        }));
        tokio::join!(acting, load).0
    }

    /// Waits until an alert that is sent now is shown in each of these channels.
    pub(crate) async fn works(&self, channels: &[u64], limit: Duration) {
        join_all(channels.iter().map(async |channel| {
            let title = self.alert(*channel).await;
            wait_for(&format!("{title:?} is shown in {channel}"), limit, || async {
                self.shows(*channel, &title).then_some(())
            })
            .await;
        }))
        .await;
    }

    pub(crate) fn shows(&self, channel: u64, title: &str) -> bool {
        self.stack.shown(channel).iter().any(|embed| embed.title == title)
    }

    /// The dead letters of one channel.
    pub(crate) async fn dead(&self, channel: u64) -> Vec<Dead> {
        let channel = channel.to_string();
        self.stack.dead_letters().await.into_iter().filter(|letter| letter.channel == channel).collect()
    }

    /// Waits until the channel has no dead letters, and the status no longer says that it is closed.
    pub(crate) async fn until_open(&self, name: &str, channel: u64) {
        wait_for(&format!("{name}: {channel} heals"), HEALED, || async {
            self.dead(channel).await.is_empty().then_some(())
        })
        .await;
        let said = self.status(channel).await;
        assert_eq!(closed(&said), None, "{name}: {said}");
    }

    /// Waits until each of these channels has a dead letter of an alert that is sent now.
    pub(crate) async fn until_closed(&self, name: &str, channels: &[u64]) {
        for channel in channels {
            self.alert(*channel).await;
            wait_for(&format!("{name}: alerts of {channel} are dead"), SOON, || async {
                (!self.dead(*channel).await.is_empty()).then_some(())
            })
            .await;
        }
    }

    /// What `status` says about the channel, each field as a line. This slash
    /// command's answer needs no permission of the bot.
    pub(crate) async fn status(&self, channel: u64) -> String {
        self.stack.whispered_status(channel).await
    }

    /// The books balance, and the process that was there at the start is the one there now.
    pub(crate) async fn settle(&self) {
        self.ledger.settle(&self.stack, settled()).await;
        assert_eq!(self.stack.discord.readyz().await, Some(200), "it lives and is ready");
    }
}

/// What `status` says about the closure of a channel, if it is closed.
pub(crate) fn closed(status: &str) -> Option<&str> {
    let (_, after) = status.split_once("Blocked by Discord = ")?;
    Some(after.split("\nNot Arrived = ").next().unwrap_or(after))
}
