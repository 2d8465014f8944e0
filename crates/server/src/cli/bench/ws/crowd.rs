//! All sessions together: what they do next is said once, and what happens to each is reported.

use super::session::{Frame, Session, Target};
use protocol::websocket::Op;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::task::TaskTracker;

/// Reports that wait to be counted.
const REPORTS_LEN_MAX: usize = 4_096;
/// Before a login that failed is tried again.
const RETRY_SECS: u64 = 1;
/// A login that fails so often is given up.
const LOGINS_MAX: u32 = 30;
/// What a message begins with; when it was sent follows, in microseconds.
const TEXT: &str = "bench ";

/// What all sessions do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Be there, after a cut again, and see what comes.
    Listen,
    /// The same, and the first of each pair writes to the second.
    Write,
    /// Break off without a word, and wait.
    Cut,
    End,
}

/// What happened to one of them.
#[derive(Debug)]
pub(super) enum Happened {
    LoggedIn(Duration),
    /// A login failed, and is tried again.
    Failed(String),
    Cut,
    Sent,
    /// So long after it was sent.
    Arrived(Duration),
    Refused(String),
    /// A session is gone, or never came, and will not come again.
    Lost(String),
}

pub(super) struct Crowd {
    phase: watch::Sender<Phase>,
    pace: watch::Sender<Pace>,
    happened: mpsc::Receiver<Happened>,
    tasks: TaskTracker,
}

/// Who writes, and how often.
#[derive(Debug, Clone, Copy, Default)]
struct Pace {
    pairs: u32,
    rate: u32,
}

/// One of the crowd.
struct Member {
    target: Arc<Target>,
    /// Its place in the crowd, and the number of its user.
    index: u32,
    user: u32,
    begun: Instant,
    phase: watch::Receiver<Phase>,
    pace: watch::Receiver<Pace>,
    report: mpsc::Sender<Happened>,
}

impl Crowd {
    /// Begins to log in, so many at once.
    pub(super) fn new(target: &Arc<Target>, (first, sessions): (u32, u32), at_once: u32) -> Self {
        let (report, happened) = mpsc::channel(REPORTS_LEN_MAX);
        let (phase, pace) = (watch::Sender::new(Phase::Listen), watch::Sender::new(Pace::default()));
        let (tasks, turns, begun) =
            (TaskTracker::new(), Arc::new(Semaphore::new(at_once as usize)), Instant::now());
        for index in 0..sessions {
            let member = Member {
                target: Arc::clone(target),
                index,
                user: first.saturating_add(index),
                begun,
                phase: phase.subscribe(),
                pace: pace.subscribe(),
                report: report.clone(),
            };
            tasks.spawn(member.run(Arc::clone(&turns)));
        }
        tasks.close();
        Self { phase, pace, happened, tasks }
    }

    pub(super) fn pairs(&mut self, pairs: u32, rate: u32) {
        self.pace.send_replace(Pace { pairs, rate });
    }

    pub(super) fn say(&self, phase: Phase) {
        self.phase.send_replace(phase);
    }

    pub(super) async fn next(&mut self) -> Happened {
        // Without sessions there is nothing that could happen.
        self.happened.recv().await.unwrap_or_else(|| Happened::Lost("all sessions have ended".to_owned()))
    }

    pub(super) async fn end(mut self) {
        self.say(Phase::End);
        self.happened.close();
        self.tasks.wait().await;
    }
}

impl Member {
    async fn run(mut self, turns: Arc<Semaphore>) {
        let mut turn = turns.acquire().await.ok();
        loop {
            let Some(session) = self.log_in().await else { return };
            turn.take();
            match self.stay(session).await {
                Ok(Phase::Cut) => self.tell(Happened::Cut).await,
                Ok(_) => return,
                Err(words) => return self.tell(Happened::Lost(format!("a session is gone: {words}"))).await,
            }
            if self.phase.wait_for(|phase| *phase != Phase::Cut).await.is_err() {
                return;
            }
        }
    }

    /// Nobody counts any more once the crowd has ended.
    async fn tell(&self, happened: Happened) {
        let _uncounted = self.report.send(happened).await;
    }

    async fn log_in(&self) -> Option<Session> {
        for _ in 0..LOGINS_MAX {
            let begun = Instant::now();
            match self.target.log_in(self.user).await {
                Ok(session) => {
                    self.tell(Happened::LoggedIn(begun.elapsed())).await;
                    return Some(session);
                }
                Err(words) => self.tell(Happened::Failed(words)).await,
            }
            if *self.phase.borrow() == Phase::End {
                return None;
            }
            sleep(Duration::from_secs(RETRY_SECS)).await;
        }
        self.tell(Happened::Lost(format!("a login failed {LOGINS_MAX} times"))).await;
        None
    }

    /// Until all are cut, or it is over.
    async fn stay(
        &mut self,
        mut session: Session,
    ) -> Result<Phase, Box<dyn std::error::Error + Send + Sync>> {
        let mut due = None;
        let mut id = 1;
        loop {
            let writes = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // A change for all comes first; who is only read would never write.
                biased;
                changed = self.phase.changed() => {
                    changed?;
                    let phase = *self.phase.borrow_and_update();
                    match phase {
                        Phase::Listen => due = None,
                        Phase::Write => due = self.first_due(),
                        Phase::Cut | Phase::End => return Ok(phase),
                    }
                }
                () = writes => {
                    id += 1;
                    // From when it was due, so that a delay does not make the load smaller.
                    due = due.map(|due| due + self.period());
                    session.say(&self.message(id)).await?;
                    self.tell(Happened::Sent).await;
                }
                frame = session.next() => match frame? {
                    Frame::Text(text) => self.hear(&text).await,
                    Frame::Ping(payload) => session.send(Op::Pong, &payload).await?,
                    Frame::Other => {}
                },
            }
        }
    }

    fn period(&self) -> Duration {
        let Pace { pairs, rate } = *self.pace.borrow();
        Duration::from_secs_f64(f64::from(pairs) / f64::from(rate.max(1)))
    }

    /// The pairs take turns within a period. `None`: it does not write.
    fn first_due(&self) -> Option<Instant> {
        let (pair, pairs) = (self.index / 2, self.pace.borrow().pairs);
        let writes = self.index.is_multiple_of(2) && pair < pairs;
        writes.then(|| Instant::now() + self.period().mul_f64(f64::from(pair) / f64::from(pairs)))
    }

    fn message(&self, id: u32) -> String {
        let (to, sent_us) = (self.target.name(self.user + 1), self.begun.elapsed().as_micros());
        // Two runs must not send what looks like a resend.
        let random = sent_us as u32 ^ id.rotate_left(16);
        format!(
            r#"{{"id":{id},"op":"send","to":"{to}","random":{random},"body":[{{"MsgType":"TIMTextElem","MsgContent":{{"Text":"{TEXT}{sent_us}"}}}}]}}"#
        )
    }

    async fn hear(&self, text: &[u8]) {
        let Ok(text) = std::str::from_utf8(text) else { return };
        if text.starts_with(r#"{"push":"message""#) {
            // The writer's own device is told as well.
            if self.index % 2 == 1
                && let Some(sent_us) = sent_us(text)
            {
                let took = self.begun.elapsed().saturating_sub(Duration::from_micros(sent_us));
                self.tell(Happened::Arrived(took)).await;
            }
        } else if text.starts_with(r#"{"id":"#) && text.contains(r#","error":{"#) {
            self.tell(Happened::Refused(text.to_owned())).await;
        }
    }
}

fn sent_us(push: &str) -> Option<u64> {
    let (_, rest) = push.split_once(&format!(r#""Text":"{TEXT}"#))?;
    rest.split_once('"')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_message_was_sent() {
        let push = r#"{"push":"message","message":{"MsgBody":[{"MsgContent":{"Text":"bench 1234567"}}]}}"#;
        assert_eq!(sent_us(push), Some(1_234_567));
        assert_eq!(sent_us(r#"{"Text":"hello"}"#), None);
    }
}
