//! What devices read of the time before they came: the list of conversations, and the history of each.
//!
//! Reading takes time, and changes overtake the answers.

use crate::checkers::look::users_of;
use crate::mirror::{Answer, Errand};
use crate::sabotage::Sabotage;
use crate::store::at_once;
use crate::world::{Happening, World};
use chat::ConversationId;
use chat::port::{Direction, HistoryQuery, Store};

/// Small, so that there are many pages.
const PAGE_LEN: usize = 5;
const PAGE_BYTES_MAX: usize = 10_000;
const RETRY_DELAY_MS: u64 = 300;

impl World {
    /// Lets a device ask for the first thing that it has still to read, unless it does so already.
    pub(super) fn ask_soon(&mut self, index: usize) {
        let device = &mut self.devices[index];
        let has_errand = !device.mirror.errands.is_empty();
        let session = device.session;
        if let Some(online) = device.online.as_mut().filter(|online| has_errand && !online.asking) {
            online.asking = true;
            self.after(1, Happening::Asks { device: index, session });
        }
    }

    /// The answer is true of this moment, and arrives a little later.
    pub(crate) fn device_asks(&mut self, index: usize, session: u64) {
        let device = &mut self.devices[index];
        let Some(errand) = device.mirror.errands.front().filter(|_| device.session == session).cloned()
        else {
            return;
        };
        device.mirror.asks();
        let (app, user, stretches) = (device.app, device.user, device.stretches.len());
        let answer = match errand {
            Errand::List => {
                let page = at_once(self.store.contacts_with(app, user, users_of(self, app)));
                page.ok().flatten().map(Answer::List)
            }
            Errand::History { peer, behind } => {
                let query = HistoryQuery {
                    conversation: ConversationId::new(app, user, peer),
                    viewer: user,
                    direction: Direction::Older,
                    time_s_min: 0,
                    time_s_max: u64::MAX,
                    behind,
                    limit: PAGE_LEN,
                    bytes_max: PAGE_BYTES_MAX,
                };
                at_once(self.store.history(query)).ok().map(Answer::History)
            }
        };
        let delay_ms = match answer {
            Some(_) => self.draw(|chance| chance.between(1..=400)),
            None => RETRY_DELAY_MS,
        };
        let answer = answer.map(Box::new);
        self.after(delay_ms, Happening::Answered { device: index, session, stretches, answer });
    }

    pub(crate) fn device_answered(
        &mut self,
        index: usize,
        session: u64,
        stretches: usize,
        answer: Option<Answer>,
    ) {
        let trusts = self.sabotage == Some(Sabotage::OldAnswersTrusted);
        let device = &mut self.devices[index];
        let Some(online) = device.online.as_mut().filter(|_| device.session == session) else { return };
        online.asking = false;
        let epoch = device.stretches.last().map(|stretch| stretch.epoch);
        let is_of_log = |answer: &Answer| match answer {
            Answer::List(page) => Some(page.inbox.epoch) == epoch,
            Answer::History(_) => true,
        };
        // A device that had to begin anew asks anew.
        if let Some(answer) = answer.filter(|answer| device.stretches.len() == stretches && is_of_log(answer))
        {
            let before = device.mirror.errands.clone();
            device.mirror.answered(answer, trusts);
            let was_overtaken = device.mirror.errands == before;
            if device.mirror.errands.is_empty() {
                device.base = Some(device.mirror.clone());
            }
            self.count(|counts| match was_overtaken {
                true => &mut counts.answers_overtaken,
                false => &mut counts.pages_read,
            });
        }
        self.ask_soon(index);
    }
}
