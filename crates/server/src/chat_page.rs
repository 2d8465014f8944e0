//! The chat page: a client in the binary, at `/chat`.
//!
//! It is files and nothing else. What it does, it does over the client protocol like any other device; `couplet.js` is
//! the TypeScript client as it is bundled from `sdk/typescript`. Start reading at `chat_page/main.js`.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::hash::{DefaultHasher, Hash, Hasher};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

struct Asset {
    name: &'static str,
    content_type: &'static str,
    text: &'static str,
}

macro_rules! assets {
    ($($name:literal: $kind:ident),* $(,)?) => {
        &[$(Asset { name: $name, content_type: $kind, text: include_str!(concat!("chat_page/", $name)) }),*]
    };
}

const PAGE: Asset = Asset { name: "", content_type: HTML, text: include_str!("chat_page/page.html") };
const ASSETS: &[Asset] = assets! {
    "address.js": JS,
    "bubble.js": JS,
    "composer.js": JS,
    "couplet.js": JS,
    "credentials.js": JS,
    "dom.js": JS,
    "frame.js": JS,
    "icon.svg": SVG,
    "main.js": JS,
    "menu.js": JS,
    "page.css": CSS,
    "page.js": JS,
    "people.js": JS,
    "picture.js": JS,
    "shell.js": JS,
    "thread.js": JS,
    "typing.js": JS,
    "when.js": JS,
};

pub fn routes() -> Router {
    Router::new()
        .route("/chat", get(|headers: HeaderMap| async move { answer(&PAGE, &headers) }))
        .route("/chat/{file}", get(asset))
}

async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Response {
    match ASSETS.iter().find(|asset| asset.name == file) {
        Some(asset) => answer(asset, &headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn answer(asset: &Asset, asked: &HeaderMap) -> Response {
    let tag = tag(asset.text);
    let mut response = if asked.get(header::IF_NONE_MATCH) == Some(&tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type))], asset.text).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, tag);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy(asked));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    // Asked for every time, so that after an update of the server no old file runs beside a new one.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// Another version of a file has another tag.
fn tag(text: &str) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    HeaderValue::from_str(&format!("\"{:016x}\"", hasher.finish()))
        .expect("quoted digits are a header's value")
}

/// Nothing but what the page brings along and what its own server has. Pictures are also shown before they are sent,
/// which is from memory. Only pages of the same server may show it inside of them.
fn policy(asked: &HeaderMap) -> HeaderValue {
    // Not all browsers count a WebSocket of the same host as 'self'.
    let host = asked.get(header::HOST).and_then(|host| host.to_str().ok()).filter(|host| is_host(host));
    let sockets = host.map(|host| format!(" ws://{host} wss://{host}")).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; \
         connect-src 'self'{sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    );
    HeaderValue::from_str(&policy).expect("a host that is one adds nothing that a header cannot have")
}

/// Whether it can stand in a policy without becoming more of it.
fn is_host(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    async fn get(path: &str, header: Option<(&str, &str)>) -> (StatusCode, HeaderMap, String) {
        let mut request = Request::get(path);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let answer = routes().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (head, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status, head.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn everything_that_the_page_names_is_there() {
        let (status, headers, page) = get("/chat", None).await;
        assert_eq!(
            (status, &headers[header::CONTENT_TYPE]),
            (StatusCode::OK, &HeaderValue::from_static(HTML))
        );
        assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains("<script>"));
        let named_in = |text: &str, before: &str, after: char| -> Vec<String> {
            text.split(before).skip(1).filter_map(|rest| Some(rest.split_once(after)?.0.to_owned())).collect()
        };
        let mut wanted = named_in(&page, "=\"/chat/", '"');
        assert_eq!(wanted, ["icon.svg", "page.css", "main.js", "icon.svg"]);
        let own = ASSETS.iter().filter(|asset| asset.name.ends_with(".js") && asset.name != "couplet.js");
        wanted.extend(own.flat_map(|asset| named_in(asset.text, " from \"./", '"')));
        for name in wanted {
            assert_eq!(get(&format!("/chat/{name}"), None).await.0, StatusCode::OK, "{name}");
        }
        assert_eq!(get("/chat/other.js", None).await.0, StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn what_the_browser_has_is_not_sent_again() {
        let (_, headers, _) = get("/chat/main.js", None).await;
        let tag = headers[header::ETAG].to_str().unwrap();
        let (status, _, body) = get("/chat/main.js", Some(("if-none-match", tag))).await;
        assert_eq!((status, body.as_str()), (StatusCode::NOT_MODIFIED, ""));
        assert_eq!(get("/chat/page.css", Some(("if-none-match", tag))).await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn the_policy_names_the_host_and_nothing_that_a_request_smuggles_in() {
        let policy = async |host: &str| {
            let (_, headers, _) = get("/chat", Some(("host", host))).await;
            headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned()
        };
        let own = policy("chat.example.com:8443").await;
        assert!(
            own.contains("; connect-src 'self' ws://chat.example.com:8443 wss://chat.example.com:8443; "),
            "{own}"
        );
        assert!(
            own.starts_with("default-src 'none'; script-src 'self'; ")
                && own.ends_with("frame-ancestors 'self'")
        );
        assert!(policy("x; script-src *").await.contains("; connect-src 'self'; "));
    }
}
