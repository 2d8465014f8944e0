//! Groups in a database that other nodes change as well.
//!
//! What is remembered of an app is right as long as nobody else has changed the app. With its lock comes a number that
//! says whether somebody has. What a group is going to look at is looked up with the locks, as far as it is not known.

use super::Ledger;
use crate::engine::postgres::{Batch, Generation, Transactions, Wanted};
use crate::engine::{Engine, Table};
use crate::key;
use crate::operation::Operation;
use chat::guard::SendKey;
use chat::port::{Append, Stored, Terms};
use chat::send::lane_of;
use chat::{AppId, ConversationId, Lane, UserId};
use std::sync::Arc;

/// What is known of an app that others may change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shared {
    generation: Generation,
    /// Others have changed it before the last group, so they probably do again before the next.
    is_contended: bool,
}

impl Ledger {
    /// Whether the group may look at what an operation looks at, and change it.
    pub(crate) fn may_change(&self, operation: &Operation) -> bool {
        match &self.engine {
            Engine::Directory(_) => true,
            Engine::Postgres(transactions) => operation.apps().iter().all(|app| transactions.has(*app)),
        }
    }

    /// Begins a group of these operations, after which nobody else changes their apps.
    pub(crate) fn begin<'a>(&mut self, operations: impl Iterator<Item = &'a Operation>) -> Stored<()> {
        let Some(transactions) = self.transactions() else { return Ok(()) };
        let operations: Vec<&Operation> = operations.collect();
        let mut apps: Vec<AppId> = operations.iter().flat_map(|operation| operation.apps()).collect();
        apps.sort_unstable();
        apps.dedup();
        let contended = |app: &AppId| self.shared.get(app).is_some_and(|shared| shared.is_contended);
        let trusts = !apps.iter().any(contended);
        let found = transactions.begin(&apps, self.wanted(&operations, trusts))?;
        if self.has_changed(&found) && trusts {
            transactions.look_up(self.wanted(&operations, false))?;
        }
        Ok(())
    }

    /// Begins a group for an operation that finds what it looks at by itself.
    pub(crate) fn begin_alone(&mut self, app: AppId) -> Stored<()> {
        let Some(transactions) = self.transactions() else { return Ok(()) };
        if transactions.has(app) {
            // Begun for this very operation, and nothing else has been put into the group.
            return Ok(());
        }
        let found = transactions.begin(&[app], Wanted::default())?;
        self.has_changed(&found);
        Ok(())
    }

    /// Ends the group, and says what became of it.
    pub(crate) fn commit(&mut self, batch: &Batch) -> Stored<()> {
        let Some(transactions) = self.transactions() else { return Ok(()) };
        for (app, generation) in transactions.commit(batch)? {
            if let Some(shared) = self.shared.get_mut(&app) {
                shared.generation = generation;
            }
        }
        Ok(())
    }

    /// Gives up the locks of a group that has failed.
    pub(super) fn abandon(&mut self) {
        self.shared.clear();
        if let Some(transactions) = self.transactions() {
            transactions.abandon();
        }
    }

    fn transactions(&self) -> Option<Arc<Transactions>> {
        match &self.engine {
            Engine::Directory(_) => None,
            Engine::Postgres(transactions) => Some(Arc::clone(transactions)),
        }
    }

    /// Whether others have changed any of these apps. Then nothing that was remembered is believed any more.
    fn has_changed(&mut self, found: &[(AppId, Generation)]) -> bool {
        let mut is_strange = false;
        for (app, generation) in found {
            let known = self.shared.get(app).map(|shared| shared.generation);
            // Of an app that is met for the first time nothing can be remembered.
            let is_contended = known.is_some_and(|known| known != *generation);
            is_strange |= is_contended;
            self.shared.insert(*app, Shared { generation: *generation, is_contended });
        }
        if is_strange {
            self.forget();
        }
        is_strange
    }

    /// What these operations will look at, without what is remembered and can be trusted.
    fn wanted(&self, operations: &[&Operation], trusts: bool) -> Wanted {
        let mut looks = Looks { ledger: self, trusts, wanted: Wanted::default() };
        for operation in operations {
            looks.of(operation);
        }
        looks.wanted
    }
}

/// What operations look at, except for what they have to find first.
struct Looks<'a> {
    ledger: &'a Ledger,
    trusts: bool,
    wanted: Wanted,
}

impl Looks<'_> {
    fn of(&mut self, operation: &Operation) {
        match operation {
            Operation::Append { append, .. } => self.append(append),
            Operation::Preview { key, terms, now_s, .. } => self.preview(key, *terms, *now_s),
            Operation::ImportMessages { imports, .. } => {
                for import in imports {
                    self.account(import.app, &import.from);
                    self.account(import.app, &import.to);
                    self.conversation(&import.conversation());
                }
            }
            Operation::Alter { alter, .. } => self.between(&alter.conversation()),
            Operation::MarkRead { mark, .. } => {
                self.between(&ConversationId::new(mark.app, mark.reader, mark.peer));
            }
            Operation::Record { draft, .. } => {
                if draft.needs_accounts() {
                    self.account(draft.conversation.app, &draft.conversation.low);
                    self.account(draft.conversation.app, &draft.conversation.high);
                }
                self.lane_of(&draft.conversation);
            }
            Operation::ChangeView { change, .. } => {
                self.person(change.app, &change.owner);
                self.conversation(&change.conversation());
            }
            Operation::ChangePerson { change, .. } => self.person(change.app, &change.user),
            Operation::Relate { relate, .. } => {
                let id = ConversationId::new(relate.app, relate.from, relate.to);
                self.person(id.app, &id.low);
                self.person(id.app, &id.high);
                self.tie(id.app, &id.low, &id.high);
                self.tie(id.app, &id.high, &id.low);
                self.lane_of(&id);
            }
            Operation::ImportAccounts { app, accounts, .. } => {
                for account in accounts {
                    self.account(*app, &account.user);
                }
            }
            Operation::Settle { route, .. } => {
                if !(self.trusts && self.ledger.routes.peek(route).is_some()) {
                    self.wanted.row(Table::Routes, key::route(route));
                }
            }
            Operation::Lease { .. } => self.row(Table::Leases, key::leases().as_ref()),
            Operation::DeleteAccounts { .. } | Operation::Replay { .. } | Operation::TrimEvents { .. } => {}
        }
    }

    fn append(&mut self, append: &Append) {
        let Append { app, from, to, .. } = append;
        let id = append.conversation();
        self.person(*app, from);
        self.person(*app, to);
        self.guarded(&id, append.now_ms / 1000);
        self.lane_of(&id);
        self.ties(*app, [from, to], append.terms);
    }

    fn preview(&mut self, send: &SendKey, terms: Terms, now_s: u64) {
        let id = ConversationId::new(send.app, send.from, send.to);
        self.account(id.app, &id.low);
        self.account(id.app, &id.high);
        self.guarded(&id, now_s);
        self.ties(id.app, [&send.from, &send.to], terms);
    }

    /// What a change between two people looks at.
    fn between(&mut self, id: &ConversationId) {
        self.person(id.app, &id.low);
        self.person(id.app, &id.high);
        self.conversation(id);
        self.lane_of(id);
    }

    fn account(&mut self, app: AppId, user: &UserId) {
        if !(self.trusts && self.ledger.accounts.peek(&(app, *user)).is_some()) {
            self.wanted.row(Table::Accounts, key::account(app, user));
        }
    }

    /// An account, with the end of its log.
    fn person(&mut self, app: AppId, user: &UserId) {
        self.account(app, user);
        let account = self.ledger.accounts.peek(&(app, *user));
        if !(self.trusts && account.is_some_and(|account| account.inbox.is_some() || !account.exists)) {
            self.wanted.last(Table::Logs, key::logs(app, user));
        }
    }

    fn conversation(&mut self, id: &ConversationId) {
        if !(self.trusts && self.ledger.conversations.peek(id).is_some()) {
            self.wanted.row(Table::Conversations, key::conversation(id));
        }
    }

    /// A conversation, with the messages that a send can be a repetition of.
    fn guarded(&mut self, id: &ConversationId, now_s: u64) {
        self.conversation(id);
        if !(self.trusts && self.ledger.conversations.peek(id).is_some_and(|pair| pair.guarded)) {
            let [from, until] = key::recent(id, now_s);
            self.wanted.range(Table::Messages, from, until);
        }
    }

    fn lane_of(&mut self, id: &ConversationId) {
        let lane: Lane = lane_of(id, self.ledger.engine.lanes_per_app());
        if !(self.trusts && self.ledger.lanes.peek(&lane).is_some()) {
            self.wanted.row(Table::Lanes, key::lane(lane));
            self.wanted.last(Table::Events, key::lane(lane));
        }
    }

    fn ties(&mut self, app: AppId, [from, to]: [&UserId; 2], terms: Terms) {
        let Some(device) = terms.device else { return };
        self.tie(app, to, from);
        if device.friends_only {
            self.tie(app, from, to);
        }
    }

    fn tie(&mut self, app: AppId, user: &UserId, peer: &UserId) {
        self.row(Table::Ties, key::tie(app, user, peer).as_ref());
    }

    fn row(&mut self, table: Table, key: &[u8]) {
        if !(self.trusts && self.ledger.rows.has(table, key)) {
            self.wanted.row(table, key);
        }
    }
}
