//! Reads an app's log for one carrier, and pushes what its recipients have missed.

use super::answer::{self, Outcome};
use super::figures::Figures;
use super::notice::{Mute, Notice};
use super::token::{Access, Tokens};
use super::{Account, Carrier, Surroundings, apns, fcm, may_be_missed};
use crate::callback::{Addressee, ours};
use crate::config::Callback;
use crate::outgoing::{Manner, Outgoing, Spoken};
use crate::trust;
use async_trait::async_trait;
use chat::conversation::Notify;
use chat::dispatch::{Failure, FailureKind, FailureReason, Receipt, Verdict};
use chat::event::{Event, MessageName, ProfileValue};
use chat::person::{ChangePerson, PersonChange, Profile, PushToken};
use chat::port::{Direction, EndpointId, HistoryQuery, StoreError};
use chat::{AppId, ConversationId, EventId, Message, UserId};
use futures_util::future::join_all;
use protocol::rest::profile::StandardTag;
use std::any::Any;
use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Messages of which is remembered which devices have had them, while others are tried again. It is only kept in
/// memory: after a crash, a device may be sent the same once more, which takes the place of the first.
const PARTLY_SENT_LEN_MAX: usize = 10_000;

/// Messages that are looked at to tell whether one was read in the very second in which it came.
const BEHIND_LOOKS_MAX: usize = 100;

pub struct Follower {
    carrier: Arc<Carrier>,
    surroundings: Surroundings,
    outgoing: Outgoing,
    /// For access tokens, which may come from elsewhere, and over another protocol.
    granting: Outgoing,
    tokens: Tokens,
    partly_sent: Mutex<VecDeque<(EventId, Vec<String>)>>,
    figures: Figures,
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follower").field("carrier", &self.carrier).finish_non_exhaustive()
    }
}

/// A message that is to be pushed, and to which devices.
struct Missed {
    event: EventId,
    to: UserId,
    notice: Notice,
    tokens: Vec<PushToken>,
    until_ms: u64,
}

impl Follower {
    pub fn new(carrier: Arc<Carrier>, surroundings: Surroundings) -> Self {
        let spoken = match carrier.account {
            Account::Fcm(_) => Spoken::Either,
            Account::Apns(_) => Spoken::Http2,
        };
        let outgoing = |spoken| {
            let manner = Manner {
                tls: trust::trusting(trust::public_authorities()).with_no_client_auth(),
                spoken,
                connect_timeout_ms: carrier.settings.connect_timeout_ms,
                private: carrier.settings.private_addresses,
            };
            Outgoing::new(manner, Arc::clone(&surroundings.names))
        };
        Self {
            outgoing: outgoing(spoken),
            granting: outgoing(Spoken::Either),
            tokens: Tokens::default(),
            partly_sent: Mutex::default(),
            figures: Figures::new(carrier.app, carrier.name()),
            carrier,
            surroundings,
        }
    }

    fn now_ms(&self) -> u64 {
        self.surroundings.chat.clock.now_ms()
    }

    /// Half of the time for all of it: what one device takes too long for is known before it is over for the others.
    fn call_timeout_ms(&self) -> u64 {
        self.carrier.settings.timeout_ms / 2
    }

    /// What is to be pushed of a message now, if anything is: in the meantime it may have been read or recalled.
    async fn missed(&self, event: &Event, name: MessageName) -> Result<Option<Missed>, StoreError> {
        let Surroundings { chat, bus, .. } = &self.surroundings;
        let (app, MessageName { from, to, .. }) = (self.carrier.app, name);
        if bus.is_online(app, to).await {
            return Ok(None);
        }
        let mut people = chat.store.people(app, vec![to, from]).await?.into_iter();
        let (recipient, sender) = (people.next().flatten(), people.next().flatten());
        let mut tokens = recipient.map(|recipient| recipient.tokens).unwrap_or_default();
        tokens.retain(|token| token.provider == self.carrier.provider());
        if tokens.is_empty() {
            return Ok(None);
        }
        let until_ms = event.recorded_ms.saturating_add(self.carrier.age_ms_max);
        if until_ms <= self.now_ms() {
            return Ok(self.leave_out("too_old"));
        }
        let there =
            |message: &Message| message.from == from && !message.fate.recalled && message.visible_to(&to);
        let found = chat.store.find(event.conversation, name.key()).await?;
        let Some(message) = found.map(|found| found.message).filter(there) else {
            return Ok(self.leave_out("gone"));
        };
        let Some(page) = chat.store.contacts_with(app, to, vec![from]).await? else { return Ok(None) };
        let contact = page.contacts.first();
        let (unread, read_until_s) = contact.map_or((0, 0), |contact| (contact.unread, contact.read_until_s));
        let is_read = match read_until_s.cmp(&message.time_s) {
            Ordering::Greater => true,
            _ if !message.counts() => false,
            Ordering::Less => unread == 0,
            Ordering::Equal => unread == 0 || self.counting_behind(event.conversation, name).await? >= unread,
        };
        if is_read {
            return Ok(self.leave_out("read"));
        }
        if contact.is_some_and(|contact| contact.notify != Notify::Ring) {
            return Ok(self.leave_out("not_disturbed"));
        }
        let nick = sender.as_ref().map_or("", |sender| nick(&sender.profile));
        match Notice::of(&message, nick, page.inbox.unread) {
            Ok(notice) => Ok(Some(Missed { event: event.id, to, notice, tokens, until_ms })),
            Err(Mute::Wish) => Ok(self.leave_out("not_wanted")),
            Err(Mute::NoText) => Ok(self.leave_out("no_text")),
        }
    }

    /// How many messages that count came after this one, as far as they are looked at. When there are as many as are
    /// unread, it is not one of them: times of reading are whole seconds, and both may be of the same one.
    async fn counting_behind(
        &self,
        conversation: ConversationId,
        name: MessageName,
    ) -> Result<u32, StoreError> {
        let query = HistoryQuery {
            conversation,
            viewer: name.to,
            direction: Direction::Newer,
            time_s_min: name.key().time_s,
            time_s_max: u64::MAX,
            behind: Some(name.key()),
            limit: BEHIND_LOOKS_MAX,
            bytes_max: usize::MAX,
        };
        let page = self.surroundings.chat.store.history(query).await?;
        let counts =
            |message: &&Message| message.from == name.from && message.counts() && !message.fate.recalled;
        Ok(page.messages.iter().filter(counts).count() as u32)
    }

    fn leave_out(&self, why: &'static str) -> Option<Missed> {
        self.figures.leave_out(why);
        None
    }

    /// Sends it to every device that has not had it.
    async fn push(&self, missed: Missed) -> Verdict {
        let had = self.partly_sent(missed.event);
        let left: Vec<&PushToken> =
            missed.tokens.iter().filter(|token| !had.contains(&token.token)).collect();
        let sending = left.iter().map(|token| self.push_to(&missed, token));
        let outcomes = join_all(sending).await;
        let done = left.iter().zip(&outcomes).filter(|(_, outcome)| **outcome == Outcome::Sent);
        let sent: Vec<String> = done.map(|(token, _)| token.token.clone()).chain(had).collect();
        let verdict = answer::verdict(outcomes);
        if matches!(verdict, Verdict::Failed { .. }) && !sent.is_empty() {
            self.keep_partly_sent(missed.event, sent);
        }
        verdict
    }

    async fn push_to(&self, missed: &Missed, token: &PushToken) -> Outcome {
        let begun_ms = self.now_ms();
        let mut outcome = match self.access(None).await {
            Ok(access) => match self.call(missed, token, &access).await {
                // Perhaps it has only worn out. Another one shows it.
                Outcome::Stranger(failure) => match self.access(Some(&access)).await {
                    Ok(other) if other.is(&access) => Outcome::Stranger(failure),
                    Ok(other) => self.call(missed, token, &other).await,
                    Err(outcome) => outcome,
                },
                outcome => outcome,
            },
            Err(outcome) => outcome,
        };
        self.figures.count(&outcome, self.now_ms().saturating_sub(begun_ms));
        if let Outcome::Gone { at_ms } = outcome {
            // Somebody who came back since then has told of the token anew.
            let is_back = at_ms.is_some_and(|at_ms| token.set_ms > at_ms);
            if !is_back && let Err(failed) = self.drop_token(missed.to, token).await {
                outcome = failed;
            }
        }
        outcome
    }

    /// A token by which the carrier knows us; another one than this, if there is one.
    async fn access(&self, refused: Option<&Access>) -> Result<Arc<Access>, Outcome> {
        let now_ms = self.now_ms();
        match &self.carrier.account {
            Account::Fcm(account) => {
                let timeout_ms = self.call_timeout_ms();
                let make = || account.access(&self.granting, timeout_ms, now_ms);
                self.tokens.get(now_ms / 1000, refused, 0, make).await
            }
            Account::Apns(key) => {
                let make = async || Ok(key.access(now_ms / 1000));
                self.tokens.get(now_ms / 1000, refused, apns::TOKEN_SECS_MIN, make).await
            }
        }
    }

    async fn call(&self, missed: &Missed, token: &PushToken, access: &Access) -> Outcome {
        let Missed { event, notice, until_ms, .. } = missed;
        let begun_ms = self.now_ms();
        let request = match &self.carrier.account {
            Account::Fcm(account) => {
                let ttl_secs = until_ms.saturating_sub(begun_ms) / 1000;
                account.request(notice, &token.token, access, ttl_secs)
            }
            // It becomes a part of the address.
            Account::Apns(_) if !token.token.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                return Outcome::Gone { at_ms: None };
            }
            Account::Apns(key) => {
                let name = format!("{event} {}", token.token);
                key.request(notice, &token.token, access, (&name, until_ms / 1000))
            }
        };
        let Some(request) = request else { return Outcome::TooLarge };
        let timeout_ms = self.call_timeout_ms();
        let result = self.outgoing.call(request, timeout_ms, fcm::ROOM, || self.now_ms()).await;
        let latency_ms = self.now_ms().saturating_sub(begun_ms);
        match self.carrier.account {
            Account::Fcm(_) => fcm::outcome(&result, latency_ms),
            Account::Apns(_) => apns::outcome(&result, latency_ms),
        }
    }

    async fn drop_token(&self, user: UserId, token: &PushToken) -> Result<(), Outcome> {
        let change = ChangePerson {
            app: self.carrier.app,
            user,
            change: PersonChange::DropToken { device: token.device.clone(), only: Some(token.token.clone()) },
            now_ms: self.now_ms(),
        };
        match self.surroundings.chat.change_person(change).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let failure = Failure {
                    reason: FailureReason::Unreadable,
                    status: 0,
                    latency_ms: 0,
                    words: format!("a token that is no longer good could not be dropped: {error}"),
                    answer: String::new(),
                };
                Err(Outcome::Failed { kind: FailureKind::Passing { after_ms: None }, failure })
            }
        }
    }

    /// The devices that have had the message in an earlier attempt, which is forgotten.
    fn partly_sent(&self, id: EventId) -> Vec<String> {
        let mut partly_sent = self.partly_sent.lock().expect(UNPOISONED);
        let at = partly_sent.iter().position(|(other, _)| *other == id);
        at.and_then(|at| partly_sent.remove(at)).map(|(_, tokens)| tokens).unwrap_or_default()
    }

    fn keep_partly_sent(&self, id: EventId, tokens: Vec<String>) {
        let mut partly_sent = self.partly_sent.lock().expect(UNPOISONED);
        if partly_sent.len() == PARTLY_SENT_LEN_MAX {
            partly_sent.pop_front();
        }
        partly_sent.push_back((id, tokens));
    }
}

const UNPOISONED: &str = "nothing panics while it holds this lock";

fn nick(profile: &Profile) -> &str {
    match profile.get(StandardTag::Nick.as_str()) {
        Some(ProfileValue::Text(nick)) => nick,
        _ => "",
    }
}

#[async_trait]
impl Addressee for Follower {
    fn app(&self) -> AppId {
        self.carrier.app
    }

    fn id(&self) -> &EndpointId {
        &self.carrier.id
    }

    fn settings(&self) -> &Callback {
        &self.carrier.settings
    }

    fn is_same(&self, other: &dyn Addressee) -> bool {
        let other: &dyn Any = other;
        other.downcast_ref::<Self>().is_some_and(|other| other.carrier == self.carrier)
    }

    async fn tell(&self, event: &Event) -> Verdict {
        let Some(name) = may_be_missed(event) else { return Verdict::Done(Receipt::NotWanted) };
        let telling = async {
            match self.missed(event, name).await {
                Ok(Some(missed)) => self.push(missed).await,
                Ok(None) => Verdict::Done(Receipt::NotWanted),
                Err(error) => ours(FailureKind::Ours, FailureReason::Unreadable, error.to_string()),
            }
        };
        let timeout_ms = self.carrier.settings.timeout_ms;
        match tokio::time::timeout(Duration::from_millis(timeout_ms), telling).await {
            Ok(verdict) => verdict,
            Err(_) => ours(
                FailureKind::Passing { after_ms: None },
                FailureReason::TimedOut,
                format!("no answer within {timeout_ms} ms"),
            ),
        }
    }
}
