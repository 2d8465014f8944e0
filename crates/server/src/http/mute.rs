//! `openconfigsvr`: users are kept from sending, and asked about.

use super::{Call, Rest, store_failure};
use chat::UserId;
use chat::person::{ChangePerson, FOREVER_S, PersonChange};
use chat::port::PersonChanged;
use protocol::rest::mute::{Get, MuteTime, Mutes, Set};
use protocol::rest::{self, Command};
use protocol::{ErrorCode, Failure};

impl Rest {
    pub(super) async fn set_mute(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let request = Set::parse(&call.body)?;
        let user = UserId::new(&request.user).ok_or(ErrorCode::MuteSetAccountInvalid)?;
        let now_ms = self.chat.clock.now_ms();
        let until_s = |time| until_s(time, now_ms / 1000);
        let change = PersonChange::Mute {
            until_s: request.c2c.map(until_s),
            group_until_s: request.group.map(until_s),
        };
        let wanted = ChangePerson { app: call.caller.app.id, user, change, now_ms };
        let changed = self.chat.change_person(wanted).await;
        match changed.map_err(|error| store_failure(Command::SetMute, &error))? {
            PersonChanged::Done(_) => Ok(rest::ok().into()),
            PersonChanged::UnknownAccount => Err(ErrorCode::MuteSetAccountInvalid.into()),
            PersonChanged::Refused(_) => unreachable!("nothing stands in the way of a mute"),
        }
    }

    pub(super) async fn mute(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let request = Get::parse(&call.body)?;
        let user = UserId::new(&request.user).ok_or(ErrorCode::MuteGetAccountInvalid)?;
        let people = self.chat.store.people(call.caller.app.id, vec![user]).await;
        let people = people.map_err(|error| store_failure(Command::GetMute, &error))?;
        let found = people.into_iter().flatten().next().ok_or(ErrorCode::MuteGetAccountInvalid)?;
        let now_s = self.chat.clock.now_ms() / 1000;
        let left = |until_s| left(until_s, now_s);
        let person = found.person;
        let (c2c, group) = (left(person.muted_until_s), left(person.group_muted_until_s));
        Ok(Mutes { c2c, group }.to_json())
    }
}

fn until_s(time: MuteTime, now_s: u64) -> u64 {
    match time {
        MuteTime::No => 0,
        MuteTime::Secs(secs) => now_s + u64::from(secs),
        MuteTime::Forever => FOREVER_S,
    }
}

/// What is left of a mute.
fn left(until_s: u64, now_s: u64) -> MuteTime {
    if until_s == FOREVER_S {
        return MuteTime::Forever;
    }
    // A clock that was set back must not make forever of a long time.
    let secs = until_s.saturating_sub(now_s).min(u64::from(u32::MAX - 1));
    MuteTime::from_number(secs as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_mute() {
        const LONGEST: u32 = u32::MAX - 1;
        for (time, later_s, expected) in [
            (MuteTime::No, 0, MuteTime::No),
            (MuteTime::Secs(60), 0, MuteTime::Secs(60)),
            (MuteTime::Secs(60), 59, MuteTime::Secs(1)),
            (MuteTime::Secs(60), 60, MuteTime::No),
            (MuteTime::Secs(60), 61, MuteTime::No),
            (MuteTime::Secs(LONGEST), 0, MuteTime::Secs(LONGEST)),
            (MuteTime::Secs(LONGEST), -9, MuteTime::Secs(LONGEST)),
            (MuteTime::Forever, 1_000_000_000, MuteTime::Forever),
        ] {
            let now_s = 1_760_000_000_u64;
            let later_s = now_s.checked_add_signed(later_s).unwrap();
            assert_eq!(left(until_s(time, now_s), later_s), expected, "{time:?} {later_s}");
        }
    }
}
