//! A real NATS, one for each test.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

pub(crate) struct NatsServer {
    pub(crate) child: Child,
    pub(crate) port: u16,
}

impl NatsServer {
    /// On a free port.
    pub(crate) fn start() -> Self {
        Self::start_with(&["--port", "-1"]).0
    }

    /// Where another one was.
    pub(crate) fn start_at(port: u16) -> Self {
        Self::start_with(&["--port", &port.to_string()]).0
    }

    /// Returns when it listens, with what it says from then on.
    pub(crate) fn start_with(arguments: &[&str]) -> (Self, Receiver<String>) {
        let mut command = Command::new(program());
        command.args(["--addr", "127.0.0.1"]).args(arguments);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let port = loop {
            let line = lines.next().expect("the NATS server ended").unwrap();
            if let Some((_, at)) = line.split_once("Listening for client connections on ") {
                break at.rsplit_once(':').unwrap().1.parse().unwrap();
            }
        };
        let (sender, said) = channel();
        // It would stand still when nobody reads what it says.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        (Self { child, port }, said)
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub(crate) fn kill(mut self) -> u16 {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.port
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn program() -> String {
    #[expect(clippy::disallowed_methods, reason = "the server's own settings are not meant")]
    let program = std::env::var("COUPLET_TEST_NATS");
    program.unwrap_or_else(|_| {
        panic!(
            "COUPLET_TEST_NATS is not set. This test needs a NATS server, which `cargo xtask test --only tests` \
             installs. To run it without that, set the variable to the program `nats-server`."
        )
    })
}
