//! The receiver's process, as the benchmark sees it.

use std::{net::SocketAddr, path::Path, time::Duration};

use anyhow::{Result, bail};

use super::{
    conduct::Conduct,
    ledger::{self, Receipt},
    plan::{Ask, Received},
    process::{Process, Usage},
    role::Role,
    target::Programs,
};

const TIMEOUT: Duration = Duration::from_secs(60);

pub(super) struct Backend {
    process: Process,
    pub addr: SocketAddr,
}

impl Backend {
    pub(super) fn start(programs: &Programs, conduct: Conduct) -> Result<Self> {
        let mut process = Process::role(programs, Role::Receiver)?;
        let Received { port, .. } = process.hear(TIMEOUT)?;
        let mut backend = Backend { process, addr: SocketAddr::from(([127, 0, 0, 1], port)) };
        backend.behave(conduct)?;
        Ok(backend)
    }

    pub(super) fn behave(&mut self, conduct: Conduct) -> Result<()> {
        self.ask(&Ask::Behave { conduct }).map(|_| ())
    }

    pub(super) fn count(&mut self) -> Result<Received> {
        self.ask(&Ask::Count)
    }

    /// Everything noted since the last time, and what it came to. The file is gone afterwards.
    pub(super) fn take(&mut self, path: &Path) -> Result<(Vec<Receipt>, Received)> {
        let received = self.ask(&Ask::Take { path: path.to_owned() })?;
        let receipts = ledger::read_receipts(path)?;
        std::fs::remove_file(path)?;
        Ok((receipts, received))
    }

    pub(super) fn usage(&self) -> Result<Usage> {
        self.process.usage()
    }

    fn ask(&mut self, ask: &Ask) -> Result<Received> {
        self.process.say(ask)?;
        let received: Received = self.process.hear(TIMEOUT)?;
        match received.fault {
            Some(fault) => bail!("the receiver: {fault}"),
            None => Ok(received),
        }
    }
}
