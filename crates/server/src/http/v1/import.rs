//! `POST /v1/apps/{sdkappid}/import`: lines of an export, many at once.
//!
//! Every line is carried out by itself, and may be sent again: accounts that exist stay, messages that are there are
//! not doubled.

use super::access::Access;
use super::parameters::Parameters;
use super::refusal::Refused;
use super::{EventApi, answer};
use crate::http::{account, read_body};
use crate::translate;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::Request;
use axum::response::Response;
use bytes::Bytes;
use chat::UserId;
use chat::port::{Account, ImportMessage, Imported, StoreError};
use futures_util::future::try_join_all;
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
#[derive(Debug, Default)]
struct Lines {
    accounts: Vec<Account>,
    messages: Vec<(usize, ImportMessage)>,
    report: Report,
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
    let Lines { mut accounts, messages, report } = api.understand(&access, &body, kind)?;
    if creates_accounts {
        let people = messages.iter().flat_map(|(_, message)| [message.from, message.to]);
        accounts.extend(people.collect::<BTreeSet<UserId>>().into_iter().map(Account::bare));
    }
    if !accounts.is_empty() {
        api.store().import_accounts(access.app_id(), accounts, api.chat.clock.now_ms()).await?;
    }
    Ok(answer(&api.commit(messages, report).await?))
}

impl EventApi {
    fn understand(&self, access: &Access, body: &Bytes, kind: ImportKind) -> Result<Lines, Refused> {
        let mut lines = Lines::default();
        for (number, line) in body.split(|byte| *byte == b'\n').enumerate() {
            if number >= LINES_MAX && !line.is_empty() {
                return Err(Refused::bad_parameter(format!("there are more than {LINES_MAX} lines")));
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            if let Err(failure) = self.take(access, &body.slice_ref(line), number, kind, &mut lines) {
                lines.report.reject(number, &failure);
            }
        }
        Ok(lines)
    }

    fn take(
        &self,
        access: &Access,
        line: &Bytes,
        number: usize,
        kind: ImportKind,
        lines: &mut Lines,
    ) -> Result<(), Failure> {
        match ExportLine::parse(line, kind)? {
            ExportLine::Recalled => lines.report.skipped += 1,
            ExportLine::Account(import) => {
                lines.accounts.push(account::account(&import)?);
                lines.report.accounts += 1;
            }
            ExportLine::Message(wire) => {
                let (app, now_s) = (access.app(), self.chat.clock.now_ms() / 1000);
                let message = translate::import(app.id, line, *wire, &app.rules, now_s)?;
                lines.messages.push((number, message));
            }
        }
        Ok(())
    }

    /// All at once, in their order: those of a conversation are committed as they stand.
    async fn commit(
        &self,
        messages: Vec<(usize, ImportMessage)>,
        mut report: Report,
    ) -> Result<Report, StoreError> {
        let numbers: Vec<usize> = messages.iter().map(|(number, _)| *number).collect();
        let imports = messages.into_iter().map(|(_, message)| self.chat.import(message));
        for (number, imported) in numbers.into_iter().zip(try_join_all(imports).await?) {
            match imported {
                Imported::Done(_) => report.messages += 1,
                Imported::Duplicate => report.duplicates += 1,
                Imported::UnknownAccount => report.reject(number, &ErrorCode::AccountUnknown.into()),
            }
        }
        report.rejected.sort_unstable_by_key(|rejected| rejected.line);
        Ok(report)
    }
}

impl Report {
    fn reject(&mut self, line: usize, failure: &Failure) {
        self.rejected.push(Rejected { line, code: failure.code, info: failure.info.to_string() });
    }
}
