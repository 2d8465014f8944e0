//! One worker for each lane and endpoint, started and stopped as endpoints come, change and go.

use super::call::Caller;
use super::question::Questions;
use super::worker::Worker;
use crate::address::Names;
use crate::apps::App;
use crate::bus::LocalBus;
use crate::endpoint::Endpoint;
use crate::steering::{self, Steering};
use chat::Chat;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Who tells and asks on behalf of all apps.
pub struct Crew {
    pub chat: Chat,
    pub bus: Arc<LocalBus>,
    pub questions: Arc<Questions>,
    pub steering: Arc<Steering>,
    pub names: Arc<dyn Names>,
    pub tasks: TaskTracker,
    pub stop: CancellationToken,
    /// Held while workers are changed, so that two changes do not mix.
    pub teams: Mutex<FxHashMap<Place, Team>>,
}

type Place = (chat::AppId, chat::port::EndpointId);

/// The workers of one endpoint.
#[derive(Debug)]
pub struct Team {
    endpoint: Arc<Endpoint>,
    workers: TaskTracker,
    stop: CancellationToken,
}

impl std::fmt::Debug for Crew {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Crew").finish_non_exhaustive()
    }
}

impl Crew {
    /// Serves the endpoints of these apps, and no others, from now on. Workers of endpoints that changed end what they
    /// are doing first; others are not disturbed.
    pub async fn serve(&self, apps: &[Arc<App>]) {
        let mut teams = self.teams.lock().await;
        let wanted: FxHashMap<Place, Arc<Endpoint>> = apps
            .iter()
            .flat_map(|app| &app.endpoints)
            .map(|endpoint| ((endpoint.app, endpoint.id.clone()), Arc::clone(endpoint)))
            .collect();
        let asked = wanted.values().filter(|endpoint| endpoint.is_asked());
        self.questions.replace(asked.map(|endpoint| self.caller(endpoint)));

        let stays = |place: &Place, team: &mut Team| wanted.get(place) == Some(&team.endpoint);
        let gone: Vec<Team> =
            teams.extract_if(|place, team| !stays(place, team)).map(|(_, team)| team).collect();
        for team in &gone {
            team.stop.cancel();
        }
        // One after the other for each place, but nobody new waits for those who go.
        let is_taken =
            |place: &Place| gone.iter().any(|team| (team.endpoint.app, team.endpoint.id.clone()) == *place);
        let (later, now): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|(place, _)| is_taken(place));
        for (place, endpoint) in now {
            teams.entry(place).or_insert_with(|| self.start(endpoint, false));
        }
        for team in &gone {
            team.workers.wait().await;
        }
        for (place, endpoint) in later {
            teams.entry(place).or_insert_with(|| self.start(endpoint, true));
        }
    }

    fn start(&self, endpoint: Arc<Endpoint>, hurries: bool) -> Team {
        let (workers, stop) = (TaskTracker::new(), self.stop.child_token());
        let caller = self.caller(&endpoint);
        for route in steering::routes(endpoint.app, &endpoint.id, self.chat.store.lanes_per_app()) {
            let worker = Worker {
                recorded: self.bus.lane(route.lane),
                route,
                caller: caller.clone(),
                store: Arc::clone(&self.chat.store),
                clock: Arc::clone(&self.chat.clock),
                steering: Arc::clone(&self.steering),
                stop: stop.clone(),
                hurries,
            };
            // Awaited by whoever stops this team, and at the end by whoever stops the process.
            self.tasks.spawn(workers.track_future(Arc::new(worker).supervise()));
        }
        workers.close();
        Team { endpoint, workers, stop }
    }

    fn caller(&self, endpoint: &Arc<Endpoint>) -> Caller {
        Caller::new(Arc::clone(endpoint), Arc::clone(&self.names), Arc::clone(&self.chat.clock))
    }
}
