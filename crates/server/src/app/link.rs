//! The bus, with or without other nodes.

use super::StartError;
use crate::bus::NodeBus;
use crate::bus::nats::{Login, NatsError, NatsOptions};
use crate::config::{self, BusKind, Config};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::timeout;

/// Often enough that nobody is shown as online for long after a node has died, and rarely enough to cost nothing.
const BEAT: Duration = Duration::from_secs(2);

pub(super) async fn open(config: &Config) -> Result<NodeBus, StartError> {
    match config.bus {
        BusKind::Local => Ok(NodeBus::default()),
        BusKind::Nats => {
            let bus = NodeBus::on_nats(options(&config.nats)?).await?;
            // Whoever logs in right away should hear of the other nodes; but they can do without.
            if timeout(Duration::from_millis(config.nats.request_timeout_ms), bus.linked()).await.is_err() {
                tracing::warn!("there is no NATS yet: the server starts without");
            }
            Ok(bus)
        }
    }
}

fn options(config: &config::Nats) -> Result<NatsOptions, StartError> {
    let parse = |url: &String| url.parse().map_err(|error| NatsError::Url(url.clone(), error));
    let servers = config.urls.iter().map(parse).collect::<Result<_, _>>()?;
    let is_set = |path: &PathBuf| !path.as_os_str().is_empty();
    let login = if !config.user.is_empty() {
        Login::User { name: config.user.clone(), password: config.password.clone() }
    } else if !config.token.is_empty() {
        Login::Token(config.token.clone())
    } else if is_set(&config.nkey) {
        Login::NKey(read(&config.nkey)?.trim().to_owned())
    } else if is_set(&config.creds) {
        Login::Credentials(read(&config.creds)?)
    } else {
        Login::Nobody
    };
    Ok(NatsOptions {
        servers,
        prefix: config.prefix.clone(),
        login,
        require_tls: config.tls,
        ca: Some(config.ca.clone()).filter(is_set),
        certificate: Some((config.client_cert.clone(), config.client_key.clone()))
            .filter(|(certificate, _)| is_set(certificate)),
        request_timeout: Duration::from_millis(config.request_timeout_ms),
        gather: Duration::from_millis(config.gather_ms),
        poll: Duration::from_millis(config.poll_ms),
        polls_per_sec_max: config.polls_per_sec_max,
        beat: BEAT,
    })
}

fn read(path: &Path) -> Result<String, NatsError> {
    std::fs::read_to_string(path).map_err(|error| NatsError::File(path.to_owned(), error))
}
