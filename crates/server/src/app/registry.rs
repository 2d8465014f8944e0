//! The apps that are served, and how they are exchanged while the server runs.

use super::{StartError, declared};
use crate::apps::{App, Apps};
use crate::callback::Crew;
use crate::config::{Config, Flags};
use crate::push;
use chat::port::Account;
use rustc_hash::FxHashMap;
use std::sync::Arc;

pub(super) struct Registry {
    pub(super) apps: Arc<Apps>,
    pub(super) crew: Arc<Crew>,
    pub(super) flags: Flags,
}

impl Registry {
    /// Reads the declarations anew. When they cannot be used, nothing changes.
    pub(super) async fn reload(&self) -> Result<(), StartError> {
        let config = Config::load(&self.flags)?;
        let (declared, _) = declared::apps(&config)?;
        let by_id = Apps::declared(&config, &declared)?;
        self.adopt(by_id).await?;
        tracing::info!(apps = declared.len(), "the apps were read anew");
        Ok(())
    }

    /// Serves these apps from now on.
    pub(super) async fn adopt(&self, by_id: FxHashMap<u32, Arc<App>>) -> Result<(), StartError> {
        let store = &self.crew.chat.store;
        for app in by_id.values() {
            // Admins are ordinary accounts besides, and may be shown as senders.
            let admins = app.admins.iter().copied().map(Account::bare).collect();
            store.import_accounts(app.id, admins, self.crew.chat.clock.now_ms()).await?;
        }
        self.apps.replace(by_id);
        let (apps, crew) = (self.apps.all(), &self.crew);
        let (chat, bus, names) = (crew.chat.clone(), Arc::clone(&crew.bus), Arc::clone(&crew.names));
        let followers = push::followers(&apps, &push::Surroundings { chat, bus, names });
        crew.serve(&apps, followers).await;
        Ok(())
    }
}
