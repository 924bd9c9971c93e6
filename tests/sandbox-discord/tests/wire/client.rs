//! A small client of the sandbox, and a guild to try it on.

use std::{sync::LazyLock, time::Duration};

use reqwest::{Method, RequestBuilder, Response};
use sandbox_discord::{Channel, Clocks, Config, Guild, Limit, Sandbox, User};
use serde_json::{Value, json};

/// A sandbox with a guild, a human in it and a channel.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) guild: u64,
    pub(crate) olivia: u64,
    pub(crate) channel: u64,
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    pub(crate) fn code(&self) -> u64 {
        self.body["code"].as_u64().unwrap_or_default()
    }

    /// The code of the first error at this path of the form.
    pub(crate) fn error_at(&self, path: &str) -> &str {
        let errors = self.body["errors"].pointer(&format!("{path}/_errors/0/code"));
        errors.and_then(Value::as_str).unwrap_or_default()
    }
}

/// One client for all tests: making one reads the system's certificates, which
/// takes longer than most tests. It keeps no connection, since each belongs to
/// the runtime of one test.
pub(crate) fn http() -> &'static reqwest::Client {
    static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
        let builder = reqwest::Client::builder().pool_max_idle_per_host(0);
        builder.user_agent("DiscordBot (https://example.com, 1.0)").build().unwrap()
    });
    &CLIENT
}

/// Rate limits that a test does not run into by accident.
pub(crate) fn unlimited(clocks: &mut Clocks) {
    let plenty = Limit::new(100_000, Duration::from_secs(1));
    clocks.channel = plenty;
    clocks.others = plenty;
    clocks.global = plenty;
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(Config::default().clocks(unlimited)).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let sandbox = Sandbox::start(config).await;
        let olivia = sandbox.add_user(User::new("olivia"));
        let guild = sandbox.add_guild(Guild::new("Sandbox", olivia));
        let channel = sandbox.add_channel(guild, Channel::text("general"));
        Self { sandbox, guild, olivia, channel }
    }

    /// A request below `/api/v10` with the bot's token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/api/v10{path}", self.sandbox.url());
        http().request(method, url).header("authorization", format!("Bot {}", self.sandbox.token()))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        read(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        read(self.request(method, path).json(body).send().await.unwrap()).await
    }

    /// Create Message in the channel.
    pub(crate) async fn post(&self, body: Value) -> Answer {
        self.post_in(self.channel, body).await
    }

    pub(crate) async fn post_in(&self, channel: u64, body: Value) -> Answer {
        self.send(Method::POST, &format!("/channels/{channel}/messages"), &body).await
    }

    pub(crate) async fn try_post(&self, content: &str) -> reqwest::Result<Response> {
        let path = format!("/channels/{}/messages", self.channel);
        self.request(Method::POST, &path).json(&json!({ "content": content })).send().await
    }

    pub(crate) fn contents(&self) -> Vec<String> {
        self.sandbox.messages(self.channel).iter().map(|message| message.content().to_owned()).collect()
    }
}

pub(crate) async fn read(response: Response) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    // A body that is not JSON is kept as it came.
    let body = if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    };
    Answer { status, headers, body }
}
