//! The service under test.

use std::time::Duration;

use async_nats::jetstream;
use clap::Parser as _;
use harness::{
    nats::NatsServer,
    wait::{SOON, wait_for},
};
use ingress_service::{Application, deadlines::AnswerTimeouts, settings::IngressSettings};
use metrics_exporter_prometheus::PrometheusBuilder;
use shared::{Alert, shutdown::CancellationToken, verdict::Verdict, wire};
use tokio_util::task::AbortOnDropHandle;

use super::{Request, Response, Verdicts, client};

/// So much that a busy machine makes no verdict and no confirmation late.
const PATIENT: AnswerTimeouts = AnswerTimeouts {
    answer: Duration::from_secs(20),
    held_modern_answer: Duration::from_secs(20),
    store: Duration::from_secs(10),
};

/// A running ingress with a nats-server of its own.
#[derive(Debug)]
pub struct TestApp {
    pub nats: NatsServer,
    pub port: u16,
    pub admin_port: u16,
    _pod: Pod,
    verdicts: Option<Verdicts>,
}

impl TestApp {
    /// In development mode, ready, with every channel authorized.
    pub async fn start() -> Self {
        Self::start_with(&["--runtime-mode", "development"]).await.decide(|_| Some(Verdict::Accepted)).await
    }

    /// In production mode unless `arguments` say otherwise, ready, and without a discord-service.
    pub async fn start_with(arguments: &[&str]) -> Self {
        let app = Self::launch(NatsServer::start().await, arguments).await;
        app.wait_until_ready().await;
        app
    }

    /// Starts it without waiting for anything.
    pub async fn launch(nats: NatsServer, arguments: &[&str]) -> Self {
        let pod = Pod::launch(&nats, arguments).await;
        Self::of(nats, pod)
    }

    /// The same, with the contract's time for an answer.
    pub async fn launch_punctual(nats: NatsServer, arguments: &[&str]) -> Self {
        let pod = Pod::launch_punctual(&nats, arguments).await;
        Self::of(nats, pod)
    }

    fn of(nats: NatsServer, pod: Pod) -> Self {
        Self { nats, port: pod.port, admin_port: pod.admin_port, _pod: pod, verdicts: None }
    }

    /// Puts a verdict responder in the place of discord-service.
    pub async fn decide(
        mut self,
        decide: impl Fn(&shared::verdict::VerdictRequest) -> Option<Verdict> + Send + 'static,
    ) -> Self {
        self.verdicts = Some(Verdicts::start(self.nats.client().await, decide).await);
        self
    }

    pub fn verdicts(&self) -> &Verdicts {
        self.verdicts.as_ref().expect("a responder was started")
    }

    pub async fn post(&self, target: &str, body: impl Into<Vec<u8>>) -> Response {
        Request::post(target, body).send(self.port).await
    }

    /// Every alert that is stored.
    pub async fn alerts(&self) -> Vec<Alert> {
        self.stored().await.into_iter().map(|(_, alert)| alert).collect()
    }

    /// Every alert that is stored, with its `Nats-Msg-Id`.
    pub async fn stored(&self) -> Vec<(String, Alert)> {
        let js = jetstream::new(self.nats.client().await);
        let stream = js.get_stream(wire::ALERTS).await.expect("the stream is there");
        let state = stream.cached_info().state.clone();
        let mut stored = Vec::new();
        for sequence in state.first_sequence.max(1)..=state.last_sequence {
            let message = stream.get_raw_message(sequence).await.expect("the message is there");
            let alert = Alert::decode(&message.payload).expect("an alert");
            assert_eq!(message.subject.as_str(), wire::alert_subject(alert.channel));
            let id = message.headers.get(async_nats::header::NATS_MESSAGE_ID).expect("an id");
            stored.push((id.to_string(), alert));
        }
        stored
    }

    /// Every alert that is stored, byte for byte with its headers.
    pub async fn raw(&self) -> Vec<Vec<u8>> {
        let js = jetstream::new(self.nats.client().await);
        let stream = js.get_stream(wire::ALERTS).await.expect("the stream is there");
        let state = stream.cached_info().state.clone();
        let mut stored = Vec::new();
        for sequence in state.first_sequence.max(1)..=state.last_sequence {
            let message = stream.get_raw_message(sequence).await.expect("the message is there");
            stored.push([message.payload.to_vec(), format!("{:?}", message.headers).into_bytes()].concat());
        }
        stored
    }

    /// `GET` of the admin listener.
    pub async fn admin(&self, path: &str) -> (u16, String) {
        client::get(self.admin_port, path).await
    }

    pub async fn wait_until_ready(&self) {
        self.wait_for_readiness(200, SOON).await;
    }

    pub async fn wait_for_readiness(&self, status: u16, limit: Duration) {
        wait_for(&format!("/readyz answers {status}"), limit, || async {
            (self.admin("/readyz").await.0 == status).then_some(())
        })
        .await;
    }
}

/// One process of the service, beside others perhaps.
#[derive(Debug)]
pub struct Pod {
    pub port: u16,
    pub admin_port: u16,
    _task: AbortOnDropHandle<anyhow::Result<()>>,
}

impl Pod {
    /// Starts it without waiting for anything.
    pub async fn launch(nats: &NatsServer, arguments: &[&str]) -> Self {
        let mut settings = Self::settings(nats, arguments);
        settings.answer_timeouts = PATIENT;
        if !arguments.contains(&"--verdict-timeout-ms") {
            settings.verdict_timeout_ms = 10_000;
        }
        Self::run(settings).await
    }

    /// The same, with the contract's time for an answer.
    pub async fn launch_punctual(nats: &NatsServer, arguments: &[&str]) -> Self {
        Self::run(Self::settings(nats, arguments)).await
    }

    fn settings(nats: &NatsServer, arguments: &[&str]) -> IngressSettings {
        let url = nats.url();
        let fixed = ["ingress-service", "--admin-addr", "127.0.0.1:0"];
        let address: &[&str] =
            if arguments.contains(&"--ingress-addr") { &[] } else { &["--ingress-addr", "127.0.0.1:0"] };
        let all =
            fixed.into_iter().chain(["--nats-url", &url]).chain(address.iter().chain(arguments).copied());
        IngressSettings::try_parse_from(all).expect("the settings are right")
    }

    async fn run(settings: IngressSettings) -> Self {
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let app = Application::build(settings, metrics).await.expect("it starts");
        let (port, admin_port) = (app.port(), app.admin_port());
        let task = AbortOnDropHandle::new(tokio::spawn(app.run(CancellationToken::new())));
        Self { port, admin_port, _task: task }
    }
}
