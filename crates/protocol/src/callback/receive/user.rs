//! Users: whether they are online, their profiles and their friends.

use super::{Malformed, member::Members};
use crate::callback::{AddType, ResponseAction, StateAction};

/// `State.StateChange`: a user came online or went offline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateChange {
    /// `Info.To_Account`: whose state it is.
    pub user: String,
    /// `Info.Action`.
    pub action: String,
    /// `Info.Reason`.
    pub reason: String,
    /// `KickedDevice`: the platform of each device that a login has put out.
    pub kicked: Vec<String>,
    /// `EventTime` in Unix milliseconds; `None` from servers that do not send it.
    pub event_time_ms: Option<u64>,
}

/// `Profile.CallbackPortraitSet`: a profile was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortraitSet {
    /// `Operator_Account`: who changed it.
    pub operator: String,
    /// `From_Account`: whose profile it is.
    pub user: String,
    /// `ProfileItem`: each tag that was set, with its value.
    pub items: Vec<(String, PortraitValue)>,
    /// `EventTime` in Unix milliseconds; `None` from servers that do not send it.
    pub event_time_ms: Option<u64>,
}

/// The value of a tag; which of the two it is depends on the tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortraitValue {
    /// A JSON number.
    Number(u32),
    /// A JSON string.
    Text(String),
}

/// `Sns.CallbackPrevFriendAdd`: may these users be added?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrevFriendAdd {
    /// `Requester_Account`: who sent the request.
    pub requester: String,
    /// `From_Account`: whose friends they would be.
    pub from: String,
    /// `FriendItem`: each user who would be added.
    pub items: Vec<FriendItem>,
    /// `AddType`; [`AddType::Both`] when it is missing.
    pub add_type: AddType,
    /// `ForceAddFlags`: without asking the user who is added.
    pub forced: bool,
    /// `EventTime` in Unix milliseconds; `None` from servers that do not send it.
    pub event_time_ms: Option<u64>,
}

/// A user whom someone wants to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FriendItem {
    /// `To_Account`.
    pub to: String,
    /// `Remark`: the name that the user has among the friends.
    pub remark: String,
    /// `GroupName`: the list that the user is put into.
    pub group_name: String,
    /// `AddSource`: where the user was found.
    pub add_source: String,
    /// `AddWording`: what the user is told.
    pub add_wording: String,
}

/// `Sns.CallbackPrevFriendResponse`: may these requests be answered like this?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrevFriendResponse {
    /// `Requester_Account`: who sent the answers.
    pub requester: String,
    /// `From_Account`: whose answers they are.
    pub from: String,
    /// `ResponseFriendItem`: each user who would be answered.
    pub items: Vec<ResponseFriendItem>,
    /// `EventTime` in Unix milliseconds; `None` from servers that do not send it.
    pub event_time_ms: Option<u64>,
}

/// A user who has asked to be a friend, and the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseFriendItem {
    /// `To_Account`.
    pub to: String,
    /// `Remark`: the name that the user would have among the friends.
    pub remark: String,
    /// `TagName`: the list that the user would be put into.
    pub tag_name: String,
    /// `ResponseAction`.
    pub action: ResponseAction,
}

/// `Sns.CallbackFriendAdd`: friends were added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FriendAdd {
    /// `PairList`: one for each list that has grown.
    pub pairs: Vec<FriendPair>,
    /// `ClientCmd`: what the client did.
    pub client_cmd: String,
    /// `Admin_Account`: the administrator who did it; empty when it was a client.
    pub admin: String,
    /// `ForceFlag`: without asking the user who was added.
    pub forced: bool,
    /// `EventTime` in Unix milliseconds; `None` from servers that do not send it.
    pub event_time_ms: Option<u64>,
}

/// A user who was put into another's list of friends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FriendPair {
    /// `From_Account`: whose list.
    pub from: String,
    /// `To_Account`: who was put into it.
    pub to: String,
    /// `Initiator_Account`: who of the two began it.
    pub initiator: String,
}

/// `Sns.CallbackFriendDelete`, `Sns.CallbackBlackListAdd` or `Sns.CallbackBlackListDelete`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationPairs {
    /// `PairList`: `From_Account`, whose list it is, and `To_Account`, who was put into it or taken out.
    pub pairs: Vec<(String, String)>,
    /// `EventTime` in Unix milliseconds; `None` from servers that do not send it.
    pub event_time_ms: Option<u64>,
}

impl StateChange {
    /// What the words mean; `None` when they are not among the documented ones.
    pub fn meaning(&self) -> Option<StateAction> {
        StateAction::parse(&self.action, &self.reason)
    }

    pub(super) fn read(members: &Members<'_>) -> Result<Self, Malformed> {
        let info = members.info().object()?;
        Ok(StateChange {
            user: info.to().text()?,
            action: info.action().text()?,
            reason: info.reason().text_or_empty()?,
            kicked: members.kicked().items_or_none(|device| device.platform().text())?,
            event_time_ms: members.event_time().optional_u64()?,
        })
    }
}

impl PortraitSet {
    pub(super) fn read(members: &Members<'_>) -> Result<Self, Malformed> {
        Ok(PortraitSet {
            operator: members.operator().text_or_empty()?,
            user: members.from().text()?,
            items: members
                .profile_items()
                .items(|item| Ok((item.tag().text()?, PortraitValue::read(item)?)))?,
            event_time_ms: members.event_time().optional_u64()?,
        })
    }
}

impl PortraitValue {
    fn read(item: &Members<'_>) -> Result<Self, Malformed> {
        let value = item.value();
        // Text first: a name may well be made of digits.
        value.text().map(PortraitValue::Text).or_else(|_| value.u32().map(PortraitValue::Number))
    }
}

impl PrevFriendAdd {
    pub(super) fn read(members: &Members<'_>) -> Result<Self, Malformed> {
        let add_type = members.add_type();
        Ok(PrevFriendAdd {
            requester: members.requester().text_or_empty()?,
            from: members.from().text()?,
            items: members.friend_items().items(|item| {
                Ok(FriendItem {
                    to: item.to().text()?,
                    remark: item.remark().text_or_empty()?,
                    group_name: item.group_name().text_or_empty()?,
                    add_source: item.add_source().text_or_empty()?,
                    add_wording: item.add_wording().text_or_empty()?,
                })
            })?,
            add_type: match &*add_type.text_or_empty()? {
                "" => AddType::Both,
                word => AddType::parse(word).ok_or(add_type.malformed())?,
            },
            forced: members.force_add_flags().flag()?,
            event_time_ms: members.event_time().optional_u64()?,
        })
    }
}

impl PrevFriendResponse {
    pub(super) fn read(members: &Members<'_>) -> Result<Self, Malformed> {
        Ok(PrevFriendResponse {
            requester: members.requester().text_or_empty()?,
            from: members.from().text()?,
            items: members.response_items().items(|item| {
                let action = item.response_action();
                Ok(ResponseFriendItem {
                    to: item.to().text()?,
                    remark: item.remark().text_or_empty()?,
                    tag_name: item.tag_name().text_or_empty()?,
                    action: ResponseAction::parse(&action.text()?).ok_or(action.malformed())?,
                })
            })?,
            event_time_ms: members.event_time().optional_u64()?,
        })
    }
}

impl FriendAdd {
    pub(super) fn read(members: &Members<'_>) -> Result<Self, Malformed> {
        Ok(FriendAdd {
            pairs: members.pairs().items(|pair| {
                Ok(FriendPair {
                    from: pair.from().text()?,
                    to: pair.to().text()?,
                    initiator: pair.initiator().text_or_empty()?,
                })
            })?,
            client_cmd: members.client_cmd().text_or_empty()?,
            admin: members.admin().text_or_empty()?,
            forced: members.force_flag().flag()?,
            event_time_ms: members.event_time().optional_u64()?,
        })
    }
}

impl RelationPairs {
    pub(super) fn read(members: &Members<'_>) -> Result<Self, Malformed> {
        Ok(RelationPairs {
            pairs: members.pairs().items(|pair| Ok((pair.from().text()?, pair.to().text()?)))?,
            event_time_ms: members.event_time().optional_u64()?,
        })
    }
}
