//! A child process: its lines, its signals, its end.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

/// Nothing here takes so long. It only turns a test that hangs into one that says where.
const PATIENCE_SECS: u64 = 90;

/// Waits for what has to come.
pub(crate) async fn awaited<T>(what: &str, event: impl Future<Output = T>) -> T {
    match timeout(Duration::from_secs(PATIENCE_SECS), event).await {
        Ok(happened) => happened,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    lines: UnboundedReceiver<String>,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = unbounded_channel();
        // Reads to the end even when nobody listens, or the child would block on a full pipe.
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)));
        });
        Self { child, lines }
    }

    /// The next line of its output; `None` when there will be none.
    pub(crate) async fn line(&mut self) -> Option<String> {
        awaited("a line of a child's output", self.lines.recv()).await
    }

    pub(crate) async fn json_line(&mut self) -> Value {
        let line = self.line().await.expect("the child says something before it ends");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"))
    }

    /// A figure in kB that the system gives of it, such as `VmRSS`.
    pub(crate) fn memory_kb(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap().trim().trim_end_matches(" kB").parse().unwrap()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// SIGKILL: it gets no chance to do anything.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success(), "{name} could be sent");
    }

    /// Waits for its end, and returns the lines it said until then.
    pub(crate) async fn ended(mut self) -> (ExitStatus, Vec<String>) {
        let mut lines = Vec::new();
        while let Some(line) = self.line().await {
            lines.push(line);
        }
        // Its output has ended, so there is next to nothing to wait for.
        (self.child.wait().unwrap(), lines)
    }
}

impl Drop for Process {
    /// No child outlives its test, however that ends.
    fn drop(&mut self) {
        if self.is_running() {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

/// A server that has said that it is ready.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) async fn start(command: &mut Command) -> Self {
        Self::ready(Process::start(command)).await
    }

    pub(crate) async fn ready(mut process: Process) -> Self {
        let line = process.json_line().await;
        let address = line["ready"]["listen"].as_str().unwrap_or_else(|| panic!("not ready: {line}"));
        Self { address: address.parse().unwrap(), process }
    }

    pub(crate) fn kill(self) {
        self.process.kill();
    }

    /// SIGTERM, and then its end in order.
    pub(crate) async fn stop(self) {
        self.process.signal("TERM");
        let (status, _) = self.process.ended().await;
        assert_eq!(status.code(), Some(0), "a stop that was asked for is no failure");
    }
}
