//! The one door: a server in this process, with everything around it.

use crate::device::Device;
use crate::literal::literal;
use crate::raw_http::{self, Answer, exchange};
use crate::receiver::{Answers, Callback, Receiver, Reply};
use crate::rest_document;
use chat::port::Clock;
use protocol::usersig::{self, Lifetime, Secret};
use server::address::Names;
use server::app::{self, Running, Surroundings};
use server::clock::SystemClock;
use server::config::{Config, Flags};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;

pub(crate) const SDKAPPID: u32 = 1_400_000_001;
pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
pub(crate) const ADMIN: &str = "administrator";
/// Accounts that every test finds.
pub(crate) const PEOPLE: [&str; 3] = ["ana", "bo", "cy"];
const CONFIGURATION: &str = "couplet.toml";
const HISTORY: &str = "openim/admin_getroammsg";
pub(crate) const OK: &str = r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}"#;

/// A test that waits longer has lost what it waits for. Long enough for the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for an event. A test that would wait for ever says what for.
pub(crate) async fn within<T>(what: &str, event: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, event).await.unwrap_or_else(|_| panic!("{what} never came"))
}

/// A clock that stands still, at the time of the test's beginning, unless it is moved.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicU64);

impl TestClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(SystemClock.now_ms())))
    }

    /// One that stands still at this time.
    pub(crate) fn at(now_s: u64) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(now_s * 1000)))
    }

    pub(crate) fn advance_secs(&self, secs: u64) {
        self.0.fetch_add(secs * 1000, Ordering::Relaxed);
    }

    pub(crate) fn now_s(&self) -> u64 {
        self.now_ms() / 1000
    }
}

impl Clock for TestClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How a test wants its server.
pub(crate) struct Setup {
    settings: String,
    rules: String,
    callback: String,
    filters: String,
    url: Option<String>,
    path: &'static str,
    answers: Answers,
    surroundings: Surroundings,
}

impl Default for Setup {
    /// Nobody is told anything.
    fn default() -> Self {
        Self {
            settings: String::new(),
            rules: String::new(),
            callback: String::new(),
            filters: String::new(),
            url: None,
            path: "/callback",
            answers: Box::new(|_| Reply::ok()),
            surroundings: Surroundings::default(),
        }
    }
}

impl Setup {
    /// A receiver that is told what these callbacks tell, and accepts it.
    pub(crate) fn telling(commands: &[&str]) -> Self {
        let callback = format!("events = {commands:?}\nretry_delays_secs = [1]\n");
        Self { callback, ..Self::default() }
    }

    /// A receiver that is told of sends, and accepts it.
    pub(crate) fn told() -> Self {
        Self::telling(&["C2C.CallbackAfterSendMsg"])
    }

    /// A receiver that is asked before and told after each send.
    pub(crate) fn asked() -> Self {
        Self::telling(&["C2C.CallbackBeforeSendMsg", "C2C.CallbackAfterSendMsg"])
    }

    /// Further settings of the server.
    pub(crate) fn settings(mut self, toml: &str) -> Self {
        self.settings.push_str(toml);
        self
    }

    /// Further settings of the app itself.
    pub(crate) fn rules(mut self, toml: &str) -> Self {
        self.rules.push_str(toml);
        self.rules.push('\n');
        self
    }

    /// Further settings of the app's callbacks.
    pub(crate) fn callback(mut self, toml: &str) -> Self {
        self.callback.push_str(toml);
        self.callback.push('\n');
        self
    }

    pub(crate) fn filter(mut self, action: &str, word: &str) -> Self {
        self.filters.push_str(&format!("[[app.filter]]\nwords = [{word:?}]\naction = {action:?}\n"));
        self
    }

    /// Further settings of the app, after its callbacks.
    pub(crate) fn app(mut self, toml: &str) -> Self {
        self.filters.push_str(toml);
        self.filters.push('\n');
        self
    }

    /// Names have these addresses, and no others.
    pub(crate) fn names(mut self, names: Arc<dyn Names>) -> Self {
        self.surroundings.names = names;
        self
    }

    /// The server has this time.
    pub(crate) fn clock(mut self, clock: &Arc<TestClock>) -> Self {
        self.surroundings.clock = Arc::clone(clock) as Arc<dyn Clock>;
        self
    }

    pub(crate) fn path(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    /// Callbacks go elsewhere than to the receiver.
    pub(crate) fn url(self, url: String) -> Self {
        Self { url: Some(url), ..self }
    }

    pub(crate) fn answering(self, answers: impl Fn(&Callback) -> Reply + Send + Sync + 'static) -> Self {
        Self { answers: Box::new(answers), ..self }
    }

    pub(crate) async fn start(self) -> TestApp {
        let receiver = Receiver::start(self.answers).await;
        let url = self.url.unwrap_or_else(|| format!("http://{}{}", receiver.address, self.path));
        let callback = match self.callback.as_str() {
            "" => String::new(),
            callback => format!("[app.callback]\nurl = {url:?}\n{callback}"),
        };
        let (settings, rules, filters) = (self.settings, self.rules, self.filters);
        let toml = format!(
            "{settings}\n[[app]]\nsdkappid = {SDKAPPID}\nkey = {KEY:?}\nadmins = [{ADMIN:?}]\n{rules}{callback}{filters}"
        );
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(CONFIGURATION);
        std::fs::write(&file, toml).unwrap();
        let clock = Arc::clone(&self.surroundings.clock);
        let running = serve(&directory, self.surroundings).await;
        let address = running.address;
        running.import_accounts(SDKAPPID, &PEOPLE.map(|name| (name, name))).await.unwrap();
        TestApp { receiver, address, running, directory, clock }
    }
}

/// Starts a server on a directory that has its configuration.
async fn serve(directory: &TempDir, surroundings: Surroundings) -> Running {
    let flags = Flags {
        config: Some(directory.path().join(CONFIGURATION)),
        data_dir: Some(directory.path().join("data")),
        listen: Some("127.0.0.1:0".parse().unwrap()),
        ..Flags::default()
    };
    app::start(Config::load(&flags).unwrap(), surroundings).await.unwrap()
}

pub(crate) struct TestApp {
    pub(crate) receiver: Receiver,
    pub(crate) address: SocketAddr,
    running: Running,
    directory: TempDir,
    clock: Arc<dyn Clock>,
}

impl TestApp {
    /// Stops the server, which must end everything in order, and hands over its data directory. No callback may be
    /// left that the test has not looked at.
    pub(crate) async fn stop(mut self) -> TempDir {
        assert!(
            within("the end", self.running.stop()).await,
            "something did not end in order; the log says what"
        );
        let refused = TcpStream::connect(self.address).await;
        assert!(refused.is_err(), "the address is free again");
        let unexpected = self.receiver.unexpected();
        assert!(unexpected.is_empty(), "nobody expected {unexpected:?}");
        self.directory
    }

    /// Stops the server, which must end everything in order and so writes down what it has done, and starts it on the
    /// same directory.
    pub(crate) async fn restart(self) -> Self {
        let Self { receiver, running, directory, clock, .. } = self;
        assert!(within("the end", running.stop()).await, "something did not end in order; the log says what");
        let surroundings = Surroundings { clock: Arc::clone(&clock), ..Surroundings::default() };
        let running = serve(&directory, surroundings).await;
        Self { receiver, address: running.address, running, directory, clock }
    }

    /// Changes the configuration while the server runs. Says what is wrong with it, if it is refused.
    pub(crate) async fn redeclare(&self, from: &str, to: &str) -> Result<(), String> {
        let file = self.directory.path().join(CONFIGURATION);
        let before = std::fs::read_to_string(&file).unwrap();
        assert!(before.contains(from), "{before}");
        std::fs::write(&file, before.replace(from, to)).unwrap();
        self.running.reload().await.map_err(|error| error.to_string())
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes, and reads the answer.
    pub(crate) async fn exchange(&self, request: &[u8]) -> Answer {
        let stream = self.connect().await;
        within("an answer", exchange(stream, request)).await
    }

    /// Calls REST with a query of the test's own.
    pub(crate) async fn call(&self, command: &str, query: &str, body: &str) -> String {
        literal(&self.call_exactly(command, query, body).await)
    }

    pub(crate) async fn call_exactly(&self, command: &str, query: &str, body: &str) -> String {
        let request = raw_http::request("POST", &format!("/v4/{command}?{query}"), "", body.as_bytes());
        let answer = self.exchange(&request).await;
        assert_eq!(answer.status, 200, "the status of every API-level outcome: {}", answer.head);
        rest_document::check(command, &answer.body);
        answer.body
    }

    /// Calls REST as it should be called.
    pub(crate) async fn rest(&self, command: &str, body: &str) -> String {
        self.call(command, &self.admin_query(), body).await
    }

    /// Sends a text with REST; `more` are further members, each with a comma in front.
    pub(crate) async fn send(&self, [from, to]: [&str; 2], random: u32, text: &str, more: &str) -> String {
        let body = format!(
            r#"{{"From_Account":"{from}","To_Account":"{to}","MsgRandom":{random},"MsgBody":{}{more}}}"#,
            text_body(text)
        );
        self.rest("openim/sendmsg", &body).await
    }

    /// Sends a text that must be accepted.
    pub(crate) async fn send_ok(&self, between: [&str; 2], random: u32, text: &str) {
        let answer = self.send(between, random, text, "").await;
        assert!(answer.starts_with(OK.trim_end_matches('}')), "{answer}");
    }

    /// The texts that `viewer` has of the conversation, from old to new.
    pub(crate) async fn texts(&self, viewer: &str, peer: &str) -> Vec<String> {
        let answer = self.call_exactly(HISTORY, &self.admin_query(), &all_of(viewer, peer)).await;
        let page: serde_json::Value = serde_json::from_str(&answer).unwrap();
        let messages = page["MsgList"].as_array().unwrap_or_else(|| panic!("{answer}"));
        let text = |message: &serde_json::Value| {
            message["MsgBody"][0]["MsgContent"]["Text"].as_str().map(str::to_owned)
        };
        messages.iter().map(|message| text(message).unwrap_or_default()).collect()
    }

    /// What is answered to whoever asks for all of a conversation.
    pub(crate) async fn history(&self, viewer: &str, peer: &str) -> String {
        self.rest(HISTORY, &all_of(viewer, peer)).await
    }

    /// A connection to the gateway that is not logged in.
    pub(crate) async fn socket(&self) -> Device {
        Device::over(self.connect().await).await
    }

    /// A device that is logged in, and follows from now on.
    pub(crate) async fn device(&self, user: &str) -> Device {
        self.device_with(user, "").await
    }

    /// A device that logs in with further members, each with a comma in front.
    pub(crate) async fn device_with(&self, user: &str, more: &str) -> Device {
        let mut device = self.socket().await;
        device.say(login(user, &self.usersig(user), more)).await;
        device.connected = device.hear_json().await["ok"].clone();
        assert_eq!(device.connected["user_id"], user, "{}", device.connected);
        device
    }

    /// A UserSig that is made now, by the server's clock.
    pub(crate) fn usersig(&self, user: &str) -> String {
        let lifetime = Lifetime { time_s: self.clock.now_ms() / 1000, expire_s: 3_600 };
        signed(SDKAPPID, KEY, user, lifetime)
    }

    /// The query of a call by the admin.
    pub(crate) fn admin_query(&self) -> String {
        query(SDKAPPID, ADMIN, &self.usersig(ADMIN))
    }

    pub(crate) async fn is_unharmed(&self) {
        let ready = self.exchange(&raw_http::request("GET", "/readyz", "", b"")).await;
        assert_eq!((ready.status, ready.body.as_str()), (200, "ready\n"));
        self.send_ok(["ana", "bo"], 77, "still there?").await;
        assert_eq!(self.texts("bo", "ana").await.last().unwrap(), "still there?");
    }
}

fn all_of(viewer: &str, peer: &str) -> String {
    format!(
        r#"{{"Operator_Account":"{viewer}","Peer_Account":"{peer}","MaxCnt":100,"MinTime":0,"MaxTime":4000000000}}"#
    )
}

pub(crate) fn login(user: &str, usersig: &str, more: &str) -> String {
    format!(
        r#"{{"id":1,"op":"connect","sdkappid":{SDKAPPID},"user_id":"{user}","usersig":"{usersig}","platform":"Web"{more}}}"#
    )
}

/// A `MsgBody` of one text.
pub(crate) fn text_body(text: &str) -> String {
    let text = serde_json::Value::from(text);
    format!(r#"[{{"MsgType":"TIMTextElem","MsgContent":{{"Text":{text}}}}}]"#)
}

pub(crate) fn now_s() -> u64 {
    SystemClock.now_ms() / 1000
}

pub(crate) fn usersig(user: &str) -> String {
    signed(SDKAPPID, KEY, user, Lifetime { time_s: now_s(), expire_s: 3_600 })
}

pub(crate) fn signed(sdkappid: u32, key: &str, user: &str, lifetime: Lifetime) -> String {
    usersig::generate(&Secret { sdkappid, key }, user, lifetime, None)
}

pub(crate) fn query(sdkappid: u32, identifier: &str, usersig: &str) -> String {
    format!("sdkappid={sdkappid}&identifier={identifier}&usersig={usersig}&random=99999999&contenttype=json")
}

pub(crate) fn admin_query() -> String {
    query(SDKAPPID, ADMIN, &usersig(ADMIN))
}

/// A send that differs from others by its `MsgRandom` alone, for tests of what surrounds it.
pub(crate) fn plain_send(random: u32) -> String {
    format!(
        r#"{{"From_Account":"ana","To_Account":"bo","MsgSeq":7,"MsgRandom":{random},"MsgBody":{}}}"#,
        text_body("hi")
    )
}

/// What [`plain_send`] is answered, normalised.
pub(crate) fn plain_sent(random: u32) -> String {
    format!(
        r#"{{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","MsgTime":T,"MsgKey":"7_{random}_T","MsgId":"N-T-{random}"}}"#
    )
}
