//! Calls to a node, one connection each.

use anyhow::{Context, Result, ensure};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than a node keeps anybody waiting for its database.
const ANSWER_SECS_MAX: u64 = 20;

/// Whether a node can be used, and hears of the others.
pub(super) fn is_ready(node: SocketAddr) -> bool {
    // A node without NATS answers 200 as well, and says so.
    ask(node, "GET", "/readyz", "").is_ok_and(|text| text.trim() == "ready")
}

pub(super) fn post(node: SocketAddr, path: &str, body: &str) -> Result<String> {
    ask(node, "POST", path, body)
}

fn ask(node: SocketAddr, method: &str, path: &str, body: &str) -> Result<String> {
    let mut stream = TcpStream::connect(node)?;
    stream.set_read_timeout(Some(Duration::from_secs(ANSWER_SECS_MAX)))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {node}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, text) = answer.split_once("\r\n\r\n").context("an answer has a head")?;
    ensure!(head.starts_with("HTTP/1.1 200 "), "{head}");
    Ok(text.to_owned())
}
