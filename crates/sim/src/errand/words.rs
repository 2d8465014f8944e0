//! Errands in a few words, for the trace of a failure.

use super::{Outcome, Wish};
use chat::alter::{Act, Alter, Altered};
use chat::append::Imported;
use chat::person::{PersonChange, PersonChanged};
use chat::port::{StoreError, ViewChanged};
use chat::relate::{Approach, Related};
use std::fmt;

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in app {}, ", self.app())?;
        match self {
            Self::Send(request) => write!(f, "{} sends to {}", request.from, request.to),
            Self::Alter(Alter { from, to, key, by, act, .. }) => {
                let act = match act {
                    Act::Recall => "recalls",
                    Act::Edit { .. } => "edits",
                    Act::Confirm => "confirms",
                    Act::Delete => "deletes",
                    Act::Extend(_) => "extends",
                };
                write!(f, "{by} {act} {key:?} of {from} to {to}")
            }
            Self::Import { imports, .. } => {
                write!(f, "imports")?;
                imports.iter().try_for_each(|import| {
                    let kind = if import.live { "live" } else { "history" };
                    write!(f, " {kind} {:?} of {} to {}", import.key(), import.from, import.to)
                })
            }
            Self::Read(mark) => write!(f, "{} reads {} until {:?}", mark.reader, mark.peer, mark.until_s),
            Self::ReadAll(wanted) => write!(f, "{} reads everything", wanted.reader),
            Self::View(change) => write!(f, "{} wants {} {:?}", change.owner, change.peer, change.act),
            Self::Person(change) => match &change.change {
                PersonChange::Profile { items, settings, .. } => {
                    write!(f, "{} writes {items:?} and {settings:?}", change.user)
                }
                other => write!(f, "{} is changed: {other:?}", change.user),
            },
            Self::Relate(relate) => {
                let act = match &relate.act {
                    Approach::Befriend { mutual, forced, .. } => {
                        format!("befriends, mutual: {mutual}, forced: {forced},")
                    }
                    Approach::Import { .. } => "is given as a friend".to_owned(),
                    other => format!("{other:?}"),
                };
                write!(f, "{} {act} {}", relate.from, relate.to)
            }
            Self::Leave { users, .. } => write!(f, "{users:?} leave"),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent(outcome) => write!(f, "{outcome:?}"),
            Self::Altered(outcome) => match outcome {
                Ok(Altered::Done { .. }) => f.write_str("done"),
                other => unchanged(f, other),
            },
            Self::Imported(Ok(outcomes)) => {
                let words = outcomes.iter().map(|outcome| match outcome {
                    Imported::Done(_) => "done",
                    Imported::Duplicate => "known",
                    Imported::UnknownAccount => "unknown account",
                });
                write!(f, "{:?}", words.collect::<Vec<_>>())
            }
            Self::Imported(Err(error)) => write!(f, "{error}"),
            Self::Read(outcome) => match outcome {
                Ok(Some(_)) => f.write_str("done"),
                other => unchanged(f, other),
            },
            Self::ReadAll(outcome) => unchanged(f, outcome),
            Self::ViewChanged(outcome) => match outcome {
                Ok(ViewChanged::Done(told)) if told.hints.is_empty() => f.write_str("as it was"),
                Ok(ViewChanged::Done(_)) => f.write_str("done"),
                other => unchanged(f, other),
            },
            Self::PersonChanged(outcome) => match outcome {
                Ok(PersonChanged::Done(_)) => f.write_str("done"),
                other => unchanged(f, other),
            },
            Self::Related(outcome) => match outcome {
                Ok(Related::Done(_)) => f.write_str("done"),
                Ok(Related::Pending(_)) => f.write_str("asked"),
                other => unchanged(f, other),
            },
            Self::Left(outcome) => unchanged(f, outcome),
        }
    }
}

fn unchanged<T: fmt::Debug>(f: &mut fmt::Formatter<'_>, outcome: &Result<T, StoreError>) -> fmt::Result {
    match outcome {
        Ok(answer) => write!(f, "{answer:?}"),
        Err(error) => write!(f, "{error}"),
    }
}
