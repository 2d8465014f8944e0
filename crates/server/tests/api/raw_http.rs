//! HTTP/1.1 by hand, so that a test can send what a well-behaved client would not.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Status line and headers.
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Sends the bytes as they are, and reads until the server closes. The request must ask for that.
pub(crate) async fn exchange(stream: impl AsyncRead + AsyncWrite, request: &[u8]) -> Answer {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut answer = Vec::new();
    // Both at once: a server may answer, and stop reading, before the whole request is out.
    let (sent, read) = tokio::join!(
        async {
            writer.write_all(request).await?;
            writer.flush().await
        },
        reader.read_to_end(&mut answer)
    );
    let text = String::from_utf8_lossy(&answer).into_owned();
    if let Err(error) = read.and(sent.map(|()| 0)) {
        panic!("the connection broke ({error}) after the server had answered {text:?}");
    }
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("not HTTP: {text:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Answer { status: status.expect("a status line"), head: head.to_owned(), body: body.to_owned() }
}

/// A request with its body, closing the connection afterwards. `headers` each end with CR LF.
pub(crate) fn request(method: &str, target: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// The same with the body in chunks and without its length.
pub(crate) fn chunked(method: &str, target: &str, headers: &str, chunks: &[&str]) -> Vec<u8> {
    let mut text = format!(
        "{method} {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}Transfer-Encoding: chunked\r\n\r\n"
    );
    for chunk in chunks.iter().chain([&""]) {
        text.push_str(&format!("{:x}\r\n{chunk}\r\n", chunk.len()));
    }
    text.into_bytes()
}
