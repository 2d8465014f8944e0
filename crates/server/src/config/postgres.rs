//! Where PostgreSQL is.

use super::{ConfigError, unusable};
use serde::Deserialize;
use std::path::PathBuf;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Postgres {
    pub url: String,
    pub schema: String,
    pub root_cert: PathBuf,
    pub pool_size: usize,
    pub connect_timeout_ms: u64,
    pub statement_timeout_ms: u64,
    pub lanes_per_app: u16,
}

// The URL has a password in it.
impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Postgres {
    /// `is_used`: whether it is the store. `has_apps`: whether the configuration declares the apps.
    pub(super) fn check(&self, is_used: bool, has_apps: bool) -> Result<(), ConfigError> {
        let positive = [
            ("postgres.pool_size", self.pool_size as u64),
            ("postgres.connect_timeout_ms", self.connect_timeout_ms),
            ("postgres.statement_timeout_ms", self.statement_timeout_ms),
            ("postgres.lanes_per_app", u64::from(self.lanes_per_app)),
        ];
        if let Some((key, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return unusable(format!("{key} is 0: nothing could pass; leave it out for the default"));
        }
        if !is_used {
            return Ok(());
        }
        if self.url.is_empty() {
            return unusable("store = \"postgres\" needs postgres.url: where the database is");
        }
        if !has_apps {
            return unusable(
                "store = \"postgres\" needs the apps in the configuration file: one that a node makes by itself \
                 would have another key on every node",
            );
        }
        Ok(())
    }
}
