//! What a seed chooses before anything happens: who there is, what their apps want, and how much breaks.

use crate::chance::Chance;
use bytes::Bytes;
use chat::admit::DeviceTerms;
use chat::dispatch::Schedule;
use chat::filter::{Action, WordList};
use chat::port::EndpointId;
use chat::send::{GateFailure, ReplaceTexts, SendRules};
use chat::{AppId, UserId};
use std::sync::Arc;

pub(crate) const WORD_MARKED: &str = "odd";
pub(crate) const WORD_MASKED: &str = "rude";
pub(crate) const WORD_BLOCKED: &str = "forbidden";

/// Largest message; a few texts are made longer on purpose.
pub(crate) const MESSAGE_BYTES_MAX: usize = 200;

#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) apps: Vec<AppPlan>,
    pub(crate) lanes_per_app: u16,
    pub(crate) schedule: Schedule,
    pub(crate) faults: Faults,
    /// How long things break.
    pub(crate) stormy_ms: u64,
}

#[derive(Debug)]
pub(crate) struct AppPlan {
    pub(crate) id: AppId,
    pub(crate) users: Vec<UserId>,
    pub(crate) rules: Arc<SendRules>,
    pub(crate) opinion: Opinion,
    /// What sends from devices have to respect.
    pub(crate) terms: DeviceTerms,
    pub(crate) endpoints: Vec<EndpointId>,
    /// When one more endpoint is added.
    pub(crate) joins_after_ms: Option<u64>,
}

/// How often an app's backend says something other than yes to a send, per mille.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opinion {
    pub(crate) veto: u32,
    pub(crate) own_veto: u32,
    pub(crate) drop: u32,
    pub(crate) replace: u32,
}

/// How often things break, per mille of the occasions.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    pub(crate) store_unavailable: u32,
    pub(crate) store_outage: u32,
    pub(crate) commit_unanswered: u32,
    pub(crate) commit_slow: u32,
    pub(crate) answer_lost: u32,
    pub(crate) gate_failed: u32,
    pub(crate) hint_lost: u32,
    pub(crate) hint_late: u32,
    pub(crate) hint_doubled: u32,
    pub(crate) session_dropped: u32,
    pub(crate) position_old: u32,
    pub(crate) position_wrong: u32,
    pub(crate) call_failed: u32,
    pub(crate) call_lost: u32,
    pub(crate) call_unheard: u32,
    pub(crate) settler_dies: u32,
    pub(crate) settler_late: u32,
    pub(crate) node_dies: u32,
    pub(crate) clock_jumps: u32,
    pub(crate) gate_outage: u32,
    /// Not a fault, but as rare: an operator has events told again.
    pub(crate) replayed: u32,
    /// Not a fault either: another node tells a lane from then on.
    pub(crate) lane_moved: u32,
    pub(crate) account_deleted: u32,
}

impl Plan {
    pub(crate) fn of(chance: &mut Chance) -> Self {
        let app_count = chance.between(1..=2);
        let user_count = chance.between(3.max(2 * app_count)..=6) / app_count;
        Self {
            apps: (1..=app_count).map(|app| AppPlan::of(chance, app as u32, user_count)).collect(),
            lanes_per_app: chance.between(1..=2) as u16,
            schedule: Schedule {
                delays_ms: vec![500, 2_000, 10_000],
                give_up_after_ms: *chance.pick(&[20_000, 60_000, 1_200_000]),
                lasting_attempts_max: chance.between(1..=3) as u32,
            },
            faults: Faults::of(chance),
            stormy_ms: chance.between(120_000..=300_000),
        }
    }
}

impl AppPlan {
    fn of(chance: &mut Chance, app: u32, user_count: u64) -> Self {
        let names = ["ana", "bo", "cy", "dee", "eva", "fei"];
        let users = names.iter().take(user_count as usize);
        let endpoints = ["main", "audit"].into_iter().take(chance.between(1..=2) as usize);
        let mut list = |word: &str, action| {
            let wanted = chance.hits(600);
            wanted.then(|| WordList::new(&[word.to_owned()], action).expect("the words are good"))
        };
        let word_lists = [
            list(WORD_MARKED, Action::Mark),
            list(WORD_MASKED, Action::Mask),
            list(WORD_BLOCKED, Action::Block),
        ];
        Self {
            id: AppId(app),
            users: users.map(|name| UserId::new(name).expect("the names are good")).collect(),
            rules: Arc::new(SendRules {
                message_bytes_max: MESSAGE_BYTES_MAX,
                word_lists: word_lists.into_iter().flatten().collect(),
                replace_texts: ReplaceTexts(|_, texts| Bytes::from(texts.concat())),
                ask_gate: chance.hits(650),
                gate_failure: *chance.pick(&[GateFailure::Pass, GateFailure::Reject]),
                records_all: false,
            }),
            opinion: Opinion {
                veto: rate(chance),
                own_veto: rate(chance),
                drop: rate(chance),
                replace: rate(chance),
            },
            terms: DeviceTerms { friends_only: chance.hits(300), tells_blocked: chance.hits(500) },
            joins_after_ms: chance.hits(400).then(|| chance.between(20_000..=120_000)),
            endpoints: endpoints.map(|name| EndpointId(name.into())).collect(),
        }
    }
}

impl Faults {
    fn of(chance: &mut Chance) -> Self {
        Self {
            store_unavailable: rate(chance),
            store_outage: rate(chance),
            commit_unanswered: rate(chance),
            commit_slow: rate(chance) * 4,
            answer_lost: rate(chance),
            gate_failed: rate(chance),
            hint_lost: rate(chance) * 3,
            hint_late: rate(chance) * 3,
            hint_doubled: rate(chance),
            session_dropped: rate(chance),
            position_old: rate(chance),
            position_wrong: rate(chance),
            call_failed: rate(chance),
            call_lost: rate(chance),
            call_unheard: rate(chance),
            settler_dies: rate(chance),
            settler_late: rate(chance),
            node_dies: rate(chance),
            clock_jumps: rate(chance) * 4,
            gate_outage: rate(chance),
            replayed: rate(chance) * 3,
            lane_moved: rate(chance) * 3,
            account_deleted: rate(chance),
        }
    }
}

/// Some things never break in a run, so that every fault is also met without the others.
fn rate(chance: &mut Chance) -> u32 {
    *chance.pick(&[0, 10, 50, 150])
}
