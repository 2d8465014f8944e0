//! What people and backends want: they lose patience, repeat themselves, and insist until they have an answer.

mod words;

use crate::ledger::Tag;
use crate::stage::TaskId;
use chat::alter::{Act, Alter, Altered, NotAltered};
use chat::append::{ImportMessage, Imported};
use chat::change::ReadAll;
use chat::person::{ChangePerson, PersonChanged};
use chat::port::{ChangeView, MarkRead, ReadMark, Stored, ViewChanged};
use chat::relate::{Relate, Related};
use chat::send::{SendError, SendRules};
use chat::{AppId, Chat, SendRequest, Sent, UserId};

/// Something that somebody wants to be done, once.
#[derive(Debug)]
pub(crate) struct Errand {
    pub(crate) wish: Wish,
    pub(crate) begun_ms: Option<u64>,
    pub(crate) progress: Progress,
    /// The request whose answer is still listened for.
    pub(crate) awaited: Option<TaskId>,
    /// Every success of a send that the server told, gate drops left out.
    pub(crate) answers: Vec<Sent>,
    pub(crate) requests: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Open,
    /// There is an answer.
    Settled,
    /// Nothing was heard for too long.
    GivenUp,
}

#[derive(Debug, Clone)]
pub(crate) enum Wish {
    Send(Box<SendRequest>),
    Alter(Alter),
    Import { app: AppId, imports: Vec<ImportMessage> },
    Read(MarkRead),
    ReadAll(ReadAll),
    View(ChangeView),
    Person(ChangePerson),
    Relate(Relate),
    Leave { app: AppId, users: Vec<UserId> },
}

/// The end of a request.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) tag: Tag,
    pub(crate) outcome: Outcome,
}

#[derive(Debug)]
pub(crate) enum Outcome {
    Sent(Result<Sent, SendError>),
    Altered(Stored<Altered>),
    Imported(Stored<Vec<Imported>>),
    Read(Stored<Option<ReadMark>>),
    /// How many conversations it was.
    ReadAll(Stored<usize>),
    ViewChanged(Stored<ViewChanged>),
    PersonChanged(Stored<PersonChanged>),
    Related(Stored<Related>),
    Left(Stored<Vec<bool>>),
}

impl Errand {
    pub(crate) fn new(wish: Wish) -> Self {
        Self {
            wish,
            begun_ms: None,
            progress: Progress::Open,
            awaited: None,
            answers: Vec::new(),
            requests: 0,
        }
    }

    pub(crate) fn send(&self) -> Option<&SendRequest> {
        match &self.wish {
            Wish::Send(request) => Some(request),
            _ => None,
        }
    }
}

impl Wish {
    pub(crate) fn app(&self) -> AppId {
        match self {
            Self::Send(request) => request.app,
            Self::Alter(alter) => alter.app,
            Self::Read(mark) => mark.app,
            Self::ReadAll(wanted) => wanted.app,
            Self::View(change) => change.app,
            Self::Person(change) => change.app,
            Self::Relate(relate) => relate.app,
            Self::Import { app, .. } | Self::Leave { app, .. } => *app,
        }
    }

    /// The wish, made at this time.
    fn at(mut self, at_ms: u64) -> Self {
        match &mut self {
            Self::Send(_) | Self::Import { .. } | Self::Leave { .. } => {}
            Self::Alter(Alter { now_ms, .. })
            | Self::Read(MarkRead { now_ms, .. })
            | Self::ReadAll(ReadAll { now_ms, .. })
            | Self::View(ChangeView { now_ms, .. })
            | Self::Person(ChangePerson { now_ms, .. })
            | Self::Relate(Relate { now_ms, .. }) => *now_ms = at_ms,
        }
        self
    }

    /// Makes the wish once.
    pub(crate) async fn carry_out(self, chat: Chat, rules: &SendRules) -> Outcome {
        let now_ms = chat.clock.now_ms();
        match self.at(now_ms) {
            Self::Send(request) => Outcome::Sent(chat.send(rules, *request).await),
            Self::Alter(alter) => Outcome::Altered(chat.alter(alter).await),
            Self::Import { app, imports } => Outcome::Imported(chat.import(app, imports).await),
            Self::Read(mark) => Outcome::Read(chat.mark_read(mark).await),
            Self::ReadAll(wanted) => Outcome::ReadAll(chat.read_all(wanted).await),
            Self::View(change) => Outcome::ViewChanged(chat.change_view(change).await),
            Self::Person(change) => Outcome::PersonChanged(chat.change_person(change).await),
            Self::Relate(relate) => Outcome::Related(chat.relate(relate).await),
            Self::Leave { app, users } => Outcome::Left(chat.delete_accounts(app, users).await),
        }
    }
}

impl Outcome {
    /// Whether the store did not answer, so that nobody knows what became of it.
    pub(crate) fn is_unknown(&self) -> bool {
        match self {
            Self::Sent(outcome) => matches!(outcome, Err(SendError::Store(_))),
            Self::Altered(outcome) => outcome.is_err(),
            Self::Imported(outcome) => outcome.is_err(),
            Self::Read(outcome) => outcome.is_err(),
            Self::ReadAll(outcome) => outcome.is_err(),
            Self::ViewChanged(outcome) => outcome.is_err(),
            Self::PersonChanged(outcome) => outcome.is_err(),
            Self::Related(outcome) => outcome.is_err(),
            Self::Left(outcome) => outcome.is_err(),
        }
    }

    /// Whether it says that this very request changed something. A send that is answered with success may have been
    /// made before.
    pub(crate) fn claims_change(&self) -> bool {
        match self {
            Self::Sent(_) => false,
            Self::Altered(outcome) => matches!(outcome, Ok(Altered::Done { .. })),
            Self::Imported(outcome) => {
                let is_done = |imported: &Imported| matches!(imported, Imported::Done(_));
                outcome.as_ref().is_ok_and(|outcomes| outcomes.iter().any(is_done))
            }
            Self::Read(outcome) => matches!(outcome, Ok(Some(_))),
            Self::ReadAll(outcome) => matches!(outcome, Ok(1..)),
            Self::ViewChanged(outcome) => matches!(outcome, Ok(ViewChanged::Done(_))),
            Self::PersonChanged(outcome) => matches!(outcome, Ok(PersonChanged::Done(_))),
            Self::Related(outcome) => matches!(outcome, Ok(Related::Done(_) | Related::Pending(_))),
            Self::Left(outcome) => outcome.as_ref().is_ok_and(|existed| existed.contains(&true)),
        }
    }

    /// Whether it says that things are as they were wanted, through no doing of this request.
    pub(crate) fn was_so_already(&self, wish: &Wish) -> bool {
        match (self, wish) {
            (Self::Altered(Ok(Altered::Unchanged)), _) => true,
            (Self::Altered(Ok(Altered::Refused(NotAltered::Recalled))), Wish::Alter(alter)) => {
                alter.act == Act::Recall
            }
            (Self::Imported(Ok(outcomes)), _) => outcomes.contains(&Imported::Duplicate),
            (Self::Read(Ok(None)) | Self::ReadAll(Ok(0)), _) => true,
            _ => false,
        }
    }
}
