//! Three NATS servers that know one another.

use super::ports::Ports;
use super::running::{Group, Running, line};
use anyhow::{Context, Result};
use rustix::process::Signal;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const SERVERS: usize = 3;
/// Each has one for clients and one for the others.
pub(super) const PORTS: usize = 2 * SERVERS;
/// They answer at once or not at all.
const ANSWER_MS_MAX: u64 = 500;

pub(super) struct Nats {
    pub(super) group: Group,
    pub(super) ports: Vec<u16>,
}

impl Nats {
    pub(super) async fn start(directory: &Path, program: &Path, ports: &mut Ports) -> Result<Self> {
        let route_ports = ports.take_some(SERVERS);
        let mut this = Self { group: Group::new(Signal::TERM), ports: ports.take_some(SERVERS) };
        let routes: Vec<String> = route_ports.iter().map(|port| url(*port)).collect();
        for (index, port) in this.ports.iter().enumerate() {
            let name = format!("NATS {}", index + 1);
            let mut command = Command::new(program);
            command.args(["--addr", "127.0.0.1", "--port", &port.to_string(), "--cluster_name", "couplet"]);
            command.args(["--cluster", &routes[index], "--routes", &routes.join(",")]);
            let mut running = Running::start(directory, &name, &mut command)?;
            running.start_again = Some(line(&command));
            this.group.members.push(running);
        }
        for (running, port) in this.group.members.iter_mut().zip(&this.ports) {
            running.ready(|| known_servers(*port).is_ok_and(|known| known == SERVERS)).await?;
        }
        Ok(this)
    }

    pub(super) fn urls(&self) -> Vec<String> {
        self.ports.iter().map(|port| url(*port)).collect()
    }
}

fn url(port: u16) -> String {
    format!("nats://127.0.0.1:{port}")
}

/// How many servers of its cluster a server tells a new client of, itself included.
fn known_servers(port: u16) -> Result<usize> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_millis(ANSWER_MS_MAX)))?;
    let mut told = String::new();
    BufReader::new(stream).read_line(&mut told)?;
    known_in(&told)
}

fn known_in(told: &str) -> Result<usize> {
    let info = told.strip_prefix("INFO ").context("a server says what it is")?;
    let info: serde_json::Value = serde_json::from_str(info)?;
    Ok(info["connect_urls"].as_array().map_or(0, Vec::len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_whom_it_knows() {
        assert_eq!(known_in("INFO {\"connect_urls\":[\"127.0.0.1:1\",\"127.0.0.1:2\"]}\r\n").unwrap(), 2);
        assert_eq!(known_in("INFO {\"server_id\":\"N\"}\r\n").unwrap(), 0);
        assert!(known_in("").is_err());
    }
}
