//! Coming from the Python bot, step by step as docs/MIGRATION.md tells it, on a
//! database that the Python bot left.

mod before;

use e2e::{Shown, shown};
use harness::{
    firestore::FirestoreEmulator,
    free_port,
    nats::NatsServer,
    sentry::SentryReceiver,
    service::Service,
    wait::{SOON, wait_for},
};
use sandbox_discord::{Effect, Fault, Message};
use sentry_sender::{Reply, Sender, Trust, Webhook, body::Exception};
use serde_json::json;

use crate::before::Before;

/// The product where the Python bot ran.
struct After {
    before: Before,
    nats: NatsServer,
    ingress: Service,
    port: u16,
    sender: Sender,
}

impl After {
    /// NATS and the ingress alone: the switch-over's first step.
    async fn first_step(before: Before) -> Self {
        let (nats, port) = (NatsServer::start().await, free_port());
        let (nats_url, address) = (nats.url(), format!("127.0.0.1:{port}"));
        let own = [("NATS_URL", &*nats_url), ("INGRESS_ADDR", &address), ("ALLOWED_SOURCES", "127.0.0.1")];
        let ingress = Service::start("ingress-service", &own);
        ingress.ready().await;
        let sender = Sender::new(Trust::Anyone).expect("a sender needs nothing");
        Self { before, nats, ingress, port, sender }
    }

    /// discord-service with nothing but Google's variables, and where NATS and the sandbox are.
    async fn last_step(&self, emulator: &FirestoreEmulator) -> Service {
        let (nats, discord, firestore) = (self.nats.url(), self.before.sandbox.url(), emulator.host());
        let service = Service::start(
            "discord-service",
            &[
                ("NATS_URL", &*nats),
                ("DISCORD_API_URL", &discord),
                ("FIRESTORE_EMULATOR_HOST", &firestore),
                ("GOOGLE_CLOUD_PROJECT", self.before.database.name()),
            ],
        );
        service.ready().await;
        service
    }

    /// Sends to a URL as Sentry has it since the days of the Python bot.
    async fn send(&self, query: &str, title: &str) -> Reply {
        let url = format!("https://127.0.0.1:{}/sentry-bot/channel?{query}", self.port);
        let alert = Webhook::legacy(Exception::new(title).issue(title).json());
        self.sender.send(&url, &alert).await.expect("the ingress answers")
    }

    /// Sends until the answer has this status. If a verdict comes late, an
    /// alert is stored with 202.
    async fn until_answered(&self, query: &str, status: u16) -> String {
        wait_for(&format!("{status} for {query}"), SOON, || async {
            let reply = self.send(query, "with a verdict").await;
            assert!([202, status].contains(&reply.status), "{reply:?}");
            (reply.status == status).then_some(reply.body)
        })
        .await
    }

    fn messages(&self, channel: u64) -> Vec<Message> {
        self.before.sandbox.messages(channel)
    }

    async fn until_shown(&self, count: usize) -> Vec<Shown> {
        wait_for(&format!("{count} alerts are shown"), SOON, || async {
            let shown = shown(&self.messages(self.before.alerts));
            (shown.len() >= count).then_some(shown)
        })
        .await
    }

    /// Types a command in the alerts' channel and returns what the bot replies.
    async fn command(&self, user: u64, text: &str) -> String {
        let typed = self.before.sandbox.say(user, self.before.alerts, text).expect("they may type there");
        let answers =
            |message: &Message| message.json["message_reference"]["message_id"] == typed.to_string().as_str();
        wait_for(&format!("a reply to {text:?}"), SOON, || async {
            let reply = self.messages(self.before.alerts).into_iter().find(answers)?;
            Some(format!("{}{}", reply.content(), json!(reply.embeds())))
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switch_over_loses_no_alert_and_old_urls_projects_and_documents_go_on() {
    let Some(emulator) = FirestoreEmulator::start().await else { return };
    let receiver = SentryReceiver::start();
    let after = After::first_step(Before::new(&emulator, &receiver.dsn()).await).await;
    let Before { alice, alerts, foreign, owner, .. } = after.before;
    let documents = after.before.documents().await;

    // Sentry calls the ingress, the Python bot is gone, discord-service not there.
    let mention = format!("id={alerts}&mention={alice}");
    for (query, title) in [
        (format!("id={alerts}"), "plain"),
        (mention.clone(), "mention"),
        (format!("id={foreign}"), "foreign"),
    ] {
        assert_eq!(after.send(&query, title).await.status, 202, "{title}");
    }
    let discord = after.last_step(&emulator).await;
    let titles: Vec<String> = after.until_shown(2).await.into_iter().map(|shown| shown.title).collect();
    assert_eq!(titles, ["plain", "mention"]);
    let mentioning = |message: &Message| message.content() == format!("<@{alice}>");
    assert!(after.messages(alerts).iter().any(mentioning), "{:?}", after.messages(alerts));
    // A row under a guild that is not the channel's grants nothing.
    wait_for("the stranger's alert is dropped", SOON, || async {
        (discord.metric("sentry_bot_alerts_dropped_total").await >= 1.0).then_some(())
    })
    .await;

    // From now on Sentry gets exact answers, as from the Python bot.
    after.until_answered(&mention, 200).await;
    after.until_answered(&format!("id={foreign}"), 401).await;
    let nobodys = after.until_answered(&format!("id={alerts}&mention={owner}"), 401).await;
    assert!(nobodys.contains("User is not registered to any project"), "{nobodys}");
    after.until_shown(3).await;
    assert!(after.messages(foreign).is_empty());
    assert_eq!(after.before.documents().await, documents, "nothing was written");

    wait_for("the bot is on the gateway", SOON, || async {
        (!after.before.sandbox.sessions().is_empty()).then_some(())
    })
    .await;
    // Commands know what the Python bot stored, and change their own field alone.
    let channels = after.command(owner, "!sentry channel").await;
    assert!(channels.contains(&format!("<#{alerts}>")), "{channels}");
    let taken = after.command(owner, "!sentry project register backend-api").await;
    assert!(
        taken.starts_with(&format!("Sentry project: `backend-api` is already registered to <@{alice}>")),
        "{taken}"
    );
    let registered = after.command(owner, "!sentry project register frontend").await;
    assert!(registered.starts_with("Registered Sentry project: `frontend`"), "{registered}");
    let [keys, channels, mut projects] = documents;
    projects[owner.to_string()] = json!({"stringValue": "frontend"});
    assert_eq!(after.before.documents().await, [keys, channels, projects]);

    // `sentryURL` is discord-service's alone: the ingress has refused two, and reported none.
    after.before.sandbox.add_fault(Fault::new(Effect::MissingAccess).on_channel(alerts));
    assert!(after.send(&mention, "undeliverable").await.is_success());
    let events = wait_for("a report of the dead letter", SOON, || async {
        Some(receiver.items("event")).filter(|events| !events.is_empty())
    })
    .await;
    assert!(events.iter().all(|event| event["tags"]["service"] == "discord-service"), "{events:?}");
    assert!(after.ingress.log().contains("refused a request"));
}
