//! The store on NATS.

use wskit_nats::{Nats, Settings};
use wskit_store::Bounds;

use crate::common::AnyStore;
use crate::nats_server::NatsServer;

/// Runs a test against the store, which is handed in as a way to open an empty one.
pub(crate) fn on_every_store(test: impl Fn(&dyn Fn(Bounds) -> AnyStore)) {
    let servers = std::cell::RefCell::new(Vec::new());
    test(&|bounds| {
        let server = NatsServer::start();
        let mut settings = Settings::default();
        settings.addresses = vec![server.address()];
        servers.borrow_mut().push(server);
        Box::new(Nats::connect(settings, bounds).unwrap())
    });
}
