//! The page of `couplet demo`, and what it needs: who plays, and a live feed of the callbacks.

use crate::clock::SystemClock;
use crate::config;
use crate::receiver::{Answer, Received, Taker};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use chat::port::Clock;
use futures_util::stream::{self, Stream, StreamExt};
use protocol::usersig::{self, Lifetime, Secret};
use serde_json::json;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Who chats, and what they are called.
pub const PEOPLE: [(&str, &str); 2] = [("ana", "Ana"), ("bo", "Bo")];
const SDKAPPID: u32 = 1_400_000_001;
const ADMIN: &str = "administrator";
const FILTERED_WORD: &str = "red packet";
/// Callbacks that a page opened later still sees.
const FEED_LEN_MAX: usize = 200;
/// A demo that runs longer than this is a server.
const USERSIG_SECS: u64 = 7 * 24 * 60 * 60;

/// Pause before a page that lost its feed asks again.
const RETRY: Duration = Duration::from_secs(1);

/// Nothing but what the page brings along, and the chat page of the same server in its frames.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     connect-src 'self'; frame-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

/// The app of the demo and everybody in it.
#[derive(Debug, Clone)]
pub struct Cast {
    pub sdkappid: u32,
    key: String,
    pub token: String,
    receiver: SocketAddr,
}

impl Cast {
    /// With secrets of its own, so that a demo's page cannot talk to another demo.
    pub fn new(receiver: SocketAddr) -> Result<Self, getrandom::Error> {
        Ok(Self { sdkappid: SDKAPPID, key: secret()?, token: secret()?, receiver })
    }

    pub fn app(&self) -> config::App {
        let mut callback = toml::Table::new();
        callback.insert("url".to_owned(), format!("http://{}/callback", self.receiver).into());
        callback.insert("token".to_owned(), self.token.clone().into());
        config::App {
            state_changes: false,
            friends_only: false,
            tells_blocked: false,
            callback_on_batch: false,
            rates: config::Rates::default(),
            logins: config::Logins::default(),
            push: config::AppPush::default(),
            recall_secs: config::recall_secs(),
            edits_own_only: false,
            endpoints: Vec::new(),
            sdkappid: self.sdkappid,
            key: self.key.clone(),
            previous_key: String::new(),
            admins: vec![ADMIN.to_owned()],
            callback: Some(callback),
            filters: vec![config::Filter {
                words: vec![FILTERED_WORD.to_owned()],
                action: config::FilterAction::Block,
            }],
        }
    }

    fn usersig(&self, user: &str) -> String {
        let lifetime = Lifetime { time_s: SystemClock.now_ms() / 1000, expire_s: USERSIG_SECS };
        usersig::generate(&Secret { sdkappid: self.sdkappid, key: &self.key }, user, lifetime, None)
    }
}

fn secret() -> Result<String, getrandom::Error> {
    Ok(format!("{:016x}{:016x}", getrandom::u64()?, getrandom::u64()?))
}

/// The last callbacks, numbered, for every page that looks.
#[derive(Debug)]
pub struct Feed {
    /// Tells this run's numbers from those that a page kept of an earlier one.
    run: u32,
    lines: Mutex<VecDeque<(u64, String)>>,
    last: watch::Sender<u64>,
}

impl Default for Feed {
    fn default() -> Self {
        let run = getrandom::u32().unwrap_or_default();
        Self { run, lines: Mutex::default(), last: watch::channel(0).0 }
    }
}

impl Taker for Feed {
    fn take(&self, received: Received) -> Pin<Box<dyn Future<Output = Answer> + Send + '_>> {
        let mut lines = self.lines.lock().expect(UNPOISONED);
        let number = *self.last.borrow() + 1;
        lines.push_back((number, received.to_line()));
        if lines.len() > FEED_LEN_MAX {
            lines.pop_front();
        }
        // Before others may number theirs.
        self.last.send_replace(number);
        drop(lines);
        Box::pin(std::future::ready(Answer::ok()))
    }
}

const UNPOISONED: &str = "nothing panics while it holds this lock";

impl Feed {
    fn after(&self, seen: u64) -> Vec<(u64, String)> {
        let lines = self.lines.lock().expect(UNPOISONED);
        lines.iter().filter(|(number, _)| *number > seen).cloned().collect()
    }
}

#[derive(Debug)]
struct Stage {
    cast: Cast,
    feed: Arc<Feed>,
    stop: CancellationToken,
}

pub fn routes(cast: &Cast, feed: Arc<Feed>, stop: CancellationToken) -> Router {
    let stage = Arc::new(Stage { cast: cast.clone(), feed, stop });
    Router::new()
        .route("/demo", get(|| async { page("text/html; charset=utf-8", include_str!("demo/page.html")) }))
        .route("/demo/page.css", get(|| async { page("text/css", include_str!("demo/page.css")) }))
        .route("/demo/page.js", get(|| async { page("text/javascript", include_str!("demo/page.js")) }))
        .route("/demo/session", get(session))
        .route("/demo/callbacks", get(callbacks))
        .with_state(stage)
}

fn page(content_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, text).into_response()
}

/// Everything the page needs to play both people. The address is the one the page was asked at.
async fn session(State(stage): State<Arc<Stage>>, headers: HeaderMap) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    let cast = &stage.cast;
    let users = PEOPLE.map(|(id, nick)| json!({ "user_id": id, "nick": nick, "usersig": cast.usersig(id) }));
    let session = Json(json!({
        "sdkappid": cast.sdkappid,
        "rest": format!("http://{host}"),
        "users": users,
        "admin": { "identifier": ADMIN, "usersig": cast.usersig(ADMIN) },
        "filtered_word": FILTERED_WORD,
    }));
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], session).into_response()
}

fn event(id: &str, line: &str) -> Event {
    Event::default().id(id).data(line)
}

async fn callbacks(
    State(stage): State<Arc<Stage>>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    // A page that reconnects says what it has; of another run it has nothing.
    let run = stage.feed.run;
    let seen = headers.get("last-event-id").and_then(|id| {
        let (of, seen) = id.to_str().ok()?.split_once('-')?;
        (of == run.to_string()).then(|| seen.parse().ok())?
    });
    let seen = seen.unwrap_or(0);
    let changed = stage.feed.last.subscribe();
    let stop = stage.stop.clone();
    let pages = stream::unfold((stage, changed, seen), |(stage, mut changed, mut seen)| async move {
        loop {
            changed.borrow_and_update();
            let lines = stage.feed.after(seen);
            if let Some((last, _)) = lines.last() {
                seen = *last;
                return Some((lines, (stage, changed, seen)));
            }
            changed.changed().await.ok()?;
        }
    });
    let events = pages.flat_map(move |lines| {
        stream::iter(
            lines.into_iter().map(move |(number, line)| Ok(event(&format!("{run}-{number}"), &line))),
        )
    });
    // Something at once: a page that has heard nothing does not know that it is connected.
    let hello = stream::once(std::future::ready(Ok(Event::default().retry(RETRY).comment("connected"))));
    let events = hello.chain(events);
    Sse::new(events.take_until(stop.cancelled_owned())).keep_alive(KeepAlive::default())
}
