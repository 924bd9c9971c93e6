//! The world of a sandbox, and the HTTP server before it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use actix_web::web;
pub(crate) use sandbox_server::Connection;
use tokio::sync::mpsc::unbounded_channel;

use crate::{
    api,
    config::Config,
    control,
    hooks::{self, Outbox},
    page,
    world::World,
};

/// The world behind its lock.
#[derive(Debug)]
pub(crate) struct Hub(Mutex<World>);

impl Hub {
    /// Reads the world or changes it. It stays usable after a panic in a test's closure.
    pub(crate) fn lock<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A server that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    pub(crate) hub: Arc<Hub>,
    _running: sandbox_server::Server,
}

impl Server {
    pub(crate) fn start(config: Config) -> anyhow::Result<Self> {
        let (listener, addr) = sandbox_server::listen(config.addr)?;
        let (sender, queue) = unbounded_channel();
        let world = World::new(config, &format!("http://{addr}"), Outbox::new(sender));
        let hub = Arc::new(Hub(Mutex::new(world)));
        let (hooks, shared) = (Arc::clone(&hub), web::Data::from(Arc::clone(&hub)));
        let app = move |app: &mut web::ServiceConfig| {
            app.app_data(shared.clone())
                .configure(control::routes)
                .configure(page::routes)
                .default_service(web::to(api::handle));
        };
        let beside = || drop(actix_web::rt::spawn(async move { hooks::run(&hooks, queue).await }));
        let running = sandbox_server::Server::start("sandbox-sentry", listener, app, beside)?;
        Ok(Self { addr, hub, _running: running })
    }
}
