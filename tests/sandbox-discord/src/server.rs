//! The world of a sandbox, and the HTTP server before it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix_web::{guard, web};
use tokio::sync::Notify;

pub(crate) use sandbox_server::Connection;

use crate::{config::Config, control, demo::routes::Demo, gateway, page, rest, world::World};

/// The world behind its lock.
#[derive(Debug)]
pub(crate) struct Hub {
    world: Mutex<World>,
    /// Notified after each request.
    changed: Notify,
}

impl Hub {
    /// Reads the world or changes it. It stays usable after a panic in a test's
    /// closure.
    pub(crate) fn lock<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        act(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Wakes those who wait for a change, after a request.
    pub(crate) fn tell(&self) {
        self.changed.notify_waiters();
    }

    /// Looks after each request until there is something, at most for `limit`.
    pub(crate) async fn wait<T>(&self, limit: Duration, look: impl Fn(&World) -> Option<T>) -> Option<T> {
        let looking = async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                // From here on no change is missed.
                changed.as_mut().enable();
                if let Some(found) = self.lock(|world| look(world)) {
                    return found;
                }
                changed.await;
            }
        };
        tokio::time::timeout(limit, looking).await.ok()
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
        let demo = web::Data::new(Demo::new(config.services.clone()));
        let hub = Arc::new(Hub { world: Mutex::new(World::new(config)), changed: Notify::new() });
        let shared = web::Data::from(Arc::clone(&hub));
        let app = move |app: &mut web::ServiceConfig| {
            app.app_data(shared.clone())
                .app_data(demo.clone())
                .service(web::resource("/").guard(guard::Header("upgrade", "websocket")).to(gateway::upgrade))
                .configure(page::routes)
                .configure(control::routes)
                .default_service(web::to(rest::handle));
        };
        let running = sandbox_server::Server::start("sandbox-discord", listener, app, || {})?;
        Ok(Self { addr, hub, _running: running })
    }
}
