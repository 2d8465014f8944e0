//! `couplet events replay`

use super::{endpoint_id, endpoints};
use crate::cli::Outcome;
use crate::cli::api::{Api, ApiError, Server, encoded};
use crate::cli::moment::{Moment, written};
use crate::cli::output::say;
use crate::clock::SystemClock;
use chat::port::Clock;
use clap::CommandFactory;
use clap::error::ErrorKind;
use serde::Deserialize;
use serde_json::{Value, json};
use std::error::Error;
use std::io::{self, IsTerminal, Write};

/// Counting ends here: whoever replays more than that wants to know that they are many, and not how many.
const COUNTED_MAX: u64 = 10_000;
/// Parked events that are sent back at once, so that there is progress to be seen.
const ROUND_LEN: u64 = 1_000;

#[derive(Debug, clap::Args)]
#[group(id = "which", required = true, multiple = false, args = ["since", "from", "id", "parked"])]
pub struct Arguments {
    /// Everything recorded since: 10m, 2h, 2026-11-23T10:00:00Z, or Unix milliseconds
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    since: Option<Moment>,
    /// Everything after this position
    #[arg(long, value_name = "POSITION")]
    from: Option<String>,
    /// One event
    #[arg(long, value_name = "EVENT_ID")]
    id: Option<String>,
    /// Everything that was given up on
    #[arg(long)]
    parked: bool,
    /// Whom to tell
    #[arg(long, value_name = "ENDPOINT", default_value = "ep_default", value_parser = endpoint_id)]
    endpoint: String,
    /// Do not ask before
    #[arg(long)]
    yes: bool,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

enum Which {
    Since { ms: u64 },
    After { position: String },
    One { id: String },
    Parked,
}

/// How many events it is about.
struct Count {
    events: u64,
    or_more: bool,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    if !arguments.yes && !io::stdin().is_terminal() {
        // A wrong command line, like those that are found by looking at it alone.
        let text = "there is no terminal to ask on: add --yes";
        return Err(Asks::command().error(ErrorKind::MissingRequiredArgument, text).into());
    }
    let api = arguments.server.open()?;
    let which = match (arguments.since, arguments.from, arguments.id) {
        (Some(since), ..) => Which::Since { ms: since.unix_ms(SystemClock.now_ms()) },
        (_, Some(position), _) => Which::After { position },
        (_, _, Some(id)) => Which::One { id },
        (None, None, None) => Which::Parked,
    };
    let endpoint = arguments.endpoint;
    let count = count(&api, &endpoint, &which).await?;
    let plan = plan(&endpoint, &which, &count);
    if count.events == 0 {
        return report(&endpoint, 0, arguments.json);
    }
    if arguments.yes {
        eprintln!("{plan}.");
    } else if !confirmed(&plan)? {
        return Err("nothing was changed".into());
    }
    let path = format!("endpoints/{}/replay", encoded(&endpoint));
    let replayed = match which {
        Which::Since { ms } => replay(&api, &path, json!({ "since_ms": ms })).await?,
        Which::After { position } => replay(&api, &path, json!({ "after": position })).await?,
        Which::One { id } => replay(&api, &path, json!({ "id": id })).await?,
        Which::Parked => replay_parked(&api, &path, count.events).await?,
    };
    report(&endpoint, replayed, arguments.json)
}

/// Only for the name that stands over an error.
#[derive(clap::Parser)]
#[command(name = "couplet events replay")]
struct Asks;

async fn count(api: &Api, endpoint: &str, which: &Which) -> Result<Count, Box<dyn Error + Send + Sync>> {
    let known = endpoints::all(api).await?;
    let known = known.iter().find(|known| known.endpoint == endpoint);
    let known = known.ok_or_else(|| {
        format!("there is no endpoint {endpoint}; couplet events endpoints lists those there are")
    })?;
    let begin = match which {
        Which::One { id } => {
            // Whoever mistyped it should hear so before being asked.
            api.get(&format!("events/{}", encoded(id)), &[]).await?;
            return Ok(Count { events: 1, or_more: false });
        }
        Which::Parked => return Ok(Count { events: known.parked, or_more: false }),
        Which::Since { ms } => ("since_ms", ms.to_string()),
        Which::After { position } => ("after", position.clone()),
    };
    Ok(count_behind(api, begin).await?)
}

async fn count_behind(api: &Api, mut begin: (&str, String)) -> Result<Count, ApiError> {
    #[derive(Deserialize)]
    struct Page {
        events: Vec<serde::de::IgnoredAny>,
        next: String,
        more: bool,
    }
    let mut events = 0;
    loop {
        let answer = api.get("events", &[("limit", "1000"), (begin.0, &begin.1)]).await?;
        let page: Page = api.understood(&answer)?;
        events += page.events.len() as u64;
        if !page.more || events >= COUNTED_MAX {
            return Ok(Count { events, or_more: page.more });
        }
        begin = ("after", page.next);
    }
}

fn plan(endpoint: &str, which: &Which, count: &Count) -> String {
    let Count { events, or_more } = count;
    let events = match (events, or_more) {
        (1, false) => "1 event".to_owned(),
        (events, false) => format!("{events} events"),
        (events, true) => format!("{events} events or more"),
    };
    let which = match which {
        Which::Since { ms } => format!("recorded since {} UTC", written(*ms)),
        Which::After { position } => format!("recorded after position {position}"),
        Which::One { id } => format!("({id})"),
        Which::Parked => "that were parked".to_owned(),
    };
    format!("This tells {endpoint} again of {events} {which}, under the ids they always had")
}

fn confirmed(plan: &str) -> io::Result<bool> {
    let mut terminal = io::stderr();
    write!(terminal, "{plan}.\nGo on? [y/N] ")?;
    terminal.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

async fn replay(api: &Api, path: &str, body: Value) -> Result<u64, ApiError> {
    #[derive(Deserialize)]
    struct Replayed {
        replayed: u64,
    }
    let answer = api.post(path, &body).await?;
    Ok(api.understood::<Replayed>(&answer)?.replayed)
}

/// Round by round, and not more than there were at the beginning: what fails once more may be parked again meanwhile.
async fn replay_parked(api: &Api, path: &str, count: u64) -> Result<u64, ApiError> {
    let mut done = 0;
    while done < count {
        let limit = ROUND_LEN.min(count - done);
        let replayed = replay(api, path, json!({ "parked": true, "limit": limit })).await?;
        if replayed == 0 {
            break;
        }
        done += replayed;
        eprintln!("{done} of {count}");
    }
    Ok(done)
}

fn report(endpoint: &str, replayed: u64, json: bool) -> Outcome {
    if json {
        return Ok(say(&json!({ "endpoint": endpoint, "replayed": replayed }).to_string())?);
    }
    let text = match replayed {
        0 => format!("There is nothing to tell {endpoint} again."),
        1 => format!("1 event is on its way to {endpoint} again."),
        events => format!("{events} events are on their way to {endpoint} again."),
    };
    Ok(say(&text)?)
}
