//! Keys taken apart again, for whoever meets rows without having looked for them.
//!
//! A key is only taken for one if it is exactly what would be made of its parts.

use super::Key;
use crate::notation::{Broken, Cursor};
use chat::Lane;
use chat::conversation::Place;
use chat::id::{AppId, ConversationId, UserId};
use chat::person::PushProvider;
use chat::port::{EndpointId, Route};

/// Every key begins with an app, or with a hash.
pub(crate) const BYTES_MIN: usize = 4;

const STRANGE: Broken = "its key is not one of this table";
const HASH_BYTES: usize = 4;
/// Epoch and offset end the key of a log entry.
const EPOCH_BYTES: usize = 8;
const OFFSET_BYTES: usize = 8;

pub(crate) fn account(key: &[u8]) -> Result<(AppId, UserId), Broken> {
    let mut cursor = Cursor::new(key);
    let (app, user) = (app(&mut cursor)?, cursor.user()?);
    cursor.end()?;
    Ok((app, user))
}

/// Also of the key of a note.
pub(crate) fn peer(key: &[u8]) -> Result<(AppId, UserId, UserId), Broken> {
    let mut cursor = Cursor::new(key);
    let (app, user, peer) = (app(&mut cursor)?, cursor.user()?, cursor.user()?);
    cursor.end()?;
    Ok((app, user, peer))
}

pub(crate) fn tie(key: &[u8]) -> Result<(AppId, UserId, UserId), Broken> {
    let mut cursor = Cursor::new(key);
    let (app, user) = (app(&mut cursor)?, cursor.user()?);
    let peer = super::tied_peer_of(key, &super::account(app, &user))?;
    Ok((app, user, peer))
}

pub(crate) fn conversation(key: &[u8]) -> Result<ConversationId, Broken> {
    let (id, rest) = in_conversation(key)?;
    if rest.is_empty() { Ok(id) } else { Err(STRANGE) }
}

/// Also of the key of extensions.
pub(crate) fn message(key: &[u8]) -> Result<(ConversationId, Place), Broken> {
    let (id, rest) = in_conversation(key)?;
    let place = super::place_of(rest)?;
    if rest.len() == 16 { Ok((id, place)) } else { Err(STRANGE) }
}

/// Conversation, random number and offset of a refused send.
pub(crate) fn refusal(key: &[u8]) -> Result<(ConversationId, u32, u64), Broken> {
    let (id, rest) = in_conversation(key)?;
    let (random, inverted) = rest.split_first_chunk().ok_or(STRANGE)?;
    let offset = u64::from_be_bytes(inverted.try_into().map_err(|_| STRANGE)?);
    Ok((id, u32::from_be_bytes(*random), !offset))
}

/// App, user, epoch and offset of a log entry.
pub(crate) fn log_entry(key: &[u8]) -> Result<(AppId, UserId, u64, u64), Broken> {
    let mut cursor = Cursor::new(key.get(HASH_BYTES..).ok_or(STRANGE)?);
    let (app, user) = (app(&mut cursor)?, cursor.user()?);
    let (epoch, offset) = (number(&mut cursor)?, number(&mut cursor)?);
    cursor.end()?;
    let made = super::log_entry(app, &user, epoch, offset);
    if made.as_ref() == key { Ok((app, user, epoch, offset)) } else { Err(STRANGE) }
}

/// The key of the same log entry in another epoch.
pub(crate) fn with_epoch(key: &[u8], epoch: impl FnOnce(u64) -> u64) -> Result<Vec<u8>, Broken> {
    let at = key.len().checked_sub(EPOCH_BYTES + OFFSET_BYTES).ok_or(STRANGE)?;
    let mut key = key.to_vec();
    let (_, rest) = key.split_at_mut(at);
    let old = rest.first_chunk_mut::<EPOCH_BYTES>().expect("sixteen bytes are left");
    *old = epoch(u64::from_be_bytes(*old)).to_be_bytes();
    Ok(key)
}

pub(crate) fn lane(key: &[u8]) -> Result<Lane, Broken> {
    let (lane, rest) = in_lane(key)?;
    if rest.is_empty() { Ok(lane) } else { Err(STRANGE) }
}

pub(crate) fn event(key: &[u8]) -> Result<(Lane, u64), Broken> {
    let (lane, rest) = in_lane(key)?;
    let offset = u64::from_be_bytes(rest.try_into().map_err(|_| STRANGE)?);
    Ok((lane, offset))
}

/// A route, and what stands behind it in the key of something that belongs to it.
pub(crate) fn in_route(key: &[u8]) -> Result<(Route, &[u8]), Broken> {
    let (lane, rest) = in_lane(key)?;
    let (len, rest) = rest.split_first_chunk().ok_or(STRANGE)?;
    let (name, rest) = rest.split_at_checked(u32::from_be_bytes(*len) as usize).ok_or(STRANGE)?;
    let name = std::str::from_utf8(name).map_err(|_| "the name of an endpoint is not UTF-8")?;
    Ok((Route { lane, endpoint: EndpointId(name.into()) }, rest))
}

/// App, carrier and token.
pub(crate) fn token_owner(key: &[u8]) -> Result<(AppId, PushProvider, &str), Broken> {
    let (front, token) = key.split_at_checked(5).ok_or(STRANGE)?;
    let mut cursor = Cursor::new(front);
    let (app, number) = (app(&mut cursor)?, cursor.byte()?);
    let provider = PushProvider::ALL.into_iter().find(|provider| *provider as u8 == number);
    let token = std::str::from_utf8(token).map_err(|_| "a token is not UTF-8")?;
    Ok((app, provider.ok_or("it is a token of no known provider")?, token))
}

fn in_conversation(key: &[u8]) -> Result<(ConversationId, &[u8]), Broken> {
    let mut cursor = Cursor::new(key.get(HASH_BYTES..).ok_or(STRANGE)?);
    let (app, low, high) = (app(&mut cursor)?, cursor.user()?, cursor.user()?);
    let id = ConversationId { app, low, high };
    let made: Key = super::conversation(&id);
    let rest = key.strip_prefix(made.as_ref()).filter(|_| low <= high);
    Ok((id, rest.ok_or(STRANGE)?))
}

fn in_lane(key: &[u8]) -> Result<(Lane, &[u8]), Broken> {
    let (front, rest) = key.split_at_checked(6).ok_or(STRANGE)?;
    let mut cursor = Cursor::new(front);
    let app = app(&mut cursor)?;
    Ok((Lane { app, index: u16::from_be_bytes(cursor.array()?) }, rest))
}

fn app(cursor: &mut Cursor<'_>) -> Result<AppId, Broken> {
    Ok(AppId(u32::from_be_bytes(cursor.array()?)))
}

fn number(cursor: &mut Cursor<'_>) -> Result<u64, Broken> {
    Ok(u64::from_be_bytes(cursor.array()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: AppId = AppId(1_400_000_001);

    fn user(text: &str) -> UserId {
        UserId::new(text).unwrap()
    }

    #[test]
    fn what_a_key_was_made_of_is_found_in_it() {
        let (ana, bo) = (user("ana"), user("bo"));
        let id = ConversationId::new(APP, ana, bo);
        let place = Place { time_s: 9, seq: 8 };
        let lane = Lane { app: APP, index: 3 };
        let route = Route { lane, endpoint: EndpointId("ep".into()) };
        assert_eq!(account(super::super::account(APP, &ana).as_ref()), Ok((APP, ana)));
        assert_eq!(peer(super::super::peer(APP, &ana, &bo).as_ref()), Ok((APP, ana, bo)));
        assert_eq!(tie(super::super::tie(APP, &bo, &ana).as_ref()), Ok((APP, bo, ana)));
        assert_eq!(conversation(super::super::conversation(&id).as_ref()), Ok(id));
        assert_eq!(message(super::super::message(&id, place).as_ref()), Ok((id, place)));
        assert_eq!(refusal(super::super::refusal(&id, 5, 6).as_ref()), Ok((id, 5, 6)));
        assert_eq!(log_entry(super::super::log_entry(APP, &bo, 7, 6).as_ref()), Ok((APP, bo, 7, 6)));
        assert_eq!(self::lane(super::super::lane(lane).as_ref()), Ok(lane));
        assert_eq!(event(super::super::event(lane, 4).as_ref()), Ok((lane, 4)));
        assert_eq!(in_route(&super::super::exception(&route, 2)), Ok((route, &[0, 0, 0, 0, 0, 0, 0, 2][..])));
    }

    #[test]
    fn a_key_that_nobody_would_make_is_none() {
        let id = ConversationId::new(APP, user("ana"), user("bo"));
        let mut key = super::super::conversation(&id).as_ref().to_vec();
        assert!(conversation(&key[..key.len() - 1]).is_err());
        key[0] ^= 1;
        assert!(conversation(&key).is_err(), "its hash is another");
        let turned = ConversationId { app: APP, low: user("bo"), high: user("ana") };
        assert!(conversation(super::super::conversation(&turned).as_ref()).is_err());
        assert!(account(&[0, 0, 0, 1, 2, b'a']).is_err());
    }

    #[test]
    fn only_the_epoch_becomes_another() {
        let key = super::super::log_entry(APP, &user("ana"), 7, 6);
        let moved = with_epoch(key.as_ref(), |epoch| epoch + 100).unwrap();
        assert_eq!(moved, super::super::log_entry(APP, &user("ana"), 107, 6).as_ref());
    }
}
