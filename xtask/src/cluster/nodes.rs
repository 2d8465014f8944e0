//! The nodes: the same settings for all, but for where each listens.

use super::http;
use super::running::{Group, Running, line};
use anyhow::Result;
use rustix::process::Signal;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

pub(super) struct Nodes {
    pub(super) group: Group,
    ports: Vec<u16>,
}

/// What all nodes are told.
pub(super) struct Settings {
    pub(super) postgres_url: String,
    pub(super) nats_urls: Vec<String>,
    /// The declaration of the app, which stands last.
    pub(super) app: String,
}

impl Nodes {
    pub(super) async fn start(
        directory: &Path,
        couplet: &Path,
        settings: &Settings,
        ports: Vec<u16>,
    ) -> Result<Self> {
        let mut this = Self { group: Group::new(Signal::TERM), ports };
        for (index, port) in this.ports.iter().enumerate() {
            let name = format!("node {}", index + 1);
            let data = directory.join(format!("node-{}", index + 1));
            let file = data.with_extension("toml");
            std::fs::write(&file, settings.text(*port, &data))?;
            let mut command = Command::new(couplet);
            command.arg("serve").arg("--config").arg(&file);
            let mut running = Running::start(directory, &name, &mut command)?;
            running.start_again = Some(line(&command));
            this.group.members.push(running);
        }
        for (running, port) in this.group.members.iter_mut().zip(&this.ports) {
            running.ready(|| http::is_ready(address(*port))).await?;
        }
        Ok(this)
    }

    pub(super) fn address(&self, index: usize) -> SocketAddr {
        address(self.ports[index])
    }
}

impl Settings {
    fn text(&self, port: u16, data: &Path) -> String {
        let Self { postgres_url, nats_urls, app } = self;
        // Files would need a bucket that all nodes share.
        format!(
            "listen = \"127.0.0.1:{port}\"\ndata_dir = {data:?}\nstore = \"postgres\"\nbus = \"nats\"\n\n\
             [postgres]\nurl = {postgres_url:?}\n\n[nats]\nurls = {nats_urls:?}\n\n\
             [media]\nenabled = false\n\n{app}"
        )
    }
}

fn address(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
