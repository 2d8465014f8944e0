//! Frames from devices: each is understood or refused with a code, however it is spelt.

use std::borrow::Cow;

use protocol::{
    ErrorCode, RawValue,
    callback::OptPlatform,
    client::{
        ClientFrame, Connect, ConversationRequest, ExtendOperation, FrameError, MessageRequest,
        PeopleRequest, PresenceRequest, Request, SendRequest, TokenRequest, refuse,
    },
    element,
    limits::{
        CONVERSATION_CUSTOM_LEN_MAX, CONVERSATION_MARK_MAX, CONVERSATIONS_PER_REQUEST_MAX,
        CUSTOM_STATUS_LEN_MAX, CUSTOM_TAGS_MAX, DELETED_KEYS_MAX, DEVICE_ID_LEN_MAX, EPOCH_LEN_MAX,
        EXTENSIONS_PER_CALL_MAX, FRIEND_GROUPS_MAX, FRIENDS_PER_REQUEST_MAX, MSG_KEYS_PER_CALL_MAX,
        NOTIFIED_PER_REQUEST_MAX, PROFILES_PER_CALL_MAX, PUSH_TOKEN_LEN_MAX, RELATIONS_PER_CALL_MAX,
        SUBSCRIPTIONS_PER_CALL_MAX, TARGETS_PER_CALL_MAX,
    },
    valid_user_id,
};

use super::respell::{spaced, squeezed, with_stranger};

/// The bytes are the text of the frame.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let shown = show(ClientFrame::parse(text));
    for respelt in [spaced(text), with_stranger(text)] {
        assert_eq!(show(ClientFrame::parse(&respelt)), shown, "{respelt}");
    }
    match ClientFrame::parse(text) {
        Ok(frame) => holds(&frame.request),
        Err(error) => can_be_answered(&error),
    }
}

fn show(frame: Result<ClientFrame<'_>, FrameError>) -> Result<String, (Option<u64>, u32)> {
    frame.map(|frame| squeezed(&format!("{frame:?}"))).map_err(|error| (error.id, error.failure.code))
}

fn holds(request: &Request<'_>) {
    match request {
        Request::Connect(Connect { user_id, platform, device_id, position, .. }) => {
            assert!(valid_user_id(user_id));
            assert_ne!(*platform, OptPlatform::RestApi);
            assert!(device_id.as_ref().is_none_or(|id| (1..=DEVICE_ID_LEN_MAX).contains(&id.len())));
            assert!(position.as_ref().is_none_or(|position| position.epoch.len() <= EPOCH_LEN_MAX));
        }
        Request::Send(SendRequest { to, body, inspected, custom_data, .. }) => {
            assert!(valid_user_id(to));
            assert_eq!(element::inspect(body, custom_data).as_ref(), Ok(inspected));
        }
        Request::Message(request) => message_holds(request),
        Request::Conversation(request) => conversation_holds(request),
        Request::Presence(request) => presence_holds(request),
        Request::People(request) => people_holds(request),
        Request::Token(TokenRequest::Set(set)) => {
            assert!((1..=PUSH_TOKEN_LEN_MAX).contains(&set.token.len()));
            assert!(set.device.as_ref().is_none_or(|id| (1..=DEVICE_ID_LEN_MAX).contains(&id.len())));
        }
        Request::Token(TokenRequest::Drop { device }) => {
            assert!(device.as_ref().is_none_or(|id| (1..=DEVICE_ID_LEN_MAX).contains(&id.len())));
        }
        Request::Media(_) | Request::Ping => {}
    }
}

fn people_holds(request: &PeopleRequest<'_>) {
    use PeopleRequest as P;
    let peers = |peers: &[Cow<'_, str>], len_max| {
        assert!(peers.len() <= len_max && peers.iter().all(|peer| valid_user_id(peer)));
    };
    match request {
        P::Profiles { users } => peers(users, PROFILES_PER_CALL_MAX),
        P::SetProfile { items } => assert!(items.iter().all(|(tag, value)| tag.check(value).is_ok())),
        P::Friends(page) | P::Requests(page) | P::Blocked(page) => assert_ne!(page.limit, Some(0)),
        P::FriendsAmong { peers: named }
        | P::Unfriend { peers: named, .. }
        | P::CheckFriends { peers: named, .. } => {
            peers(named, FRIENDS_PER_REQUEST_MAX);
        }
        P::Befriend(befriend) => assert!(valid_user_id(&befriend.peer)),
        P::NoteFriend(note) => {
            assert!(valid_user_id(&note.peer) && note.custom.len() <= CUSTOM_TAGS_MAX);
            assert!(note.remark.is_some() || note.groups.is_some() || !note.custom.is_empty());
        }
        P::Accept { peer, .. } | P::Refuse { peer } => assert!(valid_user_id(peer)),
        P::AddGroups { names, peers: named } => {
            assert!((1..=FRIEND_GROUPS_MAX).contains(&names.len()));
            peers(named, RELATIONS_PER_CALL_MAX);
        }
        P::DeleteGroups { names } => assert!((1..=FRIEND_GROUPS_MAX).contains(&names.len())),
        P::RenameGroup { name, to } => assert!(!name.is_empty() && !to.is_empty()),
        P::JoinGroup(grouped) | P::LeaveGroup(grouped) => peers(&grouped.peers, RELATIONS_PER_CALL_MAX),
        P::Block { peers: named } | P::Unblock { peers: named } => peers(named, RELATIONS_PER_CALL_MAX),
    }
}

fn message_holds(request: &MessageRequest<'_>) {
    let (peer, len, len_max) = match request {
        MessageRequest::History(history) => {
            assert_ne!(history.limit, Some(0));
            (&history.peer, 1, 1)
        }
        MessageRequest::Recall(named) | MessageRequest::Extensions(named) => (&named.peer, 1, 1),
        MessageRequest::Delete(many) => (&many.peer, many.keys.len(), DELETED_KEYS_MAX),
        MessageRequest::Confirm(many) | MessageRequest::Receipts(many) => {
            (&many.peer, many.keys.len(), MSG_KEYS_PER_CALL_MAX)
        }
        MessageRequest::Edit(edit) => {
            assert!(edit.body.is_some() || edit.custom_data.is_some());
            if let Some(body) = &edit.body {
                let custom_data = edit.custom_data.as_deref().unwrap_or_default();
                assert_eq!(element::inspect(body.json, custom_data).as_ref(), Ok(&body.inspected));
            }
            (&edit.message.peer, 1, 1)
        }
        MessageRequest::Extend(extend) => {
            let len = match &extend.operation {
                ExtendOperation::Set(pairs) => pairs.len(),
                ExtendOperation::Delete(pairs) => pairs.len(),
                ExtendOperation::Clear => 1,
            };
            (&extend.message.peer, len, EXTENSIONS_PER_CALL_MAX)
        }
    };
    assert!(valid_user_id(peer) && (1..=len_max).contains(&len));
}

fn conversation_holds(request: &ConversationRequest<'_>) {
    let several = |peers: &[Cow<'_, str>], len_max| {
        assert!((1..=len_max).contains(&peers.len()) && peers.iter().all(|peer| valid_user_id(peer)));
    };
    match request {
        ConversationRequest::ReadAll => {}
        ConversationRequest::List { limit, .. } => assert_ne!(*limit, Some(0)),
        ConversationRequest::Read { peer, .. }
        | ConversationRequest::Clear { peer }
        | ConversationRequest::Remove { peer, .. }
        | ConversationRequest::Pin { peer, .. } => assert!(valid_user_id(peer)),
        ConversationRequest::Of { peers } => several(peers, CONVERSATIONS_PER_REQUEST_MAX),
        ConversationRequest::Notify { peers, .. } => several(peers, NOTIFIED_PER_REQUEST_MAX),
        ConversationRequest::Mark { peers, mark, .. } => {
            assert!((1..=CONVERSATION_MARK_MAX).contains(mark));
            several(peers, CONVERSATIONS_PER_REQUEST_MAX);
        }
        ConversationRequest::Annotate { peers, custom } => {
            assert!(custom.len() <= CONVERSATION_CUSTOM_LEN_MAX);
            several(peers, CONVERSATIONS_PER_REQUEST_MAX);
        }
    }
}

fn presence_holds(request: &PresenceRequest<'_>) {
    let (users, len_max) = match request {
        PresenceRequest::Status { users } => (users, TARGETS_PER_CALL_MAX),
        PresenceRequest::Subscribe { users } | PresenceRequest::Unsubscribe { users: Some(users) } => {
            (users, SUBSCRIPTIONS_PER_CALL_MAX)
        }
        PresenceRequest::Unsubscribe { users: None } => return,
        PresenceRequest::SetStatus { custom } => {
            assert!(custom.len() <= CUSTOM_STATUS_LEN_MAX);
            return;
        }
    };
    assert!((1..=len_max).contains(&users.len()) && users.iter().all(|user| valid_user_id(user)));
}

fn can_be_answered(error: &FrameError) {
    assert!(ErrorCode::from_number(error.failure.code).is_some(), "{}", error.failure);
    let mut answer = Vec::new();
    refuse(error.id, &error.failure, &mut answer);
    let answer = String::from_utf8(answer).expect("an answer is text");
    RawValue::from_string(answer).expect("an answer is JSON");
}
