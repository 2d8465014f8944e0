//! How fast a store appends: callers in a closed loop, messages a second, and how long a caller waits.
//!
//! `cargo run --release -p couplet-store --example append_rate -- [seconds] [callers] [users] [directory]`
//!
//! With a URL such as postgres://postgres@127.0.0.1/postgres in place of the directory, the store is on PostgreSQL, in a
//! schema of its own that is left there. A number behind it says how many nodes share the callers.

use chat::port::{Account, Append, Appended, Store, Terms};
use chat::{AppId, Delivery, Origin, Platform, UserId};
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Embedded, EmbeddedOptions, Postgres, PostgresOptions};
use tokio::task::JoinSet;

const APP: AppId = AppId(1_400_000_001);
const NOW_S: u64 = 1_750_000_000;
/// The allocator of the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// People write to the same few others again and again.
const FRIENDS: u64 = 10;
const BODY: &[u8] =
    br#"[{"MsgType":"TIMTextElem","MsgContent":{"Text":"An ordinary message, as people write them: one line."}}]"#;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |otherwise: u64| arguments.next().map_or(Ok(otherwise), |text| text.parse());
    let (seconds, callers, users) = (number(5)?, number(128)?, number(2_000)?);
    match arguments.next() {
        Some(url) if url.starts_with("postgres") => {
            let nodes = arguments.next().map_or(Ok(1), |text| text.parse())?;
            in_postgres(&url, nodes, Load { seconds, callers, users }).await
        }
        directory => in_directory(directory, Load { seconds, callers, users }).await,
    }
}

#[derive(Clone, Copy)]
struct Load {
    seconds: u64,
    callers: u64,
    users: u64,
}

async fn in_directory(directory: Option<String>, load: Load) -> Result<(), Box<dyn Error>> {
    let scratch = tempfile::tempdir()?;
    let directory = directory.map_or_else(|| scratch.path().to_owned(), Into::into);
    let opening = now();
    let store = Arc::new(Embedded::open(&directory, EmbeddedOptions::default())?);
    println!("opened in {:?}, {} KiB resident", opening.elapsed(), resident_kib());
    run(&[Arc::clone(&store) as Arc<dyn Store>], load).await?;
    println!("{:?}, {} KiB resident", store.stats()?, resident_kib());
    let closing = now();
    store.close()?;
    drop(store);
    println!("closed in {:?}", closing.elapsed());
    let opening = now();
    drop(Embedded::open(&directory, EmbeddedOptions::default())?);
    println!("opened again in {:?}", opening.elapsed());
    Ok(())
}

async fn in_postgres(url: &str, count: usize, load: Load) -> Result<(), Box<dyn Error>> {
    let options = PostgresOptions {
        url: url.to_owned(),
        schema: format!("rate_{}", std::process::id()),
        lanes_per_app: 1,
        ..PostgresOptions::default()
    };
    let mut stores = Vec::new();
    for _ in 0..count {
        stores.push(Arc::new(Postgres::open(options.clone()).await?));
    }
    let nodes: Vec<_> = stores.iter().map(|store| Arc::clone(store) as Arc<dyn Store>).collect();
    run(&nodes, load).await?;
    for store in stores {
        println!("{:?}, {} KiB resident", store.stats(), resident_kib());
    }
    Ok(())
}

/// Lets callers append, and reads what came of it.
async fn run(nodes: &[Arc<dyn Store>], load: Load) -> Result<(), Box<dyn Error>> {
    let Load { seconds, callers, users } = load;
    let importing = now();
    import(&*nodes[0], users).await?;
    println!("imported {users} users in {:?}", importing.elapsed());
    let (start, cpu_start) = (now(), cpu_ms());
    let deadline = start + Duration::from_secs(seconds);
    let mut running = JoinSet::new();
    for caller in 0..callers {
        let node = Arc::clone(&nodes[caller as usize % nodes.len()]);
        running.spawn(call(node, Random(caller + 1), users, deadline));
    }
    let mut waits_us: Vec<u32> = running.join_all().await.into_iter().flatten().collect();
    let elapsed = start.elapsed();
    let cpu = cpu_ms() - cpu_start;
    waits_us.sort_unstable();
    let at = |part: f64| waits_us.get((waits_us.len() as f64 * part) as usize).copied().unwrap_or_default();
    println!(
        "{:.0} messages a second, {:.1} µs of CPU each; p50 {} µs, p99 {} µs, p99.9 {} µs, most {} µs",
        waits_us.len() as f64 / elapsed.as_secs_f64(),
        cpu as f64 * 1000.0 / waits_us.len() as f64,
        at(0.5),
        at(0.99),
        at(0.999),
        waits_us.last().copied().unwrap_or_default(),
    );
    let reading = now();
    let read = drain(&*nodes[0]).await?;
    println!("{read} events read, {:.0} a second", read as f64 / reading.elapsed().as_secs_f64());
    Ok(())
}

async fn import(store: &dyn Store, users: u64) -> Result<(), Box<dyn Error>> {
    let all: Vec<u64> = (0..users).collect();
    for some in all.chunks(1_000) {
        let accounts = some.iter().map(|number| Account::bare(user(*number))).collect();
        store.import_accounts(APP, accounts, NOW_S * 1000).await?;
    }
    Ok(())
}

/// One caller: appends, waits for the answer, appends. Returns how long each answer took.
async fn call(store: Arc<dyn Store>, mut random: Random, users: u64, deadline: Instant) -> Vec<u32> {
    let begin = now();
    let mut waits_us = Vec::new();
    let mut last = begin;
    while last < deadline {
        let append = append(&mut random, users, NOW_S + (last - begin).as_secs());
        let appended = store.append(append).await.expect("the store takes messages");
        assert!(matches!(appended, Appended::Done(_)), "{appended:?}");
        let after = now();
        waits_us.push((after - last).as_micros() as u32);
        last = after;
    }
    waits_us
}

fn append(random: &mut Random, users: u64, now_s: u64) -> Append {
    let number = random.below(users);
    let (from, to) = (user(number), user((number + 1 + random.below(FRIENDS)) % users));
    Append {
        app: APP,
        from,
        to,
        wire_seq: None,
        wire_seq_given: false,
        random: random.next() as u32,
        client_time_s: now_s,
        time_s: now_s,
        now_ms: now_s * 1000,
        content_crc: random.next() as u32,
        body: BODY.into(),
        custom_data: bytes::Bytes::new(),
        offline_push: bytes::Bytes::new(),
        delivery: Delivery::default(),
        event: Some(Origin { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), platform: Platform::RestApi }),
        quiet: false,
        terms: Terms::default(),
        pretends: None,
    }
}

async fn drain(store: &dyn Store) -> Result<u64, Box<dyn Error>> {
    let lane = chat::Lane { app: APP, index: 0 };
    let mut after = 0;
    let mut count = 0;
    loop {
        let events = store.events(lane, after, 512).await?;
        let Some(last) = events.last() else {
            return Ok(count);
        };
        after = last.id.offset;
        count += events.len() as u64;
    }
}

fn user(number: u64) -> UserId {
    UserId::new(&format!("user_{number}")).expect("short and plain")
}

fn resident_kib() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or_default() * 4
}

/// What all threads of this process have used.
fn cpu_ms() -> u64 {
    const TICK_MS: u64 = 10;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.split(' ').skip(13).take(2).filter_map(|ticks| ticks.parse::<u64>().ok());
    ticks.sum::<u64>() * TICK_MS
}

#[expect(clippy::disallowed_methods, reason = "a measurement needs the real time")]
fn now() -> Instant {
    Instant::now()
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}
