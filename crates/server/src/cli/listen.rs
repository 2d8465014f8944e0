//! `couplet listen`

mod output;
mod line;
mod show;
mod pretty;
mod statistics;
mod bounded;
mod report;
mod record;
mod forward;
mod live;
mod frame;

use super::Outcome;
use super::signals::Signals;
use crate::address::is_http;
use crate::clock::SystemClock;
use crate::receiver::{self, Answer, Expected, Received, Refused, Taker};
use axum::http::{StatusCode, Uri};
use chat::port::Clock;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use forward::Forwarder;
use live::{LastLines, Screen};
use output::{Output, say};
use protocol::callback::{CallbackCommand, WebhookSigner};
use record::Record;
use show::Seen;
use statistics::{Statistics, Summary};
use std::future::Future;
use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The old one and the new one, while a secret is changed.
const SIGNING_SECRETS_MAX: usize = 2;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Address and port to receive on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:18090")]
    listen: SocketAddr,
    /// Refuse callbacks of any other app
    #[arg(long)]
    sdkappid: Option<u32>,
    /// Refuse callbacks that are not signed with this token
    #[arg(long, default_value = "", hide_default_value = true)]
    token: String,
    /// Refuse events whose body is not signed with this secret; may be given twice, while it is changed
    #[arg(long = "signing-secret", value_name = "SECRET", value_parser = WebhookSigner::new)]
    signers: Vec<WebhookSigner>,
    /// Show, count, record and forward only this callback, and accept the others silently; may be repeated
    #[arg(long = "event", value_name = "NAME", value_parser = event_names())]
    events: Vec<CallbackCommand>,
    /// Append every callback to this file, as JSON lines, before it is answered
    #[arg(long, value_name = "FILE.jsonl")]
    record: Option<PathBuf>,
    /// Pass every callback on, and answer what this URL answers
    #[arg(long, value_name = "URL", value_parser = http_url)]
    forward_to: Option<Uri>,
    /// Print the whole body below the line of each callback
    #[arg(long, conflicts_with_all = ["json", "live"])]
    pretty: bool,
    /// Print JSON lines instead of words
    #[arg(long, conflicts_with = "live")]
    json: bool,
    /// Show counts, rates and the last callbacks in a view that fills the terminal
    #[arg(long)]
    live: bool,
}

fn event_names() -> impl TypedValueParser<Value = CallbackCommand> {
    PossibleValuesParser::new(CallbackCommand::ALL.iter().map(|command| command.as_str()))
        .map(|name| CallbackCommand::parse(&name).expect("only the names of callbacks are possible"))
}

#[derive(Debug)]
struct Listening {
    /// Empty: all of them.
    events: Vec<CallbackCommand>,
    record: Option<Record>,
    forwarder: Option<Forwarder>,
    output: Output,
    statistics: Mutex<Statistics>,
}

fn http_url(text: &str) -> Result<Uri, String> {
    let url: Uri = text.parse().map_err(|error| format!("{error}"))?;
    if is_http(&url) { Ok(url) } else { Err("it must be http:// or https:// with a host".to_owned()) }
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    if arguments.signers.len() > SIGNING_SECRETS_MAX {
        return Err(format!("--signing-secret can be given {SIGNING_SECRETS_MAX} times at most").into());
    }
    if arguments.live && !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return Err("--live needs a terminal, for its keys and for its view".into());
    }
    let json = arguments.json;
    let listening = Arc::new(Listening::new(&arguments)?);
    let expected =
        Expected { sdkappid: arguments.sdkappid, token: arguments.token, signers: arguments.signers };
    let routes = receiver::routes(expected, Arc::new(SystemClock), Arc::clone(&listening) as Arc<dyn Taker>);
    let signals = Signals::listen()?;
    let socket = TcpListener::bind(arguments.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", arguments.listen))?;
    let url = format!("http://{}/callback", socket.local_addr()?);
    let stop = CancellationToken::new();
    let until = stop.clone();
    let mut serving = JoinSet::from_iter([async move {
        axum::serve(socket, routes).with_graceful_shutdown(until.cancelled_owned()).await
    }]);
    let shown = if arguments.live {
        live::run(Screen::take()?, &url, &listening, signals).await
    } else {
        if json {
            say(&serde_json::json!({ "ready": { "url": url } }).to_string());
        } else {
            say(&format!("Receiving callbacks at {url} (Ctrl-C ends, with statistics)\n"));
        }
        signals.stop_wanted().await;
        Ok(())
    };
    stop.cancel();
    while let Some(ended) = serving.join_next().await {
        ended??;
    }
    let summary = listening.summary(SystemClock.now_ms());
    say(&if json { summary.to_json().to_string() } else { summary.to_text() });
    Ok(shown?)
}

impl Taker for Listening {
    fn take(&self, received: Received) -> Pin<Box<dyn Future<Output = Answer> + Send + '_>> {
        Box::pin(self.take_in(received))
    }

    fn refused(&self, refused: &Refused) {
        self.counting(Statistics::count_refused);
        self.output.refused(refused);
    }
}

impl Listening {
    fn new(arguments: &Arguments) -> Result<Self, String> {
        let record = arguments.record.as_ref().map(|path| {
            Record::open(path).map_err(|error| format!("cannot write to {}: {error}", path.display()))
        });
        let colours = io::stdout().is_terminal();
        let output = match arguments {
            Arguments { live: true, .. } => Output::Live(Mutex::new(LastLines::default())),
            Arguments { json: true, .. } => Output::Json,
            Arguments { pretty: true, .. } => Output::Pretty { colours },
            _ => Output::Lines { colours },
        };
        Ok(Self {
            events: arguments.events.clone(),
            record: record.transpose()?,
            forwarder: arguments.forward_to.clone().map(Forwarder::new),
            output,
            statistics: Mutex::new(Statistics::new(SystemClock.now_ms())),
        })
    }

    async fn take_in(&self, received: Received) -> Answer {
        let seen = Seen::of(&received);
        let is_wanted = self.events.is_empty() || seen.kind().is_some_and(|kind| self.events.contains(&kind));
        if !is_wanted {
            return Answer::ok();
        }
        // Recorded before it is answered: what could not be written down has to be told again.
        if let Some(Err(error)) = self.record.as_ref().map(|record| record.append(&received)) {
            self.output.trouble(received.at_ms, &format!("cannot record: {error}"));
            return Answer::refuse(StatusCode::INTERNAL_SERVER_ERROR, "the callback could not be recorded");
        }
        self.counting(|statistics| statistics.count(&seen, &received));
        self.output.received(&seen, &received);
        let Some(forwarder) = &self.forwarder else { return Answer::ok() };
        let answer = forwarder.pass_on(&received).await;
        let status = answer.as_ref().ok().map(|answer| answer.status);
        self.counting(|statistics| statistics.count_forwarded(status));
        answer.unwrap_or_else(|why| {
            self.output.trouble(SystemClock.now_ms(), &format!("cannot forward: {why}"));
            Answer::refuse(StatusCode::BAD_GATEWAY, &why)
        })
    }

    fn counting(&self, count: impl FnOnce(&mut Statistics)) {
        count(&mut self.statistics.lock().expect("nothing panics while it holds this lock"));
    }

    fn summary(&self, now_ms: u64) -> Summary {
        self.statistics.lock().expect("nothing panics while it holds this lock").summary(now_ms)
    }
}
