//! What truly became part of the store, noted at the moment of each commit.
//!
//! It draws its own conclusions from what was asked and in which order it was committed, and objects at once when the
//! store draws others. The store may forget: accounts are deleted with their logs, conversations end, events are
//! trimmed. The ledger forgets nothing, so that checkers can also judge what devices and endpoints were told before.

mod talk;
mod people;
mod relations;
mod sends;
mod deeds;
mod views;

pub(crate) use people::{Bond, Resident};
pub(crate) use talk::{Kept, Talk};

use crate::report::{Checked, holds};
use chat::effect::Told;
use chat::port::{Hint, LogRecord};
use chat::{AppId, Change, ConversationId, Event, EventId, Fact, LogEntry, Message, Position, UserId};
use people::People;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Names an errand, whatever becomes of it: it travels as the custom data of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tag(pub(crate) u64);

impl Tag {
    pub(crate) fn of(custom_data: &[u8]) -> Self {
        Self(u64::from_be_bytes(custom_data.try_into().expect("every send carries its tag")))
    }
}

/// A user of an app, in one life of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Life {
    pub(crate) app: AppId,
    pub(crate) user: UserId,
    pub(crate) epoch: u64,
}

/// An entry of a user's log, as it was committed.
#[derive(Debug)]
pub(crate) struct Noted {
    pub(crate) entry: LogEntry,
    /// The message that it names.
    pub(crate) named: Option<Named>,
}

/// A message, as it stood after one of its commits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named {
    talk: usize,
    message: usize,
    version: usize,
}

/// What a commit has to tell.
#[derive(Debug, Default)]
struct News {
    /// For devices.
    entries: Vec<(UserId, Change)>,
    /// The message that the entries name.
    named: Option<Named>,
    /// For the backend.
    facts: Vec<Fact>,
}

/// What the bus has to be handed for a commit.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) changed: Vec<(AppId, UserId, Position)>,
    pub(crate) online: usize,
    pub(crate) recorded: usize,
    pub(crate) revoked: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// All conversations there ever were.
    pub(crate) talks: Vec<Talk>,
    /// Those that somebody can still see. When both people have left one, the next begins anew.
    current: BTreeMap<ConversationId, usize>,
    /// Online-only messages, which are stored nowhere.
    pub(crate) online: Vec<(Tag, AppId, Arc<Message>)>,
    pub(crate) people: People,
    /// Messages that their recipient did not get, having set so.
    pub(crate) discarded: u64,
    pub(crate) logs: BTreeMap<Life, Vec<Noted>>,
    /// What each conversation has to tell its backend, in the order of the commits.
    pub(crate) promised: BTreeMap<ConversationId, Vec<Fact>>,
    /// Of the last commit.
    pub(crate) due: Due,
    /// Every event seen in the event log, trimmed ones included.
    pub(crate) events: BTreeMap<EventId, Event>,
}

impl Ledger {
    pub(crate) fn log(&self, life: Life) -> &[Noted] {
        self.logs.get(&life).map_or(&[], Vec::as_slice)
    }

    /// The conversations that there are now.
    pub(crate) fn current(&self) -> impl Iterator<Item = &Talk> {
        self.current.values().map(|index| &self.talks[*index])
    }

    pub(crate) fn talk(&self, id: &ConversationId) -> Option<&Talk> {
        self.current.get(id).map(|index| &self.talks[*index])
    }

    fn talk_mut(&mut self, id: &ConversationId) -> Option<&mut Talk> {
        self.current.get(id).map(|index| &mut self.talks[*index])
    }

    /// The conversation, which begins now if there is none.
    fn begin(&mut self, id: ConversationId) -> usize {
        *self.current.entry(id).or_insert_with(|| {
            self.talks.push(Talk::new(id));
            self.talks.len() - 1
        })
    }

    /// Whether a device was given this entry, with its message as it stood then or later.
    pub(crate) fn fits(&self, noted: &Noted, record: &LogRecord) -> bool {
        let message_fits = match (noted.named, &record.message) {
            (None, None) => true,
            (Some(Named { talk, message, version }), Some(given)) => {
                self.talks[talk].messages[message].versions[version..].contains(given)
            }
            _ => false,
        };
        message_fits && noted.entry == record.entry
    }

    /// Unread messages of a user, over all conversations.
    pub(crate) fn unread(&self, app: AppId, user: UserId) -> u32 {
        let theirs = self.current().filter(|talk| talk.id.app == app && talk.is_of(&user));
        theirs.map(|talk| talk.unread(&user)).sum()
    }

    /// An entry for the log of a user. `told`: what the store says about it.
    fn enter(
        &mut self,
        (app, user): (AppId, UserId),
        change: Change,
        named: Option<Named>,
        told: Option<&Hint>,
    ) -> Checked {
        let unread = self.unread(app, user);
        let Some(epoch) = self.people.epoch(app, user) else {
            return holds(told.is_none(), "logs_are_whole", || format!("{user} has no log for {told:?}"));
        };
        let log = self.logs.entry(Life { app, user, epoch }).or_default();
        let entry = LogEntry { offset: log.len() as u64 + 1, unread, change };
        log.push(Noted { entry, named });
        let Some(hint) = told else { return Ok(()) };
        self.due.changed.push((app, user, hint.position()));
        let given = hint.record.entry;
        holds(given.unread == unread, "counts_are_exact", || {
            format!("{user} of app {app} has {unread} unread messages after {given:?}")
        })?;
        let noted = self.logs[&Life { app, user, epoch }].last().expect("it was pushed above");
        holds(hint.epoch == epoch && self.fits(noted, &hint.record), "logs_are_whole", || {
            format!("{user} of app {app} has {noted:?} in epoch {epoch}, and the store says {hint:?}")
        })
    }

    /// Everything that a commit tells. Nothing else may be told.
    fn tell(&mut self, app: AppId, news: News, told: &Told) -> Checked {
        let News { mut entries, named, facts } = news;
        entries.retain(|(user, _)| self.people.has(app, *user));
        for (user, hint) in &told.hints {
            let change = hint.record.entry.change;
            let place = entries.iter().position(|entry| *entry == (*user, change));
            holds(place.is_some(), "logs_are_whole", || {
                format!("{user} of app {app} is told {change:?}, not one of {entries:?}")
            })?;
            entries.remove(place.expect("looked at above"));
            self.enter((app, *user), change, named, Some(hint))?;
        }
        holds(entries.is_empty(), "logs_are_whole", || format!("nobody in app {app} is told {entries:?}"))?;
        holds(told.events.len() == facts.len(), "every_change_has_its_event", || {
            format!("{:?} were recorded, and should be {facts:?}", told.events)
        })?;
        self.due.recorded += told.events.len();
        facts.into_iter().for_each(|fact| self.promise(app, fact));
        Ok(())
    }

    /// Something that the backend has to be told, after everything that was promised of the two people before.
    fn promise(&mut self, app: AppId, fact: Fact) {
        let [one, other] = fact.people();
        self.promised.entry(ConversationId::new(app, one, other)).or_default().push(fact);
    }
}
