//! Child processes: a line of JSON in, a line of JSON out, and what they cost.

use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Serialize, de::DeserializeOwned};

use super::{clock, role::Role, target::Programs};

const STOP_MS_MAX: u64 = 60_000;

pub(super) struct Process {
    name: &'static str,
    child: Child,
    stdin: ChildStdin,
    lines: mpsc::Receiver<String>,
    log: Option<PathBuf>,
}

/// What a process has used so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    pub cpu_us: u64,
    pub rss_kib: u64,
    pub rss_kib_max: u64,
}

impl Process {
    /// Starts this program again in one of its other roles.
    pub(super) fn role(programs: &Programs, role: Role) -> Result<Self> {
        let mut command = Command::new(&programs.bench);
        command.arg("bench").arg("--role").arg(role.name());
        Process::spawn(role.name(), command, None)
    }

    /// Starts a program; what it writes to stderr goes into the log, if there is one.
    pub(super) fn spawn(name: &'static str, mut command: Command, log: Option<PathBuf>) -> Result<Self> {
        if let Some(path) = &log {
            command.stderr(std::fs::File::options().create(true).append(true).open(path)?);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot start the {name}: {command:?}"))?;
        let stdin = child.stdin.take().context("stdin is piped")?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        let (line_tx, lines) = mpsc::channel();
        // Ends with the child's stdout; goes on reading when nobody listens, so that the child never blocks on a line.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                drop(line_tx.send(line));
            }
        });
        Ok(Process { name, child, stdin, lines, log })
    }

    pub(super) fn say(&mut self, word: &impl Serialize) -> Result<()> {
        let line = serde_json::to_string(word)? + "\n";
        self.stdin.write_all(line.as_bytes()).map_err(|_| self.gone())
    }

    pub(super) fn hear<T: DeserializeOwned>(&mut self, timeout: Duration) -> Result<T> {
        self.try_hear(timeout)?.with_context(|| format!("the {} says nothing for {timeout:?}", self.name))
    }

    pub(super) fn try_hear<T: DeserializeOwned>(&mut self, timeout: Duration) -> Result<Option<T>> {
        match self.lines.recv_timeout(timeout) {
            Ok(line) => Ok(Some(
                serde_json::from_str(&line).with_context(|| format!("the {} says {line:?}", self.name))?,
            )),
            Err(mpsc::RecvTimeoutError::Timeout) => Ok(None),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(self.gone()),
        }
    }

    pub(super) fn usage(&self) -> Result<Usage> {
        let pid = self.child.id();
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let fields = stat.rsplit_once(") ").context("/proc/PID/stat has a name in parentheses")?.1;
        let ticks: u64 =
            fields.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let kib = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            let value = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
            // A process that has ended keeps its status, without these lines, until it is waited for.
            value.with_context(|| format!("the {} has ended{}", self.name, self.log_end()))
        };
        Ok(Usage {
            cpu_us: ticks * 1_000_000 / rustix::param::clock_ticks_per_second(),
            rss_kib: kib("VmRSS:")?,
            rss_kib_max: kib("VmHWM:")?,
        })
    }

    /// Forgets how much memory it has held at most, so that what follows can be measured.
    pub(super) fn reset_peak(&self) -> Result<()> {
        let path = format!("/proc/{}/clear_refs", self.child.id());
        // 5 stands for the peak alone; smaller numbers would slow the process down.
        std::fs::write(&path, "5").with_context(|| format!("{path} is not to be had on this kernel"))
    }

    /// Asks it to stop, and holds it to leaving in order.
    pub(super) fn stop(mut self) -> Result<()> {
        let pid =
            i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("a process has an id")?;
        kill_process(pid, Signal::TERM)?;
        let asked_ns = clock::now_ns();
        while clock::elapsed_ms(asked_ns) < STOP_MS_MAX as f64 {
            if let Some(status) = self.child.try_wait()? {
                ensure!(
                    status.success(),
                    "the {} ended with {status} when asked to stop{}",
                    self.name,
                    self.log_end()
                );
                return Ok(());
            }
            clock::sleep_ms(10);
        }
        bail!("the {} did not stop within {STOP_MS_MAX} ms{}", self.name, self.log_end());
    }

    /// Ends it at once, as a crash would.
    pub(super) fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    fn gone(&mut self) -> anyhow::Error {
        let how = match self.child.wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        anyhow::anyhow!("the {} is gone: {how}{}", self.name, self.log_end())
    }

    fn log_end(&self) -> String {
        let Some(text) = self.log.as_ref().and_then(|path| std::fs::read_to_string(path).ok()) else {
            return String::new();
        };
        let lines: Vec<&str> = text.lines().collect();
        format!("\n{}", lines[lines.len().saturating_sub(20)..].join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing is left to do about a child that is gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Reads the parent's words, one line each, until it closes the pipe.
pub(super) fn parent<T: DeserializeOwned + Send + 'static>() -> tokio::sync::mpsc::Receiver<T> {
    let (word_tx, words) = tokio::sync::mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            let word = serde_json::from_str(&line).expect("parent and child are the same program");
            if word_tx.blocking_send(word).is_err() {
                return;
            }
        }
    });
    words
}

pub(super) fn tell_parent(word: &impl Serialize) -> Result<()> {
    let line = serde_json::to_string(word)? + "\n";
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(line.as_bytes())?;
    Ok(stdout.flush()?)
}
