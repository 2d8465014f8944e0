//! The store, whichever it is.

use super::{StartError, embedded_options};
use crate::config::{self, Config, StoreKind};
use chat::port::{Store, StoreError};
use std::sync::Arc;
use store::{Embedded, Postgres, PostgresOptions};

/// The store that the settings name, open.
#[derive(Clone)]
pub(super) enum OpenStore {
    Embedded(Arc<Embedded>),
    Postgres(Arc<Postgres>),
}

impl OpenStore {
    pub(super) async fn open(config: &Config) -> Result<Self, StartError> {
        match config.store {
            StoreKind::Embedded => {
                let path = config.data_dir.join("store");
                let options = embedded_options(config);
                let (opening, at) = (path.clone(), path);
                let opened = tokio::task::spawn_blocking(move || Embedded::open(&opening, options)).await;
                let opened = opened.expect("opening the store does not panic");
                let opened = opened.map_err(|error| StartError::Open(at, error))?;
                Ok(Self::Embedded(Arc::new(opened)))
            }
            StoreKind::Postgres => {
                let opened = Postgres::open(postgres_options(&config.postgres)).await?;
                Ok(Self::Postgres(Arc::new(opened)))
            }
        }
    }

    pub(super) fn port(&self) -> Arc<dyn Store> {
        match self {
            Self::Embedded(store) => Arc::clone(store) as Arc<dyn Store>,
            Self::Postgres(store) => Arc::clone(store) as Arc<dyn Store>,
        }
    }

    /// The store in the data directory, if it is that.
    pub(super) fn embedded(&self) -> Option<&Arc<Embedded>> {
        match self {
            Self::Embedded(store) => Some(store),
            Self::Postgres(_) => None,
        }
    }

    pub(super) fn works(&self) -> bool {
        match self {
            Self::Embedded(store) => store.works(),
            Self::Postgres(store) => store.works(),
        }
    }

    /// Blocks until all that was asked is done.
    pub(super) fn close(&self) -> Result<(), StoreError> {
        match self {
            Self::Embedded(store) => store.close(),
            Self::Postgres(store) => store.close(),
        }
    }
}

fn postgres_options(settings: &config::Postgres) -> PostgresOptions {
    let has_root = !settings.root_cert.as_os_str().is_empty();
    PostgresOptions {
        url: settings.url.clone(),
        schema: settings.schema.clone(),
        root_cert: has_root.then(|| settings.root_cert.clone()),
        pool_size: settings.pool_size,
        connect_timeout_ms: settings.connect_timeout_ms,
        statement_timeout_ms: settings.statement_timeout_ms,
        lanes_per_app: settings.lanes_per_app,
        ..PostgresOptions::default()
    }
}
