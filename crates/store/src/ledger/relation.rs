//! What two people are to one another.

use super::{Cause, Ledger};
use crate::codec;
use crate::engine::Table;
use crate::key;
use chat::person::Tie;
use chat::port::{Relate, Related, Stored};
use chat::relate::{Party, relate};
use chat::{AppId, UserId};

impl Ledger {
    pub(crate) fn relate(&mut self, wanted: &Relate) -> Stored<Related> {
        let Relate { app, from, to, now_ms, origin, .. } = *wanted;
        let (mut here, mut there) = (self.party(app, &from, &to)?, self.party(app, &to, &from)?);
        let outcome = match relate(wanted, &mut here, &mut there) {
            Ok(outcome) => outcome,
            Err(refusal) => return Ok(Related::Refused(refusal)),
        };
        self.prepare(app, &outcome.effects)?;

        self.keep_party(app, &from, &to, here);
        self.keep_party(app, &to, &from, there);
        let cause = Cause { app, facts: Some((now_ms, origin)) };
        let told = self.publish(cause, outcome.effects, None);
        Ok(if outcome.pending { Related::Pending(told) } else { Related::Done(told) })
    }

    fn party(&mut self, app: AppId, user: &UserId, peer: &UserId) -> Stored<Party> {
        let account = self.account(app, user)?;
        let person = account.exists.then(|| account.person());
        Ok(Party { person, tie: self.tie(app, user, peer)? })
    }

    fn keep_party(&mut self, app: AppId, user: &UserId, peer: &UserId, party: Party) {
        if let Some(person) = party.person {
            self.set_person(app, user, person);
        }
        self.set_tie(app, user, peer, &party.tie);
    }

    pub(super) fn tie(&mut self, app: AppId, user: &UserId, peer: &UserId) -> Stored<Tie> {
        let key = key::tie(app, user, peer);
        let Some(value) = self.row(Table::Ties, key)? else {
            return Ok(Tie::default());
        };
        codec::decode_tie(value).map_err(|what| Table::Ties.corrupt(key.as_ref(), what))
    }

    /// Keeps a tie that was read before.
    pub(super) fn set_tie(&mut self, app: AppId, user: &UserId, peer: &UserId, tie: &Tie) {
        let value = (!tie.is_nothing()).then(|| codec::encode_tie(tie));
        self.set_row(Table::Ties, key::tie(app, user, peer), value);
    }
}
