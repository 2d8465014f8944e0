//! One commit in the making: the rows that operations change, and the answers that wait for it.

use super::codec;
use super::engine::{Batch, Engine, Table};
use super::key;
use super::operation::Answer;
use chat::port::StoreError;
use chat::{Conversation, ConversationId};
use rustc_hash::FxHashMap;

/// Rows that a message writes, for making room in advance.
const ROWS_PER_OPERATION: usize = 5;

pub(super) struct Group {
    /// Rows with keys of their own, which no other operation of the group can touch.
    batch: Batch,
    /// Rows that several operations may change: only the last change counts. `None` removes.
    rows: FxHashMap<(Table, Vec<u8>), Option<Vec<u8>>>,
    /// About how much was set, what was set again counted again.
    rows_bytes: u64,
    /// Conversations whose state in the cache has to be written.
    changed: Vec<ConversationId>,
    answers: Vec<Answer>,
    /// Where values are put together.
    value: Vec<u8>,
}

/// A group to which nothing is added any more.
pub(super) struct Sealed {
    pub(super) batch: Batch,
    pub(super) answers: Vec<Answer>,
}

impl Group {
    pub(super) fn new(engine: &Engine, operations_expected: usize) -> Self {
        Self {
            batch: engine.batch(operations_expected * ROWS_PER_OPERATION),
            rows: FxHashMap::default(),
            rows_bytes: 0,
            changed: Vec::new(),
            answers: Vec::with_capacity(operations_expected),
            value: Vec::with_capacity(1024),
        }
    }

    /// Writes a row whose key is new.
    pub(super) fn put(
        &mut self,
        engine: &Engine,
        table: Table,
        key: impl AsRef<[u8]>,
        encode: impl FnOnce(&mut Vec<u8>),
    ) {
        self.value.clear();
        encode(&mut self.value);
        self.batch.add(engine, table, key.as_ref(), &self.value);
    }

    /// Removes a row that no operation of the group writes.
    pub(super) fn remove(&mut self, engine: &Engine, table: Table, key: &[u8]) {
        self.batch.remove(engine, table, key);
    }

    /// Writes or removes a row that other operations may change too.
    pub(super) fn set(&mut self, table: Table, key: impl AsRef<[u8]>, value: Option<Vec<u8>>) {
        let key = key.as_ref().to_vec();
        self.rows_bytes += (key.len() + value.as_ref().map_or(0, Vec::len)) as u64;
        self.rows.insert((table, key), value);
    }

    /// What the group will make of such a row, if it changes it.
    pub(super) fn staged(&self, table: Table, key: impl AsRef<[u8]>) -> Option<&[u8]> {
        self.rows.get(&(table, key.as_ref().to_vec()))?.as_deref()
    }

    pub(super) fn conversation_changed(&mut self, id: ConversationId) {
        self.changed.push(id);
    }

    pub(super) fn answer(&mut self, answer: Answer) {
        self.answers.push(answer);
    }

    pub(super) fn operations(&self) -> usize {
        self.answers.len()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.batch.bytes() + self.rows_bytes
    }

    /// Puts the rows together. `state` knows the conversations that changed; one that is no more has none.
    pub(super) fn seal(
        mut self,
        engine: &Engine,
        mut state: impl FnMut(&ConversationId) -> Option<Conversation>,
    ) -> Sealed {
        for id in std::mem::take(&mut self.changed) {
            let key = key::conversation(&id);
            match state(&id) {
                Some(conversation) => {
                    self.value.clear();
                    codec::encode_conversation(&conversation, &mut self.value);
                    self.batch.put(engine, Table::Conversations, key.as_ref(), &self.value);
                }
                None => self.remove(engine, Table::Conversations, key.as_ref()),
            }
        }
        for ((table, key), value) in self.rows {
            match value {
                Some(value) => self.batch.put(engine, table, &key, &value),
                None => self.batch.remove(engine, table, &key),
            }
        }
        Sealed { batch: self.batch, answers: self.answers }
    }

    /// Gives up: nothing is written, and everybody is told why.
    pub(super) fn fail(self, error: &StoreError) {
        let failed = Err(error.clone());
        for answer in self.answers {
            answer.give(&failed);
        }
    }
}
