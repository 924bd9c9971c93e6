//! Puts the service together, runs it, and takes it apart on SIGTERM.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use async_nats::jetstream;
use futures::FutureExt as _;
use shared::{
    ChannelId,
    admin::{self, PrometheusHandle, Readiness},
    bus::{self, Role, Streams},
    clock, settings, shutdown,
    shutdown::CancellationToken,
    telemetry,
    trust::SecretsKeys,
    wire,
};
use tokio::{runtime::Runtime, sync::watch, task::JoinSet, time::timeout};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    authority::Authority,
    cli,
    commands::{self, CommandServices, Commands},
    dead_letters::DeadLetters,
    delivery::Delivery,
    discord::Discord,
    gateway::Gateway,
    kv::Bucket,
    lease::Membership,
    metrics::METRICS,
    render::Style,
    sentry_addresses,
    settings::Settings,
    stack_trace::StackTraces,
    store::{self, FirestoreStore, Keys, Store},
    trust::Trusts,
    verdict_responder,
};

const SERVICE: &str = "discord-service";
/// How often to check whether the store answers.
const CHECK_EVERY: Duration = Duration::from_secs(2);
/// How long the store may take to answer such a check: with the check itself it
/// stays within three seconds.
const CHECK_WITHIN: Duration = Duration::from_millis(1_500);
/// The name under which readiness reports the start itself.
const CHECK: &str = "start";
/// The name under which it reports the leases.
const LEASES: &str = "leases";
/// The name under which it reports the store.
const STORE: &str = "store";

/// Runs the service until it is told to stop.
///
/// # Errors
/// Wrong settings, a bad token, or an address that cannot be bound.
pub fn run() -> anyhow::Result<()> {
    let mut settings: Settings = settings::parse()?;
    if let Some(command) = settings.command.take() {
        return Runtime::new()?.block_on(cli::run(&settings, command));
    }
    let secrets = SecretsKeys::from_settings(&settings.common)?;
    bus::check(&settings.common.nats)?;
    if settings.uses_firestore() {
        FirestoreStore::check(&settings)?;
    }
    clock::start();
    let metrics = telemetry::init(SERVICE, settings.common.log_format, METRICS)?;
    let stop = shutdown::on_signal()?;
    // The keys may be in the store. They are read before the threads start
    // that are to report to the operator's own Sentry.
    let reading = read_keys(&settings, &stop, metrics.clone());
    let Some(keys) = Runtime::new()?.block_on(reading)? else { return Ok(()) };
    let _sentry = telemetry::start_sentry(SERVICE, keys.sentry_dsn.as_ref(), &settings.common)?;
    Runtime::new()?.block_on(async {
        let readiness = Readiness::default();
        readiness.set_unready(CHECK, "starting");
        let (address, admin) = admin::serve(settings.admin_addr, readiness.clone(), metrics, None)?;
        tracing::info!(%address, "admin listener is up");
        let admin = tokio::spawn(admin);
        let grace = settings.common.shutdown_grace();
        let service = Service { settings, keys, secrets, readiness, stop: stop.clone() };
        let outcome = tokio::select! {
            outcome = service.serve() => outcome,
            () = grace_over(&stop, grace) => {
                tracing::warn!("the drain took too long; other pods finish the rest");
                Ok(())
            }
        };
        admin.abort();
        outcome
    })
}

/// The keys, or nothing when it is told to stop before they could be read.
async fn read_keys(
    settings: &Settings,
    stop: &CancellationToken,
    metrics: PrometheusHandle,
) -> anyhow::Result<Option<Keys>> {
    let given = store::given_keys(settings)?;
    let mode = settings.common.runtime_mode;
    // Only Firestore keeps keys.
    if !settings.uses_firestore() {
        return Ok(Some(store::keys(given, mode, None).await?));
    }
    // The store may be away for long. The probes must not take the process for dead.
    let readiness = Readiness::default();
    readiness.set_unready(CHECK, "reading the keys from the store");
    let (_, admin) = admin::serve(settings.admin_addr, readiness, metrics, None)?;
    let (handle, admin) = (admin.handle(), tokio::spawn(admin));
    let store = FirestoreStore::new(settings);
    let keys = tokio::select! {
        keys = store::keys(given, mode, Some(&store)) => keys.map(Some),
        () = stop.cancelled() => Ok(None),
    };
    // The address is bound once more, for good.
    handle.stop(false).await;
    admin.await.context("the admin listener panicked")??;
    Ok(keys?)
}

async fn grace_over(stop: &CancellationToken, grace: Duration) {
    stop.cancelled().await;
    tokio::time::sleep(grace).await;
}

/// What the service starts with.
struct Service {
    settings: Settings,
    keys: Keys,
    secrets: Option<SecretsKeys>,
    readiness: Readiness,
    stop: CancellationToken,
}

impl Service {
    async fn serve(self) -> anyhow::Result<()> {
        let Self { settings, keys, secrets, readiness, stop } = self;
        let (nats, lacks) = bus::connect(SERVICE, &settings.common.nats, &readiness).await?;
        let js = jetstream::new(nats.clone());
        let role = if settings.uses_firestore() { Role::Discord } else { Role::DiscordWithStore };
        let streams =
            Streams::new((nats.clone(), lacks), settings.common.nats.clone(), role, readiness.clone());
        let _streams = AbortOnDropHandle::new(tokio::spawn(async move { streams.keep().await }));
        let [lanes_bucket, messages, known_channels] =
            [wire::LANES, wire::MESSAGES, wire::CHANNELS].map(|name| Bucket::new(&js, name));
        let store = store::open(&settings, &nats).await?;
        let _store = AbortOnDropHandle::new(tokio::spawn(follow_store(store.clone(), readiness.clone())));
        let discord = Discord::new(&settings.discord_api_url, keys.discord_token.clone())?;
        let authority = Authority::new(store.clone(), discord.clone(), known_channels, lanes_bucket.clone());
        let trusts = Trusts::new(store.clone(), &js, secrets);
        let stack_traces = StackTraces::new(&js);
        let services = CommandServices {
            store,
            discord: discord.clone(),
            authority: authority.clone(),
            trusts: trusts.clone(),
            dead_letters: DeadLetters::new(js.clone()),
            stack_traces: stack_traces.clone(),
        };
        let commands = Arc::new(Commands::new(services, &settings));
        let gateway = Gateway {
            discord: discord.clone(),
            nats: nats.clone(),
            prefix: settings.command_prefix.clone(),
            handler: commands.clone(),
            readiness: readiness.clone(),
        };
        let delivery = Delivery {
            nats: nats.clone(),
            lanes_bucket,
            messages,
            stack_traces,
            authority: authority.clone(),
            discord: discord.clone(),
            style: Style { layout: settings.alert_style, glyph_url: settings.glyph_url.clone(), links: true },
            max_age: settings.alert_max_age(),
            backlog_max: usize::try_from(settings.common.nats.channel_backlog_max).unwrap_or(usize::MAX),
        };

        let Membership { keeper, partitions, shards, pods } =
            Membership::new(&nats, settings.lease_ttl(), stop.clone());
        let done = CancellationToken::new();
        let keeper = tokio::spawn(keeper.run(done.clone(), follow_leases(&readiness)));
        let _rate = AbortOnDropHandle::new(tokio::spawn(share_rate(discord.clone(), pods)));

        let mut parts: JoinSet<anyhow::Result<()>> = JoinSet::new();
        parts.spawn(delivery.run(partitions, stop.clone()));
        parts.spawn(trusts.reconcile(stop.clone()).map(Ok));
        parts.spawn(verdict_responder::answer(nats, authority, stop.clone()));
        parts.spawn(sentry_addresses::keep_fresh(settings.sentry_ip_ranges_url, js, stop.clone()));
        parts.spawn(register_commands(discord, commands.slash_id(), stop.clone()));
        parts.spawn(gateway.run(shards, stop.clone()));
        readiness.set_ready(CHECK);
        readiness.take_traffic();
        let outcome = until_all_end(parts, &readiness, &stop).await;
        // Nothing acts any more: what is still held can go to others.
        done.cancel();
        keeper.await.context("the leases' keeper panicked")?;
        outcome
    }
}

/// Registers the slash commands, and ends when the other parts do.
async fn register_commands(
    discord: Discord,
    slash_id: commands::SlashId,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    commands::register_slash_commands(&discord, &slash_id, &stop).await?;
    stop.cancelled().await;
    Ok(())
}

/// Waits until all parts have ended. They are told to stop as soon as one of them ends
/// before its time, or fails; the first failure is returned.
async fn until_all_end(
    mut parts: JoinSet<anyhow::Result<()>>,
    readiness: &Readiness,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let (mut outcome, mut stopping) = (Ok(()), false);
    loop {
        let ended = tokio::select! {
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                readiness.set_unready(CHECK, "stopping");
                readiness.drain();
                continue;
            }
            ended = parts.join_next() => match ended {
                Some(ended) => ended,
                None => return outcome,
            },
        };
        let ended = ended.context("a part of the service panicked").and_then(|ended| ended);
        if !stop.is_cancelled() || ended.is_err() {
            readiness.set_unready(CHECK, "stopping");
            readiness.drain();
            stop.cancel();
            outcome = outcome.and(ended);
        }
    }
}

/// Says in the readiness whether this pod is one of those that share the work.
fn follow_leases(readiness: &Readiness) -> impl Fn(Result<(), &str>) + Send + Sync + use<> {
    let readiness = readiness.clone();
    readiness.set_unready(LEASES, "joining the other pods");
    move |standing| match standing {
        Ok(()) => readiness.set_ready(LEASES),
        Err(why) => readiness.set_unready(LEASES, why),
    }
}

/// Keeps this pod to its share of Discord's limits for the whole bot.
async fn share_rate(discord: Discord, mut pods: watch::Receiver<usize>) {
    loop {
        let living = pods.borrow_and_update().max(1);
        discord.share_among(living);
        metrics::gauge!("sentry_bot_pods").set(living as f64);
        if pods.changed().await.is_err() {
            return;
        }
    }
}

/// Says in the readiness whether the store answers now, past all that is
/// remembered of it.
async fn follow_store(store: Arc<dyn Store>, readiness: Readiness) {
    loop {
        match timeout(CHECK_WITHIN, store.trust_now(ChannelId::new(0))).await {
            Ok(Ok(_)) => readiness.set_ready(STORE),
            Ok(Err(error)) => readiness.set_unready(STORE, error.to_string()),
            Err(_) => readiness.set_unready(STORE, format!("no answer within {CHECK_WITHIN:?}")),
        }
        tokio::time::sleep(CHECK_EVERY).await;
    }
}
