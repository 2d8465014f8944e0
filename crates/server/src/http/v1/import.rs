//! `POST /v1/apps/{sdkappid}/import`: lines of an export, many at once.
//!
//! Every line is carried out by itself, and may be sent again: accounts that exist stay, messages that are there are
//! not doubled.

use super::access::Access;
use super::parameters::Parameters;
use super::refusal::Refused;
use super::{EventApi, answer};
use crate::apps::App;
use crate::http::{account, read_body};
use crate::translate;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::Request;
use axum::response::Response;
use bytes::Bytes;
use chat::UserId;
use chat::port::{Account, ImportMessage, Imported};
use protocol::export::ExportLine;
use protocol::rest::import::ImportKind;
use protocol::{ErrorCode, Failure};
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

const BODY_BYTES_MAX: usize = 1024 * 1024;
/// All of them wait for the store together.
const LINES_MAX: usize = 2_000;

/// What became of the lines.
#[derive(Debug, Default, Serialize)]
struct Report {
    accounts: u64,
    messages: u64,
    /// Messages that were there already.
    duplicates: u64,
    /// Recalled messages, of which nothing is left.
    skipped: u64,
    rejected: Vec<Rejected>,
}

#[derive(Debug, Serialize)]
struct Rejected {
    /// Counted from 0, empty lines included.
    line: usize,
    #[serde(rename = "ErrorCode")]
    code: u32,
    #[serde(rename = "ErrorInfo")]
    info: String,
}

/// The lines, understood.
#[derive(Debug)]
struct Lines {
    kind: ImportKind,
    /// Which line is looked at.
    next: usize,
    accounts: Vec<Account>,
    messages: Vec<ImportMessage>,
    /// In which lines the messages stand.
    numbers: Vec<usize>,
    report: Report,
}

impl Lines {
    fn of(kind: ImportKind) -> Self {
        let (accounts, messages, numbers) = (Vec::new(), Vec::new(), Vec::new());
        Self { kind, next: 0, accounts, messages, numbers, report: Report::default() }
    }
}

pub(super) async fn import(
    State(api): State<Arc<EventApi>>,
    access: Access,
    RawQuery(query): RawQuery,
    request: Request<Body>,
) -> Result<Response, Refused> {
    let parameters = Parameters::read(query.as_deref(), &["mode", "create_accounts"])?;
    let kind = match parameters.one("mode")? {
        None | Some("history") => ImportKind::History,
        Some("live") => ImportKind::Live,
        Some(_) => return Err(Refused::bad_parameter("mode must be history or live")),
    };
    let creates_accounts = parameters.number("create_accounts", 0..=1)? == Some(1);
    let reading = read_body(request, BODY_BYTES_MAX);
    let read = timeout(Duration::from_secs(super::super::BODY_SECS_MAX), reading).await;
    let read = read.map_err(|_| Refused::bad_parameter("the body did not come in time"))?;
    let body = read.map_err(Refused::body)?;
    let Lines { mut accounts, messages, numbers, mut report, .. } =
        api.understand(access.app(), &body, kind)?;
    if creates_accounts {
        let people = messages.iter().flat_map(|message| [message.from, message.to]);
        accounts.extend(people.collect::<BTreeSet<UserId>>().into_iter().map(Account::bare));
    }
    let app = access.app_id();
    if !accounts.is_empty() {
        api.store().import_accounts(app, accounts, api.chat.clock.now_ms()).await?;
    }
    if !messages.is_empty() {
        let imported = api.chat.import(app, messages).await?;
        numbers.into_iter().zip(imported).for_each(|(number, imported)| report.count(number, &imported));
    }
    report.rejected.sort_unstable_by_key(|rejected| rejected.line);
    Ok(answer(&report))
}

impl EventApi {
    fn understand(&self, app: &App, body: &Bytes, kind: ImportKind) -> Result<Lines, Refused> {
        let mut lines = Lines::of(kind);
        for (number, line) in body.split(|byte| *byte == b'\n').enumerate() {
            if number >= LINES_MAX && !line.is_empty() {
                return Err(Refused::bad_parameter(format!("there are more than {LINES_MAX} lines")));
            }
            lines.next = number;
            if line.trim_ascii().is_empty() {
                continue;
            }
            if let Err(failure) = self.take(app, &body.slice_ref(line), &mut lines) {
                lines.report.reject(number, &failure);
            }
        }
        Ok(lines)
    }

    fn take(&self, app: &App, line: &Bytes, lines: &mut Lines) -> Result<(), Failure> {
        match ExportLine::parse(line, lines.kind)? {
            ExportLine::Recalled => lines.report.skipped += 1,
            ExportLine::Account(import) => {
                lines.accounts.push(account::account(&import)?);
                lines.report.accounts += 1;
            }
            ExportLine::Message(wire) => {
                let now_s = self.chat.clock.now_ms() / 1000;
                lines.messages.push(translate::import(app.id, line, *wire, &app.rules, now_s)?);
                lines.numbers.push(lines.next);
            }
        }
        Ok(())
    }
}

impl Report {
    fn count(&mut self, line: usize, imported: &Imported) {
        match imported {
            Imported::Done(_) => self.messages += 1,
            Imported::Duplicate => self.duplicates += 1,
            Imported::UnknownAccount => self.reject(line, &ErrorCode::AccountUnknown.into()),
        }
    }

    fn reject(&mut self, line: usize, failure: &Failure) {
        self.rejected.push(Rejected { line, code: failure.code, info: failure.info.to_string() });
    }
}
