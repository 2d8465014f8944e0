//! Which node tells which lanes.

use super::Ledger;
use crate::codec;
use crate::engine::Table;
use crate::key;
use chat::lease::{LeaseAsk, LeaseTable};
use chat::port::Stored;

impl Ledger {
    pub(crate) fn lease(&mut self, ask: &LeaseAsk) -> Stored<LeaseTable> {
        let key = key::leases();
        let mut table = match self.row(Table::Leases, key)? {
            Some(value) => {
                codec::decode_leases(value).map_err(|what| Table::Leases.corrupt(key.as_ref(), what))?
            }
            None => LeaseTable::default(),
        };
        table.carry_out(ask);
        self.set_row(Table::Leases, key, Some(codec::encode_leases(&table)));
        Ok(table)
    }
}
