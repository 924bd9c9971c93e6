//! A network that can be cut.

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// Passes TCP connections on to a server while it is open. Cut, it refuses new
/// connections and has closed the old ones.
pub(crate) struct Relay {
    port: u16,
    server: String,
    passing: Option<JoinHandle<()>>,
}

impl Relay {
    /// A cut relay to `server` (`host:port`).
    pub(crate) fn new(server: String) -> Self {
        Self { port: harness::free_port(), server, passing: None }
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) async fn open(&mut self) {
        let listener = TcpListener::bind(self.host()).await.unwrap();
        let server = self.server.clone();
        self.passing = Some(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let server = server.clone();
                connections.spawn(async move {
                    let mut server = TcpStream::connect(server).await?;
                    copy_bidirectional(&mut client, &mut server).await
                });
            }
        }));
    }

    pub(crate) async fn cut(&mut self) {
        if let Some(passing) = self.passing.take() {
            passing.abort();
            let _ = passing.await;
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Some(passing) = &self.passing {
            passing.abort();
        }
    }
}
