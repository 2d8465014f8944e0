//! `profile`: what users say about themselves is written and read.

use super::{Call, Rest, store_failure};
use crate::translate;
use crate::translate::people::{profile_change, profile_changed};
use chat::UserId;
use chat::person::{ChangePerson, Profile};
use protocol::rest::profile::{Get, Portrait, Set, Tag, TagValue};
use protocol::rest::{self, Command};
use protocol::{ErrorCode, Failure};

impl Rest {
    pub(super) async fn set_portrait(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let Set { user: name, items } = Set::parse(&call.body)?;
        let change = profile_change(items, call.caller.user, translate::rest_origin(call.ip));
        let (app, now_ms) = (call.caller.app.id, self.chat.clock.now_ms());
        let changed = self.chat.change_person(ChangePerson { app, user: user(&name)?, change, now_ms }).await;
        profile_changed(&changed.map_err(|error| store_failure(Command::PortraitSet, &error))?)?;
        Ok(rest::ok_with_display().into())
    }

    pub(super) async fn get_portraits(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let request = Get::parse(&call.body)?;
        let users = request.users.iter().map(|text| user(text)).collect::<Result<_, _>>()?;
        let people = self.chat.store.people(call.caller.app.id, users).await;
        let people = people.map_err(|error| store_failure(Command::PortraitGet, &error))?;
        let shown: Vec<_> =
            people.iter().map(|known| Some(values(&request.tags, &known.as_ref()?.profile))).collect();
        let unknown = ErrorCode::ProfileAccountNotFound.into();
        let portraits: Vec<_> = request
            .users
            .iter()
            .zip(&shown)
            .map(|(user, shown)| Portrait { user, items: shown.as_deref().ok_or(&unknown) })
            .collect();
        Ok(Get::answer(&portraits))
    }
}

/// What a profile has under some tags. A custom one that was never set is left out.
fn values<'a>(tags: &[Tag<'a>], profile: &'a Profile) -> Vec<(Tag<'a>, TagValue<'a>)> {
    tags.iter().filter_map(|tag| Some((tag.clone(), translate::shown_value(tag, profile)?))).collect()
}

fn user(text: &str) -> Result<UserId, Failure> {
    UserId::new(text).ok_or_else(|| ErrorCode::ProfileParameter.into())
}
