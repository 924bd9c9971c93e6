//! The HTTP server of a sandbox, on a thread of its own: what the sandboxes of
//! Discord and of Sentry have in common.

mod refused;

use std::{
    any::Any,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    os::fd::AsFd,
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use actix_web::{App, HttpServer, dev::ServerHandle, web};
use anyhow::Context as _;

pub use self::refused::{Refused, unreadable};

/// A client's connection, which a fault may cut. Each request of a sandbox has it as
/// its connection's data.
#[derive(Debug, Clone)]
pub struct Connection(Arc<TcpStream>);

impl Connection {
    fn of(io: &dyn Any) -> Option<Self> {
        let stream = io.downcast_ref::<actix_web::rt::net::TcpStream>()?;
        let handle = stream.as_fd().try_clone_to_owned().ok()?;
        Some(Self(Arc::new(handle.into())))
    }

    /// Ends it in both directions.
    pub fn cut(&self) {
        // It may be gone already.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// A port that is taken, and its address.
///
/// # Errors
/// When the address is taken or not this machine's.
pub fn listen(addr: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(addr).with_context(|| format!("cannot listen on {addr}"))?;
    let addr = listener.local_addr().context("cannot learn the address")?;
    Ok((listener, addr))
}

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Server {
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves what `configure` adds. `beside` is called once on the server's thread, and
    /// may spawn tasks there. The thread has this name.
    ///
    /// # Errors
    /// When the server cannot start.
    pub fn start(
        name: &str,
        listener: TcpListener,
        configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
        beside: impl FnOnce() + Send + 'static,
    ) -> anyhow::Result<Self> {
        let (tell, told) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || serve(listener, configure, beside, &tell))
            .context("cannot start the server's thread")?;
        let handle = told.recv().context("the server ended at once")?.context("cannot start the server")?;
        Ok(Self { handle, thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // This call already stops the server. The future would only wait for its end.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(
    listener: TcpListener,
    configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
    beside: impl FnOnce(),
    tell: &mpsc::Sender<std::io::Result<ServerHandle>>,
) {
    let result = actix_web::rt::System::new().block_on(async {
        beside();
        let app = move || App::new().app_data(web::PayloadConfig::new(8 << 20)).configure(configure.clone());
        let server = HttpServer::new(app)
            .workers(2)
            .disable_signals()
            // A client that hangs up no longer waits for its answer.
            .h1_allow_half_closed(false)
            // Longer than clients keep idle connections, so that no connection closes
            // under a request.
            .keep_alive(Duration::from_secs(120))
            .on_connect(|io, data| {
                if let Some(connection) = Connection::of(io) {
                    data.insert(connection);
                }
            })
            .listen(listener)?
            .run();
        let _ = tell.send(Ok(server.handle()));
        server.await
    });
    if let Err(error) = result {
        let _ = tell.send(Err(error));
    }
}
