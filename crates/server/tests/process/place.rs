//! A directory with settings and data, and the commands that work on it.

use crate::process::{Process, Server};
use crate::rest::{self, Rest};
use chat::port::Clock;
use protocol::usersig::{self, Lifetime, Secret};
use server::clock::SystemClock;
use std::fs::File;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

pub(crate) const SDKAPPID: u32 = 1_400_000_001;
pub(crate) const ADMIN: &str = "administrator";
pub(crate) const KEY: &str = "the key of an app that is only tested";

#[derive(Debug)]
pub(crate) struct Place {
    directory: TempDir,
}

impl Place {
    /// With nothing in it.
    pub(crate) fn empty() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// With settings that declare one app. `settings` stand before it, `callback` are its own.
    pub(crate) fn new(settings: &str, callback: &str) -> Self {
        let this = Self::empty();
        this.declare(settings, callback);
        this
    }

    /// Writes such settings.
    pub(crate) fn declare(&self, settings: &str, callback: &str) {
        let app = format!("[[app]]\nsdkappid = {SDKAPPID}\nkey = \"{KEY}\"\nadmins = [\"{ADMIN}\"]\n");
        let callback =
            if callback.is_empty() { String::new() } else { format!("[app.callback]\n{callback}") };
        std::fs::write(self.settings(), format!("{settings}\n{app}{callback}\n")).unwrap();
    }

    pub(crate) fn settings(&self) -> PathBuf {
        self.directory.path().join("couplet.toml")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.path("data")
    }

    /// `couplet serve` with these settings.
    pub(crate) fn serve(&self) -> Command {
        self.serve_by(couplet())
    }

    /// Keeps a copy of the binary: a long run goes on while another one is built.
    pub(crate) fn keep_binary(&self) {
        std::fs::copy(env!("CARGO_BIN_EXE_couplet"), self.path("couplet")).unwrap();
    }

    /// `couplet serve` by the binary that was kept.
    pub(crate) fn serve_kept(&self) -> Command {
        self.serve_by(quiet(Command::new(self.path("couplet"))))
    }

    fn serve_by(&self, mut command: Command) -> Command {
        command.arg("serve").arg("--json").arg("--config").arg(self.settings());
        command.arg("--data-dir").arg(self.data_dir()).args(["--listen", "127.0.0.1:0"]);
        command
    }

    /// Runs a command that has to fail without ever being ready, and returns what it says about it.
    pub(crate) async fn refusal(&self, command: &mut Command) -> String {
        let path = self.path("stderr");
        let mut process = Process::start(command.stderr(File::create(&path).unwrap()));
        assert_eq!(process.line().await, None, "it does not start");
        let (status, _) = process.ended().await;
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(status.code(), Some(1), "{text}");
        // Before its own words there may be some of the log.
        let words = text.lines().skip_while(|line| !line.starts_with("couplet: ")).collect::<Vec<_>>();
        assert!(!words.is_empty(), "{text}");
        words.join("\n")
    }

    pub(crate) async fn start(&self) -> Server {
        Server::start(&mut self.serve()).await
    }

    /// A started server whose `users` exist.
    pub(crate) async fn start_with(&self, users: &[String]) -> Server {
        let server = self.start().await;
        let mut admin = admin(&server).await;
        for some in users.chunks(100) {
            rest::import(&mut admin, some).await;
        }
        server
    }
}

/// The binary. Its log says only what somebody should look at.
pub(crate) fn couplet() -> Command {
    quiet(Command::new(env!("CARGO_BIN_EXE_couplet")))
}

fn quiet(mut command: Command) -> Command {
    command.env("COUPLET_LOG_FILTER", "warn");
    command
}

pub(crate) fn usersig(user: &str) -> String {
    const DAY_SECS: u64 = 24 * 60 * 60;
    let lifetime = Lifetime { time_s: SystemClock.now_ms() / 1000, expire_s: DAY_SECS };
    usersig::generate(&Secret { sdkappid: SDKAPPID, key: KEY }, user, lifetime, None)
}

/// The query that makes a REST call the admin's.
pub(crate) fn credentials() -> String {
    rest::query(SDKAPPID, ADMIN, &usersig(ADMIN))
}

pub(crate) async fn admin(server: &Server) -> Rest {
    Rest::open(server.address, credentials()).await.unwrap()
}

pub(crate) fn users(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("user{index:02}")).collect()
}
