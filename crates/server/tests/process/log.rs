//! What a server writes on its error stream, line by line: where callers cannot see that something has happened, its
//! log says so.

use crate::process::awaited;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::Command;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

#[derive(Debug)]
pub(crate) struct Log(UnboundedReceiver<Value>);

impl Log {
    /// Of the server that this command starts. What is for people to look at is shown in the test's output as well.
    pub(crate) fn of(command: &mut Command) -> Self {
        let (read, write) = std::io::pipe().unwrap();
        command.stderr(write).env("COUPLET_LOG_FORMAT", "json");
        command.env("COUPLET_LOG_FILTER", "warn,server::callback=info");
        let (sender, lines) = unbounded_channel();
        // Reads to the end even when nobody listens, or the server would block on a full pipe.
        std::thread::spawn(move || {
            for line in BufReader::new(read).lines().map_while(Result::ok) {
                let entry: Value = serde_json::from_str(&line).unwrap_or(Value::String(line.clone()));
                if entry["level"] != "INFO" {
                    eprintln!("{line}");
                }
                drop(sender.send(entry));
            }
        });
        Self(lines)
    }

    /// Waits until it has said this as often, further on.
    pub(crate) async fn says(&mut self, text: &str, times: usize) {
        let mut seen = 0;
        while seen < times {
            let entry = awaited(text, self.0.recv()).await.expect("the server is running");
            seen += usize::from(entry["fields"]["message"] == text);
        }
    }
}

/// What it says of a failed attempt.
pub(crate) const TOLD_AGAIN: &str = "an event will be told again";
/// What it says when it gives up.
pub(crate) const PARKED: &str = "an event is parked";
