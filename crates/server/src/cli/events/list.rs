//! `couplet events list`

use super::item::Item;
use crate::cli::Outcome;
use crate::cli::api::Server;
use crate::cli::moment::{Moment, written};
use crate::cli::output::say;
use crate::clock::SystemClock;
use chat::port::Clock;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Events in one answer. With the largest bodies it is still some megabytes.
const PAGE_LEN_MAX: u64 = 200;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Recorded since: 10m, 2h, 2026-11-23T10:00:00Z, or Unix milliseconds; left out: the oldest that are kept
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    since: Option<Moment>,
    /// After this position
    #[arg(long, value_name = "POSITION", conflicts_with = "since")]
    from: Option<String>,
    /// Only events of this name; may be repeated
    #[arg(long, value_name = "EVENT")]
    event: Vec<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// Print JSON lines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

#[derive(Deserialize)]
struct Page {
    events: Vec<Box<RawValue>>,
    next: String,
    more: bool,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let api = arguments.server.open()?;
    let since_ms = arguments.since.map(|since| since.unix_ms(SystemClock.now_ms()).to_string());
    let mut begin = match (&since_ms, &arguments.from) {
        (Some(since_ms), _) => Some(("since_ms", since_ms.clone())),
        (None, Some(from)) => Some(("after", from.clone())),
        (None, None) => None,
    };
    let mut left = arguments.limit;
    loop {
        let limit = left.min(PAGE_LEN_MAX).to_string();
        let mut query = vec![("limit", limit.as_str())];
        query.extend(begin.iter().map(|(name, value)| (*name, value.as_str())));
        query.extend(arguments.event.iter().map(|event| ("event", event.as_str())));
        let answer = api.get("events", &query).await?;
        let page: Page = api.understood(&answer)?;
        for event in &page.events {
            if arguments.json {
                say(event.get())?;
                continue;
            }
            let item: Item = api.understood(event)?;
            say(&format!("{}  {}  {:<32} {}", written(item.recorded_ms), item.id, item.event, item.gist()))?;
        }
        left -= left.min(page.events.len() as u64);
        if !page.more {
            return Ok(());
        }
        if left == 0 {
            eprintln!("couplet: there are more: --from {}", page.next);
            return Ok(());
        }
        begin = Some(("after", page.next));
    }
}
