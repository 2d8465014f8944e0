//! What was sent and what was told, and whether the two agree.
//!
//! The generator notes every send under its place in the run, the receiver every callback under its `MsgRandom`. Both
//! write their notes to a file only when the run is over, so that noting costs a few bytes of memory and no system call.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use anyhow::{Result, bail, ensure};

/// The life of one message, in nanoseconds of the monotonic clock; 0 means not yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sent {
    /// When it was due. In a closed loop that is when it was written.
    pub start_ns: u64,
    pub answered_ns: u64,
    /// When the recipient's session received it.
    pub pushed_ns: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Receipt {
    pub random: u32,
    /// Where the event stands in the log of its app; 0 where nobody looked.
    pub place: u32,
    pub accepted: bool,
    pub received_ns: u64,
}

/// What a receiver's notes come to, beside the sends.
pub(super) struct Tally {
    /// When each send was first accepted, at its place; 0: never.
    pub received_ns: Vec<u64>,
    /// Sends that were never accepted, and those that were more than once, by `MsgRandom`.
    pub missing: Vec<u32>,
    pub twice: Vec<u32>,
}

pub(super) fn write_sent(path: &Path, sent: &[Sent]) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for Sent { start_ns, answered_ns, pushed_ns } in sent {
        for ns in [start_ns, answered_ns, pushed_ns] {
            file.write_all(&ns.to_le_bytes())?;
        }
    }
    Ok(file.flush()?)
}

pub(super) fn read_sent(path: &Path) -> Result<Vec<Sent>> {
    let bytes = std::fs::read(path)?;
    ensure!(bytes.len() % 24 == 0, "the ledger of sends is cut off");
    let sent = bytes.chunks_exact(24).map(|record| Sent {
        start_ns: u64_at(record, 0),
        answered_ns: u64_at(record, 8),
        pushed_ns: u64_at(record, 16),
    });
    Ok(sent.collect())
}

pub(super) fn write_receipts(path: &Path, receipts: &[Receipt]) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for Receipt { random, place, accepted, received_ns } in receipts {
        for number in [u64::from(*random) << 1 | u64::from(*accepted), u64::from(*place), *received_ns] {
            file.write_all(&number.to_le_bytes())?;
        }
    }
    Ok(file.flush()?)
}

pub(super) fn read_receipts(path: &Path) -> Result<Vec<Receipt>> {
    let bytes = std::fs::read(path)?;
    ensure!(bytes.len() % 24 == 0, "the ledger of receipts is cut off");
    let receipts = bytes.chunks_exact(24).map(|record| Receipt {
        random: (u64_at(record, 0) >> 1) as u32,
        place: u64_at(record, 8) as u32,
        accepted: u64_at(record, 0) & 1 == 1,
        received_ns: u64_at(record, 16),
    });
    Ok(receipts.collect())
}

fn u64_at(record: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(record[at..at + 8].try_into().expect("a record has room for its numbers"))
}

/// Pairs every acknowledged send with its callbacks. A send without an answer and a callback without a send are wrong
/// whatever the receiver did.
pub(super) fn tally(first_random: u32, sent: &[Sent], receipts: &[Receipt]) -> Result<Tally> {
    let mut received = vec![0; sent.len()];
    let (mut unknown, mut twice) = (Vec::new(), Vec::new());
    for receipt in receipts {
        let place = receipt.random.checked_sub(first_random).map(|n| n as usize);
        match place.and_then(|place| received.get_mut(place)) {
            None => unknown.push(receipt.random),
            Some(_) if !receipt.accepted => {}
            Some(received_ns @ 0) => *received_ns = receipt.received_ns,
            Some(_) => twice.push(receipt.random),
        }
    }
    let (mut missing, mut unacknowledged) = (Vec::new(), Vec::new());
    for (random, (send, received_ns)) in (first_random..).zip(sent.iter().zip(&received)) {
        match (send.answered_ns, received_ns) {
            (0, _) => unacknowledged.push(random),
            (_, 0) => missing.push(random),
            _ => {}
        }
    }
    let wrong = [("were never answered", &unacknowledged), ("were told and never sent", &unknown)];
    refuse(sent.len(), &wrong)?;
    Ok(Tally { received_ns: received, missing, twice })
}

impl Tally {
    /// When each send was told, if each was told exactly once.
    pub(super) fn exact(self) -> Result<Vec<u64>> {
        let wrong =
            [("were acknowledged and never told", &self.missing), ("were told more than once", &self.twice)];
        refuse(self.received_ns.len(), &wrong)?;
        Ok(self.received_ns)
    }
}

fn refuse(sends: usize, wrong: &[(&str, &Vec<u32>)]) -> Result<()> {
    let faults: Vec<String> = wrong
        .iter()
        .filter(|(_, randoms)| !randoms.is_empty())
        .map(|(fault, randoms)| {
            format!("{} {fault} (MsgRandom {:?})", randoms.len(), &randoms[..randoms.len().min(5)])
        })
        .collect();
    if !faults.is_empty() {
        bail!("WRONG COUNT: of {sends} sends, {}", faults.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(answered_ns: u64) -> Sent {
        Sent { start_ns: 1, answered_ns, pushed_ns: 0 }
    }

    fn receipt(random: u32) -> Receipt {
        Receipt { random, place: 3, accepted: true, received_ns: u64::from(random) }
    }

    fn refusal(random: u32) -> Receipt {
        Receipt { accepted: false, ..receipt(random) }
    }

    #[test]
    fn counts_agree_only_if_each_send_is_told_exactly_once() {
        let two = [sent(5), sent(6)];
        let cases: [(&[Sent], &[Receipt], Option<&str>); 8] = [
            (&two, &[receipt(11), receipt(10)], None),
            (&two, &[refusal(11), receipt(10), receipt(11)], None),
            (&[], &[], None),
            (&two, &[receipt(10)], Some("1 were acknowledged and never told (MsgRandom [11])")),
            (&two, &[receipt(10), refusal(11)], Some("1 were acknowledged and never told (MsgRandom [11])")),
            (
                &two,
                &[receipt(10), receipt(11), receipt(10)],
                Some("1 were told more than once (MsgRandom [10])"),
            ),
            (
                &two,
                &[receipt(10), receipt(11), receipt(12)],
                Some("1 were told and never sent (MsgRandom [12])"),
            ),
            (&[sent(5), sent(0)], &[receipt(10)], Some("1 were never answered (MsgRandom [11])")),
        ];
        for (sent, receipts, fault) in cases {
            match (tally(10, sent, receipts).and_then(Tally::exact), fault) {
                (Ok(received), None) => assert_eq!(received.len(), sent.len()),
                (Err(error), Some(fault)) => assert!(error.to_string().contains(fault), "{error}"),
                (got, _) => panic!("{receipts:?}: {got:?}"),
            }
        }
    }

    #[test]
    fn files_are_read_as_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger");
        write_sent(&path, &[sent(5), sent(6)]).unwrap();
        assert_eq!(read_sent(&path).unwrap(), [sent(5), sent(6)]);
        write_receipts(&path, &[receipt(7), refusal(u32::MAX)]).unwrap();
        assert_eq!(read_receipts(&path).unwrap(), [receipt(7), refusal(u32::MAX)]);
    }
}
