//! The example as a process: what it answers, and what it still knows after it was killed.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use protocol::MsgKey;
use protocol::callback::{
    AfterMsgReport, BeforeSendMsg, CallbackCommand, CallbackQuery, MessageFacts, Sign, StateAction,
    StateChange, WebhookHeaders, WebhookSigner,
};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
const ACCEPTED: &str = r#"200 {"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}"#;

struct Receiver {
    process: Child,
    address: String,
}

impl Receiver {
    /// Starts it through a shell, which may set limits before.
    fn start(file: &Path, limits: &str) -> Receiver {
        let script = format!("{limits} exec \"$0\" \"$@\"");
        let mut process = Command::new("sh")
            .args(["-c", &script, env!("CARGO_BIN_EXE_couplet-example-receiver")])
            .args([
                "--listen",
                "127.0.0.1:0",
                "--sdkappid",
                "7",
                "--token",
                "t",
                "--secret",
                SECRET,
                "--file",
            ])
            .arg(file)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
        let url = ready.trim_end().strip_prefix("ready http://").expect("it says where it listens");
        Receiver { address: url.strip_suffix("/callback").unwrap().to_owned(), process }
    }

    /// Status and body of what it answers.
    fn post(&self, command: CallbackCommand, id: &str, body: &[u8]) -> String {
        let now_s = now_s();
        let query = CallbackQuery {
            sdkappid: 7,
            command,
            client_ip: None,
            platform: None,
            sign: Some(Sign { token: "t", request_time_s: now_s }),
        };
        let signed = WebhookSigner::new(SECRET).unwrap().headers(id, now_s, body);
        let mut connection = TcpStream::connect(&self.address).unwrap();
        write!(
            connection,
            "POST {} HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: {}\r\n{}: {id}\r\n{}: {now_s}\r\n{}: {}\r\n\r\n",
            query.append_to("/callback"),
            body.len(),
            WebhookHeaders::ID,
            WebhookHeaders::TIMESTAMP,
            WebhookHeaders::SIGNATURE,
            signed.signature,
        )
        .unwrap();
        connection.write_all(body).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        format!("{} {body}", head.split(' ').nth(1).unwrap())
    }

    fn login(&self, id: &str) -> String {
        let mut body = Vec::new();
        StateChange { user: "ana", action: StateAction::Login, kicked: &[], event_time_ms: 1 }
            .write(&mut body);
        self.post(CallbackCommand::StateChange, id, &body)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "the process measures against the real time, too")]
fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn kept(file: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(file).unwrap();
    let member = |line: &serde_json::Value, name| line[name].as_str().unwrap().to_owned();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.map(|line| (member(&line, "id"), member(&line, "command"))).collect()
}

fn names(events: &[(&str, &str)]) -> Vec<(String, String)> {
    events.iter().map(|&(id, command)| (id.to_owned(), command.to_owned())).collect()
}

#[test]
fn an_event_is_kept_once_whatever_happens_to_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.jsonl");
    let receiver = Receiver::start(&file, "");
    let mut read = Vec::new();
    AfterMsgReport { reader: "bo", peer: "ana", last_read_s: 7, unread: 0, event_time_ms: 1 }
        .write(&mut read);
    assert_eq!(receiver.login("evt_1"), ACCEPTED);
    assert_eq!(receiver.post(CallbackCommand::C2cAfterMsgReport, "evt_2", &read), ACCEPTED);
    assert_eq!(receiver.login("evt_1"), ACCEPTED);
    drop(receiver);
    let whole = names(&[("evt_1", "State.StateChange"), ("evt_2", "C2C.CallbackAfterMsgReport")]);
    assert_eq!(kept(&file), whole);

    // The process died in the middle of a line, and in the middle of a letter.
    let mut torn = std::fs::OpenOptions::new().append(true).open(&file).unwrap();
    torn.write_all(b"{\"id\":\"evt_3\",\"event\":\"\xc3").unwrap();
    let receiver = Receiver::start(&file, "");
    assert_eq!(kept(&file), whole);
    assert_eq!(receiver.login("evt_1"), ACCEPTED);
    assert_eq!(receiver.login("evt_3"), ACCEPTED);
    assert_eq!(kept(&file), [whole, names(&[("evt_3", "State.StateChange")])].concat());
}

#[test]
fn an_event_that_cannot_be_kept_comes_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.jsonl");
    let full = Receiver::start(&file, "trap '' XFSZ; ulimit -f 0;");
    for _ in 0..2 {
        assert!(full.login("evt_1").starts_with("503 "));
    }
    assert_eq!(kept(&file), []);
    drop(full);
    assert_eq!(Receiver::start(&file, "").login("evt_1"), ACCEPTED);
    assert_eq!(kept(&file), names(&[("evt_1", "State.StateChange")]));
}

#[test]
fn questions_and_strangers() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.jsonl");
    let receiver = Receiver::start(&file, "");
    let ask = |text: &str| {
        let body = format!(r#"[{{"MsgType":"TIMTextElem","MsgContent":{{"Text":"{text}"}}}}]"#);
        let message = MessageFacts {
            from: "ana",
            to: "bo",
            key: MsgKey { seq: 1, random: 2, time_s: 3 },
            msg_id: "",
            online_only: false,
            body: body.as_bytes(),
            custom_data: "",
            event_time_ms: 4,
            has_risk_content: false,
        };
        let mut question = Vec::new();
        BeforeSendMsg { message, operator: None }.write(&mut question);
        receiver.post(CallbackCommand::C2cBeforeSendMsg, "q_1", &question)
    };
    assert_eq!(ask("lunch?"), ACCEPTED);
    let refused = r#"200 {"ActionStatus":"OK","ErrorCode":120001,"ErrorInfo":"This is not said here."}"#;
    assert_eq!(ask("this is forbidden"), refused);
    // The same word, escaped the way some clients write it.
    assert_eq!(ask("this is \\u0066orbidden"), refused);
    let differ = receiver.post(CallbackCommand::StateChange, "evt_1", br#"{"CallbackCommand":"x"}"#);
    assert_eq!(differ, "400 CallbackCommand in the URL is not the one in the body");
    let mut unsigned = TcpStream::connect(&receiver.address).unwrap();
    write!(
        unsigned,
        "POST /callback?SdkAppid=7 HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    unsigned.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert_eq!(kept(&file), []);
}
