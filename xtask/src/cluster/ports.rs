//! Ports that nobody uses.

use anyhow::Result;
use std::net::{Ipv4Addr, TcpListener};

/// They are known before anything starts, because the processes are told of one another, and because whoever starts one
/// of them again wants it where it was.
pub(super) struct Ports(Vec<u16>);

impl Ports {
    pub(super) fn free(count: usize) -> Result<Self> {
        // All are held until all are known, so that none is given twice.
        let held: Vec<TcpListener> =
            (0..count).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect::<Result<_, _>>()?;
        let ports = held.iter().map(|listener| Ok(listener.local_addr()?.port()));
        Ok(Self(ports.collect::<Result<_>>()?))
    }

    pub(super) fn take(&mut self) -> u16 {
        self.0.pop().expect("whoever asked for ports counted what is needed")
    }

    pub(super) fn take_some(&mut self, count: usize) -> Vec<u16> {
        (0..count).map(|_| self.take()).collect()
    }
}
