//! Profiles, friends and blocklists, as REST and devices say them.

use super::{profile_settings, profile_value, tag_value};
use chat::UserId;
use chat::befriend::BefriendError;
use chat::event::{Origin, ProfileValue};
use chat::person::{NotChanged, PersonChange, PersonChanged, Profile};
use chat::relate::NotRelated;
use protocol::limits::CUSTOM_TAGS_MAX;
use protocol::rest::Command;
use protocol::rest::profile::{StandardTag, Tag, TagValue};
use protocol::rest::sns::{Custom, Value, blocklist as blocks, friend as friends, group as groups};
use protocol::{ErrorCode, Failure};
use std::borrow::Cow;

/// Tags that one profile can have: the standard ones, and as many custom ones as the original lets an app declare.
const PROFILE_TAGS_MAX: usize = StandardTag::ALL.len() + CUSTOM_TAGS_MAX;

/// What was ever set of a profile, as its owner sees it.
pub fn own_profile(profile: &Profile) -> Vec<(&str, TagValue<'_>)> {
    profile.iter().map(|(tag, value)| (tag.as_str(), tag_value(value))).collect()
}

/// What was ever set of a profile, as others see it: what the owner, or the admin, has decided about the owner's use of
/// the app is left out.
pub fn others_profile(profile: &Profile) -> Vec<(&str, TagValue<'_>)> {
    let is_private = |tag: &str| {
        [StandardTag::AdminForbidType, StandardTag::MsgSettings].iter().any(|own| own.as_str() == tag)
    };
    let mut shown = own_profile(profile);
    shown.retain(|(tag, _)| !is_private(tag));
    shown
}

/// A write to a profile.
pub fn profile_change(items: Vec<(Tag<'_>, TagValue<'_>)>, operator: UserId, origin: Origin) -> PersonChange {
    PersonChange::Profile {
        settings: profile_settings(&items),
        items: items
            .into_iter()
            .map(|(tag, value)| (tag.as_str().to_owned(), profile_value(value)))
            .collect(),
        operator,
        origin,
        tags_max: PROFILE_TAGS_MAX,
    }
}

/// Whether a write to a profile came to something.
pub fn profile_changed(changed: &PersonChanged) -> Result<(), Failure> {
    match changed {
        PersonChanged::Done(_) => Ok(()),
        PersonChanged::UnknownAccount => Err(ErrorCode::ProfileAccountNotFound.into()),
        PersonChanged::Refused(_) => {
            Err(ErrorCode::ProfileTagUnknown.with("the profile would have too many custom tags"))
        }
    }
}

/// The app's own notes of a friend.
pub fn friend_notes(customs: Vec<Custom<'_>>) -> Result<Vec<(String, ProfileValue)>, Failure> {
    let note = |custom: Custom<'_>| {
        let value = match custom.value {
            Value::Text(text) => ProfileValue::Text(text.into_owned()),
            Value::Number(number) => ProfileValue::Number(u32::try_from(number).map_err(|_| {
                bad(format!("the number under {} must be an unsigned 32-bit integer", custom.tag))
            })?),
            Value::Names(_) => return Err(bad(format!("{} cannot have a list", custom.tag))),
        };
        Ok((custom.tag.into_owned(), value))
    };
    customs.into_iter().map(note).collect()
}

/// Why nothing came of it with one of the others. `command` is what the REST API calls it, also where a device does it.
/// Some refusals have other words in other commands, which clients compare.
pub fn not_related(command: Command, refusal: NotRelated) -> Failure {
    match refusal {
        NotRelated::UnknownAccount => ErrorCode::RelationAccountNotFound.into(),
        NotRelated::Oneself => bad("To_Account must be another user than From_Account"),
        NotRelated::AlreadyFriends => friends::ALREADY_FRIEND.clone(),
        NotRelated::NotFriends => match command {
            Command::FriendUpdate => friends::NOT_FRIEND_TO_UPDATE.clone(),
            Command::FriendGroupAdd => groups::NOT_FRIEND.clone(),
            _ => ErrorCode::NotFriendsYet.into(),
        },
        NotRelated::NotAsked => ErrorCode::FriendRequestNotFound.into(),
        NotRelated::AlreadyBlocked => blocks::ALREADY_BLOCKED.clone(),
        NotRelated::NotBlocked => blocks::NOT_BLOCKED.clone(),
        NotRelated::BlocksPeer => ErrorCode::PeerIsBlocked.into(),
        NotRelated::BlockedByPeer => ErrorCode::BlockedByPeer.into(),
        NotRelated::MayNotAsk => ErrorCode::FriendRequestsForbidden.into(),
        NotRelated::PeerRefuses => ErrorCode::PeerDeniesFriends.into(),
        NotRelated::FriendsFull if command == Command::FriendImport => friends::NO_ROOM_TO_IMPORT.clone(),
        NotRelated::FriendsFull => ErrorCode::FriendListFull.into(),
        NotRelated::PeerFriendsFull => ErrorCode::PeerFriendListFull.into(),
        NotRelated::GroupsFull if command == Command::FriendUpdate => friends::TOO_MANY_GROUPS.clone(),
        NotRelated::GroupsFull => ErrorCode::FriendGroupsFull.into(),
        NotRelated::RequestsFull => ErrorCode::FriendRequestsFull.into(),
        NotRelated::BlocklistFull => ErrorCode::BlocklistFull.into(),
        NotRelated::TooManyNotes => bad(format!("there would be more than {CUSTOM_TAGS_MAX} custom tags")),
        NotRelated::NoSuchGroup => bad("there is no such friend group"),
    }
}

/// Why nothing came of what a device wants of a friendship, besides the rules.
pub fn befriend_failure(error: BefriendError) -> Failure {
    match error {
        BefriendError::Vetoed => ErrorCode::RefusedByCallback.with("the app's backend refused it"),
        BefriendError::RefusedByApp { code, text } => Failure { code, info: Cow::Owned(text) },
        BefriendError::GateFailed => ErrorCode::CallbackUnavailable
            .with("the app's backend did not answer and the app wants it refused then"),
        BefriendError::Store(error) => {
            tracing::error!(%error, "a device's request failed in the store");
            ErrorCode::Internal.into()
        }
    }
}

/// Why a person's friend groups stay as they are.
pub fn groups_not_changed(refusal: NotChanged) -> Failure {
    match refusal {
        NotChanged::Full => ErrorCode::FriendGroupsFull.into(),
        NotChanged::NoSuchGroup => bad("there is no such friend group"),
        NotChanged::GroupExists => bad("there is another friend group of this name"),
    }
}

fn bad(info: impl Into<Cow<'static, str>>) -> Failure {
    ErrorCode::RelationParameter.with(info)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_see_of_a_profile() {
        let number = ProfileValue::Number(1);
        let tags = ["Tag_Profile_Custom_Vip", "Tag_Profile_IM_AdminForbidType", "Tag_Profile_IM_MsgSettings"];
        let profile: Profile = tags.map(|tag| (tag.to_owned(), number.clone())).into();
        let names =
            |shown: Vec<(&str, TagValue<'_>)>| shown.into_iter().map(|(tag, _)| tag.to_owned()).collect();
        let [own, others]: [Vec<String>; 2] = [names(own_profile(&profile)), names(others_profile(&profile))];
        assert_eq!(own, tags);
        assert_eq!(others, ["Tag_Profile_Custom_Vip"]);
    }
}
