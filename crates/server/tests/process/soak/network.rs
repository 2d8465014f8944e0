//! A bad network between one device and the server.
//!
//! It delays what is said, says it in pieces, holds it back for a while, swallows it, and ends connections, also in the
//! middle of a frame. It changes and reorders nothing: neither does TCP.

use crate::chance::Chance;
use crate::load::Whereabouts;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const CHUNK_BYTES: usize = 16 * 1024;
const DELAY_MS_MAX: usize = 80;
const OUTAGE_MS_MIN: usize = 300;
const OUTAGE_MS_MAX: usize = 4_000;

#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    _listening: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    server: watch::Receiver<Whereabouts>,
    is_bad: watch::Sender<bool>,
    chance: Mutex<Chance>,
    damage: Mutex<Damage>,
}

/// What was done to connections.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Damage {
    pub(crate) connections: u64,
    pub(crate) turned_away: u64,
    /// Between two pieces of what was said.
    pub(crate) cut: u64,
    /// After half a piece.
    pub(crate) cut_in_the_middle: u64,
    /// One direction fell silent for good, and nobody was told.
    pub(crate) swallowed: u64,
    /// One direction stood still for a while.
    pub(crate) outages: u64,
    pub(crate) halved: u64,
    pub(crate) delayed: u64,
}

/// What becomes of a piece.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Cut,
    CutInTheMiddle,
    Swallowed,
    HeldBack(Duration),
    Halved(Duration),
    Delayed(Duration),
    Untouched,
}

impl Network {
    /// Good until it is made bad.
    pub(crate) async fn before(server: watch::Receiver<Whereabouts>, chance: &mut Chance) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            server,
            is_bad: watch::Sender::new(false),
            chance: Mutex::new(chance.fork()),
            damage: Mutex::default(),
        });
        let mut listening = JoinSet::new();
        listening.spawn(listen(listener, Arc::clone(&shared)));
        Self { address, shared, _listening: listening }
    }

    pub(crate) fn turns_bad(&self) {
        self.shared.is_bad.send_replace(true);
    }

    /// Ends every connection; those that are made from now on are good ones.
    pub(crate) fn heals(&self) {
        self.shared.is_bad.send_replace(false);
    }

    pub(crate) fn damage(&self) -> Damage {
        *self.shared.damage.lock().unwrap()
    }
}

impl Damage {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            connections: self.connections + other.connections,
            turned_away: self.turned_away + other.turned_away,
            cut: self.cut + other.cut,
            cut_in_the_middle: self.cut_in_the_middle + other.cut_in_the_middle,
            swallowed: self.swallowed + other.swallowed,
            outages: self.outages + other.outages,
            halved: self.halved + other.halved,
            delayed: self.delayed + other.delayed,
        }
    }
}

/// Lets time pass. This is a fault itself, or the pace of somebody's life, and never a way to wait for something.
pub(crate) async fn pause(time: Duration) {
    drop(timeout(time, std::future::pending::<()>()).await);
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let (device, _) = listener.accept().await.unwrap();
        // Those that have ended are forgotten.
        while connections.try_join_next().is_some() {}
        connections.spawn(carry(device, Arc::clone(&shared)));
    }
}

/// A connection, until either side, or the network, ends it. Whichever way, both sides find it closed.
async fn carry(device: TcpStream, shared: Arc<Shared>) {
    let mut is_bad = shared.is_bad.subscribe();
    if *is_bad.borrow_and_update() && shared.chance.lock().unwrap().percent(5) {
        shared.damage.lock().unwrap().turned_away += 1;
        return;
    }
    let (_, server) = *shared.server.borrow();
    let Ok(server) = TcpStream::connect(server).await else { return };
    shared.damage.lock().unwrap().connections += 1;
    let ((from_device, to_device), (from_server, to_server)) = (device.into_split(), server.into_split());
    let cut = CancellationToken::new();
    let there = pass(from_device, to_server, &shared, &cut);
    let back = pass(from_server, to_device, &shared, &cut);
    tokio::select! {
        // How it ended makes no difference to the network.
        _both = async { tokio::join!(there, back) } => {}
        () = cut.cancelled() => {}
        _healed = is_bad.wait_for(|is_bad| !is_bad), if *is_bad.borrow() => {}
    }
}

/// One direction.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shared: &Shared,
    cut: &CancellationToken,
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut is_swallowing = false;
    loop {
        let len = from.read(&mut buffer).await?;
        if len == 0 {
            // The last words have been passed on. The other direction has nobody any more to speak to.
            to.shutdown().await?;
            cut.cancel();
            return Ok(());
        }
        if is_swallowing {
            continue;
        }
        let (first, rest) = buffer[..len].split_at(len / 2);
        match shared.fate() {
            Fate::Untouched => to.write_all(&buffer[..len]).await?,
            Fate::Delayed(time) | Fate::HeldBack(time) => {
                pause(time).await;
                to.write_all(&buffer[..len]).await?;
            }
            Fate::Halved(time) => {
                to.write_all(first).await?;
                pause(time).await;
                to.write_all(rest).await?;
            }
            Fate::Swallowed => is_swallowing = true,
            Fate::Cut => cut.cancel(),
            Fate::CutInTheMiddle => {
                to.write_all(first).await?;
                cut.cancel();
            }
        }
    }
}

impl Shared {
    fn fate(&self) -> Fate {
        if !*self.is_bad.borrow() {
            return Fate::Untouched;
        }
        let (mut chance, mut damage) = (self.chance.lock().unwrap(), self.damage.lock().unwrap());
        let delay = Duration::from_millis(chance.below(DELAY_MS_MAX) as u64);
        let (count, fate) = match chance.below(1_000) {
            0..=5 => (&mut damage.cut, Fate::Cut),
            6..=11 => (&mut damage.cut_in_the_middle, Fate::CutInTheMiddle),
            12..=14 => (&mut damage.swallowed, Fate::Swallowed),
            15..=18 => {
                let time_ms = OUTAGE_MS_MIN + chance.below(OUTAGE_MS_MAX - OUTAGE_MS_MIN);
                (&mut damage.outages, Fate::HeldBack(Duration::from_millis(time_ms as u64)))
            }
            19..=250 => (&mut damage.halved, Fate::Halved(delay)),
            251..=600 => (&mut damage.delayed, Fate::Delayed(delay)),
            _ => return Fate::Untouched,
        };
        *count += 1;
        fate
    }
}
