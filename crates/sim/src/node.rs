//! The process: the requests that it works on, and whether it runs at all.

use crate::errand::Finished;
use crate::stage::TaskId;
use std::collections::BTreeMap;
use std::pin::Pin;

pub(crate) type Task = Pin<Box<dyn Future<Output = Finished> + Send>>;

#[derive(Default)]
pub(crate) struct Node {
    pub(crate) down: bool,
    /// How far the clock of the workers is ahead of the true time, or behind it. Senders do not see it: resends are
    /// known by the time that has passed, and a clock that jumps by hours makes doubles, as it must.
    pub(crate) clock_ahead_ms: i64,
    pub(crate) tasks: BTreeMap<TaskId, Task>,
    pub(crate) task_last: u64,
}
