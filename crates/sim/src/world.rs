//! The world of a run: who is in it, what can happen to them, and what is planned.

use crate::backend::Backend;
use crate::bus::LossyBus;
use crate::chance::Chance;
use crate::counts::Counts;
use crate::device::Device;
use crate::errand::Errand;
use crate::gate::Opinions;
use crate::ledger::Tag;
use crate::mirror::Answer;
use crate::node::Node;
use crate::plan::{Faults, Plan};
use crate::report::{Broken, Failure, Report};
use crate::sabotage::Sabotage;
use crate::stage::{START_MS, Stage, TaskId};
use crate::store::FaultyStore;
use crate::worker::{Call, Worker};
use chat::model::Model;
use chat::port::{Changes, Hint, Store};
use chat::{AppId, Chat, UserId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Something that happens at a time.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    /// Somebody wants something.
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
    /// Credentials issued up to a time are worthless.
    Revoked {
        device: usize,
        revoked_s: u64,
    },
    /// A device asks for what there was before its time.
    Asks {
        device: usize,
        session: u64,
    },
    /// The answer reaches it, if there is one. Counts the stretches at the time of the question.
    Answered {
        device: usize,
        session: u64,
        stretches: usize,
        answer: Option<Box<Answer>>,
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
    /// A lane is leased to another node.
    LaneMoves,
    /// A node that had the lane before, and was paused, writes down how far it was.
    FormerCheckpoint {
        worker: usize,
        checkpoint: Box<chat::port::Checkpoint>,
    },
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
    /// By their tags.
    pub(crate) errands: Vec<Errand>,
    pub(crate) devices: Vec<Device>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) backends: Vec<Backend>,
    pub(crate) healed: bool,
    /// By time, and in the order of planning within the same millisecond.
    pub(crate) queue: BTreeMap<(u64, u64), Happening>,
    planned: u64,
}

impl World {
    pub(crate) fn new(seed: u64, stormy_ms: Option<u64>, sabotage: Option<Sabotage>) -> Self {
        let mut chance = Chance::new(seed);
        let mut plan = Plan::of(&mut chance);
        plan.stormy_ms = stormy_ms.unwrap_or(plan.stormy_ms);
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
        Self {
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
            errands: Vec::new(),
            healed: false,
            queue: BTreeMap::new(),
            planned: 0,
        }
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
