//! One worker for each addressee and each lane that this node has, started and stopped as they come, change and go.

use super::addressee::Addressee;
use super::call::Caller;
use super::question::Questions;
use super::tenancy::Tenancy;
use super::worker::Worker;
use crate::address::Names;
use crate::apps::App;
use crate::bus::NodeBus;
use crate::endpoint::Endpoint;
use crate::steering::{self, Steering};
use chat::Chat;
use chat::event::Lane;
use chat::lease::Slot;
use chat::port::Route;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Who tells and asks on behalf of all apps.
pub struct Crew {
    pub chat: Chat,
    pub bus: Arc<NodeBus>,
    pub questions: Arc<Questions>,
    pub steering: Arc<Steering>,
    pub names: Arc<dyn Names>,
    pub tasks: TaskTracker,
    pub stop: CancellationToken,
    /// Held while workers are changed, so that two changes do not mix.
    pub roster: Mutex<Roster>,
}

/// Who is told, and which lanes are told here. There is a worker for each lane of each addressee that is in both.
#[derive(Debug, Default)]
pub struct Roster {
    teams: FxHashMap<Place, Team>,
    held: FxHashMap<Slot, Hold>,
}

type Place = (chat::AppId, chat::port::EndpointId);

/// The workers of one addressee.
struct Team {
    addressee: Arc<dyn Addressee>,
    posts: FxHashMap<Lane, Post>,
}

/// A worker.
#[derive(Debug)]
struct Post {
    task: TaskTracker,
    stop: CancellationToken,
}

/// A slot whose lanes are told here.
#[derive(Debug)]
struct Hold {
    tenancy: Tenancy,
    stop: CancellationToken,
}

impl std::fmt::Debug for Team {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Team").field("place", &self.place()).finish_non_exhaustive()
    }
}

impl Team {
    fn place(&self) -> Place {
        place(&*self.addressee)
    }

    fn stop(&self) {
        self.posts.values().for_each(|post| post.stop.cancel());
    }

    async fn ended(&self) {
        for post in self.posts.values() {
            post.task.wait().await;
        }
    }
}

fn place(addressee: &dyn Addressee) -> Place {
    (addressee.app(), addressee.id().clone())
}

impl std::fmt::Debug for Crew {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Crew").finish_non_exhaustive()
    }
}

impl Crew {
    /// Serves the endpoints of these apps and the `others`, and nobody else, from now on. Workers of those that changed
    /// end what they are doing first; others are not disturbed.
    pub async fn serve(&self, apps: &[Arc<App>], others: Vec<Arc<dyn Addressee>>) {
        let roster = &mut *self.roster.lock().await;
        let endpoints = || apps.iter().flat_map(|app| &app.endpoints);
        let asked = endpoints().filter(|endpoint| endpoint.is_asked());
        self.questions.replace(asked.map(|endpoint| self.caller(endpoint)));

        let callers = endpoints().map(|endpoint| Arc::new(self.caller(endpoint)) as Arc<dyn Addressee>);
        let wanted: FxHashMap<Place, Arc<dyn Addressee>> =
            callers.chain(others).map(|addressee| (place(&*addressee), addressee)).collect();
        let stays = |place: &Place, team: &mut Team| {
            wanted.get(place).is_some_and(|new| new.is_same(&*team.addressee))
        };
        let gone: Vec<Team> =
            roster.teams.extract_if(|place, team| !stays(place, team)).map(|(_, team)| team).collect();
        gone.iter().for_each(Team::stop);
        // One after the other for each place, but nobody new waits for those who go.
        let is_taken = |place: &Place| gone.iter().any(|team| team.place() == *place);
        let (later, now): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|(place, _)| is_taken(place));
        for (_, addressee) in now {
            self.engage(roster, &addressee, false);
        }
        for team in &gone {
            team.ended().await;
        }
        for (_, addressee) in later {
            self.engage(roster, &addressee, true);
        }
    }

    /// Tells the lanes of a slot from now on, until `stop`.
    pub(super) async fn hold(&self, slot: Slot, tenancy: Tenancy, stop: CancellationToken) {
        let Roster { teams, held } = &mut *self.roster.lock().await;
        let hold = Hold { tenancy, stop };
        for team in teams.values_mut() {
            for route in self.routes(&*team.addressee).filter(|route| Slot::of(route.lane) == slot) {
                self.post(team, route, &hold, false);
            }
        }
        held.insert(slot, hold);
        self.steering.begins(slot);
    }

    /// Does not tell the lanes of a slot any more that was stopped. Returns when all has ended.
    pub(super) async fn release(&self, slot: Slot) {
        self.steering.ends(slot);
        let mut gone = Vec::new();
        {
            let Roster { teams, held } = &mut *self.roster.lock().await;
            held.remove(&slot);
            for team in teams.values_mut() {
                gone.extend(team.posts.extract_if(|lane, _| Slot::of(*lane) == slot).map(|(_, post)| post));
            }
        }
        for post in gone {
            post.task.wait().await;
        }
    }

    fn engage(&self, roster: &mut Roster, addressee: &Arc<dyn Addressee>, hurries: bool) {
        let Roster { teams, held } = roster;
        let team = teams
            .entry(place(&**addressee))
            .or_insert_with(|| Team { addressee: Arc::clone(addressee), posts: FxHashMap::default() });
        for route in self.routes(&**addressee) {
            if let Some(hold) = held.get(&Slot::of(route.lane)) {
                self.post(team, route, hold, hurries);
            }
        }
    }

    /// Starts a worker, unless there is one.
    fn post(&self, team: &mut Team, route: Route, hold: &Hold, hurries: bool) {
        team.posts.entry(route.lane).or_insert_with(|| {
            let (task, stop) = (TaskTracker::new(), hold.stop.child_token());
            let worker = Worker {
                recorded: self.bus.lane(route.lane),
                route,
                addressee: Arc::clone(&team.addressee),
                store: Arc::clone(&self.chat.store),
                clock: Arc::clone(&self.chat.clock),
                steering: Arc::clone(&self.steering),
                tenancy: hold.tenancy.clone(),
                stop: stop.clone(),
                hurries,
            };
            // Awaited by whoever stops it, and at the end by whoever stops the process.
            self.tasks.spawn(task.track_future(Arc::new(worker).supervise()));
            task.close();
            Post { task, stop }
        });
    }

    /// All lanes of an addressee, whoever tells them.
    fn routes(&self, addressee: &dyn Addressee) -> impl Iterator<Item = Route> + use<> {
        steering::routes(addressee.app(), addressee.id(), self.chat.store.lanes_per_app())
    }

    fn caller(&self, endpoint: &Arc<Endpoint>) -> Caller {
        Caller::new(Arc::clone(endpoint), Arc::clone(&self.names), Arc::clone(&self.chat.clock))
    }
}
