//! `couplet listen`

mod show;
mod statistics;

use super::Outcome;
use super::signals::Signals;
use crate::clock::SystemClock;
use crate::receiver::{self, Answer, Expected, Received, Taker};
use axum::http::{StatusCode, Uri};
use chat::port::Clock;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::header::CONTENT_TYPE;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use statistics::Statistics;
use std::fs::{File, OpenOptions};
use std::future::Future;
use std::io::{self, IsTerminal, Read, Seek, SeekFrom, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::timeout;

/// Longer than the original waits for an answer, so that it is the caller who gives up.
const FORWARD_SECS_MAX: u64 = 10;

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
    /// Append every callback to this file, as JSON lines, before it is answered
    #[arg(long, value_name = "FILE.jsonl")]
    record: Option<PathBuf>,
    /// Pass every callback on, and answer what this URL answers
    #[arg(long, value_name = "URL")]
    forward_to: Option<Uri>,
    /// Print JSON lines instead of words
    #[arg(long)]
    json: bool,
}

type ForwardClient = Client<
    hyper_rustls::HttpsConnector<hyper_util::client::legacy::connect::HttpConnector>,
    Full<bytes::Bytes>,
>;

struct Listening {
    record: Option<Mutex<File>>,
    forward: Option<(ForwardClient, Uri)>,
    json: bool,
    colours: bool,
    statistics: Mutex<Statistics>,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let record = match &arguments.record {
        Some(path) => {
            let file = open_record(path);
            Some(Mutex::new(file.map_err(|error| format!("cannot write to {}: {error}", path.display()))?))
        }
        None => None,
    };
    let connector =
        || HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
    let forward = arguments
        .forward_to
        .clone()
        .map(|url| (Client::builder(TokioExecutor::new()).build(connector()), url));
    let listening = Arc::new(Listening {
        record,
        forward,
        json: arguments.json,
        colours: std::io::stdout().is_terminal(),
        statistics: Mutex::new(Statistics::new(SystemClock.now_ms())),
    });
    let expected = Expected { sdkappid: arguments.sdkappid, token: arguments.token };
    let routes = receiver::routes(expected, Arc::new(SystemClock), Arc::clone(&listening) as Arc<dyn Taker>);
    let signals = Signals::listen()?;
    let socket = TcpListener::bind(arguments.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", arguments.listen))?;
    let address = socket.local_addr()?;
    if arguments.json {
        println!("{}", serde_json::json!({ "ready": { "url": format!("http://{address}/callback") } }));
    } else {
        println!("Receiving callbacks at http://{address}/callback (Ctrl-C ends, with statistics)\n");
    }
    axum::serve(socket, routes).with_graceful_shutdown(signals.stop_wanted()).await?;
    let statistics = listening.statistics.lock().expect("nothing panics while it holds this lock");
    let now_ms = SystemClock.now_ms();
    println!(
        "{}",
        if arguments.json { statistics.to_json(now_ms).to_string() } else { statistics.to_text(now_ms) }
    );
    Ok(())
}

/// Opens a file to append whole lines to. One that a crash has cut short is ended first: its callback was not
/// answered and comes again, while the next one must not be lost in the same line.
fn open_record(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    let mut last = [b'\n'];
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    if last != *b"\n" {
        file.write_all(b"\n")?;
    }
    Ok(file)
}

/// Appends a line, or nothing: half a line would spoil the next one.
fn append_whole(file: &mut File, line: &[u8]) -> io::Result<()> {
    let len = file.metadata()?.len();
    file.write_all(line).inspect_err(|_| {
        if let Err(error) = file.set_len(len) {
            eprintln!("couplet: cannot take half a line back: {error}");
        }
    })
}

impl Taker for Listening {
    fn take(&self, received: Received) -> Pin<Box<dyn Future<Output = Answer> + Send + '_>> {
        Box::pin(self.take_in(received))
    }
}

impl Listening {
    async fn take_in(&self, received: Received) -> Answer {
        // Recorded before it is answered: what could not be written down has to be told again.
        if let Some(record) = &self.record {
            let line = received.to_line() + "\n";
            let mut file = record.lock().expect("nothing panics while it holds this lock");
            if let Err(error) = append_whole(&mut file, line.as_bytes()) {
                eprintln!("couplet: cannot record: {error}");
                return Answer::refuse(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the callback could not be recorded",
                );
            }
        }
        let seen = show::Seen::of(&received);
        self.statistics.lock().expect("nothing panics while it holds this lock").count(&seen, &received);
        let shown = if self.json { received.to_line() } else { seen.to_line(received.at_ms, self.colours) };
        // Whoever reads along may have gone; the callbacks are received all the same.
        if let Err(error) = writeln!(io::stdout(), "{shown}")
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            eprintln!("couplet: cannot print: {error}");
        }
        match &self.forward {
            Some((client, url)) => forward(client, url, &received).await,
            None => Answer::ok(),
        }
    }
}

/// Passes a callback on with its query, its id, its signature and its body.
async fn forward(client: &ForwardClient, url: &Uri, received: &Received) -> Answer {
    let bad_gateway = |why: String| {
        eprintln!("couplet: cannot forward: {why}");
        Answer::refuse(StatusCode::BAD_GATEWAY, &why)
    };
    let query = received.url.split_once('?').map_or("", |(_, query)| query);
    let separator = if url.query().is_some() { '&' } else { '?' };
    let mut request =
        Request::post(format!("{url}{separator}{query}")).header(CONTENT_TYPE, "application/json");
    for (name, value) in &received.webhook {
        request = request.header(name, value);
    }
    let body = Full::new(bytes::Bytes::from(received.body.get().to_owned()));
    let request = match request.body(body) {
        Ok(request) => request,
        Err(error) => return bad_gateway(error.to_string()),
    };
    let answer = async {
        let response = client.request(request).await.map_err(|error| error.to_string())?;
        let status = response.status();
        let body =
            Limited::new(response.into_body(), protocol::limits::CALLBACK_ANSWER_LEN_MAX).collect().await;
        Ok(Answer { status, body: body.map_err(|error| error.to_string())?.to_bytes() })
    };
    match timeout(Duration::from_secs(FORWARD_SECS_MAX), answer).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(why)) => bad_gateway(why),
        Err(_) => bad_gateway(format!("no answer within {FORWARD_SECS_MAX} s")),
    }
}
