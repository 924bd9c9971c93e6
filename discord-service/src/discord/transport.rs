//! One HTTP request to Discord and its answer, within limits of time and size.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use reqwest::{
    Client, Method, Response,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue},
    redirect,
};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::answer::Answer;

/// For DNS, TCP and TLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// For the whole request, from connecting to the last byte of the answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// More than any answer that is asked for: the largest lists all channels of a
/// guild with their overwrites.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// Discord blocks requests whose user agent has another form.
pub(crate) const USER_AGENT: &str =
    concat!("DiscordBot (", env!("CARGO_PKG_REPOSITORY"), ", ", env!("CARGO_PKG_VERSION"), ")");

/// The connections to Discord.
#[derive(Debug)]
pub(super) struct Transport {
    client: Client,
    /// Ends without a slash.
    base: String,
    token: SecretString,
}

impl Transport {
    pub(super) fn new(api_url: &Url, token: SecretString) -> anyhow::Result<Self> {
        let mut authorization = HeaderValue::from_str(&format!("Bot {}", token.expose_secret()))
            .context("DISCORD_TOKEN: a token has no such characters")?;
        authorization.set_sensitive(true);
        let client = Client::builder()
            .default_headers(HeaderMap::from_iter([(AUTHORIZATION, authorization)]))
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            // HTTP/1.1: a request that hangs then takes its own connection with
            // it and not everybody's.
            .http1_only()
            // The token must not follow anybody elsewhere.
            .redirect(redirect::Policy::none())
            .build()
            .context("cannot set up the HTTP client for Discord")?;
        Ok(Self { client, base: format!("{}/api/v10", api_url.as_str().trim_end_matches('/')), token })
    }

    pub(super) fn token(&self) -> &SecretString {
        &self.token
    }

    /// Sends one request and reads its answer, whatever its status. Errors
    /// never show the path, which may carry a token.
    pub(super) async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> anyhow::Result<Answer> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        let mut response = request.send().await.map_err(reqwest::Error::without_url).context("no answer")?;
        let body = read(&mut response).await?;
        Ok(Answer { status: response.status(), headers: response.headers().clone(), body })
    }
}

async fn read(response: &mut Response) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) =
        response.chunk().await.map_err(reqwest::Error::without_url).context("the answer broke off")?
    {
        ensure!(body.len() + chunk.len() <= MAX_ANSWER_BYTES, "the answer is too long");
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
