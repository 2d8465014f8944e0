//! The world of a run: who is in it, everything that can happen, and the two phases.
//!
//! First things break. Then everything heals, and the world has to become quiet by itself.

use crate::Sabotage;
use crate::backend::Backend;
use crate::bus::LossyBus;
use crate::chance::Chance;
use crate::checkers;
use crate::device::Device;
use crate::gate::Opinions;
use crate::ledger::Tag;
use crate::node::{Node, TaskId};
use crate::plan::{Faults, Plan};
use crate::report::{Broken, Checked, Counts, Failure, Report};
use crate::sender::Intent;
use crate::stage::{START_MS, Stage};
use crate::store::{FaultyStore, at_once};
use crate::worker::{Call, Worker};
use chat::model::Model;
use chat::port::{Account, Changes, Hint, Store};
use chat::{AppId, Chat, UserId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long a healed world may take to become quiet. The longest wait in it is that of a breaker or of a retry,
/// half a minute at most, and everything behind it is then told at full speed.
const QUIET_MS_MAX: u64 = 1_800_000;
const LOOK_DELAY_MS: u64 = 1_000;

/// Something that happens at a time.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    /// Somebody has something to say, or reads.
    Act,
    Request {
        tag: Tag,
    },
    Impatience {
        tag: Tag,
        task: TaskId,
    },
    Resume {
        task: TaskId,
    },
    Connect {
        device: usize,
    },
    Vanish {
        device: usize,
        session: u64,
    },
    Poll {
        device: usize,
        session: u64,
    },
    ReadAnswer {
        device: usize,
        session: u64,
        changes: Option<Box<Changes>>,
    },
    Hint {
        device: usize,
        hint: Box<Hint>,
    },
    Online {
        device: usize,
    },
    Pump {
        worker: usize,
    },
    PollLog {
        worker: usize,
    },
    Checkpoint {
        worker: usize,
    },
    /// A call reaches its endpoint.
    Arrival {
        call: Box<Call>,
    },
    /// The answer to a call, or that there is none, reaches the worker.
    Settlement {
        call: Box<Call>,
    },
    Mood {
        backend: usize,
    },
    NodeDies,
    NodeStarts,
    GateGoes,
    /// An operator has events told again.
    Replay,
    EndpointJoins {
        app: usize,
    },
    StoreGoes,
    AccountLeaves,
    AccountReturns {
        app: AppId,
        user: UserId,
    },
    Trim,
    Heal,
    Look,
}

pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) sabotage: Option<Sabotage>,
    pub(crate) plan: Plan,
    pub(crate) stage: Arc<Stage>,
    /// What the store really holds; only checkers look here.
    pub(crate) model: Arc<Model>,
    pub(crate) store: Arc<FaultyStore>,
    pub(crate) chat: Chat,
    pub(crate) gate: Arc<Opinions>,
    pub(crate) node: Node,
    pub(crate) intents: Vec<Intent>,
    pub(crate) devices: Vec<Device>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) backends: Vec<Backend>,
    pub(crate) healed: bool,
    /// By time, and in the order of planning within the same millisecond.
    queue: BTreeMap<(u64, u64), Happening>,
    planned: u64,
}

impl World {
    pub(crate) fn new(seed: u64, sabotage: Option<Sabotage>) -> Self {
        let mut chance = Chance::new(seed);
        let plan = Plan::of(&mut chance);
        let stage = Stage::new(chance, plan.faults);
        let model = Arc::new(Model::with_lanes(plan.lanes_per_app));
        let store = Arc::new(FaultyStore { model: Arc::clone(&model), stage: Arc::clone(&stage), sabotage });
        let of_app = plan.apps.iter().map(|app| (app.id, app.opinion)).collect();
        let gate = Arc::new(Opinions::new(&stage, of_app));
        let chat = Chat {
            store: Arc::clone(&store) as Arc<dyn Store>,
            bus: Arc::new(LossyBus(Arc::clone(&stage))),
            gate: Arc::clone(&gate) as _,
            clock: Arc::clone(&stage) as _,
        };
        let mut world = Self {
            seed,
            sabotage,
            devices: Vec::new(),
            workers: Vec::new(),
            backends: Vec::new(),
            plan,
            stage,
            model,
            store,
            chat,
            gate,
            node: Node::default(),
            intents: Vec::new(),
            healed: false,
            queue: BTreeMap::new(),
            planned: 0,
        };
        world.populate();
        world
    }

    /// Runs until the healed world is quiet, and lets the checkers judge it.
    pub(crate) fn run(&mut self) -> Checked {
        let mut quiet_by_ms = u64::MAX;
        while let Some(((at_ms, _), happening)) = self.queue.pop_first() {
            self.stage.lock().now_ms = at_ms;
            match happening {
                Happening::Heal => {
                    self.heal();
                    quiet_by_ms = at_ms + QUIET_MS_MAX;
                }
                Happening::Look if checkers::is_quiet(self) || at_ms >= quiet_by_ms => break,
                Happening::Look => self.after(LOOK_DELAY_MS, Happening::Look),
                happening => self.happen(happening)?,
            }
        }
        checkers::judge(self)
    }

    fn happen(&mut self, happening: Happening) -> Checked {
        match happening {
            Happening::Act => self.act(),
            Happening::Request { tag } => self.request(tag),
            Happening::Impatience { tag, task } => self.lose_patience(tag, task),
            Happening::Resume { task } => self.resume(task),
            Happening::Connect { device } => self.connect(device)?,
            Happening::Vanish { device, session } => self.vanish(device, session),
            Happening::Poll { device, session } => self.poll_device(device, session),
            Happening::ReadAnswer { device, session, changes } => {
                self.read_answered(device, session, changes.map(|changes| *changes))?;
            }
            Happening::Hint { device, hint } => self.hint(device, *hint)?,
            Happening::Online { device } => self.online_pushed(device),
            Happening::Pump { worker } => self.pump(worker)?,
            Happening::PollLog { worker } => self.poll_log(worker)?,
            Happening::Checkpoint { worker } => self.checkpoint(worker)?,
            Happening::Arrival { call } => self.arrive(&call)?,
            Happening::Settlement { call } => self.settle(&call)?,
            Happening::Mood { backend } => self.change_mood(backend),
            Happening::NodeDies => self.node_dies()?,
            Happening::NodeStarts => self.node_starts(),
            Happening::GateGoes => self.gate_goes(),
            Happening::Replay => self.replay()?,
            Happening::EndpointJoins { app } => self.endpoint_joins(app),
            Happening::StoreGoes => self.store_goes(),
            Happening::AccountLeaves => self.account_leaves(),
            Happening::AccountReturns { app, user } => self.account_returns(app, user),
            Happening::Trim => self.trim(),
            Happening::Heal | Happening::Look => unreachable!("the phases are the run's own"),
        }
        Ok(())
    }

    fn populate(&mut self) {
        for index in 0..self.plan.apps.len() {
            let (app, users) = (self.plan.apps[index].id, self.plan.apps[index].users.clone());
            let accounts = users.iter().map(|user| Account::bare(*user)).collect();
            at_once(self.model.import_accounts(app, accounts, START_MS)).expect("the model is always there");
            for user in users {
                for _ in 0..self.draw(|chance| chance.between(1..=3)) {
                    self.devices.push(Device::new(app, user));
                    let delay_ms = self.draw(|chance| chance.between(0..=60_000));
                    self.after(delay_ms, Happening::Connect { device: self.devices.len() - 1 });
                }
            }
            for endpoint in self.plan.apps[index].endpoints.clone() {
                self.add_endpoint(app, &endpoint);
            }
            if let Some(delay_ms) = self.plan.apps[index].joins_after_ms {
                self.after(delay_ms, Happening::EndpointJoins { app: index });
            }
        }
        let firsts = [Happening::Act, Happening::NodeDies, Happening::StoreGoes, Happening::AccountLeaves];
        for first in firsts.into_iter().chain([Happening::Trim, Happening::GateGoes, Happening::Replay]) {
            self.after(1_000, first);
        }
        self.after(self.plan.stormy_ms, Happening::Heal);
    }

    /// Nothing breaks any more, and whoever was away comes back.
    fn heal(&mut self) {
        self.note("everything heals");
        self.healed = true;
        {
            let state = &mut *self.stage.lock();
            state.faults = Faults::default();
            (state.store_back_ms, state.gate_back_ms) = (state.now_ms, state.now_ms);
        }
        self.backends.iter_mut().for_each(Backend::heal);
        for device in 0..self.devices.len() {
            self.after(1_000, Happening::Connect { device });
        }
        self.after(LOOK_DELAY_MS, Happening::Look);
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.stage.lock().now_ms
    }

    pub(crate) fn after(&mut self, delay_ms: u64, happening: Happening) {
        let at_ms = self.now_ms() + delay_ms;
        self.at(at_ms, happening);
    }

    pub(crate) fn at(&mut self, at_ms: u64, happening: Happening) {
        self.planned += 1;
        self.queue.insert((at_ms, self.planned), happening);
    }

    pub(crate) fn draw<T>(&self, draw: impl FnOnce(&mut Chance) -> T) -> T {
        draw(&mut self.stage.lock().chance)
    }

    pub(crate) fn strikes(&self, fault: impl FnOnce(&Faults) -> u32) -> bool {
        self.stage.lock().strikes(fault)
    }

    pub(crate) fn count(&self, count: impl FnOnce(&mut Counts) -> &mut u64) {
        *count(&mut self.stage.lock().counts) += 1;
    }

    pub(crate) fn note(&self, text: &str) {
        self.stage.note(text);
    }

    pub(crate) fn report(&self) -> Report {
        let state = self.stage.lock();
        Report { seed: self.seed, virtual_ms: state.now_ms - START_MS, counts: state.counts }
    }

    pub(crate) fn failure(&self, broken: Broken) -> Failure {
        let state = self.stage.lock();
        Failure {
            seed: self.seed,
            at_ms: state.now_ms - START_MS,
            checker: broken.checker,
            text: broken.text,
            trace: state.trace.lines(),
        }
    }
}
