//! Friendships that devices begin or answer, where the app's backend may have a say.
//!
//! In the order of a send: first the rules, on what is there now; then the backend; and in the commit the rules once
//! more, since people may have decided otherwise while the backend was thinking.

use crate::port::{FriendAnswer, FriendQuestion, FriendStep, StoreError};
use crate::relate::{Approach, NotRelated, Party, Relate, Related, relate};
use crate::send::{Chat, GateFailure};

/// An app's settings, as far as they decide what happens to a friendship.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FriendRules {
    /// The app's backend is asked before a device adds a friend, or asks to be one.
    pub ask_before_add: bool,
    /// And before it answers somebody who has asked.
    pub ask_before_answer: bool,
    pub gate_failure: GateFailure,
}

/// Why nothing came of it, besides what the rules have against it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BefriendError {
    #[error("refused by the app")]
    Vetoed,
    /// The app's backend refused with a code and a text of its own.
    #[error("refused by the app: {code} {text}")]
    RefusedByApp { code: u32, text: String },
    /// The backend gave no usable answer, and the app wants it refused then.
    #[error("the app's backend gave no usable answer")]
    GateFailed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FriendRules {
    /// As what the backend is asked about it; `None` when it is not.
    fn step<'a>(&self, act: &'a Approach) -> Option<FriendStep<'a>> {
        match act {
            Approach::Befriend { mutual, remark, group, source, wording, .. } => {
                let group = group.as_deref();
                let add = FriendStep::Add { mutual: *mutual, remark, group, source, wording };
                self.ask_before_add.then_some(add)
            }
            Approach::Accept { mutual, remark } => {
                self.ask_before_answer.then_some(FriendStep::Accept { mutual: *mutual, remark })
            }
            Approach::Refuse => self.ask_before_answer.then_some(FriendStep::Refuse),
            Approach::Import { .. }
            | Approach::Note { .. }
            | Approach::Unfriend { .. }
            | Approach::Block
            | Approach::Unblock => None,
        }
    }

    /// What the backend's answer means under these rules.
    fn heed(&self, answer: FriendAnswer) -> Result<(), BefriendError> {
        match answer {
            FriendAnswer::Pass => Ok(()),
            FriendAnswer::Failed if self.gate_failure == GateFailure::Pass => Ok(()),
            FriendAnswer::Failed => Err(BefriendError::GateFailed),
            FriendAnswer::Veto(None) => Err(BefriendError::Vetoed),
            FriendAnswer::Veto(Some((code, text))) => Err(BefriendError::RefusedByApp { code, text }),
        }
    }
}

impl Chat {
    /// Does for a device what it wants to be done about another person.
    pub async fn relate_from_device(
        &self,
        rules: FriendRules,
        wanted: Relate,
    ) -> Result<Related, BefriendError> {
        if let Some(step) = rules.step(&wanted.act) {
            // Nobody is asked about what cannot be done anyway. One who is blocked and is not to know it is asked
            // about like anybody else: what the backend refuses must not tell of the block.
            if let Err(refusal) = self.pretend(&wanted).await? {
                return Ok(Related::Refused(refusal));
            }
            let Relate { app, from, to, origin, .. } = wanted;
            rules.heed(self.gate.ask_friend(FriendQuestion { app, from, to, step, origin }).await)?;
        }
        Ok(self.relate(wanted).await?)
    }

    /// Does it to copies of the two people, to see whether the rules are against it.
    async fn pretend(&self, wanted: &Relate) -> Result<Result<(), NotRelated>, StoreError> {
        let Relate { app, from, to, .. } = *wanted;
        let mut people = self.store.people(app, vec![from, to]).await?.into_iter();
        let mut ties = self.store.ties(app, vec![[from, to], [to, from]]).await?.into_iter();
        let mut party = || Party {
            person: people.next().flatten().map(|portrait| portrait.person),
            tie: ties.next().unwrap_or_default(),
        };
        let (mut here, mut there) = (party(), party());
        Ok(relate(wanted, &mut here, &mut there).map(|_| ()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Lane, Origin, Platform};
    use crate::id::{AppId, UserId};
    use crate::message::Message;
    use crate::model::Model;
    use crate::person::{Admission, ChangePerson, PersonChange, ProfileSettings};
    use crate::port::{Account, Bus, Clock, Gate, GateAnswer, Hint, Question, Store};
    use crate::relate::RelationLimits;
    use async_trait::async_trait;
    use futures_util::FutureExt;
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::{Arc, Mutex};

    const APP: AppId = AppId(1);
    const ORIGIN: Origin = Origin { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), platform: Platform::Web };
    const RULES: FriendRules =
        FriendRules { ask_before_add: true, ask_before_answer: true, gate_failure: GateFailure::Pass };

    /// A backend that answers what it is told to, remembers what it was asked, and may do something meanwhile.
    #[derive(Default)]
    struct Backend {
        store: Arc<Model>,
        answer: Mutex<Option<FriendAnswer>>,
        meanwhile: Mutex<Option<Relate>>,
        asked: Mutex<Vec<String>>,
    }

    #[async_trait]
    impl Gate for Backend {
        async fn ask(&self, question: Question<'_>) -> GateAnswer {
            panic!("nobody should be asked about {question:?}")
        }

        async fn ask_friend(&self, question: FriendQuestion<'_>) -> FriendAnswer {
            let FriendQuestion { from, to, step, .. } = question;
            let step = match step {
                FriendStep::Add { mutual, remark, group, source, wording } => {
                    format!("add {mutual} {remark} {group:?} {source} {wording}")
                }
                FriendStep::Accept { mutual, remark } => format!("accept {mutual} {remark}"),
                FriendStep::Refuse => "refuse".to_owned(),
            };
            self.asked.lock().unwrap().push(format!("{from} {to} {step}"));
            let meanwhile = self.meanwhile.lock().unwrap().take();
            if let Some(relate) = meanwhile {
                assert!(matches!(self.store.relate(relate).await, Ok(Related::Done(_))));
            }
            self.answer.lock().unwrap().clone().unwrap_or(FriendAnswer::Pass)
        }
    }

    impl Clock for Backend {
        fn now_ms(&self) -> u64 {
            9_000
        }
    }

    impl Bus for Backend {
        fn user_changed(&self, _app: AppId, _user: UserId, _hint: Hint) {}
        fn online_message(&self, _app: AppId, _user: UserId, _message: Arc<Message>) {}
        fn event_recorded(&self, _lane: Lane) {}
        fn revoked(&self, _app: AppId, _user: UserId, _revoked_s: u64) {}
    }

    fn user(name: &str) -> UserId {
        UserId::new(name).unwrap()
    }

    /// The model never waits.
    fn done<T>(future: impl Future<Output = T>) -> T {
        future.now_or_never().expect("nothing to wait for")
    }

    fn about(from: &str, to: &str, act: Approach) -> Relate {
        let limits =
            RelationLimits { friends_max: 9, blocked_max: 9, groups_max: 9, requests_max: 9, custom_max: 9 };
        Relate { app: APP, from: user(from), to: user(to), act, limits, now_ms: 9_000, origin: ORIGIN }
    }

    fn befriend(from: &str, to: &str) -> Relate {
        let [remark, source, wording] = ["remark", "source", "wording"].map(str::to_owned);
        let (mutual, forced, discreet, admin, group) = (true, false, true, None, Some("work".to_owned()));
        about(
            from,
            to,
            Approach::Befriend { mutual, forced, discreet, admin, remark, group, source, wording },
        )
    }

    /// Ana, bo and cy, of whom cy wants to be asked, and a backend.
    fn scene() -> (Chat, Arc<Backend>) {
        let backend = Arc::new(Backend::default());
        let chat = Chat {
            store: Arc::clone(&backend.store) as Arc<dyn Store>,
            bus: Arc::clone(&backend) as Arc<dyn Bus>,
            gate: Arc::clone(&backend) as Arc<dyn Gate>,
            clock: Arc::clone(&backend) as Arc<dyn Clock>,
        };
        let accounts = ["ana", "bo", "cy"].iter().map(|name| Account::bare(user(name))).collect();
        done(chat.store.import_accounts(APP, accounts, 1)).unwrap();
        let settings = ProfileSettings { admission: Some(Admission::Asked), ..ProfileSettings::default() };
        let operator = user("cy");
        let (items, tags_max) = (Vec::new(), 9);
        let change = PersonChange::Profile { items, settings, operator, origin: ORIGIN, tags_max };
        done(chat.change_person(ChangePerson { app: APP, user: operator, change, now_ms: 1 })).unwrap();
        (chat, backend)
    }

    #[test]
    fn asked_about_what_would_change_something() {
        let (chat, backend) = scene();
        let accept = |mutual| Approach::Accept { mutual, remark: "r".to_owned() };
        let table = [
            (befriend("ana", "nobody"), "Refused(UnknownAccount)", ""),
            (befriend("ana", "ana"), "Refused(Oneself)", ""),
            (befriend("ana", "bo"), "Done", "ana bo add true remark Some(\"work\") source wording"),
            (befriend("ana", "bo"), "Refused(AlreadyFriends)", ""),
            (befriend("ana", "cy"), "Pending", "ana cy add true remark Some(\"work\") source wording"),
            (befriend("bo", "cy"), "Pending", "bo cy add true remark Some(\"work\") source wording"),
            (about("cy", "ana", accept(false)), "Done", "cy ana accept false r"),
            (about("cy", "ana", accept(true)), "Refused(NotAsked)", ""),
            (about("cy", "bo", Approach::Refuse), "Done", "cy bo refuse"),
            (about("cy", "bo", Approach::Refuse), "Refused(NotAsked)", ""),
            // What is no friendship is nobody's affair.
            (about("ana", "bo", Approach::Unfriend { mutual: false }), "Done", ""),
            (about("ana", "bo", Approach::Block), "Done", ""),
            (befriend("ana", "bo"), "Refused(BlocksPeer)", ""),
            // Bo must not learn of it, so is asked about and answered like anybody else.
            (befriend("bo", "ana"), "Done", "bo ana add true remark Some(\"work\") source wording"),
        ];
        for (wanted, outcome, question) in table {
            let what = format!("{wanted:?}");
            let related = done(chat.relate_from_device(RULES, wanted)).unwrap();
            assert!(format!("{related:?}").starts_with(outcome), "{what}: {related:?}");
            let asked = std::mem::take(&mut *backend.asked.lock().unwrap());
            assert_eq!(asked.concat(), question, "{what}");
        }
    }

    #[test]
    fn the_answer_is_obeyed() {
        let reject = FriendRules { gate_failure: GateFailure::Reject, ..RULES };
        let own = FriendAnswer::Veto(Some((38_000, "no".to_owned())));
        let table = [
            (RULES, FriendAnswer::Veto(None), Some(BefriendError::Vetoed)),
            (RULES, own, Some(BefriendError::RefusedByApp { code: 38_000, text: "no".to_owned() })),
            (reject, FriendAnswer::Failed, Some(BefriendError::GateFailed)),
            (RULES, FriendAnswer::Failed, None),
            (reject, FriendAnswer::Pass, None),
            // Not asked at all.
            (FriendRules { ask_before_add: false, ..RULES }, FriendAnswer::Veto(None), None),
            (FriendRules { ask_before_answer: false, ..RULES }, FriendAnswer::Pass, None),
        ];
        for (rules, answer, error) in table {
            let (chat, backend) = scene();
            *backend.answer.lock().unwrap() = Some(answer);
            let related = done(chat.relate_from_device(rules, befriend("ana", "bo")));
            assert_eq!(related.clone().err(), error);
            let ties = done(chat.store.ties(APP, vec![[user("ana"), user("bo")]])).unwrap();
            assert_eq!(ties[0].friend.is_some(), error.is_none());
            assert_eq!(backend.asked.lock().unwrap().len(), usize::from(rules.ask_before_add));
        }
    }

    /// The rules are asked again in the commit, where nothing can come in between.
    #[test]
    fn what_happens_while_the_backend_thinks_counts() {
        let (chat, backend) = scene();
        *backend.meanwhile.lock().unwrap() = Some(about("ana", "bo", Approach::Block));
        let related = done(chat.relate_from_device(RULES, befriend("ana", "bo")));
        assert_eq!(related, Ok(Related::Refused(NotRelated::BlocksPeer)));
        assert_eq!(backend.asked.lock().unwrap().len(), 1);
    }
}
