//! Which app a command works for: the flags say it, or the settings of the server it belongs to.

use crate::config::{App, Config, Flags};
use std::error::Error;
use std::path::PathBuf;

#[derive(Default, clap::Args)]
pub(super) struct WhichApp {
    /// The app; left out: the only one of the configuration or of the data directory
    #[arg(long, value_name = "ID")]
    pub(super) sdkappid: Option<u32>,
    /// The app's key; left out: the one of the configuration or of the data directory
    #[arg(long)]
    key: Option<String>,
    /// Settings of the server (a TOML file)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data directory of the server
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

// Without the key: what can be printed will be, one day.
impl std::fmt::Debug for WhichApp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WhichApp").field("sdkappid", &self.sdkappid).finish_non_exhaustive()
    }
}

/// An app that UserSigs can be made for.
pub(super) struct Found {
    pub(super) sdkappid: u32,
    pub(super) key: String,
    /// Not known when the flags said everything.
    pub(super) admin: Option<String>,
}

impl WhichApp {
    /// What the flags say, else the app that a server with these settings would serve.
    pub(super) fn find(&self) -> Result<Found, Box<dyn Error + Send + Sync>> {
        if let (Some(sdkappid), Some(key)) = (self.sdkappid, &self.key) {
            return Ok(Found { sdkappid, key: key.clone(), admin: None });
        }
        let app = self.declared(&self.settings()?)?;
        let key = self.key.clone().unwrap_or(app.key);
        Ok(Found { sdkappid: app.sdkappid, key, admin: app.admins.into_iter().next() })
    }

    /// The settings of the server.
    pub(super) fn settings(&self) -> Result<Config, Box<dyn Error + Send + Sync>> {
        let flags =
            Flags { config: self.config.clone(), data_dir: self.data_dir.clone(), ..Flags::default() };
        Ok(Config::load(&flags)?)
    }

    /// The app that a server with these settings would serve.
    pub(super) fn declared(&self, settings: &Config) -> Result<App, Box<dyn Error + Send + Sync>> {
        let apps = match settings.apps.is_empty() {
            false => settings.apps.clone(),
            true => Config::read_apps(&settings.data_dir.join("apps.toml")).map_err(|error| {
                format!("{error}; say with --config or --data-dir where the server has its settings")
            })?,
        };
        let wanted = |app: &App| self.sdkappid.is_none_or(|wanted| app.sdkappid == wanted);
        let mut fitting = apps.into_iter().filter(wanted);
        match (fitting.next(), fitting.next()) {
            (Some(app), None) => Ok(app),
            (None, _) => Err("there is no such app; give --sdkappid and --key".into()),
            (Some(_), Some(_)) => Err("there are several apps; say which with --sdkappid".into()),
        }
    }
}
