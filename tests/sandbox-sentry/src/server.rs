//! The HTTP server of a sandbox, on a thread of its own.

use std::{
    any::Any,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    os::fd::AsFd,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use actix_web::{App, HttpServer, dev::ServerHandle, web};
use anyhow::Context as _;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::{
    api,
    config::Config,
    control,
    hooks::{self, Hook, Outbox},
    page,
    world::World,
};

type Queue = UnboundedReceiver<(Duration, Vec<Hook>)>;

/// The world behind its lock.
#[derive(Debug)]
pub(crate) struct Hub(Mutex<World>);

impl Hub {
    /// Reads the world or changes it. It stays usable after a panic in a test's closure.
    pub(crate) fn lock<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A client's connection, which a fault may cut.
#[derive(Debug, Clone)]
pub(crate) struct Connection(Arc<TcpStream>);

impl Connection {
    fn of(io: &dyn Any) -> Option<Self> {
        let stream = io.downcast_ref::<actix_web::rt::net::TcpStream>()?;
        let handle = stream.as_fd().try_clone_to_owned().ok()?;
        Some(Self(Arc::new(handle.into())))
    }

    pub(crate) fn cut(&self) {
        // It may be gone already.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// A server that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    pub(crate) hub: Arc<Hub>,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(config: Config) -> anyhow::Result<Self> {
        let listener =
            TcpListener::bind(config.addr).with_context(|| format!("cannot listen on {}", config.addr))?;
        let addr = listener.local_addr().context("cannot learn the address")?;
        let (sender, queue) = unbounded_channel();
        let world = World::new(config, &format!("http://{addr}"), Outbox::new(sender));
        let hub = Arc::new(Hub(Mutex::new(world)));
        let (tell, told) = mpsc::channel();
        let shared = Arc::clone(&hub);
        let thread = std::thread::Builder::new()
            .name("sandbox-sentry".to_owned())
            .spawn(move || serve(listener, shared, queue, &tell))
            .context("cannot start the server's thread")?;
        let handle = told.recv().context("the server ended at once")?.context("cannot start the server")?;
        Ok(Self { addr, hub, handle, thread: Some(thread) })
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
    hub: Arc<Hub>,
    queue: Queue,
    tell: &mpsc::Sender<std::io::Result<ServerHandle>>,
) {
    let result = actix_web::rt::System::new().block_on(async {
        let hooks = Arc::clone(&hub);
        actix_web::rt::spawn(async move { hooks::run(&hooks, queue).await });
        let hub = web::Data::from(hub);
        let app = move || {
            App::new()
                .app_data(hub.clone())
                .app_data(web::PayloadConfig::new(8 << 20))
                .configure(control::routes)
                .configure(page::routes)
                .default_service(web::to(api::handle))
        };
        let server = HttpServer::new(app)
            .workers(2)
            .disable_signals()
            // A client that hangs up no longer waits for its answer.
            .h1_allow_half_closed(false)
            // Longer than clients keep idle connections, so that no connection closes under a request.
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
