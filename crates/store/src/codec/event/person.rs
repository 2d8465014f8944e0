//! What happens to people, and between them.

use super::{
    Broken, Cursor, flags, put_number, put_user, put_values, take_items, take_platform, take_values, unflags,
};
use chat::event::{Befriended, ProfileChange, Relation, RelationChange, StateAction, StateChange};

const BEFRIENDED: u8 = 1;
const UNFRIENDED: u8 = 2;
const BLOCKED: u8 = 3;
const UNBLOCKED: u8 = 4;

pub(super) fn put_state(out: &mut Vec<u8>, state: &StateChange) {
    put_user(out, &state.user);
    out.push(state.action as u8);
    put_number(out, state.kicked.len() as u64);
    out.extend(state.kicked.iter().map(|platform| *platform as u8));
}

pub(super) fn take_state(cursor: &mut Cursor<'_>) -> Result<StateChange, Broken> {
    let user = cursor.user()?;
    let number = cursor.byte()?;
    let action = StateAction::ALL.into_iter().find(|action| *action as u8 == number);
    let action = action.ok_or("it is an action of no known kind")?;
    Ok(StateChange { user, action, kicked: take_items(cursor, take_platform)? })
}

pub(super) fn put_relation(out: &mut Vec<u8>, change: &RelationChange) {
    put_user(out, &change.from);
    put_user(out, &change.to);
    match &change.relation {
        Relation::Befriended(how) => {
            out.push(BEFRIENDED);
            out.push(flags([how.mutual, how.accepted, how.forced, how.admin.is_some()]));
            put_user(out, &how.initiator);
            if let Some(admin) = &how.admin {
                put_user(out, admin);
            }
        }
        Relation::Unfriended { mutual } => out.extend_from_slice(&[UNFRIENDED, flags([*mutual])]),
        Relation::Blocked => out.push(BLOCKED),
        Relation::Unblocked => out.push(UNBLOCKED),
    }
}

pub(super) fn take_relation(cursor: &mut Cursor<'_>) -> Result<RelationChange, Broken> {
    let (from, to) = (cursor.user()?, cursor.user()?);
    let relation = match cursor.byte()? {
        BEFRIENDED => {
            let [mutual, accepted, forced, by_admin] = unflags(cursor.byte()?)?;
            let initiator = cursor.user()?;
            let admin = by_admin.then(|| cursor.user()).transpose()?;
            Relation::Befriended(Befriended { initiator, mutual, accepted, admin, forced })
        }
        UNFRIENDED => {
            let [mutual] = unflags(cursor.byte()?)?;
            Relation::Unfriended { mutual }
        }
        BLOCKED => Relation::Blocked,
        UNBLOCKED => Relation::Unblocked,
        _ => return Err("it is a relation of no known kind"),
    };
    Ok(RelationChange { from, to, relation })
}

pub(super) fn put_profile(out: &mut Vec<u8>, profile: &ProfileChange) {
    put_user(out, &profile.operator);
    put_user(out, &profile.user);
    put_values(out, profile.items.iter().map(|(tag, value)| (tag, value)));
}

pub(super) fn take_profile(cursor: &mut Cursor<'_>) -> Result<ProfileChange, Broken> {
    let (operator, user) = (cursor.user()?, cursor.user()?);
    let items = take_values(cursor)?;
    Ok(ProfileChange { operator, user, items })
}
