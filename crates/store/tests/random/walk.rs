//! Chooses the steps. It keeps just enough of the past to come back to it.

use super::chance::Chance;
use super::step::{NAMES, Step};
use crate::world::{APP, LANE, NOW_S, user};
use chat::event::ProfileValue;
use chat::model::Model;
use chat::port::{Account, Append, ImportMessage, Store};

mod messages;
mod people;
mod told;

#[derive(Debug)]
pub(crate) struct Walk {
    chance: Chance,
    now_s: u64,
    sent: Vec<Append>,
    /// The last that was put into a history.
    imported: Option<ImportMessage>,
    /// Sends of different eras are never the same. A new one begins where the stores may rightly differ in what
    /// they remember: the clock has gone back behind what was forgotten.
    era: u32,
    /// The same for online-only messages, which are forgotten when the store is reopened.
    online_era: u32,
    /// Set within a burst: what is new there bears random numbers of its own, so that nothing done to a message can
    /// mean one that is not committed yet.
    burst: Option<u32>,
    /// Everything up to this event was forgotten.
    gone: u64,
    /// One step in so many reopens the store.
    reopens_one_in: u64,
    begun: bool,
}

impl Walk {
    pub(crate) fn new(chance: Chance, reopens_one_in: u64) -> Self {
        Self {
            chance,
            now_s: NOW_S,
            sent: Vec::new(),
            imported: None,
            era: 1,
            online_era: 1,
            burst: None,
            gone: 0,
            reopens_one_in,
            begun: false,
        }
    }

    /// The next step of one after the other. The model says what there is to speak of.
    pub(crate) async fn next(&mut self, model: &Model) -> Step {
        self.pass_time();
        self.gone = model.lane(LANE).await.unwrap().map_or(0, |extent| extent.gone);
        if self.chance.is_one_in(self.reopens_one_in) {
            return self.reopen();
        }
        if !std::mem::replace(&mut self.begun, true) {
            let accounts = NAMES.map(|name| Account::bare(user(name))).to_vec();
            return Step::Import { accounts, now_s: self.now_s };
        }
        match self.chance.below(4) {
            0 => self.look(model).await,
            _ => self.change(model).await,
        }
    }

    /// Changes that are asked for at once.
    pub(crate) async fn burst(&mut self, model: &Model) -> Vec<Step> {
        self.gone = model.lane(LANE).await.unwrap().map_or(0, |extent| extent.gone);
        if self.chance.is_one_in(self.reopens_one_in) {
            return vec![self.reopen()];
        }
        self.burst = Some(self.burst.unwrap_or(0) + 1);
        let mut steps = Vec::new();
        for _ in 0..=self.chance.below(40) {
            self.pass_time();
            steps.push(self.change(model).await);
        }
        steps
    }

    async fn change(&mut self, model: &Model) -> Step {
        let (one, other) = (self.name(), self.name());
        match self.chance.below(160) {
            0..45 => self.append(one, other),
            45..57 => self.import_messages(one, other),
            57..75 => self.alter(model, one, other).await,
            75..87 => self.mark_read(one, other),
            87..95 => self.change_view(one, other),
            95..115 => self.relate(one, other),
            115..133 => self.change_person(one),
            133..136 => Step::Refuse { from: one, to: other, now_s: self.now_s },
            136..138 => Step::Logout { name: one, now_s: self.now_s },
            138..141 => self.preview(one, other),
            141..148 => self.import(),
            148 if self.chance.is_one_in(2) => Step::Delete { names: self.names(), now_s: self.now_s },
            148..156 => self.settle(model).await,
            156 => self.lease(model).await,
            _ => self.trim(),
        }
    }

    async fn look(&mut self, model: &Model) -> Step {
        let (one, other) = (self.name(), self.name());
        match self.chance.below(60) {
            0..6 => self.history(one, other),
            6..12 => self.changes(one),
            12..15 => Step::Events { after: self.offset() - 1, limit: self.chance.below(20) as usize },
            15..21 => self.find(model, one, other).await,
            21..27 => self.landed(one, other),
            27..31 => self.contacts(one),
            31..33 => Step::ContactsWith { owner: one, peers: self.names() },
            33..36 => self.listed(one),
            _ => self.inspect(),
        }
    }

    fn reopen(&mut self) -> Step {
        self.online_era += 1;
        self.sent.retain(|append| !append.delivery.online_only);
        Step::Reopen { flushed: self.chance.is_one_in(2) }
    }

    fn pass_time(&mut self) {
        self.now_s += match self.chance.below(30) {
            0..15 => 0,
            15..29 => self.chance.below(20),
            _ => 100 + self.chance.below(40),
        };
        if self.chance.is_one_in(100) {
            self.now_s -= 300;
            self.era += 1;
            self.burst = self.burst.map(|burst| burst + 1);
            self.sent.clear();
        }
        // What lies longer behind is not come back to.
        if self.sent.len() > 60 {
            self.sent.drain(..30);
        }
    }

    fn name(&mut self) -> &'static str {
        self.chance.one_of(&NAMES)
    }

    fn names(&mut self) -> Vec<&'static str> {
        (0..=self.chance.below(3)).map(|_| self.name()).collect()
    }

    fn is_likely(&mut self, count: u64) -> bool {
        !self.chance.is_one_in(count)
    }

    fn import(&mut self) -> Step {
        let names = if self.chance.is_one_in(2) { self.names() } else { NAMES.to_vec() };
        let account = |name| {
            let profile = if self.chance.is_one_in(2) { self.profile_items() } else { Vec::new() };
            let issued_s = self.chance.is_one_in(3).then(|| self.issued_s());
            Account { user: user(name), profile, issued_s }
        };
        Step::Import { accounts: names.into_iter().map(account).collect(), now_s: self.now_s }
    }

    fn profile_items(&mut self) -> Vec<(String, ProfileValue)> {
        let count = self.chance.below(3);
        let item = |_| {
            let tag = format!("tag {}", self.chance.below(4));
            let value = if self.chance.is_one_in(2) {
                ProfileValue::Number(self.chance.below(300) as u32)
            } else {
                ProfileValue::Text(self.word())
            };
            (tag, value)
        };
        (0..count).map(item).collect()
    }

    fn word(&mut self) -> String {
        self.chance.one_of(&["", "word", "字", "some more words"]).to_owned()
    }
}

/// Whom the steps speak of, in the app that they speak of.
fn named(name: &str) -> (chat::AppId, chat::UserId) {
    (APP, user(name))
}
