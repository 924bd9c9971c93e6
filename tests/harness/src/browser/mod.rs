//! Chromium without a window, driven over WebDriver: real clicks and real keys.
//!
//! The protocol is a few requests of JSON (<https://www.w3.org/TR/webdriver2/>). The
//! crates that speak it either bring eighteen others, one under a licence that we do
//! not take, or change `serde_json` for the whole workspace.

mod axe;
mod driver;
mod elements;
mod network;

use std::path::PathBuf;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use self::driver::Driver;
pub use self::{
    elements::{Element, keys},
    network::Network,
};
use crate::skip;

/// A browser of its own, with its own profile. It ends when it is dropped.
#[derive(Debug)]
pub struct Browser {
    driver: Driver,
    files: TempDir,
}

/// What a page is shown on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// In CSS pixels.
    pub width: u32,
    /// In CSS pixels.
    pub height: u32,
    /// Pixels of a picture for each CSS pixel.
    pub scale: u32,
    /// Whether the person prefers dark pages.
    pub dark: bool,
}

impl Screen {
    /// A window on a desktop.
    pub const DESKTOP: Self = Self { width: 1280, height: 900, scale: 1, dark: true };
    /// A phone held upright.
    pub const PHONE: Self = Self { width: 390, height: 844, scale: 1, dark: true };

    /// The same in daylight.
    #[must_use]
    pub const fn light(self) -> Self {
        Self { dark: false, ..self }
    }
}

/// A part of a page, in CSS pixels.
#[derive(Debug, Clone, Copy)]
pub struct Area {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
}

/// How a picture is stored.
#[derive(Debug, Clone, Copy)]
pub enum Format {
    /// Without loss.
    Png,
    /// With a quality up to 100.
    WebP(u8),
}

impl Browser {
    /// Starts one. Without Chromium on this machine the test is skipped, loudly: none.
    ///
    /// # Panics
    /// When it does not start, and in CI also when it is not installed.
    pub async fn start() -> Option<Self> {
        // chromedriver finds either.
        let has_browser = ["chromium", "google-chrome"].into_iter().any(is_on_path);
        if !has_browser || !is_on_path("chromedriver") {
            skip("Chromium is not installed (it needs Debian's `chromium` and `chromium-driver`)");
            return None;
        }
        let files = tempfile::tempdir().expect("a temporary directory");
        let file = |name: &str| files.path().join(name).display().to_string();
        let arguments = [
            "--headless=new".to_owned(),
            // It opens only our own pages, and root may not use Chromium's sandbox.
            "--no-sandbox".to_owned(),
            // A container's /dev/shm may be small.
            "--disable-dev-shm-usage".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--hide-scrollbars".to_owned(),
            "--lang=en-GB".to_owned(),
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1".to_owned(),
            format!("--user-data-dir={}", file("profile")),
            format!("--log-net-log={}", file("network.json")),
        ];
        let mut driver = Driver::start();
        driver.open_session(&arguments).await;
        Some(Self { driver, files })
    }

    /// Ends it; what it did on the network.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn close(self) -> Network {
        self.driver.request(Method::DELETE, "", None).await.expect("Chromium ends");
        Network::read(&self.files.path().join("network.json"))
    }

    /// Opens a page and waits until it is loaded.
    ///
    /// # Panics
    /// When it cannot be loaded.
    pub async fn open(&self, url: &str) {
        self.post("/url", json!({ "url": url })).await.expect("the page loads");
    }

    /// Shows the page on another screen.
    pub async fn show_on(&self, screen: Screen) {
        let Screen { width, height, scale, dark } = screen;
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 600 });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        let scheme = json!({ "name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" } });
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": [scheme] })).await;
    }

    /// Runs the body of a function with these arguments in the page. Of a promise,
    /// this is what it comes to.
    ///
    /// # Panics
    /// When it throws.
    pub async fn run(&self, script: &str, arguments: Value) -> Value {
        let body = json!({ "script": script, "args": arguments });
        self.post("/execute/sync", body).await.expect("the script does not throw")
    }

    /// A picture of this part of the page, or of the screen.
    pub async fn picture(&self, area: Option<Area>, format: Format) -> Vec<u8> {
        let mut wanted = match format {
            Format::Png => json!({ "format": "png" }),
            Format::WebP(quality) => json!({ "format": "webp", "quality": quality }),
        };
        if let Some(Area { x, y, width, height }) = area {
            wanted["captureBeyondViewport"] = true.into();
            wanted["clip"] = json!({ "x": x, "y": y, "width": width, "height": height, "scale": 1 });
        }
        let answer = self.devtools("Page.captureScreenshot", wanted).await;
        STANDARD.decode(answer["data"].as_str().unwrap_or_default()).expect("a picture is Base64")
    }

    /// The errors on the page's console so far: scripts that throw, what the page's
    /// policy forbids, requests that fail. Each is told once.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", json!({ "type": "browser" })).await.expect("there is such a log");
        let entries = log.as_array().into_iter().flatten().filter(|entry| entry["level"] == "SEVERE");
        entries.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// A command of Chromium's own protocol
    /// (<https://chromedevtools.github.io/devtools-protocol/>).
    async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.post("/goog/cdp/execute", body).await.expect("Chromium does it")
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value, String> {
        self.driver.request(Method::POST, path, Some(body)).await
    }

    async fn get(&self, path: &str) -> Result<Value, String> {
        self.driver.request(Method::GET, path, None).await
    }
}

fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder: PathBuf| folder.join(program)).any(|file| file.exists())
}
