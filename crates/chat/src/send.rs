//! The path of one send: judge, ask, commit, hint.

use crate::admit::Terms;
use crate::event::{Lane, Origin, Refusal};
use crate::filter::{self, Judgement, WordList};
use crate::guard::{FirstSend, SendKey};
use crate::id::{AppId, ConversationId, UserId};
use crate::message::{Content, Delivery};
use crate::port::{
    Append, Appended, Bus, Clock, Committed, Gate, GateAnswer, Preview, Question, Store, StoreError,
};
use bytes::Bytes;
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A send as it arrives from REST or from a client.
#[derive(Debug, Clone)]
pub struct SendRequest {
    pub app: AppId,
    pub from: UserId,
    pub to: UserId,
    /// The sender's own sequence number, if it gave one.
    pub seq: Option<u32>,
    pub random: u32,
    /// When the sender's side made the message; `None` is now.
    pub client_time_s: Option<u64>,
    pub content: Content,
    pub offline_push: Bytes,
    pub delivery: Delivery,
    pub checks: Checks,
    pub terms: Terms,
    pub origin: Origin,
}

/// What the sender asked to leave out, for this message only.
#[derive(Debug, Clone, Copy, Default)]
pub struct Checks {
    pub skip_filter: bool,
    pub skip_gate: bool,
    pub skip_event: bool,
}

/// An app's settings, as far as they decide what happens to a send.
#[derive(Debug, Clone)]
pub struct SendRules {
    pub message_bytes_max: usize,
    pub word_lists: Vec<WordList>,
    /// Puts other texts into a body: only the wire's own language knows how.
    pub replace_texts: ReplaceTexts,
    /// Whether the app's backend is asked before a send.
    pub ask_gate: bool,
    pub gate_failure: GateFailure,
    /// Whether something follows the log that has to know of every message, also where the sender forbade the event.
    pub records_all: bool,
}

/// Rewrites the text elements of an opaque body: one text for each, in order.
#[derive(Debug, Clone, Copy)]
pub struct ReplaceTexts(pub fn(&Bytes, &[String]) -> Bytes);

/// What happens to a send when the app's backend gives no usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateFailure {
    Pass,
    Reject,
}

/// A send that was carried out, or is answered as if it had been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    pub time_s: u64,
    pub client_time_s: u64,
    pub wire_seq: u32,
    pub random: u32,
}

impl Sent {
    fn again(first: FirstSend, random: u32) -> Self {
        let FirstSend { time_s, client_time_s, wire_seq } = first;
        Self { time_s, client_time_s, wire_seq, random }
    }
}

/// What became of a message to many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentToMany {
    /// What all who get it know it by; `None` when nobody gets it.
    pub sent: Option<Sent>,
    /// Who does not get it.
    pub refused: BTreeMap<UserId, Refusal>,
}

/// What is decided about a send on its way.
struct Stamp {
    now_ms: u64,
    client_time_s: u64,
    content_crc: u32,
    wire_seq: Option<u32>,
    /// The earliest time the message may bear.
    time_s: u64,
}

impl Stamp {
    fn new(request: &SendRequest, now_ms: u64) -> Self {
        Self {
            now_ms,
            client_time_s: request.client_time_s.unwrap_or(now_ms / 1000),
            // Of the content as it was sent: a resend repeats these bytes, whatever is made of them below.
            content_crc: request.content.crc(),
            wire_seq: request.seq,
            time_s: now_ms / 1000,
        }
    }

    /// The message on its way into a commit.
    fn append(&self, rules: &SendRules, request: SendRequest) -> Append {
        let Checks { skip_event, .. } = request.checks;
        // What is only for devices that are online now is stored nowhere.
        let quiet = skip_event && rules.records_all && !request.delivery.online_only;
        Append {
            app: request.app,
            from: request.from,
            to: request.to,
            wire_seq: self.wire_seq,
            wire_seq_given: request.seq.is_some(),
            random: request.random,
            client_time_s: self.client_time_s,
            time_s: self.time_s,
            now_ms: self.now_ms,
            content_crc: self.content_crc,
            body: request.content.body,
            custom_data: request.content.custom_data,
            offline_push: request.offline_push,
            delivery: request.delivery,
            event: (!skip_event || quiet).then_some(request.origin),
            quiet,
            terms: request.terms,
            pretends: None,
        }
    }
}

/// What follows from the opinion of the app's backend.
enum Gated {
    Send,
    /// The content was replaced, and has to be judged like any other.
    Judge,
    Answer(Sent),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// The app's backend refused with a code and a text of its own.
    #[error("refused by the app: {code} {text}")]
    RefusedByApp { code: u32, text: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The rules on top of their ports.
#[derive(Clone)]
pub struct Chat {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub gate: Arc<dyn Gate>,
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Chat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chat").finish_non_exhaustive()
    }
}

impl Chat {
    /// Carries a send through every step. `Ok` is given only when all of it is durable.
    pub async fn send(&self, rules: &SendRules, mut request: SendRequest) -> Result<Sent, SendError> {
        let mut stamp = Stamp::new(&request, self.clock.now_ms());
        if let Err(refusal) = judge(rules, &mut request) {
            return self.refuse(rules, &request, refusal, &stamp).await;
        }
        if rules.ask_gate && !request.checks.skip_gate {
            match self.pass_gate(rules, &mut request, &mut stamp).await? {
                Gated::Send => {}
                Gated::Answer(sent) => return Ok(sent),
                Gated::Judge => {
                    if let Err(refusal) = judge(rules, &mut request) {
                        return self.refuse(rules, &request, refusal, &stamp).await;
                    }
                }
            }
        }
        self.commit(stamp.append(rules, request)).await
    }

    /// Carries a message to the recipient of `request` and to `others`, under one number and one time; the backend is
    /// not asked. Repeating a call that broke off half-way gives it only to those who do not have it.
    ///
    /// Refused as a whole when the sender has no account or the content is against the rules.
    pub async fn send_to_many(
        &self,
        rules: &SendRules,
        mut request: SendRequest,
        others: &[UserId],
    ) -> Result<SentToMany, SendError> {
        let mut people = vec![request.from, request.to];
        people.extend_from_slice(others);
        let exist = self.store.accounts_exist(request.app, people.clone()).await?;
        if !exist[0] {
            return Err(SendError::Refused(Refusal::UnknownAccount));
        }
        let (known, unknown): (Vec<_>, Vec<_>) =
            people.into_iter().zip(exist).skip(1).partition(|(_, exists)| *exists);
        let known: Vec<UserId> = known.into_iter().map(|(to, _)| to).collect();
        let refused = unknown.into_iter().map(|(to, _)| (to, Refusal::UnknownAccount)).collect();
        let mut stamp = Stamp::new(&request, self.clock.now_ms());
        // A conversation's own number would differ from one recipient to the next, and a random one from call to call.
        stamp.wire_seq = request.seq.or(Some(request.random ^ stamp.content_crc));
        if let Err(refusal) = judge(rules, &mut request) {
            let refusals = known.into_iter().map(|to| {
                let request = SendRequest { to, ..request.clone() };
                let stamp = &stamp;
                async move { self.refuse(rules, &request, refusal, stamp).await }
            });
            let failed = join_all(refusals).await.into_iter().filter_map(Result::err);
            let store_failed = failed.into_iter().find(|error| matches!(error, SendError::Store(_)));
            return Err(store_failed.unwrap_or(SendError::Refused(refusal)));
        }
        self.commit_to_many(stamp.append(rules, request), known, refused).await
    }

    /// The first commit by itself settles the time for all; if it was made before, the time that it had then.
    async fn commit_to_many(
        &self,
        mut append: Append,
        recipients: Vec<UserId>,
        mut refused: BTreeMap<UserId, Refusal>,
    ) -> Result<SentToMany, SendError> {
        let mut recipients = recipients.into_iter();
        let first = loop {
            let Some(to) = recipients.next() else { return Ok(SentToMany { sent: None, refused }) };
            match self.commit(Append { to, ..append.clone() }).await {
                Ok(sent) => break sent,
                Err(SendError::Refused(refusal)) => refused.insert(to, refusal),
                Err(error) => return Err(error),
            };
        };
        append.wire_seq = Some(first.wire_seq);
        append.client_time_s = first.client_time_s;
        // Only a recipient who gets a newer message from the same sender meanwhile has it under a later time: within
        // a conversation, time does not go back.
        append.time_s = first.time_s;
        let commits = recipients.map(|to| {
            let commit = self.commit(Append { to, ..append.clone() });
            async move { (to, commit.await) }
        });
        for (to, result) in join_all(commits).await {
            match result {
                Ok(_) => {}
                Err(SendError::Refused(refusal)) => {
                    refused.insert(to, refusal);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(SentToMany { sent: Some(first), refused })
    }

    /// Asks the app's backend. From here on the message has the number and the time that the backend was told.
    async fn pass_gate(
        &self,
        rules: &SendRules,
        request: &mut SendRequest,
        stamp: &mut Stamp,
    ) -> Result<Gated, SendError> {
        let SendRequest { app, from, to, seq, random, .. } = *request;
        let key = SendKey { app, from, to, seq, random, content_crc: stamp.content_crc };
        let place = match self.store.preview(key, request.terms, stamp.now_ms / 1000).await? {
            Preview::Next(place) => place,
            Preview::Duplicate(first) => return Ok(Gated::Answer(Sent::again(first, random))),
            Preview::UnknownAccount => return Err(SendError::Refused(Refusal::UnknownAccount)),
            Preview::Refused(refusal) => {
                let refused = self.refuse(rules, request, refusal, stamp).await;
                return refused.map(Gated::Answer);
            }
        };
        let (wire_seq, time_s) = (seq.unwrap_or(place.seq as u32), place.time_s);
        (stamp.wire_seq, stamp.time_s) = (Some(wire_seq), time_s);
        let client_time_s = stamp.client_time_s;
        let question = Question {
            app,
            from,
            to,
            wire_seq,
            random,
            time_s,
            client_time_s,
            online_only: request.delivery.online_only,
            operator: None,
            marked: request.delivery.marked,
            content: &request.content,
            origin: request.origin,
        };
        match verdict(rules, self.gate.ask(question).await)? {
            Verdict::Pass => Ok(Gated::Send),
            Verdict::Drop => Ok(Gated::Answer(Sent { time_s, client_time_s, wire_seq, random })),
            Verdict::Replace(content) => {
                request.content = content;
                Ok(Gated::Judge)
            }
        }
    }

    async fn commit(&self, append: Append) -> Result<Sent, SendError> {
        let Append { app, random, client_time_s, .. } = append;
        match self.store.append(append).await? {
            Appended::UnknownAccount => Err(SendError::Refused(Refusal::UnknownAccount)),
            Appended::Duplicate(first) => Ok(Sent::again(first, random)),
            Appended::Refused { refusal, event } => {
                if let Some(event) = event {
                    self.bus.event_recorded(event.lane);
                }
                Err(SendError::Refused(refusal))
            }
            Appended::Done(committed) => {
                let message = &committed.message;
                let (time_s, wire_seq) = (message.time_s, message.wire_seq);
                self.spread(app, *committed);
                Ok(Sent { time_s, client_time_s, wire_seq, random })
            }
        }
    }

    /// Hints only: all of this is found again from positions if it is lost.
    fn spread(&self, app: AppId, committed: Committed) {
        let Committed { message, recipient, sender, event } = committed;
        if message.delivery.online_only && !message.delivery.hidden_from_recipient {
            self.bus.online_message(app, message.to, Arc::clone(&message));
        }
        if let Some(hint) = recipient {
            self.bus.user_changed(app, message.to, hint);
        }
        if let Some(hint) = sender {
            self.bus.user_changed(app, message.from, hint);
        }
        if let Some(event) = event {
            self.bus.event_recorded(event.lane);
        }
    }

    /// Answers with the refusal; one that the backend is told of is committed first.
    async fn refuse(
        &self,
        rules: &SendRules,
        request: &SendRequest,
        refusal: Refusal,
        stamp: &Stamp,
    ) -> Result<Sent, SendError> {
        if refusal.is_told() && !request.checks.skip_event {
            let origin = request.origin;
            let draft = stamp.append(rules, request.clone()).after_refusal(origin, refusal);
            if self.record(draft).await?.is_none() {
                return Err(SendError::Refused(Refusal::UnknownAccount));
            }
        }
        Err(SendError::Refused(refusal))
    }
}

/// Which lane a conversation's events are in.
pub fn lane_of(conversation: &ConversationId, lanes_per_app: u16) -> Lane {
    let ConversationId { app, low, high } = conversation;
    let hash = low.numeric(*app) ^ high.numeric(*app).rotate_left(32);
    Lane { app: *app, index: (hash % u64::from(lanes_per_app)) as u16 }
}

/// An answer of the backend that refuses nothing.
pub(crate) enum Verdict {
    Pass,
    /// Success to whoever asked for it, and nothing else.
    Drop,
    Replace(Content),
}

/// What an answer of the backend means under the rules.
pub(crate) fn verdict(rules: &SendRules, answer: GateAnswer) -> Result<Verdict, SendError> {
    match answer {
        GateAnswer::Pass => Ok(Verdict::Pass),
        GateAnswer::Failed if rules.gate_failure == GateFailure::Pass => Ok(Verdict::Pass),
        GateAnswer::Failed => Err(SendError::Refused(Refusal::GateFailed)),
        GateAnswer::Veto(None) => Err(SendError::Refused(Refusal::Vetoed)),
        GateAnswer::Veto(Some((code, text))) => Err(SendError::RefusedByApp { code, text }),
        GateAnswer::Drop => Ok(Verdict::Drop),
        GateAnswer::Replace(content) => Ok(Verdict::Replace(content)),
    }
}

/// Applies limits and word lists to the content.
fn judge(rules: &SendRules, request: &mut SendRequest) -> Result<(), Refusal> {
    let SendRequest { content, checks, delivery, .. } = request;
    fits(rules, content)?;
    if !checks.skip_filter {
        delivery.marked |= filtered(rules, content)?;
    }
    Ok(())
}

/// Whether the size and the elements of a content are within the rules.
pub(crate) fn fits(rules: &SendRules, content: &Content) -> Result<(), Refusal> {
    if content.size_bytes > rules.message_bytes_max {
        return Err(Refusal::TooLong);
    }
    if content.custom_elements > 1 {
        return Err(Refusal::SeveralCustomElements);
    }
    Ok(())
}

/// Holds a content to the word lists, which may replace its texts. Says whether one of them marks it.
pub(crate) fn filtered(rules: &SendRules, content: &mut Content) -> Result<bool, Refusal> {
    match filter::judge(&rules.word_lists, &content.texts) {
        Judgement::Clean => Ok(false),
        Judgement::Marked => Ok(true),
        Judgement::Blocked => Err(Refusal::Filtered),
        Judgement::Masked { texts, marked } => {
            content.body = (rules.replace_texts.0)(&content.body, &texts);
            content.texts = texts;
            Ok(marked)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Fact, Outcome, Platform};
    use crate::filter::Action;
    use crate::message::{Message, MessageKey};
    use crate::model::Model;
    use crate::port::{Account, Direction, FriendAnswer, FriendQuestion, Hint, HistoryQuery};
    use async_trait::async_trait;
    use futures_util::FutureExt;
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};

    const APP: AppId = AppId(1);

    /// A clock that is moved by hand, a bus that remembers whom it told, and a backend that must not be asked.
    #[derive(Debug, Default)]
    struct Stand {
        now_s: AtomicU64,
        told: Mutex<Vec<UserId>>,
    }

    impl Clock for Stand {
        fn now_ms(&self) -> u64 {
            self.now_s.load(Ordering::Relaxed) * 1000
        }
    }

    impl Bus for Stand {
        fn user_changed(&self, _app: AppId, user: UserId, _hint: Hint) {
            self.told.lock().unwrap().push(user);
        }
        fn online_message(&self, _app: AppId, user: UserId, _message: Arc<Message>) {
            self.told.lock().unwrap().push(user);
        }
        fn event_recorded(&self, _lane: Lane) {}
        fn revoked(&self, _app: AppId, _user: UserId, _revoked_s: u64) {}
    }

    #[async_trait]
    impl Gate for Stand {
        async fn ask(&self, question: Question<'_>) -> GateAnswer {
            panic!("nobody should be asked about {question:?}")
        }

        async fn ask_friend(&self, question: FriendQuestion<'_>) -> FriendAnswer {
            panic!("nobody should be asked about {question:?}")
        }
    }

    fn user(name: &str) -> UserId {
        UserId::new(name).unwrap()
    }

    /// The model never waits.
    fn done<T>(future: impl Future<Output = T>) -> T {
        future.now_or_never().expect("nothing to wait for")
    }

    fn stand() -> (Chat, Arc<Stand>) {
        let stand = Arc::new(Stand { now_s: AtomicU64::new(1_000), told: Mutex::default() });
        let chat = Chat {
            store: Arc::new(Model::default()),
            bus: Arc::clone(&stand) as Arc<dyn Bus>,
            gate: Arc::clone(&stand) as Arc<dyn Gate>,
            clock: Arc::clone(&stand) as Arc<dyn Clock>,
        };
        let accounts = ["ana", "bo", "cy", "dee"].map(|name| Account::bare(user(name))).to_vec();
        done(chat.store.import_accounts(APP, accounts, 1)).unwrap();
        (chat, stand)
    }

    fn rules() -> SendRules {
        SendRules {
            message_bytes_max: 10,
            word_lists: vec![WordList::new(&["never".to_owned()], Action::Block).unwrap()],
            replace_texts: ReplaceTexts(|body, _| body.clone()),
            ask_gate: true,
            gate_failure: GateFailure::Reject,
            records_all: false,
        }
    }

    fn request(to: &str, text: &str) -> SendRequest {
        SendRequest {
            app: APP,
            from: user("ana"),
            to: user(to),
            seq: None,
            random: 7,
            client_time_s: None,
            content: Content {
                body: Bytes::copy_from_slice(text.as_bytes()),
                size_bytes: text.len(),
                texts: vec![text.to_owned()],
                ..Content::default()
            },
            offline_push: Bytes::new(),
            delivery: Delivery::default(),
            checks: Checks { skip_gate: true, ..Checks::default() },
            terms: Terms::default(),
            origin: Origin { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), platform: Platform::RestApi },
        }
    }

    fn send(chat: &Chat, request: SendRequest, others: &[&str]) -> Result<SentToMany, SendError> {
        let others: Vec<UserId> = others.iter().map(|name| user(name)).collect();
        done(chat.send_to_many(&rules(), request, &others))
    }

    /// The keys of what a recipient has, the newest first.
    fn keys(chat: &Chat, to: &str) -> Vec<MessageKey> {
        let query = HistoryQuery {
            conversation: ConversationId::new(APP, user("ana"), user(to)),
            viewer: user(to),
            time_s_min: 0,
            direction: Direction::Older,
            time_s_max: u64::MAX,
            behind: None,
            limit: 100,
            bytes_max: 1_000,
        };
        done(chat.store.history(query)).unwrap().messages.iter().map(Message::key).collect()
    }

    fn events(chat: &Chat) -> Vec<(UserId, Outcome)> {
        let outcome = |event: Event| match event.fact {
            Fact::AfterSend(fact) => (fact.to, fact.outcome),
            other => panic!("{other:?}"),
        };
        let events = done(chat.store.events(Lane { app: APP, index: 0 }, 0, 100)).unwrap();
        events.into_iter().map(outcome).collect()
    }

    #[test]
    fn many_get_a_message_under_one_key() {
        let (chat, stand) = stand();
        // A conversation that has messages already would give another number by itself.
        done(chat.send(&rules(), SendRequest { random: 1, ..request("cy", "hi") })).unwrap();
        stand.told.lock().unwrap().clear();
        let many = send(&chat, request("nobody", "hi"), &["bo", "noone", "cy", "ana"]).unwrap();
        let unknown = |name| (user(name), Refusal::UnknownAccount);
        assert_eq!(many.refused, BTreeMap::from([unknown("nobody"), unknown("noone")]));
        // The CRC32 of "hi", with the bits of the random number turned.
        let wire_seq = 0xd893_2aac ^ 7;
        assert_eq!(many.sent, Some(Sent { time_s: 1_000, client_time_s: 1_000, wire_seq, random: 7 }));
        let key = MessageKey { wire_seq, random: 7, time_s: 1_000 };
        assert_eq!((keys(&chat, "bo"), keys(&chat, "ana")), (vec![key], vec![key]));
        assert_eq!(keys(&chat, "cy")[0], key);
        let told = ["bo", "ana", "cy", "ana", "ana"].map(user);
        assert_eq!(*stand.told.lock().unwrap(), told, "everybody who has a copy, and for each the sender");
        let given = SendRequest { seq: Some(3), random: 8, ..request("bo", "hi") };
        assert_eq!(send(&chat, given, &["cy"]).unwrap().sent.unwrap().wire_seq, 3);
    }

    #[test]
    fn a_call_that_broke_off_is_repeated() {
        let (chat, stand) = stand();
        let first = send(&chat, request("bo", "hi"), &[]).unwrap();
        stand.now_s.store(1_119, Ordering::Relaxed);
        assert_eq!(send(&chat, request("bo", "hi"), &["cy", "dee"]).unwrap(), first);
        assert_eq!((keys(&chat, "bo"), keys(&chat, "cy")), (keys(&chat, "dee"), keys(&chat, "bo")));
        assert_eq!(keys(&chat, "bo").len(), 1);
        stand.now_s.store(1_120, Ordering::Relaxed);
        assert_eq!(send(&chat, request("bo", "hi"), &["cy"]).unwrap().sent.unwrap().time_s, 1_120);
        assert_eq!((keys(&chat, "bo").len(), keys(&chat, "dee").len()), (2, 1));
    }

    #[test]
    fn what_refuses_a_message_to_many_as_a_whole() {
        let (chat, _) = stand();
        let refused = |request, others: &[&str]| match send(&chat, request, others).unwrap_err() {
            SendError::Refused(refusal) => refusal,
            other => panic!("{other:?}"),
        };
        let from_nobody = SendRequest { from: user("nobody"), ..request("bo", "hi") };
        assert_eq!(refused(from_nobody, &["cy"]), Refusal::UnknownAccount);
        assert_eq!(refused(request("bo", "eleven long"), &["cy"]), Refusal::TooLong);
        let mut untold = request("bo", "never");
        untold.checks.skip_event = true;
        assert_eq!(refused(untold, &["cy"]), Refusal::Filtered);
        assert_eq!(events(&chat), []);
        assert_eq!(refused(request("bo", "never"), &["nobody", "cy"]), Refusal::Filtered);
        let told = Outcome::Refused(Refusal::Filtered);
        assert_eq!(events(&chat), [(user("bo"), told), (user("cy"), told)]);
        assert!(keys(&chat, "bo").is_empty() && keys(&chat, "cy").is_empty());

        let nobody = send(&chat, request("nobody", "hi"), &["noone"]).unwrap();
        assert_eq!((nobody.sent, nobody.refused.len()), (None, 2));
    }

    #[test]
    fn every_message_to_many_is_an_event_where_that_is_wanted() {
        let (chat, _) = stand();
        send(&chat, request("bo", "hi"), &["cy"]).unwrap();
        let delivered = Outcome::Delivered { unread: 1 };
        assert_eq!(events(&chat), [(user("bo"), delivered), (user("cy"), delivered)]);
        let mut untold = SendRequest { random: 8, ..request("bo", "hi") };
        untold.checks.skip_event = true;
        send(&chat, untold, &["cy"]).unwrap();
        assert_eq!(events(&chat).len(), 2);
    }
}
