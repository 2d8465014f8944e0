//! The values of what is kept of people: who they are to the rules, what they show, and what they keep of others.

use super::{SECOND, VERSION, flags, of_version, take_items, take_platform, unflags, versioned};
use crate::notation::{Broken, Cursor, put_bytes, put_number};
use chat::event::ProfileValue;
use chat::person::{
    Admission, Friend, FriendGroup, FriendRequest, Person, Profile, PushProvider, PushToken, Reachable, Tie,
};

const NUMBER: u8 = 1;
const TEXT: u8 = 2;

/// A person of the app, as far as the row of an account says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountRow {
    /// A deleted account keeps its row, so that the next one of that name gets another epoch, and so that it stays
    /// known which credentials are worthless.
    pub(crate) exists: bool,
    pub(crate) epoch: u64,
    pub(crate) person: Person,
}

/// Most people never change what the rules know of them, so such a person takes no room.
pub(crate) fn encode_account(exists: bool, epoch: u64, person: Option<&Person>) -> Vec<u8> {
    let mut out = vec![SECOND, flags([exists, person.is_some()])];
    put_number(&mut out, epoch);
    if let Some(person) = person {
        put_person(&mut out, person);
    }
    out
}

pub(crate) fn decode_account(value: &[u8]) -> Result<AccountRow, Broken> {
    let mut cursor = of_version(value, SECOND)?;
    let [exists, is_special] = unflags(cursor.byte()?)?;
    let epoch = cursor.number()?;
    let person = if is_special { take_person(&mut cursor)? } else { Person::default() };
    cursor.end()?;
    Ok(AccountRow { exists, epoch, person })
}

/// The epoch of an account that exists, without looking at the rest.
pub(crate) fn account_epoch(value: &[u8]) -> Result<Option<u64>, Broken> {
    let mut cursor = of_version(value, SECOND)?;
    let [exists, _] = unflags(cursor.byte()?)?;
    let epoch = cursor.number()?;
    Ok(exists.then_some(epoch))
}

fn put_person(out: &mut Vec<u8>, person: &Person) {
    out.extend_from_slice(&[flags([person.may_ask, person.receives]), person.admission as u8]);
    for number in [person.muted_until_s, person.group_muted_until_s, person.revoked_s] {
        put_number(out, number);
    }
    for count in [person.friends, person.blocked, person.asked, person.pinned, person.group_last] {
        put_number(out, u64::from(count));
    }
    put_number(out, person.friends_version);
    put_number(out, person.blocklist_version);
    put_number(out, person.reachable.len() as u64);
    for reachable in &person.reachable {
        out.push(reachable.platform as u8);
        put_number(out, reachable.until_s);
    }
    put_number(out, person.groups.len() as u64);
    for group in &person.groups {
        put_number(out, u64::from(group.id));
        put_bytes(out, group.name.as_bytes());
    }
}

fn take_person(cursor: &mut Cursor<'_>) -> Result<Person, Broken> {
    let [may_ask, receives] = unflags(cursor.byte()?)?;
    let number = cursor.byte()?;
    let admission = Admission::ALL.into_iter().find(|admission| *admission as u8 == number);
    Ok(Person {
        may_ask,
        receives,
        admission: admission.ok_or("it is an admission of no known kind")?,
        muted_until_s: cursor.number()?,
        group_muted_until_s: cursor.number()?,
        revoked_s: cursor.number()?,
        friends: cursor.number_u32()?,
        blocked: cursor.number_u32()?,
        asked: cursor.number_u32()?,
        pinned: cursor.number_u32()?,
        group_last: cursor.number_u32()?,
        friends_version: cursor.number()?,
        blocklist_version: cursor.number()?,
        reachable: take_items(cursor, |cursor| {
            Ok(Reachable { platform: take_platform(cursor)?, until_s: cursor.number()? })
        })?,
        groups: take_items(cursor, |cursor| {
            Ok(FriendGroup { id: cursor.number_u32()?, name: cursor.text()?.to_owned() })
        })?,
    })
}

pub(crate) fn encode_profile(profile: &Profile) -> Vec<u8> {
    let mut out = vec![VERSION];
    put_values(&mut out, profile.iter());
    out
}

pub(crate) fn decode_profile(value: &[u8]) -> Result<Profile, Broken> {
    let mut cursor = versioned(value)?;
    let values = take_values(&mut cursor)?;
    cursor.end()?;
    Ok(values.into_iter().collect())
}

pub(crate) fn encode_tokens(tokens: &[PushToken]) -> Vec<u8> {
    let mut out = vec![VERSION];
    put_number(&mut out, tokens.len() as u64);
    for token in tokens {
        out.push(token.provider as u8);
        put_bytes(&mut out, token.device.as_bytes());
        put_bytes(&mut out, token.token.as_bytes());
        put_number(&mut out, token.set_ms);
    }
    out
}

pub(crate) fn decode_tokens(value: &[u8]) -> Result<Vec<PushToken>, Broken> {
    let mut cursor = versioned(value)?;
    let tokens = take_items(&mut cursor, |cursor| {
        let number = cursor.byte()?;
        let provider = PushProvider::ALL.into_iter().find(|provider| *provider as u8 == number);
        Ok(PushToken {
            provider: provider.ok_or("it is a token of no known provider")?,
            device: cursor.text()?.to_owned(),
            token: cursor.text()?.to_owned(),
            set_ms: cursor.number()?,
        })
    })?;
    cursor.end()?;
    Ok(tokens)
}

pub(crate) fn encode_tie(tie: &Tie) -> Vec<u8> {
    let Tie { friend, blocked_s, request, kept_by_peer } = tie;
    let mut out =
        vec![VERSION, flags([friend.is_some(), blocked_s.is_some(), request.is_some(), *kept_by_peer])];
    if let Some(friend) = friend {
        put_friend(&mut out, friend);
    }
    if let Some(blocked_s) = blocked_s {
        put_number(&mut out, *blocked_s);
    }
    if let Some(request) = request {
        put_request(&mut out, request);
    }
    out
}

pub(crate) fn decode_tie(value: &[u8]) -> Result<Tie, Broken> {
    let mut cursor = versioned(value)?;
    let [is_friend, is_blocked, asks, kept_by_peer] = unflags(cursor.byte()?)?;
    let friend = is_friend.then(|| take_friend(&mut cursor)).transpose()?;
    let blocked_s = is_blocked.then(|| cursor.number()).transpose()?;
    let request = asks.then(|| take_request(&mut cursor)).transpose()?;
    cursor.end()?;
    Ok(Tie { friend, blocked_s, request, kept_by_peer })
}

fn put_friend(out: &mut Vec<u8>, friend: &Friend) {
    put_number(out, friend.added_s);
    for text in [&friend.remark, &friend.source, &friend.wording] {
        put_bytes(out, text.as_bytes());
    }
    put_number(out, friend.groups.len() as u64);
    for group in &friend.groups {
        put_number(out, u64::from(*group));
    }
    put_values(out, friend.custom.iter());
}

fn take_friend(cursor: &mut Cursor<'_>) -> Result<Friend, Broken> {
    Ok(Friend {
        added_s: cursor.number()?,
        remark: cursor.text()?.to_owned(),
        source: cursor.text()?.to_owned(),
        wording: cursor.text()?.to_owned(),
        groups: take_items(cursor, |cursor| cursor.number_u32())?,
        custom: take_values(cursor)?.into_iter().collect(),
    })
}

fn put_request(out: &mut Vec<u8>, request: &FriendRequest) {
    out.push(flags([request.mutual, request.group.is_some()]));
    put_number(out, request.asked_s);
    for text in [&request.remark, &request.source, &request.wording] {
        put_bytes(out, text.as_bytes());
    }
    if let Some(group) = &request.group {
        put_bytes(out, group.as_bytes());
    }
}

fn take_request(cursor: &mut Cursor<'_>) -> Result<FriendRequest, Broken> {
    let [mutual, has_group] = unflags(cursor.byte()?)?;
    Ok(FriendRequest {
        mutual,
        asked_s: cursor.number()?,
        remark: cursor.text()?.to_owned(),
        source: cursor.text()?.to_owned(),
        wording: cursor.text()?.to_owned(),
        group: has_group.then(|| cursor.text().map(str::to_owned)).transpose()?,
    })
}

/// Values by tag, as profiles, notes of friends, and the events of profiles have them.
pub(super) fn put_values<'a>(
    out: &mut Vec<u8>,
    values: impl ExactSizeIterator<Item = (&'a String, &'a ProfileValue)>,
) {
    put_number(out, values.len() as u64);
    for (tag, value) in values {
        put_bytes(out, tag.as_bytes());
        match value {
            ProfileValue::Number(number) => {
                out.push(NUMBER);
                put_number(out, u64::from(*number));
            }
            ProfileValue::Text(text) => {
                out.push(TEXT);
                put_bytes(out, text.as_bytes());
            }
        }
    }
}

pub(super) fn take_values(cursor: &mut Cursor<'_>) -> Result<Vec<(String, ProfileValue)>, Broken> {
    take_items(cursor, |cursor| {
        let tag = cursor.text()?.to_owned();
        let value = match cursor.byte()? {
            NUMBER => ProfileValue::Number(cursor.number_u32()?),
            TEXT => ProfileValue::Text(cursor.text()?.to_owned()),
            _ => return Err("it is a value of no known kind"),
        };
        Ok((tag, value))
    })
}
