//! Friend lists are read: page by page, or some entries with whatever tags are wanted.

use super::super::{item_name, item_user, page, unknown_account};
use crate::http::{Call, Rest};
use crate::translate;
use chat::UserId;
use chat::person::{Friend, Person, Portrait, Tie};
use chat::port::TieList;
use protocol::Failure;
use protocol::limits::FRIENDS_PER_PAGE;
use protocol::rest::Command;
use protocol::rest::sns::friend::{FriendEntry, FriendPage, NOT_FRIEND_TO_PICK, Page, Pick, Picked};
use protocol::rest::sns::{StandardTag, Tag, Value};
use std::borrow::Cow;

/// The order in which a page lists what is noted of a friend.
const STANDARD_TAGS: [StandardTag; 5] = [
    StandardTag::AddSource,
    StandardTag::Remark,
    StandardTag::Group,
    StandardTag::AddTime,
    StandardTag::AddWording,
];

impl Rest {
    pub(in crate::http) async fn get_friends(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let request = Page::parse(&call.body)?;
        let actor = self.actor(Command::FriendGet, &call, &request.from)?;
        // Before the list: a change between the two makes the client come again, and not miss it.
        let person = self.portrait(&actor).await?.person;
        let sequence = person.friends_version;
        // Only of the first page: behind it, the sequence that a client sends may be that of the page before.
        let is_kept = |known| request.start_index == 0 && known == Some(sequence);
        let wanted = Wanted {
            standard: !is_kept(request.standard_sequence),
            custom: !is_kept(request.custom_sequence),
        };
        let listed = if wanted.standard || wanted.custom {
            let skip = request.start_index as usize;
            self.listed(&actor, TieList::Friends, skip, FRIENDS_PER_PAGE + 1).await?
        } else {
            Vec::new()
        };
        let (listed, next_index) = page(listed, request.start_index, FRIENDS_PER_PAGE);
        let noted: Vec<_> =
            listed.iter().map(|entry| noted(&person, entry.tie.friend.as_ref(), wanted)).collect();
        let friends: Vec<_> = listed
            .iter()
            .zip(&noted)
            .map(|(entry, values)| FriendEntry { to: entry.peer.as_str(), values })
            .collect();
        let answer = FriendPage {
            friends: &friends,
            standard_sequence: sequence,
            custom_sequence: sequence,
            friend_num: person.friends,
            next_index,
        };
        Ok(answer.to_json())
    }

    pub(in crate::http) async fn pick_friends(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let Pick { from, to, tags } = Pick::parse(&call.body)?;
        let actor = self.actor(Command::FriendGetList, &call, &from)?;
        let own = self.portrait(&actor).await?.person;
        let users: Vec<Result<UserId, Failure>> = to.iter().map(item_user).collect();
        let asked: Vec<UserId> = users.iter().flatten().copied().collect();
        let pairs = asked.iter().map(|other| [actor.user, *other]).collect();
        let people = self.chat.store.people(actor.app, asked).await;
        let people = people.map_err(|error| actor.store_failure(&error))?;
        let ties = self.chat.store.ties(actor.app, pairs).await;
        let ties = ties.map_err(|error| actor.store_failure(&error))?;
        let mut found = people.iter().zip(&ties);
        let picked: Vec<Result<Vec<_>, Failure>> = users
            .into_iter()
            .map(|user| {
                user?;
                let (portrait, tie) = found.next().expect("everybody who was asked about was answered");
                pick(&tags, &own, portrait.as_ref(), tie)
            })
            .collect();
        let lines: Vec<_> = to
            .iter()
            .zip(&picked)
            .map(|(to, picked)| Picked { to: item_name(to), values: picked.as_deref() })
            .collect();
        Ok(Pick::answer(&lines))
    }
}

/// Which of the values on a page the client does not have yet.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    standard: bool,
    custom: bool,
}

/// What is noted of a friend, without what was never set.
fn noted<'a>(person: &'a Person, friend: Option<&'a Friend>, wanted: Wanted) -> Vec<(Tag<'a>, Value<'a>)> {
    let Some(friend) = friend else { return Vec::new() };
    let standard = STANDARD_TAGS
        .iter()
        .filter(|_| wanted.standard)
        .map(|tag| (Tag::Standard(*tag), standard(*tag, person, friend)))
        .filter(|(_, value)| !is_unset(value));
    let custom = friend
        .custom
        .iter()
        .filter(|_| wanted.custom)
        .map(|(tag, value)| (Tag::Custom(Cow::Borrowed(tag)), translate::tag_value(value).into()));
    standard.chain(custom).collect()
}

fn is_unset(value: &Value<'_>) -> bool {
    match value {
        Value::Number(_) => false,
        Value::Text(text) => text.is_empty(),
        Value::Names(names) => names.is_empty(),
    }
}

/// What one entry has under the tags that were asked for. A custom one that was never set is left out.
fn pick<'a>(
    tags: &[Tag<'a>],
    own: &'a Person,
    portrait: Option<&'a Portrait>,
    tie: &'a Tie,
) -> Result<Vec<(Tag<'a>, Value<'a>)>, Failure> {
    let portrait = portrait.ok_or_else(unknown_account)?;
    let friend = tie.friend.as_ref().ok_or_else(|| NOT_FRIEND_TO_PICK.clone())?;
    let value = |tag: &Tag<'a>| match tag {
        Tag::Standard(tag) => Some(standard(*tag, own, friend)),
        Tag::Custom(name) => friend.custom.get(&**name).map(|value| translate::tag_value(value).into()),
        Tag::Profile(tag) => translate::shown_value(tag, &portrait.profile).map(Value::from),
    };
    Ok(tags.iter().filter_map(|tag| Some((tag.clone(), value(tag)?))).collect())
}

fn standard<'a>(tag: StandardTag, person: &'a Person, friend: &'a Friend) -> Value<'a> {
    let text = |text: &'a str| Value::Text(Cow::Borrowed(text));
    match tag {
        StandardTag::Group => {
            Value::Names(person.group_names(&friend.groups).into_iter().map(Cow::Borrowed).collect())
        }
        StandardTag::Remark => text(&friend.remark),
        StandardTag::AddSource => text(&friend.source),
        StandardTag::AddWording => text(&friend.wording),
        StandardTag::AddTime => Value::Number(friend.added_s),
    }
}
