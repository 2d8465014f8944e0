//! `couplet bench ws`: many sessions, as many devices would hold them.
//!
//! Every session is a task that reports what happens to it; what they all do next is said to all of them at once.

mod crowd;
mod figures;
mod session;

use super::super::Outcome;
use super::super::api::Server;
use super::super::output::{say, unless_the_reader_left};
use crowd::{Crowd, Happened, Phase};
use figures::{Connected, Delivered, Figures};
use session::Target;
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// After the last login, and before memory is looked at: allocators give back what they do not need after a moment.
const SETTLE_SECS: u64 = 3;
/// For messages that are under way when the last one was sent.
const LAST_MESSAGE_SECS_MAX: u64 = 10;
/// Descriptors that are not sessions.
const OTHER_DESCRIPTORS: u64 = 64;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Sessions to hold, each of a user of its own
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    sessions: u32,
    /// Pairs of them that write: one writes, the other reads
    #[arg(long, default_value_t = 0, value_name = "N")]
    active: u32,
    /// Messages a second, of all pairs together
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: u32,
    /// How long they write
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Cut all sessions, and connect all again at once
    #[arg(long)]
    storm: bool,
    /// Logins at the same time, except in a storm
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    at_once: u32,
    /// Local addresses to connect from, 127.0.0.2 and on, when the server is on loopback: each has its own ports
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=200))]
    addresses: u8,
    /// The first user is number N: further processes take further users
    #[arg(long, default_value_t = 0, value_name = "N")]
    first: u32,
    /// How the names of the users begin; their accounts are made, and stay
    #[arg(long, default_value = "bench", value_name = "TEXT")]
    prefix: String,
    /// Process id of the server, if it is on this machine: says what a session takes of its memory
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

pub(in super::super) async fn run(arguments: Arguments) -> Outcome {
    unless_the_reader_left(bench(arguments).await)
}

async fn bench(arguments: Arguments) -> Outcome {
    check(&arguments)?;
    let Arguments { sessions, active, rate, seconds, .. } = arguments;
    let target = Arc::new(Target::find(&arguments.server, arguments.addresses, &arguments.prefix).await?);
    let resident_kib = || arguments.server_pid.map(resident_kib).transpose();
    let before_kib = resident_kib()?;
    let mut crowd = Crowd::new(&target, (arguments.first, sessions), arguments.at_once);
    crowd.pairs(active, rate);

    let connected = connect(&mut crowd, sessions).await?;
    sleep(Duration::from_secs(SETTLE_SECS)).await;
    let idle_kib = resident_kib()?;
    let delivered = match active {
        0 => None,
        _ => Some(write(&mut crowd, Duration::from_secs(seconds)).await),
    };
    let storm = if arguments.storm { Some(storm(&mut crowd, sessions).await?) } else { None };
    if arguments.storm {
        sleep(Duration::from_secs(SETTLE_SECS)).await;
    }
    let end_kib = resident_kib()?;
    crowd.end().await;

    let each = |after: Option<u64>| Some((after? as f64 - before_kib? as f64) / f64::from(sessions));
    let after_storm = if arguments.storm { each(end_kib) } else { None };
    let figures = Figures {
        sessions,
        connected,
        session_kib: each(idle_kib),
        delivered,
        storm,
        session_kib_after_storm: after_storm,
    };
    if arguments.json {
        say(&figures.json())?;
    } else {
        figures.lines().iter().try_for_each(|line| say(line))?;
    }
    match figures.complaint() {
        Some(words) => Err(words.into()),
        None => Ok(()),
    }
}

/// What cannot work is said before anything is begun.
fn check(arguments: &Arguments) -> Result<(), Box<dyn Error + Send + Sync>> {
    if arguments.active > arguments.sessions / 2 {
        return Err("--active: a pair is two sessions, and there are not so many".into());
    }
    let needed = u64::from(arguments.sessions) + OTHER_DESCRIPTORS;
    match descriptors_max() {
        Some(max) if max < needed => Err(format!(
            "{} sessions need {needed} descriptors and this process may have {max}: raise ulimit -n, or run several \
             with fewer --sessions and another --first each",
            arguments.sessions
        )
        .into()),
        _ => Ok(()),
    }
}

async fn connect(crowd: &mut Crowd, sessions: u32) -> Result<Connected, Box<dyn Error + Send + Sync>> {
    let begun = Instant::now();
    let mut connected = Connected::default();
    while connected.logins.len() < sessions as usize {
        match crowd.next().await {
            Happened::LoggedIn(took) => connected.logins.push(took),
            Happened::Failed(words) => connected.fail(words),
            Happened::Lost(words) => return Err(words.into()),
            Happened::Cut | Happened::Sent | Happened::Arrived(_) | Happened::Refused(_) => {}
        }
    }
    connected.secs = begun.elapsed().as_secs_f64();
    Ok(connected.sorted())
}

async fn write(crowd: &mut Crowd, duration: Duration) -> Delivered {
    let mut delivered = Delivered::default();
    crowd.say(Phase::Write);
    let until = Instant::now() + duration;
    while let Ok(happened) = tokio::time::timeout_at(until, crowd.next()).await {
        delivered.note(happened);
    }
    crowd.say(Phase::Listen);
    let last = async {
        while !delivered.is_complete() {
            delivered.note(crowd.next().await);
        }
    };
    // What has not come by then is counted as missing.
    let _late = timeout(Duration::from_secs(LAST_MESSAGE_SECS_MAX), last).await;
    delivered.sorted()
}

async fn storm(crowd: &mut Crowd, sessions: u32) -> Result<Connected, Box<dyn Error + Send + Sync>> {
    crowd.say(Phase::Cut);
    let mut cut = 0;
    while cut < sessions {
        match crowd.next().await {
            Happened::Cut => cut += 1,
            Happened::Lost(words) => return Err(words.into()),
            _ => {}
        }
    }
    crowd.say(Phase::Listen);
    connect(crowd, sessions).await
}

/// As the system counts it.
fn resident_kib(pid: u32) -> Result<u64, String> {
    let path = PathBuf::from(format!("/proc/{pid}/status"));
    let status = std::fs::read_to_string(&path)
        .map_err(|error| format!("--server-pid: {}: {error}", path.display()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    kib.ok_or_else(|| format!("--server-pid: process {pid} has ended"))
}

/// `None` where the system does not say.
fn descriptors_max() -> Option<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}
