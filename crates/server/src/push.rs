//! Push to devices that are not connected.
//!
//! A [`Follower`] for each carrier reads the app's event log with a cursor of its own, as an endpoint of the backend
//! does, and so a crash loses nothing. A [`Watch`] reads it where the backend itself wants to know of messages that
//! found no device. What a message says on a phone is in [`notice`]; each carrier's language is in a file of its own.
//!
//! Not here: when an attempt is made again, which is decided as for endpoints.

mod follower;
mod watch;
mod notice;
mod fcm;
mod apns;
mod answer;
mod token;
mod sign;
mod figures;

pub use follower::Follower;
pub use watch::Watch;

use crate::address::Names;
use crate::apps::App;
use crate::bus::NodeBus;
use crate::callback::Addressee;
use crate::config::{self, Callback};
use chat::event::{AfterSend, Event, Fact, MessageName, Outcome as SendOutcome};
use chat::person::PushProvider;
use chat::port::EndpointId;
use chat::{AppId, Chat};
use std::sync::Arc;

const FCM: &str = "push_fcm";
const APNS: &str = "push_apns";
const WATCH: &str = "push_missed";

/// A carrier as an app declares it. Its name can be none of an endpoint's, which begin differently.
#[derive(Debug, PartialEq)]
pub struct Carrier {
    pub id: EndpointId,
    pub app: AppId,
    pub settings: Callback,
    age_ms_max: u64,
    account: Account,
}

#[derive(Debug, PartialEq)]
enum Account {
    Fcm(fcm::Account),
    Apns(apns::Key),
}

impl Carrier {
    /// The carriers of an app, with their keys read.
    pub fn declared(
        app: AppId,
        declared: &config::AppPush,
        settings: &Callback,
        age_secs_max: u64,
    ) -> Result<Vec<Arc<Self>>, String> {
        let mut accounts = Vec::new();
        if let Some(fcm) = &declared.fcm {
            let account = fcm::Account::read(fcm, settings.private_addresses)
                .map_err(|why| format!("push.fcm: {why}"))?;
            accounts.push((FCM, Account::Fcm(account)));
        }
        if let Some(apns) = &declared.apns {
            let key = apns::Key::read(apns, settings.private_addresses)
                .map_err(|why| format!("push.apns: {why}"))?;
            accounts.push((APNS, Account::Apns(key)));
        }
        let carrier = |(id, account)| {
            Arc::new(Self {
                id: EndpointId(Arc::from(id)),
                app,
                settings: settings.clone(),
                age_ms_max: age_secs_max.saturating_mul(1000),
                account,
            })
        };
        Ok(accounts.into_iter().map(carrier).collect())
    }

    pub fn url(&self) -> &str {
        match &self.account {
            Account::Fcm(account) => account.url(),
            Account::Apns(key) => key.url(),
        }
    }

    fn provider(&self) -> PushProvider {
        match self.account {
            Account::Fcm(_) => PushProvider::Fcm,
            Account::Apns(_) => PushProvider::Apns,
        }
    }

    /// One word for metrics.
    fn name(&self) -> &'static str {
        match self.account {
            Account::Fcm(_) => "fcm",
            Account::Apns(_) => "apns",
        }
    }
}

/// What followers look at.
#[derive(Debug, Clone)]
pub struct Surroundings {
    pub chat: Chat,
    pub bus: Arc<NodeBus>,
    pub names: Arc<dyn Names>,
}

/// Everybody who follows the logs of these apps for push.
pub fn followers(apps: &[Arc<App>], surroundings: &Surroundings) -> Vec<Arc<dyn Addressee>> {
    let mut followers: Vec<Arc<dyn Addressee>> = Vec::new();
    for app in apps {
        for carrier in &app.carriers {
            followers.push(Arc::new(Follower::new(Arc::clone(carrier), surroundings.clone())));
        }
        if let Some(watch) = &app.watch {
            followers.push(Arc::new(Watch::new(app.id, watch.clone(), surroundings.clone())));
        }
    }
    followers
}

/// Who follows the log of an app for push, by name, with the address that it calls.
pub fn names(app: &App) -> Vec<(EndpointId, String)> {
    let carriers = app.carriers.iter().map(|carrier| (carrier.id.clone(), carrier.url().to_owned()));
    let watch = app.watch.iter().map(|_| (watch_id(), String::new()));
    carriers.chain(watch).collect()
}

fn watch_id() -> EndpointId {
    EndpointId(Arc::from(WATCH))
}

/// The message that an event tells of, if its recipient may have missed it.
fn may_be_missed(event: &Event) -> Option<MessageName> {
    let name = match &event.fact {
        Fact::AfterSend(AfterSend { online_only: true, .. }) => return None,
        Fact::AfterSend(sent @ AfterSend { outcome: SendOutcome::Delivered { .. }, .. }) => MessageName {
            from: sent.from,
            to: sent.to,
            wire_seq: sent.wire_seq,
            random: sent.random,
            time_s: sent.time_s,
        },
        Fact::Stored(name) => *name,
        _ => return None,
    };
    // Whoever writes to themself knows of it.
    (name.from != name.to).then_some(name)
}
