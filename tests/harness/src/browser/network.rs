//! What Chromium did on the network, by its own log.

use std::{collections::BTreeMap, net::SocketAddr, path::Path};

use serde_json::Value;

/// The network as a browser used it, from its start to its end.
#[derive(Debug, Default)]
pub struct Network {
    /// Where it opened TCP connections to.
    pub connections: Vec<SocketAddr>,
    /// How often it sent datagrams.
    pub datagrams: usize,
    /// What pages asked for: the page's origin and the URL.
    pub requests: Vec<(String, String)>,
}

impl Network {
    /// Reads the file that `--log-net-log` names. Chromium completes it when it ends.
    pub(super) fn read(file: &Path) -> Self {
        let text = std::fs::read(file).expect("Chromium wrote a log of the network");
        let log: Value = serde_json::from_slice(&text).expect("the log is complete");
        let names: BTreeMap<u64, &str> = log["constants"]["logEventTypes"]
            .as_object()
            .expect("the log names its events")
            .iter()
            .filter_map(|(name, number)| Some((number.as_u64()?, name.as_str())))
            .collect();
        let mut network = Self::default();
        for event in log["events"].as_array().expect("the log has events") {
            let text = |name: &str| event["params"][name].as_str();
            let kind = event["type"].as_u64().and_then(|number| names.get(&number).copied());
            match kind.unwrap_or_default() {
                "TCP_CONNECT_ATTEMPT" => {
                    network
                        .connections
                        .extend(text("address").and_then(|address| address.parse::<SocketAddr>().ok()));
                }
                "UDP_BYTES_SENT" => network.datagrams += 1,
                "URL_REQUEST_START_JOB" => {
                    // What Chromium asks for itself has no page as its initiator.
                    let origin = text("initiator").filter(|origin| origin.starts_with("http"));
                    network.requests.extend(
                        origin.zip(text("url")).map(|(origin, url)| (origin.to_owned(), url.to_owned())),
                    );
                }
                _ => {}
            }
        }
        network
    }

    /// Asserts that nothing left loopback, and that pages asked only their own server.
    ///
    /// # Panics
    /// When something else was asked.
    pub fn assert_local(&self) {
        assert!(!self.connections.is_empty(), "the log shows connections");
        let strange: Vec<_> = self.connections.iter().filter(|address| !address.ip().is_loopback()).collect();
        assert!(strange.is_empty(), "it connected to {strange:?}");
        assert_eq!(self.datagrams, 0, "it sent datagrams");
        let strange: Vec<_> = self.requests.iter().filter(|(origin, url)| !url.starts_with(origin)).collect();
        assert!(strange.is_empty(), "pages asked for {strange:?}");
    }
}
