//! What the published documents say is true of the real server. `schemathesis` makes up calls from a document, good ones
//! and such as break one rule of it each, and holds every answer to it: status, type, form, and with it every code.

use crate::event_api::EventApi;
use crate::place::{self, ADMIN, Place, SDKAPPID};
use crate::process::Server;
use crate::rest::{self, SEND};
use crate::signatures::provided;
use protocol::rest::Command as RestCommand;
use std::process::Command;

/// Calls that are made up for each operation, besides those that try its limits one by one.
const EXAMPLES: &str = "10";

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance";

/// A server whose people the examples speak of.
async fn server(place: &Place) -> Server {
    place.start_with(&["ana", "bo", "cy"].map(str::to_owned)).await
}

/// What is tried of a document.
struct Tried<'a> {
    path: &'a str,
    settings: &'a str,
    arguments: &'a [&'a str],
    count: usize,
}

/// Tries what `arguments` choose of a document, and panics when an answer is not as it says, or when not exactly `count`
/// operations were tried.
fn try_document(place: &Place, server: &Server, tried: &Tried<'_>) {
    let Tried { path, settings, arguments, count } = *tried;
    let file = place.path("schemathesis.toml");
    std::fs::write(&file, settings).unwrap();
    let mut tool = Command::new(provided("COUPLET_TEST_PYTHON"));
    tool.args(["-m", "schemathesis.cli", "--config-file"]).arg(&file);
    tool.args(["run", &format!("http://{}{path}", server.address), "--checks", CHECKS]);
    tool.args(["--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES]);
    // Nothing by chance: a run that failed fails again.
    tool.args([
        "--generation-deterministic",
        "--continue-on-failure",
        "--request-timeout",
        "20",
        "--no-color",
    ]);
    let ended = tool.args(arguments).current_dir(place.path("")).output();
    let ended = ended.unwrap_or_else(|error| panic!("cannot start {tool:?}: {error}"));
    let said = String::from_utf8_lossy(&ended.stdout);
    // A failure of the tool itself may have lines that nobody can read.
    let readable: String = said.lines().map(|line| format!("{line:.300}\n")).collect();
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{readable}{errors:.2000}");
    assert!(
        readable.contains(&format!("  Tested: {count}\n")),
        "{count} operations were to be tried: {readable}"
    );
}

/// How the admin calls the REST API.
fn credentials() -> String {
    let of = |scheme: &str, value: &str| format!("[auth.openapi.{scheme}]\napi_key = {value:?}\n");
    let usersig = place::usersig(ADMIN);
    of("sdkappid", &SDKAPPID.to_string()) + &of("identifier", ADMIN) + &of("usersig", &usersig)
}

fn commands(of_messages: bool) -> usize {
    let is_one = |command: &&RestCommand| (command.service().path() == "openim") == of_messages;
    RestCommand::ALL.iter().filter(is_one).count()
}

#[tokio::test]
async fn the_document_of_the_rest_api_is_true_of_messages() {
    let place = Place::new("", "");
    let server = server(&place).await;
    let (settings, count) = (credentials(), commands(true));
    let arguments = &["--include-tag", "openim"];
    try_document(&place, &server, &Tried { path: "/openapi.json", settings: &settings, arguments, count });
    server.stop().await;
}

#[tokio::test]
async fn the_document_of_the_rest_api_is_true_of_everything_else() {
    let place = Place::new("", "");
    let server = server(&place).await;
    let (settings, count) = (credentials(), commands(false));
    let arguments = &["--exclude-tag", "openim"];
    try_document(&place, &server, &Tried { path: "/openapi.json", settings: &settings, arguments, count });
    server.stop().await;
}

/// All calls but two: the tool leaves out the one that the document came from, and cannot make up lines to import.
#[tokio::test]
async fn the_document_of_the_event_api_is_true() {
    // Nobody is there to be told, so that there is something to be shown of failures too.
    let place = Place::new("", "url = \"http://127.0.0.1:1/\"\n");
    let server = server(&place).await;
    let sent = place::admin(&server).await.call(SEND, rest::message("ana", "bo", 1, "hi")).await.unwrap();
    assert_eq!(sent.code, 0, "{}", sent.body);
    let event = EventApi::open(&server).await.first_id().await;
    let bearer = place::usersig(ADMIN);
    // Waiting for events is left to other tests: it takes as long as it is asked to.
    let settings = format!(
        "[auth.openapi.usersig]\nbearer = {bearer:?}\n[parameters]\n\"path.sdkappid\" = {SDKAPPID}\n\"path.event_id\" = {event:?}\n\"path.endpoint\" = \"ep_default\"\n\"query.wait\" = 0\n"
    );
    let count = document_calls() - 2;
    let arguments = &["--exclude-path-regex", "/import$"];
    let tried = Tried { path: "/v1/openapi.json", settings: &settings, arguments, count };
    try_document(&place, &server, &tried);
    server.stop().await;
}

fn document_calls() -> usize {
    let document = include_str!("../../../../docs/reference/openapi.json");
    let document: serde_json::Value = serde_json::from_str(document).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    paths.map(|methods| methods.as_object().unwrap().keys().filter(|key| *key != "parameters").count()).sum()
}
