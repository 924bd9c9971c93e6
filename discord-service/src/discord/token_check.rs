//! Whether Discord takes the bot's token. A 401 alone does not say so: Discord's
//! edge gives one now and then while the token is valid.

use std::time::Duration;

use reqwest::Method;
use tokio::{sync::Mutex, time::Instant};

use super::{
    Discord,
    answer_meaning::{Asked, Meaning},
    route::Route,
};

/// How long a look-up waits for rate limits.
const PATIENCE: Duration = Duration::from_secs(5);
/// The token is looked at again so long after the last time, at the earliest.
const PAUSE: Duration = Duration::from_secs(2);

/// What is known of the token.
#[derive(Debug, Default)]
pub(super) struct TokenCheck(Mutex<TokenState>);

#[derive(Debug, Default)]
enum TokenState {
    /// Nobody doubted it yet.
    #[default]
    Nothing,
    /// A look-up that ended then did not refuse it.
    NotRefused(Instant),
    /// It is not valid, and never will be.
    Refused,
}

impl Discord {
    /// Whether Discord refuses the token, after an answer that raises doubt. One
    /// look-up serves all who doubt at the same time; what it cannot tell counts
    /// as no.
    pub(super) async fn is_token_refused(&self) -> bool {
        const ME: &str = "/users/@me";
        let doubted = Instant::now();
        let mut known = self.inner.token.0.lock().await;
        match *known {
            TokenState::Refused => return true,
            TokenState::NotRefused(told) if doubted < told + PAUSE => return false,
            TokenState::Nothing | TokenState::NotRefused(_) => {}
        }
        let (route, deadline) = (Route::new(&Method::GET, ME), doubted + PATIENCE);
        let answer = self.attempt(ME, &route, None, deadline).await;
        let refused = answer.is_ok_and(|answer| {
            answer.status.as_u16() == 401 && answer.meaning(Asked::LookUp) == Meaning::PerhapsBadToken
        });
        *known = if refused { TokenState::Refused } else { TokenState::NotRefused(Instant::now()) };
        refused
    }
}
