//! Files: who may upload what, and how they are served.

use crate::app::{Setup, TestApp, TestClock, within};
use crate::device::Device;
use crate::media_call::{ask, exchange, get, path, post, ticket, upload, uploaded};
use crate::raw_http;
use serde_json::{Value, json};
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const VIDEO: &[u8] = b"\x00\x00\x00\x18ftypisom and then what a player understands";
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz";

/// The code that an `upload` is refused with.
fn code(answer: &Value) -> u64 {
    answer["error"]["code"].as_u64().unwrap_or_else(|| panic!("no refusal: {answer}"))
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    found
}

/// Stops the server: nothing of an unfinished upload may be left. Says which files are kept.
async fn kept(app: TestApp) -> Vec<String> {
    let directory = app.stop().await;
    let media = directory.path().join("data/media");
    assert_eq!(files(&media.join("incoming")), [""; 0]);
    assert_eq!(std::fs::read_dir(media.join("incoming")).unwrap().count(), 0);
    files(&media.join("files"))
}

#[tokio::test]
async fn each_kind_is_taken_and_served_as_what_it_is() {
    let app = Setup::default().start().await;
    let mut ana = app.device("ana").await;
    let page = b"<!DOCTYPE html><script>alert(1)</script>".as_slice();
    let table = [
        ("video", "clip.mp4", VIDEO, "mp4", "video/mp4", "inline; filename*=UTF-8''clip.mp4"),
        ("sound", "note.m4a", VIDEO, "m4a", "audio/mp4", "inline; filename*=UTF-8''note.m4a"),
        ("sound", "", b"#!AMR\n1234567890", "amr", "audio/amr", "inline; filename*=UTF-8''file"),
        (
            "file",
            "../x/page: 用.html",
            page,
            "bin",
            "application/octet-stream",
            "attachment; filename*=UTF-8''page%3A%20%E7%94%A8.html",
        ),
        ("file", "1.txt", b"1", "bin", "application/octet-stream", "attachment; filename*=UTF-8''1.txt"),
    ];
    for (kind, name, bytes, format, media_type, disposition) in table {
        let answer = uploaded(&app, &mut ana, (kind, name), bytes).await;
        let expected =
            json!({"UUID": answer["UUID"], "Url": answer["Url"], "Size": bytes.len(), "Format": format});
        assert_eq!(answer, expected);
        let fetched = get(&app, answer["Url"].as_str().unwrap(), "").await;
        assert_eq!((fetched.status, fetched.body.as_slice()), (200, bytes));
        assert_eq!(fetched.header("content-type"), media_type);
        assert_eq!(fetched.header("content-disposition"), disposition);
        assert_eq!(fetched.header("content-length"), bytes.len().to_string());
        assert_eq!(fetched.header("x-content-type-options"), "nosniff");
        assert!(fetched.header("content-security-policy").starts_with("sandbox; default-src 'none'"));
        assert_eq!(fetched.header("access-control-allow-origin"), "*");
        assert_eq!(fetched.header("cross-origin-resource-policy"), "cross-origin");
        assert_eq!(fetched.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(fetched.header("set-cookie"), "");
    }
    let mut kept = kept(app).await;
    kept.sort();
    assert_eq!(kept, ["original.amr", "original.bin", "original.bin", "original.m4a", "original.mp4"]);
}

#[tokio::test]
async fn parts_of_a_file() {
    let app = Setup::default().start().await;
    let mut ana = app.device("ana").await;
    let answer = uploaded(&app, &mut ana, ("file", "a.txt"), LETTERS).await;
    let url = answer["Url"].as_str().unwrap();
    let tag = format!("\"{}\"", answer["UUID"].as_str().unwrap());
    let table = [
        ("Range: bytes=2-4\r\n", 206, "cde", "bytes 2-4/26"),
        ("Range: bytes=23-\r\n", 206, "xyz", "bytes 23-25/26"),
        ("Range: bytes=-2\r\n", 206, "yz", "bytes 24-25/26"),
        ("Range: bytes=26-\r\n", 416, "", "bytes */26"),
        ("Range: bytes=0-1,3-4\r\n", 200, "abcdefghijklmnopqrstuvwxyz", ""),
        ("Range: bytes=2-4\r\nIf-Range: \"other\"\r\n", 200, "abcdefghijklmnopqrstuvwxyz", ""),
        (&format!("Range: bytes=2-4\r\nIf-Range: {tag}\r\n"), 206, "cde", "bytes 2-4/26"),
        (&format!("If-None-Match: \"x\", W/{tag}\r\n"), 304, "", ""),
        ("If-None-Match: *\r\n", 304, "", ""),
        ("If-None-Match: \"x\"\r\n", 200, "abcdefghijklmnopqrstuvwxyz", ""),
    ];
    for (headers, status, body, content_range) in table {
        let fetched = get(&app, url, headers).await;
        assert_eq!((fetched.status, fetched.body.as_slice()), (status, body.as_bytes()), "{headers}");
        assert_eq!(fetched.header("content-range"), content_range, "{headers}");
        assert_eq!(fetched.header("etag"), tag, "{headers}");
        assert_eq!(fetched.header("accept-ranges"), "bytes");
    }
    let head = exchange(&app, &raw_http::request("HEAD", path(url), "", b"")).await;
    assert_eq!((head.status, head.body.as_slice(), head.header("content-length")), (200, &b""[..], "26"));
    let asked = exchange(&app, &raw_http::request("OPTIONS", path(url), "Origin: https://a\r\n", b"")).await;
    assert_eq!((asked.status, asked.header("access-control-allow-methods")), (204, "GET, HEAD"));
    let deleted = exchange(&app, &raw_http::request("DELETE", path(url), "", b"")).await;
    assert_eq!((deleted.status, deleted.header("allow")), (405, "GET, HEAD, OPTIONS"));
    app.stop().await;
}

#[tokio::test]
async fn a_large_file_comes_back_whole() {
    let app = Setup::default().start().await;
    let mut ana = app.device("ana").await;
    let bytes: Vec<u8> = (0..3_000_001_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let answer = uploaded(&app, &mut ana, ("file", "large"), &bytes).await;
    let url = answer["Url"].as_str().unwrap();
    assert!(get(&app, url, "").await.body == bytes);
    let part = get(&app, url, "Range: bytes=1000000-2000000\r\n").await;
    assert!(part.body == bytes[1_000_000..=2_000_000]);
    app.stop().await;
}

#[tokio::test]
async fn an_upload_is_asked_for_and_refused_early() {
    let settings = "[media]\nimage_bytes_max = 100\nimage_types = [\"png\"]\nsound_types = []\n";
    let app = Setup::default().settings(settings).start().await;
    let mut ana = app.device("ana").await;
    ana.say(r#"{"id":2,"op":"upload","kind":"image","size":100,"name":"a.png","type":"image/png"}"#).await;
    let answer = ana.hear_json().await;
    assert!(answer["ok"]["upload_url"].as_str().unwrap().starts_with("/media/upload?token="), "{answer}");
    let table = [
        (r#""kind":"image","size":101"#, 11011),
        (r#""kind":"image","size":9007199254740993"#, 11011),
        (r#""kind":"image","size":10,"type":"image/jpeg""#, 11012),
        (r#""kind":"image","size":10,"type":"image/svg+xml""#, 11012),
        (r#""kind":"image","size":10,"type":"text/html""#, 11012),
        (r#""kind":"sound","size":10,"type":"audio/mpeg""#, 11012),
        (r#""kind":"image","size":0"#, 11002),
        (r#""kind":"song","size":10"#, 11002),
    ];
    for (members, expected) in table {
        ana.say(format!(r#"{{"id":3,"op":"upload",{members}}}"#)).await;
        assert_eq!(code(&ana.hear_json().await), expected, "{members}");
    }
    // Whatever is said of a file, it is only downloaded.
    ana.say(r#"{"id":4,"op":"upload","kind":"file","size":10,"type":"image/svg+xml"}"#).await;
    assert!(ana.hear_json().await["ok"].is_object());
    app.stop().await;

    let app = Setup::default().settings("[media]\nenabled = false\n").start().await;
    let mut ana = app.device("ana").await;
    assert_eq!(code(&ask(&mut ana, "file", 1, "a").await), 11010);
    let posted = post(&app, "/media/upload?token=t", b"1").await;
    assert_ne!(posted.status, 403, "there is no such address");
    app.stop().await;
}

#[tokio::test]
async fn types_are_judged_by_the_bytes() {
    let app = Setup::default().start().await;
    let mut ana = app.device("ana").await;
    let table: [(&str, &[u8]); 8] = [
        ("image", b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>"),
        ("image", b"<!DOCTYPE html><script>alert(1)</script>"),
        ("image", VIDEO),
        ("image", b"x"),
        ("sound", b"\x89PNG\r\n\x1a\nand so on and so on"),
        ("sound", b"%PDF-1.7 and so on and so on"),
        ("video", b"\xff\xd8\xff\xe0 and so on and so on"),
        ("video", b"<html>"),
    ];
    for (kind, bytes) in table {
        let fetched = upload(&app, &mut ana, (kind, "a.png"), bytes).await;
        assert_eq!(fetched.refusal(), (415, 11012), "{kind} {}", String::from_utf8_lossy(bytes));
        assert_eq!(fetched.header("access-control-allow-origin"), "*", "a page can read why");
    }
    assert_eq!(kept(app).await, [""; 0]);
}

#[tokio::test]
async fn the_size_is_what_was_said() {
    let app = Setup::default().start().await;
    let mut ana = app.device("ana").await;
    for (bytes, expected) in [(&LETTERS[..25], (400, 11016)), (&[LETTERS, b"!"].concat(), (413, 11011))] {
        let url = ticket(&mut ana, "file", LETTERS.len(), "a").await;
        assert_eq!(post(&app, &url, bytes).await.refusal(), expected, "with its length");
        let halves = std::str::from_utf8(bytes).unwrap().split_at(13);
        let chunked = raw_http::chunked("POST", &url, "", &[halves.0, halves.1]);
        assert_eq!(exchange(&app, &chunked).await.refusal(), expected, "in chunks");
    }
    let url = ticket(&mut ana, "file", LETTERS.len(), "a").await;
    let chunked = raw_http::chunked("POST", &url, "", &["abcdefghijklm", "nopqrstuvwxyz"]);
    let answer = exchange(&app, &chunked).await;
    assert_eq!((answer.status, &answer.json()["Size"]), (200, &json!(26)));
    // Much more than was said, of which the server does not wait for the end.
    let url = ticket(&mut ana, "file", 10, "a").await;
    assert_eq!(post(&app, &url, &vec![b'x'; 4_000_000]).await.refusal(), (413, 11011));
    assert_eq!(kept(app).await, ["original.bin"]);
}

#[tokio::test]
async fn a_ticket_is_good_for_one_upload_in_ten_minutes() {
    let clock = TestClock::new();
    let app = Setup::default().clock(&clock).start().await;
    let mut ana = app.device("ana").await;
    let answer = ask(&mut ana, "file", 26, "a").await;
    assert_eq!(answer["ok"]["expires"], clock.now_s() + 600);
    let url = answer["ok"]["upload_url"].as_str().unwrap();
    for forged in ["/media/upload", "/media/upload?token=", "/media/upload?token=AAAA", &url[..url.len() - 1]]
    {
        assert_eq!(post(&app, forged, LETTERS).await.refusal(), (403, 11014), "{forged}");
    }
    let asked = exchange(&app, &raw_http::request("OPTIONS", url, "Origin: https://a\r\n", b"")).await;
    assert_eq!((asked.status, asked.header("access-control-allow-methods")), (204, "POST"));
    let read = exchange(&app, &raw_http::request("GET", url, "", b"")).await;
    assert_eq!((read.status, read.header("allow")), (405, "POST, OPTIONS"));

    clock.advance_secs(599);
    assert_eq!(post(&app, url, LETTERS).await.status, 200);
    assert_eq!(post(&app, url, LETTERS).await.refusal(), (403, 11014), "a file never changes");
    let other = ticket(&mut ana, "file", 26, "a").await;
    clock.advance_secs(600);
    assert_eq!(post(&app, &other, LETTERS).await.refusal(), (403, 11014), "too late");
    assert_eq!(kept(app).await, ["original.bin"]);
}

/// Begins an upload, and returns when the server waits for the rest.
async fn begun(app: &TestApp, device: &mut Device) -> tokio::net::TcpStream {
    let url = ticket(device, "file", LETTERS.len(), "a").await;
    let mut stream = app.connect().await;
    let head = raw_http::request("POST", &url, "Expect: 100-continue\r\n", LETTERS);
    stream.write_all(&head[..head.len() - LETTERS.len()]).await.unwrap();
    let mut said = [0; 25];
    within("leave to go on", stream.read_exact(&mut said)).await.unwrap();
    assert_eq!(&said, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

#[tokio::test]
async fn an_upload_that_is_cut_leaves_nothing() {
    let app = Setup::default().settings("[media]\nuploads_max = 1\n").start().await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let mut stream = begun(&app, &mut ana).await;
    stream.write_all(&LETTERS[..13]).await.unwrap();
    // Nobody else gets in meanwhile, and is told that it will pass.
    let busy = upload(&app, &mut bo, ("file", "b"), LETTERS).await;
    assert_eq!(busy.refusal(), (503, 11015));
    assert_eq!(busy.json()["error"]["temporary"], true);
    drop(stream);
    assert_eq!(kept(app).await, [""; 0]);
}

#[tokio::test]
async fn an_upload_that_pauses_goes_on() {
    let app = Setup::default().start().await;
    let mut ana = app.device("ana").await;
    let mut stream = begun(&app, &mut ana).await;
    stream.write_all(&LETTERS[..1]).await.unwrap();
    uploaded(&app, &mut ana, ("file", "b"), LETTERS).await;
    stream.write_all(&LETTERS[1..]).await.unwrap();
    let mut answer = String::new();
    within("the answer", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert_eq!(kept(app).await, ["original.bin"; 2]);
}

#[tokio::test]
async fn uploads_leave_space_on_the_disk() {
    let settings = "[media]\nfree_bytes_min = 9000000000000000000\n";
    let app = Setup::default().settings(settings).start().await;
    let mut ana = app.device("ana").await;
    let answer = ask(&mut ana, "file", 1, "a").await;
    assert_eq!((code(&answer), &answer["error"]["temporary"]), (11015, &json!(true)));
    assert_eq!(kept(app).await, [""; 0]);
}

#[tokio::test]
async fn a_user_uploads_so_much_in_a_day() {
    let clock = TestClock::new();
    let settings = "[media]\nuser_bytes_per_day = 30\n";
    let app = Setup::default().settings(settings).clock(&clock).start().await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    // Addresses can be had in advance: what counts is what comes.
    let urls = [ticket(&mut ana, "file", 26, "a").await, ticket(&mut ana, "file", 26, "b").await];
    assert_eq!(post(&app, &urls[0], &LETTERS[..25]).await.refusal(), (400, 11016), "counts for nothing");
    assert_eq!(post(&app, &urls[0], LETTERS).await.status, 200);
    assert_eq!(post(&app, &urls[1], LETTERS).await.refusal(), (503, 11015));
    assert_eq!(code(&ask(&mut ana, "file", 5, "c").await), 11015);
    uploaded(&app, &mut ana, ("file", "d"), &LETTERS[..4]).await;
    uploaded(&app, &mut bo, ("file", "e"), LETTERS).await;
    clock.advance_secs(86_400);
    uploaded(&app, &mut ana, ("file", "f"), LETTERS).await;
    assert_eq!(kept(app).await, ["original.bin"; 4]);
}

#[tokio::test]
async fn downloads_are_bounded() {
    let app = Setup::default().settings("[media]\ndownloads_max = 1\n").start().await;
    let mut ana = app.device("ana").await;
    // More than all buffers between the server and a reader who does not read.
    let bytes = vec![b'x'; 50_000_000];
    let answer = uploaded(&app, &mut ana, ("file", "large"), &bytes).await;
    let url = answer["Url"].as_str().unwrap();
    let mut stream = app.connect().await;
    stream.write_all(&raw_http::request("GET", path(url), "", b"")).await.unwrap();
    let mut said = [0; 12];
    within("an answer", stream.read_exact(&mut said)).await.unwrap();
    assert_eq!(&said, b"HTTP/1.1 200");
    let refused = get(&app, url, "").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "1"));
    assert_eq!(refused.header("cache-control"), "no-store");
    let head = exchange(&app, &raw_http::request("HEAD", path(url), "", b"")).await;
    assert_eq!(head.status, 200, "takes no place");
    let mut rest = Vec::new();
    within("the rest", stream.read_to_end(&mut rest)).await.unwrap();
    assert!(rest.ends_with(&bytes));
    assert_eq!(get(&app, url, "Range: bytes=0-1\r\n").await.status, 206);
    app.stop().await;
}

#[tokio::test]
async fn nothing_but_files_is_served() {
    let app = Setup::default().start().await;
    let mut ana = app.device("ana").await;
    let answer = uploaded(&app, &mut ana, ("file", "a.txt"), LETTERS).await;
    let id = answer["UUID"].as_str().unwrap();
    let missing = "0".repeat(32);
    for file in [
        format!("/media/1400000001/{missing}.bin/a.txt"),
        format!("/media/1400000002/{id}.bin/a.txt"),
        format!("/media/1400000001/{id}.png/a.txt"),
        format!("/media/1400000001/{id}.small.jpg/a.txt"),
        format!("/media/1400000001/{id}/a.txt"),
        format!("/media/1400000001/{}.bin/a.txt", id.to_uppercase() + "A"),
        "/media/1400000001/..%2f..%2fkey/a.txt".to_owned(),
        "/media/..%2f..%2f/key/a.txt".to_owned(),
        "/media/../../key/a.txt".to_owned(),
        "/media/1400000001/%00/a.txt".to_owned(),
        "/media/1400000001/%ff/a.txt".to_owned(),
        format!("/media/1400000001/{id}.bin%2f..%2f..%2fkey/a.txt"),
    ] {
        let fetched = exchange(&app, &raw_http::request("GET", &file, "", b"")).await;
        assert_eq!(fetched.status, 404, "{file}: {}", String::from_utf8_lossy(&fetched.body));
        assert_eq!(fetched.header("cache-control"), "no-store");
    }
    // The name is for people, and may be another one.
    let url = format!("/media/1400000001/{id}.bin/..%2f..%2fkey");
    let fetched = exchange(&app, &raw_http::request("GET", &url, "", b"")).await;
    assert_eq!((fetched.status, fetched.body.as_slice()), (200, LETTERS));
    assert_eq!(fetched.header("content-disposition"), "attachment; filename*=UTF-8''key");
    app.stop().await;
}

#[tokio::test]
async fn addresses_can_expire() {
    let clock = TestClock::new();
    let app = Setup::default().settings("[media]\nurl_secs = 60\n").clock(&clock).start().await;
    let mut ana = app.device("ana").await;
    let answer = uploaded(&app, &mut ana, ("file", "a.txt"), LETTERS).await;
    let other = uploaded(&app, &mut ana, ("file", "a.txt"), LETTERS).await;
    let (url, other) = (answer["Url"].as_str().unwrap(), other["Url"].as_str().unwrap());
    let (plain, query) = url.split_once('?').unwrap();
    let until_s = clock.now_s() + 60;
    assert!(query.starts_with(&format!("e={until_s}&s=")), "{url}");
    clock.advance_secs(59);
    let fetched = get(&app, url, "").await;
    assert_eq!((fetched.status, fetched.header("cache-control")), (200, "private, max-age=1, immutable"));
    let later = url.replace(&format!("e={until_s}"), &format!("e={}", until_s + 1));
    let renamed = url.replace("/a.txt", "/a.exe");
    let moved = format!("{}?{query}", other.split_once('?').unwrap().0);
    for wrong in [plain, &later, &renamed, &moved, &format!("{plain}?e={until_s}"), &url[..url.len() - 1]] {
        assert_eq!(get(&app, wrong, "").await.status, 403, "{wrong}");
    }
    clock.advance_secs(1);
    assert_eq!(get(&app, url, "").await.status, 403, "expired");
    app.stop().await;
}

#[tokio::test]
async fn addresses_begin_as_the_settings_or_the_uploader_say() {
    let app =
        Setup::default().settings("[media]\npublic_url = \"https://cdn.example/chat/\"\n").start().await;
    let mut ana = app.device("ana").await;
    let upload_url = ticket(&mut ana, "file", 26, "a.txt").await;
    assert!(upload_url.starts_with("https://cdn.example/chat/media/upload?token="), "{upload_url}");
    let answer =
        post(&app, upload_url.strip_prefix("https://cdn.example/chat").unwrap(), LETTERS).await.json();
    let url = answer["Url"].as_str().unwrap();
    assert!(url.starts_with("https://cdn.example/chat/media/1400000001/"), "{url}");
    app.stop().await;

    let app = Setup::default().start().await;
    let mut ana = app.device("ana").await;
    let url = ticket(&mut ana, "file", 26, "a.txt").await;
    let proxied = raw_http::request("POST", &url, "X-Forwarded-Proto: https\r\n", LETTERS);
    let answer = exchange(&app, &proxied).await.json();
    assert!(answer["Url"].as_str().unwrap().starts_with("https://test/media/"), "{answer}");
    for host in ["", "a/b", "a\"><script>", "user@host", "a b"] {
        let url = ticket(&mut ana, "file", 26, "a.txt").await;
        let request = raw_http::request("POST", &url, "", LETTERS);
        let request = String::from_utf8(request).unwrap().replace("Host: test", &format!("Host: {host}"));
        let answer = exchange(&app, request.as_bytes()).await;
        assert_eq!(answer.status, 400, "{host}: {}", String::from_utf8_lossy(&answer.body));
    }
    app.stop().await;
}

#[tokio::test]
async fn files_stay_after_a_restart() {
    let app = Setup::default().start().await;
    let mut ana = app.device("ana").await;
    let answer = uploaded(&app, &mut ana, ("file", "a.txt"), LETTERS).await;
    let later = ticket(&mut ana, "file", 26, "b.txt").await;
    let app = app.restart().await;
    assert_eq!(get(&app, answer["Url"].as_str().unwrap(), "").await.body, LETTERS);
    assert_eq!(post(&app, &later, LETTERS).await.status, 200, "tickets outlive it too");
    app.stop().await;
}
