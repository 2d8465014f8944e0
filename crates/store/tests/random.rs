//! Random operations, carried out by the model and by each of the stores, which have to agree on every answer and on all
//! that can be read, whenever the store is closed, dropped or opened in between, and whichever of several nodes is asked.
//!
//! The walks are short as a rule. With `COUPLET_TEST_STEPS` there is one walk of so many steps in each test, and its
//! store is opened anew every few thousand of them. `COUPLET_TEST_SEED` chooses the seed, and
//! `COUPLET_TEST_DIRECTORY` says where the stores are, since on a disk each step waits for it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod random {
    pub(crate) mod chance;
    pub(crate) mod everything;
    pub(crate) mod step;
    pub(crate) mod subject;
    pub(crate) mod walk;
}
#[expect(dead_code, reason = "the contract suite uses the rest")]
mod world;

use chat::model::Model;
use chat::port::{Appended, Changes, Store};
use chat::{Change, Position};
use random::chance::Chance;
use random::everything::{counts, everything};
use random::step::Step;
use random::subject::{Kind, Subject};
use random::walk::Walk;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::future::Future;
use std::ops::{ControlFlow, Range};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use store::{Embedded, EmbeddedOptions, News, PostgresOptions};
use tokio::task::JoinSet;
use world::database::Schema;
use world::{APP, NOW_S, all_of, events, import, message, user};

#[tokio::test]
async fn the_embedded_store_is_the_model() {
    let plan = Plan::new(1..5, 150, Kind::Embedded(EmbeddedOptions::default()));
    let met = plan.one_after_the_other().await;
    if setting("COUPLET_TEST_SEED").is_some() {
        return;
    }
    // Walks that meet nothing of interest find nothing.
    for answer in [
        "Append: Done",
        "Append: Duplicate",
        "Append: Refused",
        "Append: UnknownAccount",
        "ImportMessages: Done",
        "ImportMessages: Duplicate",
        "Alter: Done",
        "Alter: Refused",
        "Alter: Unchanged",
        "Find: Some",
        "Landed: Stored",
        "MarkRead: Some",
        "ChangeView: Done",
        "Contacts: Some",
        "ContactsWith: Some",
        "ChangePerson: Done",
        "ChangePerson: Refused",
        "Relate: Done",
        "Relate: Refused",
        "Preview: Next",
        "Refuse: Some",
    ] {
        assert!(met.contains(answer), "{answer} was not among {met:?}");
    }
}

/// Almost nothing is remembered, so almost everything is read again.
#[tokio::test]
async fn forgetting_changes_nothing() {
    let plan = Plan::new(101..105, 120, Kind::Embedded(forgetful()));
    plan.one_after_the_other().await;
}

/// What is asked for at once is carried out in that order, although nothing of it is committed until the end.
#[tokio::test]
async fn what_is_in_flight_is_never_missed() {
    let plan =
        Plan::new(201..204, 300, Kind::Embedded(EmbeddedOptions { group_operations_max: 7, ..forgetful() }));
    plan.at_once().await;
}

#[tokio::test]
async fn the_store_on_postgres_is_the_model() {
    let plan = Plan::new(301..304, 150, Kind::Postgres(1, PostgresOptions::default()));
    plan.one_after_the_other().await;
}

/// What another node has changed is never missed, and what it has not is never looked for in vain.
#[tokio::test]
async fn nodes_that_take_turns_are_one_store() {
    let mut plan = Plan::new(401..405, 150, Kind::Postgres(2, PostgresOptions::default()));
    plan.reopens_one_in = 4;
    plan.one_after_the_other().await;
}

#[tokio::test]
async fn nodes_that_take_turns_miss_nothing_that_is_in_flight() {
    let few = PostgresOptions {
        accounts_cached_max: 2,
        conversations_cached_max: 2,
        group_operations_max: 7,
        ..PostgresOptions::default()
    };
    let mut plan = Plan::new(501..504, 300, Kind::Postgres(3, few));
    plan.reopens_one_in = 40;
    plan.at_once().await;
}

fn forgetful() -> EmbeddedOptions {
    EmbeddedOptions { accounts_cached_max: 2, conversations_cached_max: 2, ..EmbeddedOptions::default() }
}

/// What walks are made of.
struct Plan {
    seeds: Range<u64>,
    steps: usize,
    kind: Kind,
    reopens_one_in: u64,
    /// Everything is compared after so many steps.
    pause: usize,
}

impl Plan {
    fn new(seeds: Range<u64>, steps: usize, kind: Kind) -> Self {
        let number = |name| setting(name).map(|text| text.parse::<u64>().unwrap());
        let seeds = number("COUPLET_TEST_SEED").map_or(seeds, |seed| seed..seed + 1);
        match number("COUPLET_TEST_STEPS") {
            None => Self { seeds, steps, kind, reopens_one_in: 60, pause: 25 },
            Some(steps) => {
                let seeds = seeds.start..seeds.start + 1;
                Self { seeds, steps: steps as usize, kind, reopens_one_in: 2_500, pause: 1_000 }
            }
        }
    }

    /// Returns what was answered, in short.
    async fn one_after_the_other(&self) -> BTreeSet<String> {
        let mut met = BTreeSet::new();
        for seed in self.seeds.clone() {
            let mut pair = Pair::new(&self.kind).await;
            let mut walk = Walk::new(Chance::new(seed), self.reopens_one_in);
            for number in 0..self.steps {
                let step = walk.next(&pair.model).await;
                let told = format!("seed {seed}, step {number}: {step:?}");
                pair.reopen_for(&step).await;
                let expected = step.carry_out(&pair.model).await;
                let found = step.carry_out(pair.subject.store()).await;
                assert_eq!(found, expected, "{told}");
                pair.compare(number % self.pause == 0, &told).await;
                met.insert(format!("{}: {}", first_word(&format!("{step:?}")), first_word(&expected)));
            }
            pair.compare(true, &format!("seed {seed}, at the end")).await;
        }
        met
    }

    async fn at_once(&self) {
        for seed in self.seeds.clone() {
            let mut pair = Pair::new(&self.kind).await;
            // Bursts are some twenty steps.
            let mut walk = Walk::new(Chance::new(seed), self.reopens_one_in.div_ceil(20));
            let (mut number, mut compared) = (0, 0);
            while number < self.steps {
                let burst = walk.burst(&pair.model).await;
                let told = format!("seed {seed}, from step {number}: {burst:#?}");
                pair.reopen_for(&burst[0]).await;
                let mut expected = Vec::new();
                for step in &burst {
                    expected.push(step.carry_out(&pair.model).await);
                }
                let found = together(&burst, pair.subject.store()).await;
                for (at, step) in burst.iter().enumerate() {
                    assert_eq!(found[at], expected[at], "{at}: {step:?} of {told}");
                }
                number += burst.len();
                let is_time = number >= compared + self.pause;
                pair.compare(is_time, &told).await;
                if is_time {
                    compared = number;
                }
            }
            pair.compare(true, &format!("seed {seed}, at the end")).await;
        }
    }
}

fn first_word(words: &str) -> &str {
    let words = words.strip_prefix("Ok(").unwrap_or(words).trim_start_matches('[');
    words.split(|letter: char| !letter.is_alphanumeric()).next().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a test is told from outside how long it shall take")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The two stores that are compared.
struct Pair {
    model: Model,
    subject: Subject,
}

impl Pair {
    async fn new(kind: &Kind) -> Self {
        Self { model: Model::default(), subject: Subject::new(kind).await }
    }

    async fn reopen_for(&mut self, step: &Step) {
        if let Step::Reopen { flushed } = step {
            self.subject.reopen(*flushed).await;
        }
    }

    async fn compare(&self, all: bool, told: &str) {
        agree(&counts(self.subject.store()).await, &counts(&self.model).await, told);
        if all {
            agree(&everything(self.subject.store()).await, &everything(&self.model).await, told);
            if let Some(embedded) = self.subject.embedded() {
                is_sound(embedded, told);
            }
        }
    }
}

/// However it came to be, there is nothing that cannot be. The walks make up how far endpoints were told, also of events
/// that never were, so what is kept of that is left out.
fn is_sound(store: &Embedded, told: &str) {
    const MADE_UP: [&str; 4] = ["routes", "exceptions", "failures", "deliveries"];
    let mut findings = Vec::new();
    let examined = store.check(&mut |news| {
        if let News::Found(finding) = news
            && !MADE_UP.contains(&finding.table)
        {
            findings.push(finding);
        }
        ControlFlow::Continue(())
    });
    assert!(examined.unwrap().rows > 0 && findings.is_empty(), "{findings:#?} after {told}");
}

/// Shows only where they differ: all of it would be read by nobody.
fn agree<T: PartialEq + Debug>(found: &T, expected: &T, told: &str) {
    if found != expected {
        let (found, expected) = (format!("{found:#?}"), format!("{expected:#?}"));
        let at = found.lines().zip(expected.lines()).take_while(|(one, other)| one == other).count();
        let around = |text: &str| {
            let lines: Vec<&str> = text.lines().skip(at.saturating_sub(12)).take(24).collect();
            lines.join("\n")
        };
        panic!("found:\n{}\n\nexpected:\n{}\n\nafter {told}", around(&found), around(&expected));
    }
}

/// Asks for all of the steps before the first is answered, in their order.
async fn together(steps: &[Step], store: &dyn Store) -> Vec<String> {
    let mut waiting: Vec<Pin<Box<dyn Future<Output = String> + '_>>> = Vec::new();
    for step in steps {
        waiting.push(Box::pin(step.carry_out(store)));
    }
    let mut answers = vec![None; steps.len()];
    std::future::poll_fn(|context| {
        for (asked, answer) in waiting.iter_mut().zip(&mut answers) {
            if answer.is_none()
                && let Poll::Ready(told) = asked.as_mut().poll(context)
            {
                *answer = Some(told);
            }
        }
        if answers.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    answers.into_iter().flatten().collect()
}

const CALLERS: u64 = 40;
const SENDS_EACH: u32 = 50;
const NAMES: [&str; 4] = ["ana", "bo", "cy", "dee"];

/// Many callers at once, each of whom sends everything twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_callers_leave_no_gap_and_no_double() {
    let directory = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions { group_operations_max: 16, ..EmbeddedOptions::default() };
    let store = Arc::new(Embedded::open(directory.path(), options).unwrap());
    crowd([Arc::clone(&store) as Arc<dyn Store>, Arc::clone(&store) as Arc<dyn Store>]).await;
    drop(store);
    verify(&Embedded::open(directory.path(), options).unwrap()).await;
}

/// The same, where the second of two sends is another node's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_at_once_leave_no_gap_and_no_double() {
    let schema = Schema::new().await;
    let (one, other) = (schema.open().await, schema.open().await);
    crowd([Arc::new(one), Arc::new(other)]).await;
    verify(&schema.open().await).await;
}

async fn crowd(nodes: [Arc<dyn Store>; 2]) {
    import(&*nodes[0], &NAMES, NOW_S).await;
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        callers.spawn(call(nodes.clone(), caller));
    }
    callers.join_all().await;
    verify(&*nodes[0]).await;
}

async fn call([first, second]: [Arc<dyn Store>; 2], caller: u64) {
    let mut chance = Chance::new(caller + 1);
    for number in 0..SENDS_EACH {
        let random = caller as u32 * SENDS_EACH + number;
        let (from, to) = (chance.one_of(&NAMES), chance.one_of(&NAMES));
        let append = message(from, to, NOW_S, random);
        let (one, other) = tokio::join!(first.append(append.clone()), second.append(append));
        let is_done = |appended| matches!(appended, Appended::Done(_));
        assert!(is_done(one.unwrap()) != is_done(other.unwrap()), "exactly one of two is the first");
    }
}

async fn verify(store: &dyn Store) {
    let mut said = BTreeSet::new();
    let mut to_each = BTreeMap::new();
    for (at, one) in NAMES.into_iter().enumerate() {
        for other in NAMES.into_iter().skip(at) {
            let page = store.history(all_of(one, other)).await.unwrap();
            let seqs: Vec<u64> = page.messages.iter().rev().map(|message| message.seq).collect();
            assert_eq!(seqs, (1..=page.messages.len() as u64).collect::<Vec<_>>());
            for message in page.messages {
                assert!(said.insert(message.random), "{} stands twice", message.random);
                *to_each.entry(message.to).or_insert(0) += u32::from(message.from != message.to);
            }
        }
    }
    assert_eq!(said.len(), (CALLERS * u64::from(SENDS_EACH)) as usize);
    for name in NAMES {
        let inbox = store.inbox(APP, user(name)).await.unwrap().unwrap();
        let start = Position { epoch: inbox.epoch, offset: 0 };
        let changes = store.changes(APP, user(name), start, usize::MAX).await.unwrap();
        let Changes::Records(records) = changes else { panic!("{changes:?}") };
        let mut unread = 0;
        for (at, record) in records.iter().enumerate() {
            let Change::Message { .. } = record.entry.change else { panic!("{record:?}") };
            let message = record.message.as_ref().unwrap();
            unread += u32::from(message.to == user(name) && message.from != message.to);
            assert_eq!((record.entry.offset, record.entry.unread), (at as u64 + 1, unread));
        }
        assert_eq!((inbox.offset, inbox.unread), (records.len() as u64, unread));
        assert_eq!(Some(&unread), to_each.get(&user(name)));
    }
    let offsets: Vec<u64> = events(store).await.iter().map(|event| event.id.offset).collect();
    assert_eq!(offsets, (1..=said.len() as u64).collect::<Vec<_>>());
}
