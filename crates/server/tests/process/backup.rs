//! `couplet backup`, `restore` and `doctor`, beside a server and without one.

use crate::chance::Chance;
use crate::device::Device;
use crate::history::{self, Histories};
use crate::load::{Load, WhenBroken};
use crate::place::{self, Place, couplet};
use crate::process::{Process, Server};
use crate::rest::{self, Rest, SEND};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use store::backup::{Item, Reader, Writer};

const USERS: usize = 8;
const SENDERS: usize = 12;

fn backup(place: &Place, data_dir: &str, file: &str) -> Command {
    let mut command = couplet();
    command.arg("backup").arg(place.path(file)).arg("--json");
    command.arg("--data-dir").arg(place.path(data_dir));
    command
}

fn restore(place: &Place, file: &str, data_dir: &str) -> Command {
    let mut command = couplet();
    command.arg("restore").arg(place.path(file)).arg("--json");
    command.arg("--data-dir").arg(place.path(data_dir));
    command
}

fn doctor(place: &Place, data_dir: &str) -> Command {
    let mut command = couplet();
    command.arg("doctor").arg("--json").arg("--data-dir").arg(place.path(data_dir));
    command
}

/// `couplet serve` with the settings of the place on another data directory.
fn serve(place: &Place, data_dir: &str) -> Command {
    let mut command = couplet();
    command.arg("serve").arg("--json").arg("--config").arg(place.settings());
    command.arg("--data-dir").arg(place.path(data_dir)).args(["--listen", "127.0.0.1:0"]);
    command
}

/// Runs a command beside whatever else goes on.
async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// What a command says that does what it should.
async fn done(command: Command) -> Value {
    let output = run(command).await;
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a command says that cannot.
async fn refused(command: Command) -> String {
    let output = run(command).await;
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

async fn histories(server: &Server, users: &[String]) -> Histories {
    history::read_all(&mut place::admin(server).await, users).await
}

/// So much that no buffer holds all of it, and nothing that could be compressed.
async fn say_a_lot(admin: &mut Rest, users: &[String], chance: &mut Chance) {
    for random in 0..800 {
        let text: String = (0..500).map(|_| format!("{:016x}", chance.next())).collect();
        let answer = admin.call(SEND, rest::message(&users[0], &users[1], random, &text)).await.unwrap();
        assert_eq!(answer.code, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_is_a_moment_of_it() {
    let mut chance = Chance::of_this_run();
    let place = Place::new("", "");
    let users = place::users(USERS);
    let server = place.start_with(&users).await;
    let mut device = Device::new(&users[0], "phone", server.address).await;
    let load = Load::start((SENDERS, WhenBroken::End), &users, server.address, &mut chance);
    load.more(500 + chance.below(500)).await;
    let before = load.so_far();
    let said = done(backup(&place, "data", "backup")).await;
    assert_eq!(fs::metadata(place.path("backup")).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!place.path("backup.part").exists());
    // Nobody was held up, and the copy goes on no further.
    load.more(300).await;
    let all = load.finish().await;
    device.catch_up(server.address).await;
    let whole = histories(&server, &users).await;
    let examined = done(doctor(&place, "data")).await;
    assert_eq!(examined["findings"], 0, "a server can be asked while it serves");
    server.kill();

    let restored = done(restore(&place, "backup", "restored")).await;
    assert_eq!((&restored["rows"], &restored["tables"]), (&said["rows"], &said["tables"]));
    assert_eq!(done(doctor(&place, "restored")).await, json!({ "findings": 0, "rows": said["rows"] }));
    let server = Server::start(&mut serve(&place, "restored")).await;
    let moment = histories(&server, &users).await;
    // Whatever was acknowledged before is in it; of each conversation, it has the beginning.
    history::check_acknowledged(&before, &moment);
    let mut missing = 0;
    for (pair, messages) in &moment {
        assert!(whole[pair].starts_with(messages), "{pair:?}");
        missing += whole[pair].len() - messages.len();
    }
    assert!(missing >= 300 && all.len() >= before.len() + 300, "{missing} messages came later");

    // A device that has seen the future begins anew, and then has everything that happens.
    device.begin_anew(server.address).await;
    let mut admin = place::admin(&server).await;
    for random in 1..=5 {
        let message = rest::message(&users[1], &users[0], random, "once more");
        assert_eq!(admin.call(SEND, message).await.unwrap().code, 0);
    }
    device.catch_up(server.address).await;
    server.stop().await;
    assert_eq!(done(doctor(&place, "restored")).await["findings"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_server_can_be_copied_as_well() {
    // An app of the directory itself, whose key goes with it.
    let place = Place::empty();
    fs::write(place.settings(), "").unwrap();
    let server = place.start().await;
    let socket = place.data_dir().join("control.sock");
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let online = done(backup(&place, "data", "online")).await;
    server.stop().await;
    assert!(!socket.exists());
    let offline = done(backup(&place, "data", "offline")).await;
    let rows = |said: &Value, table: &str| {
        let tables = said["tables"].as_array().unwrap();
        tables.iter().find(|found| found["table"] == table).unwrap()["rows"].clone()
    };
    assert_eq!(rows(&online, "messages"), rows(&offline, "messages"));
    done(restore(&place, "offline", "restored")).await;
    let apps = |data_dir: &str| fs::read_to_string(place.path(data_dir).join("apps.toml")).unwrap();
    assert_eq!(apps("data"), apps("restored"));
    // One that was killed leaves its socket, at which nobody is.
    place.start().await.kill();
    assert!(socket.exists());
    done(backup(&place, "data", "offline")).await;
    assert_eq!(done(doctor(&place, "data")).await["findings"], 0);
    place.start().await.stop().await;

    // To the standard output, and from the standard input.
    let mut command = couplet();
    command.args(["backup", "-", "--data-dir"]).arg(place.data_dir());
    let streamed = run(command).await;
    assert_eq!(streamed.status.code(), Some(0));
    let mut command = couplet();
    command.args(["restore", "-", "--data-dir"]).arg(place.path("streamed"));
    let mut restoring =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    restoring.stdin.take().unwrap().write_all(&streamed.stdout).unwrap();
    assert_eq!(restoring.wait().unwrap().code(), Some(0));
    assert_eq!(apps("streamed"), apps("data"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_was_broken_off_is_none() {
    let mut chance = Chance::of_this_run();
    let place = Place::new("", "");
    let users = place::users(2);
    let server = place.start_with(&users).await;
    say_a_lot(&mut place::admin(&server).await, &users, &mut chance).await;

    // The copy goes into a pipe that takes nothing more, so it is in the middle whenever it is looked at.
    let start = |file: &str| {
        let part = place.path(&format!("{file}.part"));
        assert!(Command::new("mkfifo").arg(&part).status().unwrap().success());
        let process = Process::start(backup(&place, "data", file).stderr(Stdio::null()));
        let mut pipe = File::open(part).unwrap();
        pipe.read_exact(&mut [0; 4_096]).unwrap();
        (process, pipe)
    };
    let (copying, pipe) = start("killed");
    copying.kill();
    drop(pipe);
    assert!(!place.path("killed").exists());
    // The server has lost nothing, and can be asked again.
    done(backup(&place, "data", "whole")).await;

    let (copying, mut pipe) = start("orphaned");
    server.kill();
    drop(pipe.read_to_end(&mut Vec::new()));
    let (status, _) = copying.ended().await;
    assert_eq!(status.code(), Some(1));
    assert!(!place.path("orphaned").exists() && !place.path("orphaned.part").exists());

    // Of one that does not go into a file, whatever came through is known to be no backup.
    let whole = fs::read(place.path("whole")).unwrap();
    for len in [0, 1, 300, whole.len() / 2, whole.len() - 1] {
        fs::write(place.path("cut"), &whole[..len]).unwrap();
        let words = refused(restore(&place, "cut", "restored")).await;
        assert!(words.starts_with("couplet: "), "{words}");
        assert!(!place.path("restored").exists(), "after {len} bytes");
    }
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 4;
    fs::write(place.path("cut"), damaged).unwrap();
    fs::create_dir(place.path("restored")).unwrap();
    refused(restore(&place, "cut", "restored")).await;
    assert_eq!(fs::read_dir(place.path("restored")).unwrap().count(), 0, "what was empty is empty again");
    done(restore(&place, "whole", "restored")).await;
    let words = refused(restore(&place, "whole", "restored")).await;
    assert!(words.contains("is not empty"), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_that_was_broken_off_is_not_served() {
    let mut chance = Chance::of_this_run();
    let place = Place::new("", "");
    let users = place::users(2);
    let server = place.start_with(&users).await;
    say_a_lot(&mut place::admin(&server).await, &users, &mut chance).await;
    done(backup(&place, "data", "whole")).await;
    server.stop().await;
    let whole = fs::read(place.path("whole")).unwrap();
    // The rest of it does not come. Behind what the pipe holds, all that was written has been read, and more than is
    // needed to begin.
    let mut command = couplet();
    command.args(["restore", "-", "--data-dir"]).arg(place.path("restored"));
    let mut restoring = command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut input = restoring.stdin.take().unwrap();
    input.write_all(&whole[..whole.len() / 2]).unwrap();
    restoring.kill().unwrap();
    restoring.wait().unwrap();
    assert!(place.path("restored").join("store.restoring").exists());
    let words = place.refusal(&mut serve(&place, "restored")).await;
    assert!(words.contains("was not restored to its end"), "{words}");
    let words = refused(restore(&place, "whole", "restored")).await;
    assert!(words.contains("is not empty"), "{words}");
}

/// The backup without one row of a table.
fn without_a_row(whole: &Path, table: &str) -> Vec<u8> {
    let mut reader = Reader::begin(GzDecoder::new(File::open(whole).unwrap())).unwrap();
    let packed = GzEncoder::new(Vec::new(), Compression::fast());
    let mut writer = Writer::begin(packed, reader.header()).unwrap();
    let mut left_out = false;
    let mut here = false;
    loop {
        match reader.item().unwrap() {
            Item::Table(name) => {
                here = name == table;
                writer.table(name).unwrap();
            }
            Item::Row { .. } if here && !left_out => left_out = true,
            Item::Row { key, value } => writer.row(key, value).unwrap(),
            Item::End => break,
        }
    }
    writer.end().unwrap().0.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_says_what_is_wrong_and_where() {
    let place = Place::new("", "");
    let users = place::users(2);
    let server = place.start_with(&users).await;
    let mut admin = place::admin(&server).await;
    for random in 1..=3 {
        let message = rest::message(&users[0], &users[1], random, "hello");
        assert_eq!(admin.call(SEND, message).await.unwrap().code, 0);
    }
    done(backup(&place, "data", "whole")).await;
    server.stop().await;
    fs::write(place.path("damaged"), without_a_row(&place.path("whole"), "messages")).unwrap();
    done(restore(&place, "damaged", "restored")).await;
    let server = Server::start(&mut serve(&place, "restored")).await;
    let beside = run(doctor(&place, "restored")).await;
    server.stop().await;
    let alone = run(doctor(&place, "restored")).await;
    for examined in [&beside, &alone] {
        assert_eq!(examined.status.code(), Some(1));
        let said = String::from_utf8_lossy(&examined.stdout);
        let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let whats: Vec<&str> = lines.iter().filter_map(|line| line["found"]["what"].as_str()).collect();
        let expected = [
            "it says that it has 3 messages, and there are 2",
            "the numbers of its messages have a gap",
            "user01 has 3 unread messages by it, and 2 there",
            "the message that the list of user00 shows does not exist",
            "the message that the list of user01 shows does not exist",
            "the message that it names does not exist",
            "the message that it names does not exist",
        ];
        let mut found = whats.clone();
        found.retain(|what| !expected.contains(what));
        assert!(found.is_empty(), "{whats:?}");
        assert!(whats.contains(&expected[0]) && whats.contains(&expected[2]), "{whats:?}");
        assert_eq!(lines.last().unwrap()["findings"], whats.len());
    }
    let words = refused(doctor(&place, "nowhere")).await;
    assert!(words.contains("there is no store in"), "{words}");
}
