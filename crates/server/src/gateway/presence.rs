//! How users can be reached, for the devices that ask.

use super::Gateway;
use chat::person::Reachable;
use chat::port::{Portrait, StoreError};
use chat::{AppId, UserId};
use futures_util::future::join_all;
use protocol::client::{Presence, Reach};

/// Looks at people who come and go all the time. What is told of them is out of date in any case.
const LOOKS_MAX: usize = 3;

/// How one user can be reached.
#[derive(Debug)]
pub(super) struct Found {
    pub user: UserId,
    pub status: Reach,
    pub custom: Box<str>,
}

impl Found {
    pub(super) fn shown(&self) -> Presence<'_> {
        Presence { user_id: self.user.as_str(), status: self.status, custom: &self.custom }
    }
}

/// How these users can be reached, in the order asked. The sessions are looked at last: whoever writes the result before
/// anything else that the bus has for the device tells nothing that is older than what it has told.
pub(super) async fn find(
    gateway: &Gateway,
    app: AppId,
    users: Vec<UserId>,
) -> Result<Vec<Found>, StoreError> {
    let people = gateway.chat.store.people(app, users.clone()).await?;
    let now_s = gateway.chat.clock.now_ms() / 1000;
    let mut said = Vec::new();
    for _ in 0..LOOKS_MAX {
        let told = gateway.bus.told(app, &users);
        said = join_all(users.iter().map(|user| gateway.bus.said(app, *user))).await;
        // Else word of one of them came while others were still asked about: the device may be told that first.
        if told == gateway.bus.told(app, &users) {
            break;
        }
    }
    let one = |((user, portrait), said): ((UserId, Option<Portrait>), Option<Box<str>>)| {
        let Some(portrait) = portrait else {
            return Found { user, status: Reach::Unknown, custom: Box::default() };
        };
        match said {
            Some(custom) => Found { user, status: Reach::Online, custom },
            None => Found { user, status: away(&portrait.person.reachable, now_s), custom: Box::default() },
        }
    };
    Ok(users.into_iter().zip(people).zip(said).map(one).collect())
}

fn away(reachable: &[Reachable], now_s: u64) -> Reach {
    if reachable.iter().any(|reach| now_s < reach.until_s) { Reach::PushOnline } else { Reach::Offline }
}

/// Tells those who watch a user that the user's last session has ended, if so.
pub(super) async fn tell_if_gone(gateway: &Gateway, app: AppId, user: UserId) {
    if !gateway.bus.is_missed(app, user) {
        return;
    }
    match find(gateway, app, vec![user]).await {
        Ok(found) => {
            for Found { user, status, .. } in found {
                // On another node.
                if status == Reach::Online {
                    continue;
                }
                gateway.bus.leave(app, user, status).await;
            }
        }
        Err(error) => {
            // Offline in any case; whether push gets through is found out with the next question.
            tracing::error!(%app, %user, %error, "whether push may reach a user cannot be read");
            gateway.bus.leave(app, user, Reach::Offline).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat::Platform;

    #[test]
    fn push_reaches_a_user_up_to_a_time() {
        let reach = |until_s| Reachable { platform: Platform::Ios, until_s };
        assert_eq!(away(&[], 100), Reach::Offline);
        assert_eq!(away(&[reach(100)], 100), Reach::Offline);
        assert_eq!(away(&[reach(100), reach(101)], 100), Reach::PushOnline);
    }
}
