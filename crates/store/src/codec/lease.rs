//! The value of the one row that says which node tells which lanes.

use super::{VERSION, take_items, versioned};
use crate::notation::{Broken, put_number};
use chat::lease::{Fence, LeaseTable, NodeId, SLOTS, Slot};

pub(crate) fn encode_leases(table: &LeaseTable) -> Vec<u8> {
    let mut out = vec![VERSION];
    put_number(&mut out, table.last);
    put_number(&mut out, table.nodes.len() as u64);
    for (node, beat) in &table.nodes {
        put_number(&mut out, node.0);
        put_number(&mut out, *beat);
    }
    put_number(&mut out, table.held.len() as u64);
    for (slot, (holder, fence)) in &table.held {
        put_number(&mut out, u64::from(slot.0));
        put_number(&mut out, holder.0);
        put_number(&mut out, fence.0);
    }
    out
}

pub(crate) fn decode_leases(value: &[u8]) -> Result<LeaseTable, Broken> {
    let mut cursor = versioned(value)?;
    let last = cursor.number()?;
    let nodes = take_items(&mut cursor, |cursor| Ok((NodeId(cursor.number()?), cursor.number()?)))?;
    let held = take_items(&mut cursor, |cursor| {
        let slot = u16::try_from(cursor.number()?).ok().filter(|slot| *slot < SLOTS);
        let slot = Slot(slot.ok_or("there is no such slot")?);
        Ok((slot, (NodeId(cursor.number()?), Fence(cursor.number()?))))
    })?;
    cursor.end()?;
    Ok(LeaseTable { nodes: nodes.into_iter().collect(), held: held.into_iter().collect(), last })
}
