//! The keys of every table.
//!
//! Numbers are big-endian, so that keys sort as they count. Names carry their length in front, so that no name is
//! the beginning of another, and a scan over a prefix meets nobody else's rows.
//!
//! The tables that every message writes have four bytes of a hash in front. The engine keeps the first four bytes of a
//! key where it compares them, and the rest elsewhere: when all keys begin with the same app, each comparison is a
//! miss of the processor's cache, and those are most of what a commit costs.

use super::engine::Table;
pub(crate) mod named;

use super::notation::{Broken, Cursor};
use chat::Lane;
use chat::conversation::Place;
use chat::dispatch::FailedAttempt;
use chat::guard::DUPLICATE_WINDOW_SECS;
use chat::id::{AppId, ConversationId, USER_ID_BYTES_MAX, UserId};
use chat::person::PushToken;
use chat::port::Route;

/// Hash, app, two names, time and number.
const KEY_BYTES_MAX: usize = 4 + 4 + 2 * (1 + USER_ID_BYTES_MAX) + 16;

/// A key made in place: the hot path makes five of them for each message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    bytes: [u8; KEY_BYTES_MAX],
    len: usize,
}

impl Key {
    fn of_app(app: AppId) -> Self {
        Self { bytes: [0; KEY_BYTES_MAX], len: 0 }.with(&app.0.to_be_bytes())
    }

    /// The same behind a hash of itself. The hash is part of the format: it never changes.
    fn hashed(self) -> Self {
        let mut hash = 0x811c_9dc5_u32;
        for byte in self.as_ref() {
            hash = (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
        // The high bytes decide most comparisons, and are the poor ones of a short input.
        hash = (hash ^ (hash >> 15)).wrapping_mul(0x85eb_ca6b);
        let start = Self { bytes: [0; KEY_BYTES_MAX], len: 0 };
        start.with(&(hash ^ (hash >> 13)).to_be_bytes()).with(self.as_ref())
    }

    fn with(mut self, part: &[u8]) -> Self {
        self.bytes[self.len..self.len + part.len()].copy_from_slice(part);
        self.len += part.len();
        self
    }

    fn name(self, user: &UserId) -> Self {
        self.with(&[user.as_bytes().len() as u8]).with(user.as_bytes())
    }

    fn number(self, number: u64) -> Self {
        self.with(&number.to_be_bytes())
    }
}

/// A key or a prefix in its parts, for an engine that keeps rows by what they belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub(super) app: AppId,
    /// The user, the pair, the lane, the route or the token that the row belongs to.
    pub(super) owner: &'a [u8],
    /// Which of the rows of its owner it is.
    pub(super) item: &'a [u8],
}

/// Takes a key apart. The hash in front is left out: what stands behind it says the same.
pub(super) fn parts(table: Table, key: &[u8]) -> Parts<'_> {
    let named = |rest: &[u8]| 1 + usize::from(rest[0]);
    let is_hashed = matches!(
        table,
        Table::Conversations | Table::Messages | Table::Extensions | Table::Refusals | Table::Logs
    );
    let (app, rest) = if is_hashed { &key[4..] } else { key }.split_at(4);
    let owner_len = match table {
        Table::Leases => 0,
        Table::TokenOwners => rest.len(),
        Table::Events | Table::Lanes => 2,
        Table::Routes | Table::Exceptions | Table::Failures | Table::Deliveries => {
            let len = u32::from_be_bytes(rest[2..6].try_into().expect("four bytes"));
            6 + len as usize
        }
        Table::Conversations | Table::Messages | Table::Extensions | Table::Refusals => {
            let low = named(rest);
            low + named(&rest[low..])
        }
        Table::Accounts
        | Table::Profiles
        | Table::PushTokens
        | Table::Ties
        | Table::Peers
        | Table::Notes
        | Table::Logs => named(rest),
    };
    let (owner, item) = rest.split_at(owner_len);
    Parts { app: AppId(u32::from_be_bytes(app.try_into().expect("four bytes"))), owner, item }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The row of an account; also the prefix of the user's peers.
pub(super) fn account(app: AppId, user: &UserId) -> Key {
    Key::of_app(app).name(user)
}

/// The row of a conversation; also the prefix of its messages.
pub(super) fn conversation(id: &ConversationId) -> Key {
    Key::of_app(id.app).name(&id.low).name(&id.high).hashed()
}

/// Says that `user` has a conversation with `peer`. Also the key of what the user has noted of it.
pub(super) fn peer(app: AppId, user: &UserId, peer: &UserId) -> Key {
    account(app, user).name(peer)
}

/// Whose a push token is. It may be of any length.
pub(super) fn token_owner(app: AppId, token: &PushToken) -> Vec<u8> {
    let mut key = Key::of_app(app).with(&[token.provider as u8]).as_ref().to_vec();
    key.extend_from_slice(token.token.as_bytes());
    key
}

/// What `user` keeps of `peer`. The peer ends the key, and stands there without its length, so that a scan meets the
/// peers by name.
pub(super) fn tie(app: AppId, user: &UserId, peer: &UserId) -> Key {
    account(app, user).with(peer.as_bytes())
}

/// Newest first: time and number count backwards. Also the key of the message's extensions.
pub(super) fn message(id: &ConversationId, place: Place) -> Key {
    second(id, place.time_s).number(!place.seq)
}

/// From and until where the messages are that a send at `now_s` can be a repetition of.
pub(super) fn recent(id: &ConversationId, now_s: u64) -> [Key; 2] {
    let over_s = now_s.saturating_sub(DUPLICATE_WINDOW_SECS);
    [u64::MAX, over_s].map(|time_s| message(id, Place { time_s, seq: u64::MAX }))
}

/// All messages of one second.
pub(super) fn second(id: &ConversationId, time_s: u64) -> Key {
    conversation(id).number(!time_s)
}

/// All refused sends of a conversation with one random number, newest first.
pub(super) fn refusals(id: &ConversationId, random: u32) -> Key {
    conversation(id).with(&random.to_be_bytes())
}

/// Says that a lane's event of this offset tells of a refused send.
pub(super) fn refusal(id: &ConversationId, random: u32, offset: u64) -> Key {
    refusals(id, random).number(!offset)
}

/// The event that a key made by [`refusal`] speaks of.
pub(super) fn refused_offset(key: &[u8]) -> Result<u64, Broken> {
    offset_of(key).map(|inverted| !inverted)
}

/// All log entries of all lives of an account.
pub(super) fn logs(app: AppId, user: &UserId) -> Key {
    account(app, user).hashed()
}

/// All log entries of one life of an account.
pub(super) fn log(app: AppId, user: &UserId, epoch: u64) -> Key {
    logs(app, user).number(epoch)
}

pub(super) fn log_entry(app: AppId, user: &UserId, epoch: u64, offset: u64) -> Key {
    log(app, user, epoch).number(offset)
}

/// The row of a lane; also the prefix of its events.
pub(super) fn lane(lane: Lane) -> Key {
    Key::of_app(lane.app).with(&lane.index.to_be_bytes())
}

pub(super) fn event(lane: Lane, offset: u64) -> Key {
    self::lane(lane).number(offset)
}

/// The row of all leases. They belong to no app, so they are kept with one that cannot be.
pub(super) fn leases() -> Key {
    Key::of_app(chat::lease::APP)
}

/// The row of a route; also the prefix of its exceptions, failures and deliveries. An endpoint's name may be of any length.
pub(super) fn route(route: &Route) -> Vec<u8> {
    let name = route.endpoint.0.as_bytes();
    let mut key = lane(route.lane).as_ref().to_vec();
    key.extend_from_slice(&(name.len() as u32).to_be_bytes());
    key.extend_from_slice(name);
    key
}

pub(super) fn exception(route: &Route, offset: u64) -> Vec<u8> {
    let mut key = self::route(route);
    key.extend_from_slice(&offset.to_be_bytes());
    key
}

/// All failed attempts at an event.
pub(super) fn failures(route: &Route, offset: u64) -> Vec<u8> {
    exception(route, offset)
}

pub(super) fn failure(route: &Route, failed: &FailedAttempt) -> Vec<u8> {
    let mut key = failures(route, failed.offset);
    key.extend_from_slice(&failed.at_ms.to_be_bytes());
    key.extend_from_slice(&failed.number.to_be_bytes());
    key
}

/// Which attempt a key made by [`failure`] names: offset, time and number.
pub(super) fn failure_of(key: &[u8]) -> Result<(u64, u64, u32), Broken> {
    let (key, number) = key.split_last_chunk().ok_or("its key is too short")?;
    let (key, at_ms) = key.split_last_chunk().ok_or("its key is too short")?;
    Ok((offset_of(key)?, u64::from_be_bytes(*at_ms), u32::from_be_bytes(*number)))
}

/// A row of deliveries by its latest time, so that a scan from a time misses nothing, and by its number.
pub(super) fn deliveries(route: &Route, last_ms: u64, number: u64) -> Vec<u8> {
    let mut key = self::route(route);
    key.extend_from_slice(&last_ms.to_be_bytes());
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// Latest time and number of a key made by [`deliveries`].
pub(super) fn deliveries_of(key: &[u8]) -> Result<(u64, u64), Broken> {
    let (rest, number) = key.split_last_chunk().ok_or("its key is too short")?;
    Ok((offset_of(rest)?, u64::from_be_bytes(*number)))
}

/// The number at the end of a key of a log entry, an event or an exception.
pub(super) fn offset_of(key: &[u8]) -> Result<u64, Broken> {
    let at = key.len().checked_sub(8).ok_or("its key is too short")?;
    Ok(u64::from_be_bytes(key[at..].try_into().expect("eight bytes are left")))
}

/// Where the message of a key stands.
pub(super) fn place_of(key: &[u8]) -> Result<Place, Broken> {
    let at = key.len().checked_sub(16).ok_or("its key is too short")?;
    let time_s = u64::from_be_bytes(key[at..at + 8].try_into().expect("eight of sixteen bytes"));
    Ok(Place { time_s: !time_s, seq: !offset_of(key)? })
}

/// The peer that a key made by [`peer`] ends with.
pub(super) fn peer_of(key: &[u8], prefix: &Key) -> Result<UserId, Broken> {
    let mut cursor = Cursor::new(key.get(prefix.len..).ok_or("its key is too short")?);
    let peer = cursor.user()?;
    cursor.end()?;
    Ok(peer)
}

/// The peer that a key made by [`tie`] ends with.
pub(super) fn tied_peer_of(key: &[u8], prefix: &Key) -> Result<UserId, Broken> {
    let name = key.get(prefix.len..).ok_or("its key is too short")?;
    let name = std::str::from_utf8(name).map_err(|_| "a user id is not UTF-8")?;
    UserId::new(name).ok_or("a user id is not valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> UserId {
        UserId::new(text).unwrap()
    }

    #[test]
    fn nobody_is_found_under_the_prefix_of_another() {
        let prefix = account(AppId(1), &user("an"));
        for other in ["ana", "a", "n", "an\u{20ac}"] {
            assert!(!account(AppId(1), &user(other)).as_ref().starts_with(prefix.as_ref()), "{other}");
        }
        let pair = ConversationId::new(AppId(1), user("a"), user("bc"));
        let other = ConversationId::new(AppId(1), user("ab"), user("c"));
        assert_ne!(conversation(&pair).as_ref(), conversation(&other).as_ref());
    }

    #[test]
    fn ties_are_in_the_order_of_names() {
        let prefix = account(AppId(1), &user("an"));
        let names = ["a", "ana", "b", "bo", "c", "\u{20ac}"];
        let keys = names.map(|peer| tie(AppId(1), &user("an"), &user(peer)));
        assert!(names.map(user).is_sorted() && keys.is_sorted_by_key(|key| key.as_ref().to_vec()));
        for (key, name) in keys.iter().zip(names) {
            assert_eq!(tied_peer_of(key.as_ref(), &prefix), Ok(user(name)));
        }
        assert!(tied_peer_of(prefix.as_ref(), &prefix).is_err());
    }

    #[test]
    fn refusals_are_found_newest_first() {
        let id = ConversationId::new(AppId(1), user("ana"), user("bo"));
        let keys = [300, 8, 7].map(|offset| refusal(&id, 5, offset));
        assert!(keys.is_sorted_by_key(|key| key.as_ref().to_vec()));
        assert_eq!(refused_offset(keys[1].as_ref()), Ok(8));
        assert!(keys[0].as_ref().starts_with(refusals(&id, 5).as_ref()));
    }

    #[test]
    fn hashes_differ_and_never_change() {
        let hash = |name: &str| {
            let key = log(AppId(1), &user(name), 0);
            u32::from_be_bytes(key.as_ref()[..4].try_into().unwrap())
        };
        assert_eq!(hash("user_1"), 3_911_270_701);
        let mut seen: Vec<u32> = (0..1000).map(|number| hash(&format!("user_{number}"))).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 1000);
    }

    #[test]
    fn keys_come_apart_behind_their_owner() {
        let id = ConversationId::new(AppId(7), user("ana"), user("bo"));
        let place = Place { time_s: 9, seq: 8 };
        let key = message(&id, place);
        let Parts { app, owner, item } = parts(Table::Messages, key.as_ref());
        assert_eq!((app, owner), (AppId(7), b"\x03ana\x02bo".as_slice()));
        assert_eq!(place_of(item), Ok(place));
        assert!(parts(Table::Conversations, conversation(&id).as_ref()).item.is_empty());
        let key = tie(AppId(7), &user("ana"), &user("bo"));
        assert_eq!(parts(Table::Ties, key.as_ref()).item, b"bo");
        let lane = Lane { app: AppId(7), index: 3 };
        assert_eq!(parts(Table::Events, event(lane, 5).as_ref()).owner, [0, 3]);
        let route = Route { lane, endpoint: chat::port::EndpointId("ep".into()) };
        let key = exception(&route, 5);
        let Parts { owner, item, .. } = parts(Table::Exceptions, &key);
        assert_eq!((owner, item.len()), (b"\0\x03\0\0\0\x02ep".as_slice(), 8));
    }

    #[test]
    fn the_longest_key_fits() {
        let long = user(&"x".repeat(USER_ID_BYTES_MAX));
        let id = ConversationId::new(AppId(u32::MAX), long, long);
        let place = Place { time_s: u64::MAX, seq: 0 };
        let key = message(&id, place);
        assert_eq!(key.as_ref().len(), KEY_BYTES_MAX);
        assert_eq!(place_of(key.as_ref()), Ok(place));
    }

    #[test]
    fn newer_messages_sort_first() {
        let id = ConversationId::new(AppId(1), user("ana"), user("bo"));
        let at = |time_s, seq| message(&id, Place { time_s, seq });
        let sorted = [at(9, 9), at(9, 8), at(8, 7), at(7, 300)];
        assert!(sorted.is_sorted_by_key(|key| key.as_ref().to_vec()));
    }
}
