//! The writer: the one thread through which every change goes.
//!
//! It takes what is waiting, lets the ledger apply one operation after the other, and hands the group to the
//! committer as soon as that has finished the one before. At most one group is being committed while one is being put
//! together, so a failed commit takes exactly one other group with it.

use super::engine::{Batch, Engine};
use super::group::Sealed;
use super::ledger::Ledger;
use super::operation::{Answer, Counted, Looked, Operation, Told, stopped};
use super::queue::Queue;
use chat::port::{MarkRead, ReadMark, StoreError, Stored};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

pub(super) struct Writer {
    ledger: Ledger,
    queue: Arc<Queue>,
    commits: Commits,
    in_flight: bool,
    group_operations_max: usize,
    group_bytes_max: u64,
}

/// Who commits.
pub(super) enum Commits {
    /// A thread beside the writer.
    Beside(SyncSender<Sealed>),
    /// The writer itself: it holds the locks of the group, and may not begin another one before they are gone.
    InLine,
}

/// How much is remembered, and how much is committed at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) accounts_cached_max: usize,
    pub(super) conversations_cached_max: usize,
    pub(super) group_operations_max: usize,
    pub(super) group_bytes_max: u64,
}

impl Writer {
    pub(super) fn new(engine: Engine, queue: Arc<Queue>, commits: Commits, bounds: Bounds) -> Self {
        let Bounds { group_operations_max, group_bytes_max, .. } = bounds;
        let ledger = Ledger::new(engine, &bounds);
        Self { ledger, queue, commits, in_flight: false, group_operations_max, group_bytes_max }
    }

    /// Ends when the queue is closed and everything in it has been carried out.
    pub(super) fn run(mut self) {
        let mut taken = VecDeque::new();
        let mut ended = false;
        while !(ended && taken.is_empty() && self.ledger.group().operations() == 0 && !self.in_flight) {
            // With operations at hand and no commit under way, nothing would end a wait.
            if taken.is_empty() || self.in_flight {
                let wanted = if ended || !taken.is_empty() { 0 } else { self.room() };
                let woken = self.queue.wait(wanted, &mut taken);
                ended |= woken.ended;
                if let Some(outcome) = woken.committed {
                    self.commit_ended(outcome);
                }
            }
            while self.room() > 0
                && let Some(operation) = taken.pop_front()
            {
                if let Err(error) = self.begin_for(&operation, &taken) {
                    // Each of those that wait would wait as long for the same answer.
                    operation.refuse(&error);
                    taken.drain(..).for_each(|operation| operation.refuse(&error));
                } else {
                    self.carry_out(operation);
                }
            }
            if !self.in_flight && self.ledger.group().operations() > 0 {
                self.hand_over();
            }
        }
    }

    /// How many more operations the group takes.
    fn room(&self) -> usize {
        let group = self.ledger.group();
        if group.bytes() >= self.group_bytes_max {
            return 0;
        }
        self.group_operations_max.saturating_sub(group.operations())
    }

    /// Makes sure that the group may change what an operation changes. Others that follow are begun with it.
    fn begin_for(&mut self, operation: &Operation, next: &VecDeque<Operation>) -> Stored<()> {
        if self.ledger.may_change(operation) {
            return Ok(());
        }
        self.drain();
        let operations = std::iter::once(operation).chain(next).take(self.group_operations_max);
        self.ledger.begin(operations)
    }

    fn carry_out(&mut self, operation: Operation) {
        let ledger = &mut self.ledger;
        let answer = match operation {
            Operation::Append { append, reply } => {
                Answer::Appended(Told { reply, result: ledger.append(*append) })
            }
            Operation::Preview { key, terms, now_s, reply } => {
                Answer::Preview(Told { reply, result: ledger.preview(&key, terms, now_s) })
            }
            Operation::ImportMessages { imports, reply } => {
                let result = imports.iter().map(|import| ledger.import_message(import)).collect();
                Answer::Imported(Told { reply, result })
            }
            Operation::Alter { alter, place, reply } => {
                Answer::Altered(Told { reply, result: ledger.alter(&alter, place) })
            }
            Operation::MarkRead { mark, counted, reply } => {
                Answer::Read(Told { reply, result: self.mark_read(&mark, counted.as_ref()) })
            }
            Operation::ChangeView { change, reply } => {
                Answer::View(Told { reply, result: ledger.change_view(&change) })
            }
            Operation::ChangePerson { change, reply } => {
                Answer::Person(Told { reply, result: ledger.change_person(&change) })
            }
            Operation::Relate { relate, reply } => {
                Answer::Related(Told { reply, result: ledger.relate(&relate) })
            }
            Operation::Record { draft, reply } => {
                Answer::Event(Told { reply, result: ledger.record(&draft) })
            }
            Operation::Settle { route, checkpoint, reply } => {
                Answer::Kept(Told { reply, result: ledger.settle(&route, *checkpoint) })
            }
            Operation::Lease { ask, reply } => Answer::Leases(Told { reply, result: ledger.lease(&ask) }),
            Operation::ImportAccounts { app, accounts, now_ms, reply } => {
                Answer::Nothing(Told { reply, result: ledger.import_accounts(app, accounts, now_ms) })
            }
            Operation::DeleteAccounts { app, users, now_ms, reply } => {
                let result = self.alone(app, |ledger| ledger.delete_accounts(app, &users, now_ms));
                return self.end_alone(Answer::Existed(Told { reply, result }));
            }
            Operation::Replay { route, replay, now_ms, reply } => {
                let result = self.alone(route.lane.app, |ledger| ledger.replay(&route, &replay, now_ms));
                return self.end_alone(Answer::Replayed(Told { reply, result }));
            }
            Operation::TrimEvents { trim, reply } => {
                let result = self.alone(trim.lane.app, |ledger| ledger.trim_events(trim));
                return self.end_alone(Answer::Count(Told { reply, result }));
            }
        };
        self.ledger.answer(answer);
    }

    /// A mark of a part counts messages in the database; others may follow it in its group.
    fn mark_read(&mut self, mark: &MarkRead, counted: Option<&Counted>) -> Stored<Looked<Option<ReadMark>>> {
        if counted.is_none() && self.ledger.reads_part(mark)? {
            self.alone(mark.app, |ledger| ledger.mark_read(mark, None))
        } else {
            self.ledger.mark_read(mark, counted)
        }
    }

    /// Ends the group of an operation that changed what nobody else knows of yet.
    fn end_alone(&mut self, answer: Answer) {
        self.ledger.answer(answer);
        self.drain();
    }

    /// Carries out what has to find everything earlier in the database.
    fn alone<T>(&mut self, app: chat::AppId, operation: impl FnOnce(&mut Ledger) -> Stored<T>) -> Stored<T> {
        self.drain();
        self.ledger.begin_alone(app)?;
        let result = operation(&mut self.ledger);
        if let Err(error) = &result {
            // What it has put into the group so far is half of something.
            self.ledger.failed(error);
        }
        result
    }

    /// Waits until nothing is in flight any more.
    fn drain(&mut self) {
        self.wait_for_commit();
        if self.ledger.group().operations() > 0 {
            self.hand_over();
            self.wait_for_commit();
        }
    }

    fn wait_for_commit(&mut self) {
        while self.in_flight {
            if let Some(outcome) = self.queue.wait(0, &mut VecDeque::new()).committed {
                self.commit_ended(outcome);
            }
        }
    }

    fn hand_over(&mut self) {
        let sealed = self.ledger.seal();
        match &self.commits {
            Commits::Beside(committer) => {
                self.in_flight = true;
                if committer.send(sealed).is_err() {
                    // The committer is no more. The callers of the group have been told by its end.
                    self.commit_ended(Err(stopped()));
                }
            }
            Commits::InLine => self.commit(sealed),
        }
    }

    fn commit(&mut self, Sealed { batch, answers }: Sealed) {
        let Batch::Postgres(batch) = batch else { unreachable!("a batch stays with its engine") };
        let outcome = self.ledger.commit(&batch);
        if let Err(error) = &outcome {
            tracing::error!(%error, operations = answers.len(), "a group of operations could not be committed");
        }
        self.commit_ended(outcome.clone());
        for answer in answers {
            answer.give(&outcome);
        }
    }

    fn commit_ended(&mut self, outcome: Stored<()>) {
        self.in_flight = false;
        match outcome {
            Ok(()) => self.ledger.committed(),
            Err(error) => self.ledger.failed(&StoreError::Unavailable(format!(
                "an earlier operation could not be committed: {error}"
            ))),
        }
    }
}

impl Drop for Writer {
    /// Also when this thread panics: nobody may wait for an answer that never comes.
    fn drop(&mut self) {
        self.queue.abandon();
    }
}
