//! The receivers of the guide on callbacks, as they stand there: run as it says, told by a real server, and lied to.

use crate::chance::Chance;
use crate::load::{Load, WhenBroken};
use crate::place::{self, Place, SDKAPPID};
use crate::process::{Process, Server};
use crate::rest;
use chat::port::Clock;
use protocol::callback::{
    AfterMsgReport, CallbackCommand, CallbackQuery, Sign, WebhookHeaders, WebhookSigner,
};
use serde_json::Value;
use std::collections::HashSet;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const GUIDE: &str = include_str!("../../../../docs/guides/callbacks.md");
const EXAMPLE: &str = include_str!("../../../../examples/receiver/src/main.rs");
/// The port of every receiver in the guide.
const PORT: &str = "18090";
/// What the receivers of the guide accept besides the secret of its settings.
const NEXT_SECRET: &str = "whsec_c29tZSBmcmVzaCByYW5kb20gYnl0ZXM=";
const STRANGER: &str = "whsec_bm9ib2R5IGtub3dzIG1l";

/// A part of the guide, by its heading.
struct Section(&'static str);

impl Section {
    fn of(heading: &str) -> Self {
        let mut sections = GUIDE.split("\n## ");
        let found = sections.find_map(|section| section.strip_prefix(heading)?.strip_prefix('\n'));
        Self(found.unwrap_or_else(|| panic!("the guide has no part {heading}")))
    }

    /// Its only block in this language.
    fn block(&self, language: &str) -> &'static str {
        let begin = format!("```{language}\n");
        let mut blocks = self.0.split(&begin).skip(1);
        let block = blocks.next().unwrap_or_else(|| panic!("no block of {language}"));
        assert!(blocks.next().is_none(), "more than one block of {language}");
        block.split_once("```").unwrap().0
    }
}

/// A receiver that was started as the guide says.
struct Receiver {
    process: Process,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Receiver {
    /// Puts the program of a section into a file, and runs the commands of the section.
    async fn start(heading: &str, language: &str, file: &str) -> Self {
        let section = Section::of(heading);
        let folder = tempfile::tempdir().unwrap();
        let address = free_address();
        let (code, code_ports) = with_port(section.block(language), address);
        let (commands, command_ports) = with_port(section.block("sh"), address);
        assert_eq!(code_ports + command_ports, 1, "{heading}: the port stands in one place");
        fs::write(folder.path().join(file), code).unwrap();
        let mut commands: Vec<&str> = commands.lines().collect();
        let last = commands.pop().unwrap();
        for command in commands {
            assert!(shell(command, folder.path()).status().unwrap().success(), "{command}");
        }
        // Ignored signals are inherited: without this one, a write beyond the limit would end it before it can answer.
        let run = format!("trap '' XFSZ; exec {last} 2>&1");
        let mut process = Process::start(&mut shell(&run, folder.path()));
        // PHP says in its own words that it listens.
        until(&mut process, |line| line == "ready" || line.ends_with(") started")).await;
        Self { process, address, _folder: folder }
    }

    /// The next event that it has kept: its callback and its id.
    async fn kept(&mut self) -> (String, String) {
        // PHP also prints a line of its own about every request.
        let names = |line: &str| CallbackCommand::ALL.iter().any(|name| line.starts_with(name.as_str()));
        let line = until(&mut self.process, names).await;
        let (command, id) = line.split_once(' ').unwrap_or_else(|| panic!("{line}"));
        (command.to_owned(), id.to_owned())
    }

    /// How large its files may become. Nothing can be kept with 0.
    fn limit_files(&self, bytes: &str) {
        let pid = self.process.id().to_string();
        let limit = format!("--fsize={bytes}:unlimited");
        assert!(Command::new("prlimit").args(["--pid", &pid, &limit]).status().unwrap().success());
    }
}

async fn until(process: &mut Process, fits: impl Fn(&str) -> bool) -> String {
    let mut seen = Vec::new();
    loop {
        let Some(line) = process.line().await else { panic!("it ended: {}", seen.join("\n")) };
        if fits(&line) {
            return line;
        }
        seen.push(line);
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// The text with a port that is free, and how often it was put in.
fn with_port(text: &str, address: SocketAddr) -> (String, usize) {
    (text.replace(PORT, &address.port().to_string()), text.matches(PORT).count())
}

/// A command as one types it, with nothing from outside but the machine's own programs.
fn shell(command: &str, folder: &Path) -> Command {
    let caches = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(folder).stdin(Stdio::null());
    shell.env("GOCACHE", caches.join("go-build")).env("GOPATH", caches.join("go"));
    shell.env("GOPROXY", "off").env("GOTOOLCHAIN", "local").env("GOFLAGS", "");
    shell
}

fn is_installed(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
    found.status.success()
}

/// Whether to go on. `cargo xtask test` installs what is missing, where it may.
fn has_runtime(program: &str) -> bool {
    let is_installed = is_installed(program);
    if !is_installed {
        eprintln!("{program} is not on the PATH: its receiver in the guide was not run");
    }
    is_installed
}

/// The secrets in the guide's own settings.
struct Secrets {
    token: String,
    signing: String,
}

/// The guide's settings for this receiver.
fn settings(address: SocketAddr) -> (String, Secrets) {
    let block = Section::of("Set it up").block("toml");
    let (settings, ports) = with_port(block, address);
    assert_eq!(ports, 1);
    let table: toml::Table = block.parse().unwrap();
    let text = |key: &str| table["app"]["callback"][key].as_str().unwrap().to_owned();
    (settings, Secrets { token: text("token"), signing: text("signing_secret") })
}

/// One POST, made by hand.
struct Post<'a> {
    id: &'a str,
    sdkappid: u32,
    token: &'a str,
    age_secs: u64,
    signer: Option<WebhookSigner>,
    /// What is sent in place of the body that was signed.
    instead: Option<&'a str>,
}

impl Post<'_> {
    /// The status that it is answered with.
    async fn send(&self, address: SocketAddr) -> u16 {
        let mut body = Vec::new();
        AfterMsgReport { reader: "bo", peer: "ana", last_read_s: 7, unread: 0, event_time_ms: 7_001 }
            .write(&mut body);
        let time_s = server::clock::SystemClock.now_ms() / 1000 - self.age_secs;
        let query = CallbackQuery {
            sdkappid: self.sdkappid,
            command: CallbackCommand::C2cAfterMsgReport,
            client_ip: None,
            platform: None,
            sign: Some(Sign { token: self.token, request_time_s: time_s }),
        };
        let signature = self.signer.as_ref().map(|signer| signer.headers(self.id, time_s, &body).signature);
        if let Some(instead) = self.instead {
            body = instead.into();
        }
        let mut head = format!("POST {} HTTP/1.1\r\nhost: h\r\n", query.append_to("/callback"));
        head += &format!("content-length: {}\r\nconnection: close\r\n", body.len());
        head +=
            &format!("{}: {}\r\n{}: {time_s}\r\n", WebhookHeaders::ID, self.id, WebhookHeaders::TIMESTAMP);
        if let Some(signature) = signature {
            head += &format!("{}: {signature}\r\n", WebhookHeaders::SIGNATURE);
        }
        let mut connection = TcpStream::connect(address).await.unwrap();
        connection.write_all(&[head.as_bytes(), b"\r\n", &body].concat()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        let status = answer.split(' ').nth(1).unwrap_or_else(|| panic!("no answer: {answer:?}"));
        if status == "200" {
            let (_, body) = answer.split_once("\r\n\r\n").unwrap();
            let body: Value = serde_json::from_str(body.trim()).unwrap();
            assert_eq!(body["ErrorCode"], 0, "{answer}");
        }
        status.parse().unwrap()
    }
}

/// What a forger, a clock that is wrong, and a change of secrets come to: the statuses, in order.
async fn lie_to(address: SocketAddr, secrets: &Secrets) -> [u16; 9] {
    let signer = |secret: &str| Some(WebhookSigner::new(secret).unwrap());
    let genuine = || Post {
        id: "evt_by_hand_1",
        sdkappid: SDKAPPID,
        token: &secrets.token,
        age_secs: 0,
        signer: signer(&secrets.signing),
        instead: None,
    };
    let other = r#"{"CallbackCommand":"C2C.CallbackAfterMsgReport","Report_Account":"eve"}"#;
    let rotating = |current: &str, previous: &str| WebhookSigner::rotating(current, previous).ok();
    let posts = [
        genuine(),
        genuine(),
        Post { id: "evt_by_hand_2", signer: rotating(STRANGER, &secrets.signing), ..genuine() },
        Post { id: "evt_forged", token: "another token", ..genuine() },
        Post { id: "evt_forged", instead: Some(other), ..genuine() },
        Post { id: "evt_forged", signer: signer(STRANGER), ..genuine() },
        Post { id: "evt_forged", signer: None, ..genuine() },
        Post { id: "evt_forged", sdkappid: 7, ..genuine() },
        Post { id: "evt_old", age_secs: 3600, ..genuine() },
    ];
    let mut statuses = [0; 9];
    for (post, status) in posts.iter().zip(&mut statuses) {
        *status = post.send(address).await;
    }
    statuses
}

const LIED_TO: [u16; 9] = [200, 200, 200, 403, 403, 403, 403, 403, 403];

/// Sends a text from ana to bo, and returns the answer.
async fn send(admin: &mut rest::Rest, random: u32, text: &str) -> Value {
    admin.call(rest::SEND, rest::message("ana", "bo", random, text)).await.unwrap().body
}

/// The answer to the sender of a refused message, as the guide shows it.
fn refusal() -> Value {
    serde_json::from_str(Section::of("What a receiver does").block("json")).unwrap()
}

async fn works(mut receiver: Receiver) {
    let (settings, secrets) = settings(receiver.address);
    let place = Place::new("", settings.strip_prefix("[app.callback]\n").unwrap());
    assert_eq!(walked(&place), [] as [Value; 0], "nothing is to be said against it");
    assert_eq!(receiver.kept().await.0, "C2C.CallbackAfterSendMsg");

    let server = place.start_with(&["ana".to_owned(), "bo".to_owned()]).await;
    let mut admin = place::admin(&server).await;
    assert_eq!(send(&mut admin, 1, "lunch?").await["ErrorCode"], 0);
    let (command, id) = receiver.kept().await;
    assert_eq!(command, "C2C.CallbackAfterSendMsg");
    assert!(id.starts_with(&format!("evt_{SDKAPPID}_0_")), "{id}");
    assert_eq!(send(&mut admin, 2, "the password is hunter2").await, refusal());

    assert_eq!(lie_to(receiver.address, &secrets).await, LIED_TO);
    let kept = |id: &str| ("C2C.CallbackAfterMsgReport".to_owned(), id.to_owned());
    assert_eq!(receiver.kept().await, kept("evt_by_hand_1"));
    // The second time it is no news.
    assert_eq!(receiver.kept().await, kept("evt_by_hand_2"));

    let mut post = Post {
        id: "evt_by_hand_3",
        sdkappid: SDKAPPID,
        token: &secrets.token,
        age_secs: 0,
        signer: WebhookSigner::new(NEXT_SECRET).ok(),
        instead: None,
    };
    receiver.limit_files("0");
    assert_eq!(post.send(receiver.address).await, 503, "what cannot be kept comes again");
    receiver.limit_files("unlimited");
    assert_eq!(post.send(receiver.address).await, 200);
    assert_eq!(receiver.kept().await, kept("evt_by_hand_3"));
    post.id = "evt_by_hand_1";
    assert_eq!(post.send(receiver.address).await, 200);

    keeps_up(&mut receiver, &server).await;
    server.stop().await;
}

/// What `couplet callback test` finds wanting in the receiver of these settings.
fn walked(place: &Place) -> Vec<Value> {
    let mut test = place::couplet();
    let test = test.args(["callback", "test", "--json", "--config"]).arg(place.settings());
    let mut report: Value = serde_json::from_slice(&test.output().unwrap().stdout).unwrap();
    let Value::Array(steps) = report["steps"].take() else { panic!("no steps in {report}") };
    assert!(!steps.is_empty());
    steps.into_iter().filter(|step| step["result"] != "ok").collect()
}

/// Many messages side by side: each is asked about, and kept once.
async fn keeps_up(receiver: &mut Receiver, server: &Server) {
    const MESSAGES: usize = 200;
    let users = place::users(8);
    rest::import(&mut place::admin(server).await, &users).await;
    let load = Load::start((8, WhenBroken::End), &users, server.address, &mut Chance::of_this_run());
    load.more(MESSAGES).await;
    let acknowledged = load.finish().await;
    let mut ids = HashSet::new();
    for _ in &acknowledged {
        let (_, id) = receiver.kept().await;
        assert!(ids.insert(id), "an event is new once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_receiver_in_python() {
    works(Receiver::start("In Python", "python", "receiver.py").await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_receiver_in_node() {
    works(Receiver::start("In Node", "js", "receiver.mjs").await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_receiver_in_go() {
    if has_runtime("go") {
        works(Receiver::start("In Go", "go", "receiver.go").await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_receiver_in_php() {
    if has_runtime("php") {
        works(Receiver::start("In PHP", "php", "receiver.php").await).await;
    }
}

/// The example, built like any other part of the workspace.
fn example() -> PathBuf {
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--package", "couplet-example-receiver"]);
    // Cargo describes this package to its tests. Passed on, that would make build scripts run again and again.
    for (name, _) in std::env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|ours| name.to_string_lossy().starts_with(ours)) {
            build.env_remove(name);
        }
    }
    assert!(build.status().unwrap().success());
    Path::new(env!("CARGO_BIN_EXE_couplet")).with_file_name("couplet-example-receiver")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_receiver_in_rust() {
    let section = Section::of("In Rust");
    assert!(EXAMPLE.contains(section.block("rust")), "the guide shows the example as it is");
    let folder = tempfile::tempdir().unwrap();
    let (_, arguments) = section.block("sh").split_once(" -- ").unwrap();
    let mut run = Command::new(example());
    run.args(arguments.split_whitespace()).args(["--listen", "127.0.0.1:0"]).current_dir(folder.path());
    let mut receiver = Process::start(&mut run);
    let ready = receiver.line().await.unwrap();
    let url = ready.strip_prefix("ready ").unwrap();

    // It says nothing of what it keeps, so it is told through a receiver that does.
    let mut listen = place::couplet();
    let mut listen =
        Process::start(listen.args(["listen", "--json", "--listen", "127.0.0.1:0", "--forward-to", url]));
    let listening = listen.json_line().await;
    let listening = listening["ready"]["url"].as_str().unwrap().strip_prefix("http://").unwrap();
    let (settings, secrets) = settings(listening.strip_suffix("/callback").unwrap().parse().unwrap());
    let place = Place::new("", settings.strip_prefix("[app.callback]\n").unwrap());
    let server = place.start_with(&["ana".to_owned(), "bo".to_owned()]).await;
    let mut admin = place::admin(&server).await;
    assert_eq!(send(&mut admin, 1, "lunch?").await["ErrorCode"], 0);
    assert_eq!(send(&mut admin, 2, "the password is hunter2").await["ErrorCode"], refusal()["ErrorCode"]);
    let told = loop {
        let id = listen.json_line().await["event_id"].as_str().unwrap().to_owned();
        if id.starts_with("evt_") {
            break id;
        }
    };
    // Callbacks that are under way are answered first.
    server.stop().await;

    let address = url.strip_prefix("http://").unwrap().strip_suffix("/callback").unwrap().parse().unwrap();
    assert_eq!(lie_to(address, &secrets).await, LIED_TO);
    let kept = fs::read_to_string(folder.path().join("events.jsonl")).unwrap();
    let ids: Vec<Value> =
        kept.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].take()).collect();
    assert_eq!(ids, [told.as_str(), "evt_by_hand_1", "evt_by_hand_2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_pulled() {
    let section = Section::of("Pull instead");
    let folder = tempfile::tempdir().unwrap();
    let mut serve = place::couplet();
    let serve = serve.args(["serve", "--json", "--listen", "127.0.0.1:0"]).current_dir(folder.path());
    let server = Server::start(serve).await;
    let programs = Path::new(env!("CARGO_BIN_EXE_couplet")).parent().unwrap().display().to_string();
    // As it is called there, in a folder that a first start has made its data in.
    let here = |command: &str| {
        let command = format!("PATH={programs}:$PATH; {command}");
        shell(&command.replace("127.0.0.1:8080", &server.address.to_string()), folder.path())
    };
    let trigger = "couplet trigger C2C.CallbackAfterSendMsg --json --url http://127.0.0.1:8080";
    let triggered = || {
        let made = here(trigger).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        serde_json::from_slice::<Value>(&made.stdout).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let first = triggered();
    if has_runtime("curl") {
        let pulled = here(section.block("sh")).output().unwrap();
        let page: Value = serde_json::from_slice(&pulled.stdout).unwrap();
        assert_eq!(page["events"][0]["id"], *first);
    }
    let code = section.block("python").replace("127.0.0.1:8080", &server.address.to_string());
    fs::write(folder.path().join("pull.py"), code).unwrap();
    let pull = "TOKEN=$(couplet usersig administrator) exec python3 pull.py";
    let line = |id: &str| Some(format!("C2C.CallbackAfterSendMsg {id}"));
    let mut puller = Process::start(&mut here(pull));
    assert_eq!(puller.line().await, line(&first));
    let second = triggered();
    assert_eq!(puller.line().await, line(&second));
    // One page later, this position is kept.
    let third = triggered();
    assert_eq!(puller.line().await, line(&third));
    puller.kill();
    let mut puller = Process::start(&mut here(pull));
    let fourth = triggered();
    let mut next = puller.line().await;
    if next == line(&third) {
        next = puller.line().await;
    }
    assert_eq!(next, line(&fourth), "it goes on where it was");
    puller.kill();
    server.stop().await;
}
