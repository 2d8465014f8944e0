//! Files through a full disk, a kill, and in a bucket of a service that checks signatures.

use crate::disk_full::{FILE_KIB_MAX, limited};
use crate::place::{self, Place, SDKAPPID};
use crate::process::{Process, Server, awaited};
use crate::rest::Connection;
use crate::signatures::provided;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::Full;
use hyper::{Method, Request};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

/// What refuses for the time being.
const TEMPORARY: u64 = 91_000;

/// Where a user may upload a file.
async fn ticket(server: &Server, kind: &str, size: usize) -> String {
    let (mut socket, _) = connect_async(format!("ws://{}/ws", server.address)).await.unwrap();
    let usersig = place::usersig("ana");
    let login = json!({"id": 1, "op": "connect", "sdkappid": SDKAPPID, "user_id": "ana", "usersig": usersig});
    let asked = json!({"id": 2, "op": "upload", "kind": kind, "size": size, "name": "a"});
    let mut answer = Value::Null;
    for frame in [login, asked] {
        socket.send(Message::text(frame.to_string())).await.unwrap();
        let heard = awaited("an answer", socket.next()).await.unwrap().unwrap();
        answer = serde_json::from_str(heard.to_text().unwrap()).unwrap();
        assert!(answer["ok"].is_object(), "{answer}");
    }
    answer["ok"]["upload_url"].as_str().unwrap().to_owned()
}

async fn post(server: &Server, url: &str, bytes: &Bytes) -> (u16, Value) {
    let request = Request::builder().method(Method::POST).uri(url).body(Full::new(bytes.clone())).unwrap();
    let mut connection = Connection::open(server.address).await.unwrap();
    let (status, body) = awaited("an answer", connection.exchange(request)).await.unwrap();
    (status.as_u16(), serde_json::from_slice(&body).unwrap())
}

async fn upload(server: &Server, kind: &str, bytes: &Bytes) -> (u16, Value) {
    post(server, &ticket(server, kind, bytes.len()).await, bytes).await
}

async fn get(server: &Server, url: &Value, range: &str) -> (u16, Bytes) {
    let path = url.as_str().unwrap().strip_prefix("http://couplet").unwrap();
    let mut request = Request::get(path);
    if !range.is_empty() {
        request = request.header("range", range);
    }
    let mut connection = Connection::open(server.address).await.unwrap();
    let got = connection.exchange(request.body(Full::default()).unwrap());
    let (status, body) = awaited("a file", got).await.unwrap();
    (status.as_u16(), body)
}

fn noise(len: usize) -> Bytes {
    (0..len).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn incoming(place: &Place) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(place.data_dir().join("media/incoming")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn a_full_disk_refuses_an_upload_and_keeps_nothing_of_it() {
    let place = Place::new("", "");
    let server = Server::start(&mut limited(&place.serve())).await;
    let too_much = noise(usize::try_from(FILE_KIB_MAX).unwrap() * 1024 + 1);
    let (status, answer) = upload(&server, "file", &too_much).await;
    assert_eq!((status, answer["error"]["code"].as_u64()), (503, Some(TEMPORARY)));
    assert_eq!(answer["error"]["temporary"], true);
    assert_eq!(incoming(&place), Vec::<PathBuf>::new());
    let little = noise(1_000);
    let (status, answer) = upload(&server, "file", &little).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(get(&server, &answer["Url"], "").await, (200, little));
    server.stop().await;
}

#[tokio::test]
async fn a_kill_keeps_what_was_answered_and_nothing_of_the_rest() {
    let place = Place::new("", "");
    let server = place.start().await;
    let kept = noise(100_000);
    let (_, answer) = upload(&server, "file", &kept).await;
    let url = ticket(&server, "file", 1_000).await;
    let mut half = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST {url} HTTP/1.1\r\nHost: couplet\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n"
    );
    half.write_all(head.as_bytes()).await.unwrap();
    // The server says so when it has made room and waits for the bytes.
    awaited("leave to go on", half.read_u8()).await.unwrap();
    assert_eq!(incoming(&place).len(), 1);
    server.kill();
    assert_eq!(incoming(&place).len(), 1, "nobody was there to remove it");

    let server = place.start().await;
    assert_eq!(incoming(&place), Vec::<PathBuf>::new());
    assert_eq!(get(&server, &answer["Url"], "").await, (200, kept));
    assert_eq!(post(&server, &url, &noise(1_000)).await.0, 200, "its ticket is still good");
    server.stop().await;
}

/// A service with the protocol of S3, and the settings that lead to its bucket.
async fn bucket() -> (Process, String) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/media/s3_service.py");
    let mut python = Command::new(provided("COUPLET_TEST_PYTHON"));
    // It logs every call.
    let mut service = Process::start(python.arg(script).stderr(Stdio::null()));
    let said = service.json_line().await;
    let mut settings = "[media]\nstore = \"s3\"\n[media.s3]\nprefix = \"chat/\"\n".to_owned();
    for key in ["endpoint", "region", "bucket", "access_key", "secret_key"] {
        settings.push_str(&format!("{key} = {}\n", said[key]));
    }
    (service, settings)
}

#[tokio::test]
async fn files_are_kept_in_a_bucket() {
    let (service, settings) = bucket().await;
    let place = Place::new(&settings, "");
    let server = place.start().await;

    let mut image = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(1000, 500).write_to(&mut image, image::ImageFormat::Png).unwrap();
    let image = Bytes::from(image.into_inner());
    let url = ticket(&server, "image", image.len()).await;
    let (status, answer) = post(&server, &url, &image).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(get(&server, &answer["Url"], "").await, (200, image.clone()));
    let (status, small) = get(&server, &answer["Thumbnails"][2]["Url"], "").await;
    assert_eq!((status, small.len() as u64), (200, answer["Thumbnails"][2]["Size"].as_u64().unwrap()));
    let (status, again) = post(&server, &url, &image).await;
    assert_eq!((status, again["error"]["code"].as_u64()), (403, Some(11_014)));

    // More than goes in one piece.
    let large = noise(20_000_000);
    let (status, answer) = upload(&server, "file", &large).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(get(&server, &answer["Url"], "").await, (200, large.clone()));
    let part = get(&server, &answer["Url"], "bytes=9000000-9000009").await;
    assert_eq!(part, (206, large.slice(9_000_000..9_000_010)));
    assert_eq!(get(&server, &answer["Url"], "bytes=20000000-").await.0, 416);
    let missing = json!(format!("http://couplet/media/{SDKAPPID}/{}.bin/a", "0".repeat(32)));
    assert_eq!(get(&server, &missing, "").await.0, 404);
    assert_eq!(incoming(&place), Vec::<PathBuf>::new());

    // The service does look at what it is shown.
    let (others, _) = settings.rsplit_once("secret_key").unwrap();
    let elsewhere = Place::new(&format!("{others}secret_key = \"another\"\n"), "");
    let stranger = elsewhere.start().await;
    let (status, refused) = upload(&stranger, "file", &noise(10)).await;
    assert_eq!((status, refused["error"]["code"].as_u64()), (503, Some(TEMPORARY)));
    stranger.stop().await;

    service.kill();
    let (status, refused) = upload(&server, "file", &noise(10)).await;
    assert_eq!((status, refused["error"]["code"].as_u64()), (503, Some(TEMPORARY)));
    assert_eq!(get(&server, &answer["Url"], "").await.0, 503);
    assert_eq!(incoming(&place), Vec::<PathBuf>::new());
    server.stop().await;
}
