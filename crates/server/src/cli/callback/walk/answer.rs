//! What the receiver answers: to a sample, to forgeries of it, to its repetition, to a question.

use super::{Stop, began, now_ms};
use crate::callback;
use crate::causes::causes;
use crate::cli::callback::connection::{Reply, Way};
use crate::cli::callback::report::{Found, Report, Step};
use crate::cli::callback::sample;
use crate::cli::output::shortened;
use crate::config::BeforeFailure;
use crate::render::Callback;
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::HeaderValue;
use protocol::callback::{Answer, BeforeVerdict, CallbackCommand, WebhookHeaders, sign};
use std::error::Error;
use std::time::Duration;
use tokio::time::timeout;

/// Signs nothing: as long as a signature is, and empty of sense.
const FORGED: &str = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const ANSWER_CHARS_MAX: usize = 120;

/// What came back, and how long it took.
struct Heard {
    result: Result<Reply, Silence>,
    ms: u64,
}

enum Silence {
    TimedOut,
    Broken(String),
}

pub(super) async fn check(way: &Way<'_>, report: &mut Report) -> Result<(), Stop> {
    let endpoint = way.endpoint;
    let is_asked = endpoint.is_asked_with(CallbackCommand::C2cBeforeSendMsg);
    let asks_only = is_asked && !endpoint.wants(CallbackCommand::C2cAfterSendMsg);
    let main = if asks_only {
        sample::before_send(endpoint.app, now_ms())
    } else {
        sample::after_send(endpoint.app, now_ms())
    };
    let reply = answered(way, heard(way, request(way, &main)).await, &main, report)?;
    understood(way, &reply, &main, report)?;
    check_signatures(way, &main, report).await?;
    if asks_only {
        return Ok(());
    }
    let repeated = heard(way, request(way, &main)).await;
    report.add(repetition(&repeated))?;
    if is_asked {
        let question = sample::before_send(endpoint.app, now_ms());
        let reply = answered(way, heard(way, request(way, &question)).await, &question, report)?;
        understood(way, &reply, &question, report)?;
    }
    Ok(())
}

fn request(way: &Way<'_>, callback: &Callback) -> Request<Full<Bytes>> {
    callback::request(way.endpoint, callback, now_ms() / 1000)
}

async fn heard(way: &Way<'_>, request: Request<Full<Bytes>>) -> Heard {
    let began = began();
    let limit = Duration::from_millis(way.endpoint.settings.timeout_ms);
    let result = match timeout(limit, way.exchange(request)).await {
        Ok(Ok(reply)) => Ok(reply),
        Ok(Err(error)) => Err(Silence::Broken(words(&*error))),
        Err(_) => Err(Silence::TimedOut),
    };
    Heard { result, ms: began.now_ms() }
}

/// An error with its causes, each said once.
fn words(error: &(dyn Error + 'static)) -> String {
    let mut words: Vec<String> = Vec::new();
    for cause in causes(error) {
        let cause = cause.to_string();
        if !words.iter().any(|said| said.contains(&cause)) {
            words.push(cause);
        }
    }
    words.join(": ")
}

/// Status and time. Comes back with an answer of status 200.
fn answered(way: &Way<'_>, heard: Heard, callback: &Callback, report: &mut Report) -> Result<Reply, Stop> {
    let name = if callback.command.is_question() { "question" } else { "event" };
    let (limit_ms, ms) = (way.endpoint.settings.timeout_ms, heard.ms);
    let reply = match heard.result {
        Ok(reply) if reply.status == 200 => reply,
        Ok(reply) => return Err(wrong_status(way, name, &reply).into()),
        Err(Silence::TimedOut) => {
            let fix = "answer first and work afterwards, or allow more with timeout_ms";
            return Err(Step::failed(name, format!("no answer within {limit_ms} ms"), fix).into());
        }
        Err(Silence::Broken(words)) => {
            let fix = match () {
                () if words.contains("CertificateRequired") => {
                    "set client_cert and client_key: it wants to know who calls"
                }
                () if !way.place.tls => {
                    "look at the receiver's log; if it speaks TLS on this port, write https://"
                }
                () => "look at the receiver's log: it took the connection and gave no answer",
            };
            return Err(Step::failed(name, format!("there is no answer: {words}"), fix).into());
        }
    };
    let command = callback.command.as_str();
    let words = format!("{command} was answered 200 in {ms} ms, of {limit_ms} ms");
    report.add(if ms * 2 < limit_ms {
        Step::ok(name, words)
    } else {
        Step::warning(name, words, "answer first and work afterwards: under load this becomes too late")
    })?;
    Ok(reply)
}

fn wrong_status(way: &Way<'_>, name: &'static str, reply: &Reply) -> Step {
    let status = reply.status;
    let body = String::from_utf8_lossy(&reply.body);
    let body = match body.trim() {
        "" => String::new(),
        body => format!(": {}", shortened(body, ANSWER_CHARS_MAX)),
    };
    let is_signed = !way.endpoint.token.is_empty() || way.endpoint.signer.is_some();
    let (words, fix) = match status {
        300..=399 => {
            let target = reply.location.as_deref().unwrap_or("somewhere it does not say");
            let words = format!("answered {status}, a redirect to {target}; callbacks do not follow it");
            (words, "set url to where it leads, if that is the receiver")
        }
        401 | 403 if is_signed => (
            format!("answered {status}{body}"),
            "it refuses the signature, or the app: compare token, signing_secret and SDKAppID on both sides, and \
             both clocks",
        ),
        401 | 403 => (
            format!("answered {status}{body}"),
            "it expects to know who calls: set token or signing_secret to what it expects",
        ),
        404 | 405 => {
            (format!("answered {status}{body}"), "correct the path of the URL; it is called with POST")
        }
        429 | 503 => (format!("answered {status}{body}"), "it is overloaded, or not ready: look at its log"),
        500..=599 => (format!("answered {status}{body}"), "it failed: look at its log"),
        _ => (format!("answered {status}{body}"), "answer 200; what happened is said in the body"),
    };
    Step::failed(name, words, fix)
}

/// JSON, and what it says.
fn understood(way: &Way<'_>, reply: &Reply, callback: &Callback, report: &mut Report) -> Result<(), Stop> {
    let Ok(answer) = Answer::parse(&reply.body) else {
        let text = String::from_utf8_lossy(&reply.body);
        let words = match text.trim() {
            "" => "the answer is empty, and not JSON".to_owned(),
            text => format!("the answer is not JSON: {}", shortened(text, ANSWER_CHARS_MAX)),
        };
        let fix = format!("answer {}", protocol::callback::accept());
        return Err(Step::failed("answer", words, fix).into());
    };
    let step = if callback.command.is_question() { verdict(way, answer) } else { receipt(way, &answer) };
    match step.result {
        Found::Failed => Err(step.into()),
        _ => Ok(report.add(step)?),
    }
}

fn receipt(way: &Way<'_>, answer: &Answer<'_>) -> Step {
    if answer.accepted() {
        return Step::ok("answer", "JSON, and ErrorCode is 0 or left out: the event is taken");
    }
    let code = answer.error_code.filter(|code| *code != 0).unwrap_or(1);
    let info = answer.error_info.as_deref().unwrap_or_default();
    let info =
        if info.is_empty() { String::new() } else { format!(" ({})", shortened(info, ANSWER_CHARS_MAX)) };
    let words = format!("it says that it failed, with ErrorCode {code}{info}");
    if way.endpoint.settings.retry_on_error_code {
        let fix = "answer ErrorCode 0 once the event is taken; until then it is told again";
        return Step::failed("answer", words, fix);
    }
    let fix = "it counts as told all the same; set retry_on_error_code to have it told again";
    Step::warning("answer", words, fix)
}

fn verdict(way: &Way<'_>, answer: Answer<'_>) -> Step {
    let policy = match way.endpoint.settings.before_failure {
        BeforeFailure::Pass => "passed",
        BeforeFailure::Reject => "refused",
    };
    match answer.before_verdict() {
        BeforeVerdict::Pass { body: None, custom_data: None } => {
            Step::ok("verdict", "the sample message may be sent")
        }
        BeforeVerdict::Pass { .. } => {
            Step::ok("verdict", "the sample message may be sent, with other content")
        }
        BeforeVerdict::Refuse(failure) => {
            Step::ok("verdict", format!("the sample message is refused: {} ({})", failure.info, failure.code))
        }
        BeforeVerdict::Drop => Step::ok("verdict", "the sample message is dropped, and its sender not told"),
        BeforeVerdict::Unusable => Step::failed(
            "verdict",
            format!("the answer says nothing that could be obeyed; messages would be {policy}"),
            "answer ErrorCode 0 to let a message pass, 1 to refuse it, 2 to drop it, 120001 to 130000 to refuse it \
             in your own words",
        ),
    }
}

/// What a receiver lets in that is not from this server.
async fn check_signatures(way: &Way<'_>, callback: &Callback, report: &mut Report) -> Result<(), Stop> {
    let endpoint = way.endpoint;
    if endpoint.token.is_empty() && endpoint.signer.is_none() {
        let fix = "set token or signing_secret here, and check it in the receiver";
        let words = "nothing proves who calls: the receiver believes everybody who knows its URL";
        return Ok(report.add(Step::warning("signature", words, fix))?);
    }
    if !endpoint.token.is_empty() {
        let heard = heard(way, with_wrong_sign(way, callback)).await;
        let fix =
            "refuse with 403 unless Sign is the SHA-256 of token and RequestTime, and RequestTime is now";
        report.add(refusal("wrong sign", "Sign", &heard, fix))?;
    }
    if endpoint.signer.is_some() {
        let mut request = request(way, callback);
        request.headers_mut().insert(WebhookHeaders::SIGNATURE, HeaderValue::from_static(FORGED));
        let heard = heard(way, request).await;
        let fix = "refuse with 403 unless webhook-signature is made with the secret, over id, time and body";
        report.add(refusal("wrong signature", "webhook-signature", &heard, fix))?;
    }
    Ok(())
}

fn with_wrong_sign(way: &Way<'_>, callback: &Callback) -> Request<Full<Bytes>> {
    let now_s = now_ms() / 1000;
    let mut request = callback::request(way.endpoint, callback, now_s);
    let right = sign(&way.endpoint.token, now_s);
    let wrong = sign(&format!("not {}", way.endpoint.token), now_s);
    let url = request.uri().to_string().replace(&format!("Sign={right}"), &format!("Sign={wrong}"));
    *request.uri_mut() = url.parse().expect("one hash in place of another leaves a URL a URL");
    request
}

fn refusal(name: &'static str, what: &str, heard: &Heard, fix: &str) -> Step {
    match &heard.result {
        Ok(reply) if is_accepted(reply) => Step::warning(
            name,
            format!("a wrong {what} is accepted: whoever finds the URL can tell lies"),
            fix,
        ),
        Ok(reply) if reply.status == 200 => {
            Step::ok(name, format!("a wrong {what} is refused in the answer"))
        }
        Ok(reply) => Step::ok(name, format!("a wrong {what} is refused with {}", reply.status)),
        Err(_) => Step::ok(name, format!("a wrong {what} is given no answer")),
    }
}

fn is_accepted(reply: &Reply) -> bool {
    reply.status == 200 && Answer::parse(&reply.body).is_ok_and(|answer| answer.accepted())
}

fn repetition(heard: &Heard) -> Step {
    const NAME: &str = "repetition";
    let advice =
        "a receiver remembers the ids it has taken, does nothing when one comes again, and answers as it did";
    match &heard.result {
        Ok(reply) if is_accepted(reply) => {
            Step::ok(NAME, format!("the same id is taken a second time; {advice}"))
        }
        Ok(reply) if reply.status == 200 => {
            Step::ok(NAME, format!("the same id is answered 200, with a failure in the answer; {advice}"))
        }
        Ok(reply) => Step::warning(
            NAME,
            format!(
                "the same id is answered {} the second time: it would be told again and again",
                reply.status
            ),
            advice,
        ),
        Err(_) => Step::warning(NAME, "the same id is given no answer the second time", advice),
    }
}
