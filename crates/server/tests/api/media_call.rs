//! Uploads and downloads as a device makes them, with every byte of what comes back.

use crate::app::{TestApp, within};
use crate::device::Device;
use crate::raw_http;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// An answer of HTTP whose body may be anything.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Fetched {
    /// A header's value; empty when there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut values = self.head.lines().filter_map(|line| {
            let (header, value) = line.split_once(": ")?;
            header.eq_ignore_ascii_case(name).then_some(value)
        });
        values.next().unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{}{:?}", self.head, String::from_utf8_lossy(&self.body)))
    }

    /// Status and code of a refusal.
    pub(crate) fn refusal(&self) -> (u16, u64) {
        let json = self.json();
        (self.status, json["error"]["code"].as_u64().unwrap_or_else(|| panic!("no refusal: {json}")))
    }
}

/// Sends the bytes and reads until the server closes.
pub(crate) async fn exchange(app: &TestApp, request: &[u8]) -> Fetched {
    let mut stream = app.connect().await;
    let mut answer = Vec::new();
    let (mut reader, mut writer) = stream.split();
    let (sent, read) = within("an answer", async {
        tokio::join!(writer.write_all(request), reader.read_to_end(&mut answer))
    })
    .await;
    sent.and(read.map(drop)).unwrap();
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("HTTP");
    let body = answer.split_off(end + 4);
    let head = String::from_utf8(answer).unwrap();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Fetched { status: status.expect("a status"), head, body }
}

/// The path of an address of this server.
pub(crate) fn path(url: &str) -> &str {
    url.strip_prefix("http://test").unwrap_or_else(|| panic!("{url} is not of this server"))
}

/// `headers` each end with CR LF.
pub(crate) async fn get(app: &TestApp, url: &str, headers: &str) -> Fetched {
    exchange(app, &raw_http::request("GET", path(url), headers, b"")).await
}

/// Asks a device's session for an upload: the frame that answers.
pub(crate) async fn ask(device: &mut Device, kind: &str, size: usize, name: &str) -> Value {
    let frame = json!({"id": 2, "op": "upload", "kind": kind, "size": size, "name": name});
    device.say(frame.to_string()).await;
    device.hear_json().await
}

/// Where a device may upload.
pub(crate) async fn ticket(device: &mut Device, kind: &str, size: usize, name: &str) -> String {
    let answer = ask(device, kind, size, name).await;
    answer["ok"]["upload_url"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

pub(crate) async fn post(app: &TestApp, upload_url: &str, bytes: &[u8]) -> Fetched {
    exchange(app, &raw_http::request("POST", upload_url, "", bytes)).await
}

/// Asks and uploads: what is answered to the `POST`.
pub(crate) async fn upload(
    app: &TestApp,
    device: &mut Device,
    (kind, name): (&str, &str),
    bytes: &[u8],
) -> Fetched {
    let url = ticket(device, kind, bytes.len(), name).await;
    post(app, &url, bytes).await
}

/// The same, of what must be taken.
pub(crate) async fn uploaded(
    app: &TestApp,
    device: &mut Device,
    kind_and_name: (&str, &str),
    bytes: &[u8],
) -> Value {
    let fetched = upload(app, device, kind_and_name, bytes).await;
    assert_eq!(fetched.status, 200, "{}", String::from_utf8_lossy(&fetched.body));
    fetched.json()
}
