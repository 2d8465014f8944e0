//! Processes that run until their value goes away.

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{File, read_to_string};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// What does not come in this time does not come at all.
const READY_SECS_MAX: u64 = 60;
/// Between two looks whether something has come about.
const LOOK_MS: u64 = 50;
/// What was asked to end and has not done so by then is killed.
const STOP_MS_MAX: u64 = 15_000;

pub(super) struct Running {
    pub(super) name: String,
    child: Child,
    log: PathBuf,
    /// The line that starts it once more, if that is wise.
    pub(super) start_again: Option<String>,
    is_mourned: bool,
}

impl Running {
    /// Starts a process. What it says goes to a file of its name.
    pub(super) fn start(directory: &Path, name: &str, command: &mut Command) -> Result<Self> {
        let log = directory.join(format!("{}.log", name.replace(' ', "-")));
        let said = File::create(&log)?;
        command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
        // Ctrl-C in the terminal is for this program alone, which then ends the others in order.
        command.process_group(0).current_dir(directory);
        let child = command.spawn().with_context(|| format!("cannot start {}", line(command)))?;
        Ok(Self { name: name.to_owned(), child, log, start_again: None, is_mourned: false })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it is ready, which is looked for again and again.
    pub(super) async fn ready(&mut self, mut is_ready: impl FnMut() -> bool) -> Result<()> {
        let looking = async {
            while !is_ready() {
                if let Some(status) = self.child.try_wait()? {
                    bail!("{} has ended with {status}{}", self.name, self.log_end());
                }
                sleep(Duration::from_millis(LOOK_MS)).await;
            }
            Ok(())
        };
        match timeout(Duration::from_secs(READY_SECS_MAX), looking).await {
            Ok(looked) => looked,
            Err(_) => bail!("{} is not ready after {READY_SECS_MAX} s{}", self.name, self.log_end()),
        }
    }

    /// Says once that it has ended, and how to have it back.
    pub(super) fn tell_of_death(&mut self) -> Result<()> {
        if self.is_mourned {
            return Ok(());
        }
        if let Some(status) = self.child.try_wait()? {
            self.is_mourned = true;
            println!("{} has ended: {status}", self.name);
            if let Some(line) = &self.start_again {
                println!("  start it again, in another terminal: {line}");
            }
        }
        Ok(())
    }

    fn log_end(&self) -> String {
        let text = read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        format!("; it said last:\n{}", lines[lines.len().saturating_sub(20)..].join("\n"))
    }

    fn signal(&mut self, signal: Signal) {
        // The id of one that has ended and was waited for may be somebody else's by now.
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process has an id");
        // It may have ended by itself since, which is what is wanted.
        kill_process(id, signal).ok();
    }

    /// Somebody may have frozen it, or its children, to see what happens.
    fn thaw(&mut self) {
        self.signal(Signal::CONT);
        let mut children = Command::new("pkill");
        // It fails when there are no children.
        children.args(["-CONT", "-P", &self.id().to_string()]).status().ok();
    }

    /// Whether it has ended within what is left of the time.
    fn ends_within(&mut self, left_ms: &mut u64) -> bool {
        loop {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return true;
            }
            if *left_ms == 0 {
                return false;
            }
            std::thread::sleep(Duration::from_millis(LOOK_MS));
            *left_ms = left_ms.saturating_sub(LOOK_MS);
        }
    }
}

/// Processes that are ended together.
pub(super) struct Group {
    pub(super) members: Vec<Running>,
    /// What asks one of them to end in order, soon.
    stop: Signal,
}

impl Group {
    pub(super) fn new(stop: Signal) -> Self {
        Self { members: Vec::new(), stop }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for running in &mut self.members {
            running.signal(self.stop);
            running.thaw();
        }
        let mut left_ms = STOP_MS_MAX;
        for running in &mut self.members {
            if !running.ends_within(&mut left_ms) {
                println!("{} did not end when it was asked to, and is killed", running.name);
                drop(running.child.kill());
                drop(running.child.wait());
            }
        }
    }
}

/// Runs a command that ends by itself, and returns what it says.
pub(super) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {}", line(command)))?;
    if !output.status.success() {
        bail!("{}: {}\n{}", line(command), output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A command as one types it into a shell.
pub(super) fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/.-_=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_can_be_typed() {
        let mut command = Command::new("/a b/nats-server");
        command.args(["--port", "4222", "", "it's"]);
        assert_eq!(line(&command), r"'/a b/nats-server' --port 4222 '' 'it'\''s'");
    }

    #[test]
    fn a_group_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let mut group = Group::new(Signal::TERM);
        for name in ["one", "two"] {
            let sleeper = Running::start(directory.path(), name, Command::new("sleep").arg("1000")).unwrap();
            group.members.push(sleeper);
        }
        // A process that was stopped cannot do anything, not even end.
        group.members[0].signal(Signal::STOP);
        let ids: Vec<_> = group.members.iter().map(|sleeper| sleeper.child.id()).collect();
        drop(group);
        for id in ids {
            let id = Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
            assert!(rustix::process::test_kill_process(id).is_err());
        }
    }

    #[test]
    fn what_ends_early_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        let mut ended =
            Running::start(directory.path(), "a shell", command.args(["-c", "echo why; exit 3"])).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let told = runtime.block_on(ended.ready(|| false)).unwrap_err().to_string();
        assert_eq!(told, "a shell has ended with exit status: 3; it said last:\nwhy");
    }
}
