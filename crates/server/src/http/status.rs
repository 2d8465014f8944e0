//! `openim/query_online_status` and `openim/querystate`: who is online.

use super::{Call, Rest, store_failure};
use crate::translate;
use chat::event::Platform;
use chat::person::Reachable;
use chat::{AppId, UserId};
use futures_util::future::join_all;
use protocol::rest::status::{PlatformStatus, Query, Status, Statuses, UserStatus};
use protocol::rest::{Command, FailedAccount};
use protocol::{ErrorCode, Failure};

impl Rest {
    pub(super) async fn query_online_status(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let request = Query::parse(&call.body)?;
        let found = self.statuses(call.caller.app.id, &request, Command::QueryOnlineStatus).await?;
        let (users, failed) = lines(&found);
        Ok(Statuses { detail: request.detail, users: &users, failed: &failed }.to_json())
    }

    pub(super) async fn query_state(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let request = Query::parse(&call.body)?;
        let found = self.statuses(call.caller.app.id, &request, Command::QueryState).await?;
        let (users, failed) = lines(&found);
        Ok(Statuses { detail: false, users: &users, failed: &failed }.to_old_json())
    }

    /// For every user asked about the platforms; `None` without an account.
    async fn statuses<'a>(
        &self,
        app: AppId,
        request: &'a Query<'a>,
        command: Command,
    ) -> Result<Vec<(&'a str, Option<Vec<PlatformStatus>>)>, Failure> {
        let users: Vec<Option<UserId>> = request.users.iter().map(|user| UserId::new(user)).collect();
        let people = self.chat.store.people(app, users.iter().flatten().copied().collect()).await;
        let mut people = people.map_err(|error| store_failure(command, &error))?.into_iter();
        let now_s = self.chat.clock.now_ms() / 1000;
        let known = |user: &Option<UserId>| {
            let user = (*user)?;
            let portrait = people.next().flatten()?;
            Some((user, portrait.person.reachable))
        };
        let known: Vec<_> = users.iter().map(known).collect();
        let found = known.into_iter().map(async |known| {
            let (user, reachable) = known?;
            Some(platforms(&self.bus.online(app, user).await, &reachable, now_s))
        });
        let found = join_all(found).await;
        Ok(request.users.iter().map(AsRef::as_ref).zip(found).collect())
    }
}

/// Where a user can be reached: by a connection, or else by push. Connections come first.
fn platforms(online: &[Platform], reachable: &[Reachable], now_s: u64) -> Vec<PlatformStatus> {
    let pushed = reachable.iter().filter(|reach| now_s < reach.until_s && !online.contains(&reach.platform));
    let online = online.iter().map(|platform| (*platform, Status::Online));
    let mut all: Vec<_> = online.chain(pushed.map(|reach| (reach.platform, Status::PushOnline))).collect();
    // Sessions and reports come in any order; an answer should not.
    all.sort_unstable_by_key(|(platform, status)| (*status != Status::Online, *platform as u8));
    let line = |(platform, status)| PlatformStatus { platform: translate::opt_platform(platform), status };
    all.into_iter().map(line).collect()
}

fn lines<'a>(
    found: &'a [(&'a str, Option<Vec<PlatformStatus>>)],
) -> (Vec<UserStatus<'a>>, Vec<FailedAccount<'a>>) {
    let (mut users, mut failed) = (Vec::new(), Vec::new());
    for (user_id, platforms) in found {
        match platforms {
            Some(platforms) => {
                let status = platforms.first().map_or(Status::Offline, |best| best.status);
                users.push(UserStatus { user_id, status, platforms });
            }
            None => failed.push(FailedAccount { user_id, code: ErrorCode::AccountNotFound.number() }),
        }
    }
    (users, failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::callback::OptPlatform;

    #[test]
    fn a_connection_is_better_than_push() {
        let reach = |platform, until_s| Reachable { platform, until_s };
        let reachable =
            [reach(Platform::Android, 101), reach(Platform::Ios, 100), reach(Platform::Ipad, 200)];
        let online = [Platform::Unknown, Platform::Ipad, Platform::Web];
        let found = platforms(&online, &reachable, 100);
        let expected = [
            (OptPlatform::Web, Status::Online),
            (OptPlatform::Ipad, Status::Online),
            (OptPlatform::Unknown, Status::Online),
            (OptPlatform::Android, Status::PushOnline),
        ];
        assert_eq!(found, expected.map(|(platform, status)| PlatformStatus { platform, status }));
        assert_eq!(platforms(&[], &reachable, 200), []);
    }
}
