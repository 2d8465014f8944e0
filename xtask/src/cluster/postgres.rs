//! A PostgreSQL server, and another one that follows it and can take its place.

use super::ports::Ports;
use super::running::{Group, Running, line, output};
use anyhow::{Context, Result};
use rustix::process::Signal;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) const PORTS: usize = 2;
const USER: &str = "couplet";
/// As the primary knows the standby by.
const STANDBY: &str = "standby";
const PRIMARY: &str = "PostgreSQL primary";
/// Accounts that a Debian machine has and that are not the administrator's, the best one first.
const ACCOUNTS: [&str; 2] = ["postgres", "nobody"];

pub(super) struct Postgres {
    /// The primary and the standby. On the signal they end without waiting for their clients.
    pub(super) group: Group,
    pub(super) ports: [u16; PORTS],
    /// Makes the standby the primary.
    pub(super) promotion: String,
}

/// How its programs are run.
struct Programs<'a> {
    programs: &'a Path,
    directory: &'a Path,
    account: Option<Account>,
}

/// PostgreSQL refuses to run as an administrator.
struct Account {
    name: &'static str,
    uid: u32,
    gid: u32,
}

impl Postgres {
    pub(super) async fn start(directory: &Path, programs: &Path, ports: &mut Ports) -> Result<Self> {
        let programs = Programs { programs, directory, account: Account::needed()? };
        let ports = [ports.take(), ports.take()];
        let mut group = Group::new(Signal::INT);

        let primary = programs.make_directory("primary")?;
        let mut initdb = programs.command("initdb");
        initdb.args(["--auth=trust", "--encoding=UTF8", "--no-locale", "--username", USER]);
        output(initdb.arg("-D").arg(&primary))?;
        // Not in a file of settings, because the standby copies those, and would wait for a standby of its own as soon
        // as it is promoted.
        let waits = format!("synchronous_standby_names={STANDBY}");
        group.members.push(programs.serve(PRIMARY, &primary, ports[0], &waits)?);
        group.members[0].ready(|| programs.is_up(ports[0])).await?;

        let standby = programs.make_directory("standby")?;
        let mut copy = programs.command("pg_basebackup");
        copy.args(["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--dbname"]);
        output(copy.arg(connection(ports[0])).arg("-D").arg(&standby))?;
        let follows = format!("cluster_name={STANDBY}");
        group.members.push(programs.serve("PostgreSQL standby", &standby, ports[1], &follows)?);
        group.members[1].ready(|| programs.is_up(ports[1]) && programs.is_followed(ports[0])).await?;

        let promotion = programs.promotion(&standby);
        Ok(Self { group, ports, promotion })
    }

    /// Names both servers: whichever can be written to is taken.
    pub(super) fn url(&self) -> String {
        let [primary, standby] = self.ports;
        format!("postgres://{USER}@127.0.0.1:{primary},127.0.0.1:{standby}/postgres")
    }
}

impl Programs<'_> {
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        if let Some(account) = &self.account {
            command.uid(account.uid).gid(account.gid);
        }
        command.current_dir(self.directory);
        command
    }

    fn make_directory(&self, name: &str) -> Result<PathBuf> {
        let path = self.directory.join(name);
        std::fs::create_dir(&path)?;
        if let Some(account) = &self.account {
            chown(&path, Some(account.uid), Some(account.gid))?;
        }
        // Nobody else may be able to read it, or the server does not start.
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        Ok(path)
    }

    fn serve(&self, name: &str, data: &Path, port: u16, setting: &str) -> Result<Running> {
        let mut command = self.command("postgres");
        command.arg("-D").arg(data).args(["-p", &port.to_string()]);
        let settings =
            ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=300", setting];
        for setting in settings {
            command.args(["-c", setting]);
        }
        let mut running = Running::start(self.directory, name, &mut command)?;
        if name != PRIMARY {
            running.start_again = Some(self.typed(&command));
        }
        Ok(running)
    }

    fn is_up(&self, port: u16) -> bool {
        self.ask(port, "SELECT 1").is_ok()
    }

    /// Whether the standby has everything that is acknowledged from now on.
    fn is_followed(&self, primary_port: u16) -> bool {
        let asked = self.ask(primary_port, "SELECT sync_state FROM pg_stat_replication");
        asked.is_ok_and(|state| state == "sync")
    }

    fn ask(&self, port: u16, query: &str) -> Result<String> {
        output(self.command("psql").args(["-XAtc", query, &connection(port)]))
    }

    fn promotion(&self, standby: &Path) -> String {
        let mut promote = Command::new(self.programs.join("pg_ctl"));
        promote.arg("promote").arg("-D").arg(standby);
        self.typed(&promote)
    }

    fn typed(&self, command: &Command) -> String {
        match &self.account {
            Some(account) => format!("runuser -u {} -- {}", account.name, line(command)),
            None => line(command),
        }
    }
}

impl Account {
    /// The one that stands in for the administrator; none for anybody else.
    fn needed() -> Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let found = ACCOUNTS.iter().find_map(|name| Self::of(name).ok());
        Ok(Some(found.context("PostgreSQL does not run as root, and there is no account `postgres`")?))
    }

    fn of(name: &'static str) -> Result<Self> {
        let number =
            |kind: &str| Ok::<u32, anyhow::Error>(output(Command::new("id").args([kind, name]))?.parse()?);
        Ok(Self { name, uid: number("-u")?, gid: number("-g")? })
    }
}

fn connection(port: u16) -> String {
    format!("host=127.0.0.1 port={port} user={USER} dbname=postgres")
}
