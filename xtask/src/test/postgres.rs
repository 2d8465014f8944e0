//! A PostgreSQL server for one run of the tests, which make schemas of their own on it.

use super::tools;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A server that is stopped, and leaves nothing, when this goes.
pub(super) struct Server {
    programs: PathBuf,
    folder: PathBuf,
    pub(super) url: String,
}

impl Server {
    pub(super) fn start() -> Result<Self> {
        let programs = tools::postgres_programs()?;
        // Not below the repository: the user that the server runs as may not be let in there.
        let folder = std::env::temp_dir().join(format!("couplet-postgres-{}", std::process::id()));
        // A port of which nobody knows but those who are told. It is free again until the server takes it.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let server = Self { programs, folder, url };
        fs::create_dir_all(&server.folder)?;
        if tools::is_administrator() {
            tools::run(Command::new("chown").arg("postgres").arg(&server.folder))?;
        }
        let data = server.folder.join("data");
        let mut initdb = server.program("initdb");
        tools::run(initdb.args(["--no-sync", "-A", "trust", "-U", "postgres", "-D"]).arg(&data))?;
        // Nothing of it has to outlive a crash of this machine. Tests of durability kill processes.
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c fsync=off \
             -c full_page_writes=off -c max_connections=300",
            server.folder.display()
        );
        let mut start = server.program("pg_ctl");
        start.args(["-w", "-D"]).arg(&data).args(["-o", &options]);
        tools::run(start.arg("-l").arg(server.folder.join("log")).arg("start"))?;
        Ok(server)
    }

    /// One of its programs, as somebody who may run it: it refuses to be run by an administrator.
    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = if tools::is_administrator() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir(&self.folder);
        command
    }

    fn stop(&self, folder: &Path) -> Result<()> {
        let mut stop = self.program("pg_ctl");
        let stopped = stop.args(["-m", "immediate", "-D"]).arg(folder.join("data")).arg("stop").output()?;
        ensure!(stopped.status.success(), "{}", String::from_utf8_lossy(&stopped.stderr));
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.stop(&self.folder) {
            println!("PostgreSQL could not be stopped: {error:#}");
        }
    }
}
