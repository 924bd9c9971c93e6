//! The process of chromedriver, and one session of it.

use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader},
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
};

use reqwest::Method;
use serde_json::{Value, json};

/// Starts chromedriver and ends it and its Chromium when this process ends, however
/// it does: then the pipe on their standard input closes.
const LEASH: &str = r#""$@" & read -r _; kill -KILL 0"#;

/// What chromedriver prints before its port.
const STARTED: &str = "started successfully on port ";

/// A running chromedriver. It and its Chromium end when this is dropped.
#[derive(Debug)]
pub(super) struct Driver {
    /// The shell that holds the leash; the others are in its process group.
    leash: Child,
    /// Where requests go: the server, then the server and its session.
    base: String,
    client: reqwest::Client,
}

impl Driver {
    /// Starts one on a free port, without a browser.
    pub(super) fn start() -> Self {
        let mut leash = Command::new("sh")
            .args(["-c", LEASH, "browser", "chromedriver", "--port=0", "--log-level=SEVERE"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("sh starts");
        let mut lines = BufReader::new(leash.stdout.take().expect("standard output is piped")).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once(STARTED)?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        // Read on, or chromedriver blocks on a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let base = format!("http://127.0.0.1:{}", port.expect("chromedriver says its port"));
        let client = reqwest::Client::builder().no_proxy().build().expect("a client needs nothing");
        Self { leash, base, client }
    }

    /// Starts Chromium with these arguments.
    pub(super) async fn open_session(&mut self, arguments: &[impl AsRef<OsStr>]) {
        let arguments: Vec<_> =
            arguments.iter().map(|argument| argument.as_ref().to_string_lossy()).collect();
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let session = self.request(Method::POST, "/session", Some(wanted)).await.expect("Chromium starts");
        self.base = format!("{}/session/{}", self.base, session["sessionId"].as_str().unwrap_or_default());
    }

    /// One request of WebDriver; the value that it is answered with.
    ///
    /// # Errors
    /// What chromedriver says against it.
    pub(super) async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, String> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let failed = !answer.status().is_success();
        let mut answer: Value = answer.json().await.map_err(|error| error.to_string())?;
        let value = answer["value"].take();
        if failed { Err(format!("{}: {}", value["error"], value["message"])) } else { Ok(value) }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Without its standard input the leash ends all of its group.
        drop(self.leash.stdin.take());
        let _ = self.leash.wait();
    }
}
