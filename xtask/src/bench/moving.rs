//! Moving in: an export is read into a server, and what backends ask for is asked on the full store and on an empty one.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
    process::Command,
};

use anyhow::{Context, Result, ensure};

use super::{
    clock,
    couplet::{self, AFTER_SEND, App, SDKAPPID, Started},
    http::Connection,
    people::{People, name, scatter},
    report::{Section, figure, latency, p50_ms},
    scenario::{Bench, MIB},
    target,
};

/// Calls of each kind on each store.
const CALLS: u32 = 2_000;
/// What is asked on an empty store is asked of so many accounts without a message.
const STRANGERS: u32 = 1_000;
/// Where the export begins, in Unix seconds: a while ago, so that nothing is in the future.
const FIRST_S: u64 = 1_700_000_000;
const PAUSE_SECS: u64 = 100;
const TEXT: &str = "about as long as people write to one another, on average";

/// What is asked, and how often it is in use.
const QUESTIONS: [(&str, &str); 3] = [
    ("openim/admin_getroammsg", "newest 20 messages of a conversation"),
    ("recentcontact/get_list", "list of conversations"),
    ("openim/get_c2c_unread_msg_num", "unread total"),
];

impl Bench {
    pub(super) fn moving(&self) -> Result<Section> {
        let messages = self.args.store_rows.context("--store-rows says how many messages to move")?;
        // Every account has four partners, and every conversation five messages.
        let people = People { users: (messages / 10).max(16), conversations: (messages / 10).max(32) * 2 };
        let on_empty = self.asked_on_empty()?;
        let dir = target::data_dir()?;
        let export = dir.path().join("export.jsonl");
        let export_len = self.write_export(&export, people, messages)?;
        let server = self.started(dir.path())?;
        let begun_ns = clock::now_ns();
        self.run_import(&export, dir.path(), &server)?;
        let secs = clock::elapsed_ms(begun_ns) / 1e3;
        let usage = server.process.usage()?;
        server.process.stop()?;
        std::fs::remove_file(&export)?;
        let stored = stored_bytes(&dir.path().join("data"))?;

        let server = self.started(dir.path())?;
        let ready_ms = server.ready_ms;
        let on_full = self.ask(&server, people.users, |n| people.pair_of(n))?;
        server.process.kill()?;
        let crashed = self.started(dir.path())?;
        let ready_after_kill_ms = crashed.ready_ms;
        crashed.process.stop()?;

        let lines = f64::from(messages) + f64::from(people.users);
        let mut rows = vec![
            figure("accounts", "", [f64::from(people.users)]),
            figure("messages", "", [f64::from(messages)]),
            figure("conversations", "", [f64::from(people.conversations)]),
            figure("export", "MiB", [export_len as f64 / MIB]),
            figure("imported", "lines/s", [lines / secs]),
            figure("time", "s", [secs]),
            figure("CPU of the server a line", "µs", [usage.cpu_us as f64 / lines]),
            figure("resident at most", "MiB", [usage.rss_kib_max as f64 / 1024.0]),
            figure("on disk a message", "bytes", [stored as f64 / f64::from(messages)]),
            figure("ready after a stop", "ms", [ready_ms]),
            figure("ready after kill -9", "ms", [ready_after_kill_ms]),
        ];
        for (((_, what), full), empty) in QUESTIONS.iter().zip(on_full).zip(on_empty) {
            let ratio = p50_ms(&full) / p50_ms(&empty);
            rows.push(latency(what, full));
            rows.push(latency("  the same on an empty store", empty));
            rows.push(figure("  as a ratio", "", [ratio]));
        }
        Ok(Section { scenario: "moving in".to_owned(), rows })
    }

    fn started(&self, dir: &Path) -> Result<Started> {
        // Imports are told to nobody.
        let callback = ([127, 0, 0, 1], 9).into();
        let app = App { sdkappid: SDKAPPID, callback, events: &[AFTER_SEND], settings: "" };
        couplet::start(&self.programs.server, dir, std::slice::from_ref(&app))
    }

    fn asked_on_empty(&self) -> Result<[Vec<u64>; 3]> {
        let dir = target::data_dir()?;
        let server = self.started(dir.path())?;
        let people = People { users: STRANGERS, conversations: STRANGERS };
        couplet::import(server.listen, SDKAPPID, people, |_| {})?;
        let latencies = self.ask(&server, STRANGERS, |n| people.pair_of(n))?;
        server.process.stop()?;
        Ok(latencies)
    }

    fn write_export(&self, path: &Path, people: People, messages: u32) -> Result<u64> {
        let bar = self.progress.count("moving: writing the export", u64::from(messages));
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        for user in 0..people.users {
            writeln!(out, "{{\"UserID\":\"{}\",\"Nick\":\"Number {user}\"}}", name(user))?;
        }
        // Conversation by conversation, as they are read out of the original.
        let each = (messages / people.conversations).max(1);
        for n in 0..messages {
            let (one, other) = people.pair(n / each % people.conversations);
            let (from, to) = if scatter(u64::from(n)) & 1 << 40 == 0 { (one, other) } else { (other, one) };
            let time_s = FIRST_S + u64::from(n % each) * PAUSE_SECS + u64::from(n / each);
            writeln!(
                out,
                "{{\"From_Account\":\"{}\",\"To_Account\":\"{}\",\"MsgSeq\":{n},\"MsgRandom\":{n},\
                 \"MsgTimeStamp\":{time_s},\"MsgFlagBits\":0,\"IsPeerRead\":0,\"MsgKey\":\"{n}_{n}_{time_s}\",\
                 \"MsgBody\":[{{\"MsgType\":\"TIMTextElem\",\"MsgContent\":{{\"Text\":\"{TEXT}\"}}}}],\
                 \"CloudCustomData\":\"\"}}",
                name(from),
                name(to)
            )?;
            if n % 10_000 == 0 {
                bar.set_position(u64::from(n));
            }
        }
        out.flush()?;
        Ok(std::fs::metadata(path)?.len())
    }

    fn run_import(&self, export: &Path, dir: &Path, server: &Started) -> Result<()> {
        let _bar = self.progress.busy("moving: importing");
        let status = Command::new(&self.programs.server)
            .args(["import", "--json", "--url"])
            .arg(format!("http://{}", server.listen))
            .arg("--config")
            .arg(dir.join("couplet.toml"))
            .arg(export)
            .status()?;
        ensure!(status.success(), "the import ended with {status}");
        Ok(())
    }

    /// The latencies of every question, in nanoseconds, one call after the other.
    fn ask(
        &self,
        server: &Started,
        users: u32,
        pair_of: impl Fn(u32) -> (u32, u32),
    ) -> Result<[Vec<u64>; 3]> {
        let mut connection = Connection::open(server.listen)?;
        let mut latencies: [Vec<u64>; 3] = Default::default();
        for (command, latencies_ns) in QUESTIONS.iter().map(|(command, _)| command).zip(&mut latencies) {
            let path = couplet::path(SDKAPPID, command);
            for n in 0..CALLS {
                let n = scatter(u64::from(n)) as u32;
                let (user, peer) = pair_of(n);
                let (user, peer) = (name(user % users), name(peer));
                let body = match *command {
                    "openim/admin_getroammsg" => format!(
                        "{{\"Operator_Account\":\"{user}\",\"Peer_Account\":\"{peer}\",\"MaxCnt\":20,\
                         \"MinTime\":0,\"MaxTime\":4000000000}}"
                    ),
                    "recentcontact/get_list" => format!(
                        "{{\"From_Account\":\"{user}\",\"TimeStamp\":0,\"StartIndex\":0,\"TopTimeStamp\":0,\
                         \"TopStartIndex\":0,\"AssistFlags\":15}}"
                    ),
                    _ => format!("{{\"To_Account\":\"{user}\"}}"),
                };
                let asked_ns = clock::now_ns();
                connection.post(&path, &body)?;
                latencies_ns.push(clock::now_ns() - asked_ns);
            }
        }
        Ok(latencies)
    }
}

/// What lies in a directory and below.
fn stored_bytes(dir: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        bytes +=
            if entry.file_type()?.is_dir() { stored_bytes(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}
