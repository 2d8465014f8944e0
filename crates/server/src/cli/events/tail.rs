//! `couplet events tail`

use super::item::Item;
use crate::cli::Outcome;
use crate::cli::api::{Api, ApiError, Server, feed::Ended};
use crate::cli::output::say;
use crate::cli::signals::Signals;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;
use tokio::time::sleep;

/// Events in a page, when what is there is read instead of followed.
const PAGE_LEN: &str = "200";
/// Pauses before a lost connection is made again; the last one repeats.
const PAUSES_SECS: [u64; 4] = [1, 2, 5, 10];

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only events of this name; may be repeated
    #[arg(long, value_name = "EVENT")]
    event: Vec<String>,
    /// Begin after this position; "now" for what comes from now on, "oldest" for everything that is kept
    #[arg(long, value_name = "POSITION", default_value = "now")]
    after: String,
    /// End when there is nothing more at present
    #[arg(long)]
    until_idle: bool,
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

struct Tail {
    api: Api,
    events: Vec<String>,
    json: bool,
    /// Where to go on; empty: at the oldest.
    after: String,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let api = arguments.server.open()?;
    let after = if arguments.after == "oldest" { String::new() } else { arguments.after };
    let mut tail = Tail { api, events: arguments.event, json: arguments.json, after };
    let signals = Signals::listen()?;
    let following = async { if arguments.until_idle { tail.read_all().await } else { tail.follow().await } };
    tokio::select! {
        () = signals.stop_wanted() => Ok(()),
        ended = following => ended,
    }
}

impl Tail {
    async fn read_all(&mut self) -> Outcome {
        loop {
            let page = self.page(PAGE_LEN).await?;
            for event in &page.events {
                self.show(event)?;
            }
            if !page.more {
                return Ok(());
            }
        }
    }

    /// Never ends by itself. What was shown is not shown again, and nothing is left out, however often it has to
    /// begin again.
    async fn follow(&mut self) -> Outcome {
        if self.after == "now" {
            // Pinned down first, so that a connection that is lost before the first event loses none.
            self.page("1").await?;
        }
        let mut lost = 0;
        let mut reached = false;
        loop {
            let words = match self.api.follow(&self.query(None)).await {
                Ok(mut feed) => {
                    if lost > 0 {
                        eprintln!("couplet: connected again");
                    }
                    (lost, reached) = (0, true);
                    loop {
                        match feed.next().await {
                            Ok(heard) => {
                                self.show(serde_json::from_str(&heard.data)?)?;
                                self.after = heard.id;
                            }
                            Err(Ended(words)) => break words,
                        }
                    }
                }
                Err(error) if reached && error.is_temporary() => error.to_string(),
                Err(error) => return Err(error.into()),
            };
            let pause_secs = PAUSES_SECS[lost.min(PAUSES_SECS.len() - 1)];
            let place = if self.after.is_empty() { "the oldest event" } else { &self.after };
            eprintln!("couplet: the connection is lost: {words}; going on after {place} in {pause_secs} s");
            lost += 1;
            sleep(Duration::from_secs(pause_secs)).await;
        }
    }

    async fn page(&mut self, limit: &str) -> Result<Page, ApiError> {
        let answer = self.api.get("events", &self.query(Some(limit))).await?;
        let page: Page = self.api.understood(&answer)?;
        self.after.clone_from(&page.next);
        Ok(page)
    }

    fn query<'a>(&'a self, limit: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
        let after = Some(("after", self.after.as_str())).filter(|(_, after)| !after.is_empty());
        let events = self.events.iter().map(|event| ("event", event.as_str()));
        after.into_iter().chain(limit.map(|limit| ("limit", limit))).chain(events).collect()
    }

    fn show(&self, event: &RawValue) -> Outcome {
        if self.json {
            return Ok(say(event.get())?);
        }
        let item: Item = self.api.understood(event)?;
        Ok(say(&item.to_line())?)
    }
}
