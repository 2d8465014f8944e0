//! Where an app's backend is told and asked: the address, what it wants to hear, and how to prove who calls.

use crate::address;
use crate::config::{self, Callback};
use crate::render;
use crate::trust::{self, BadCertificates};
use chat::event::{Event, Fact};
use chat::port::{EndpointId, FriendQuestion, Question};
use chat::{AppId, UserId};
use hyper::Uri;
use protocol::callback::{CallbackCommand, WebhookSigner};
use protocol::element;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;

/// The endpoint of `[app.callback]`.
pub const FIRST: &str = "ep_default";
/// Goes before the names of further endpoints, so that none can take the name of the first.
const PREFIX: &str = "ep_";

pub struct Endpoint {
    pub id: EndpointId,
    pub app: AppId,
    pub url: String,
    /// Makes `Sign`; empty: none is sent.
    pub token: String,
    pub signer: Option<WebhookSigner>,
    pub tls: Arc<ClientConfig>,
    pub settings: Callback,
    filter: Filter,
    /// As it was declared, to see whether another declaration changes anything.
    declared: config::Endpoint,
}

/// What an endpoint wants to hear of. `None`: everything.
struct Filter {
    commands: Option<Vec<CallbackCommand>>,
    senders: Option<Vec<UserId>>,
    recipients: Option<Vec<UserId>>,
    message_types: Option<Vec<String>>,
}

/// Why an endpoint is not told of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unwanted {
    Event,
    Sender,
    Recipient,
    MessageType,
}

impl Unwanted {
    /// The key of the configuration that says so.
    pub fn key(self) -> &'static str {
        match self {
            Self::Event => "events",
            Self::Sender => "senders",
            Self::Recipient => "recipients",
            Self::MessageType => "message_types",
        }
    }
}

// Without the secrets, and without the URL, which may hold one.
impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("id", &self.id).field("app", &self.app).finish_non_exhaustive()
    }
}

// Whether a worker for the one serves the other as well. What stands in certificate files may have changed although
// their names have not.
impl PartialEq for Endpoint {
    fn eq(&self, other: &Self) -> bool {
        let own = &self.declared;
        let has_files = [&own.ca, &own.client_cert].into_iter().any(|path| !path.as_os_str().is_empty());
        !has_files
            && (&self.id, self.app, own, &self.settings)
                == (&other.id, other.app, &other.declared, &other.settings)
    }
}

impl Endpoint {
    pub fn new(app: AppId, declared: config::Endpoint, settings: Callback) -> Result<Self, String> {
        let id = match declared.name.as_str() {
            "" => FIRST.to_owned(),
            name if is_name(name) => format!("{PREFIX}{name}"),
            name => {
                return Err(format!(
                    "name {name:?} must be 1 to 32 letters, digits, hyphens or underscores, and not \"default\""
                ));
            }
        };
        address::check_url("url", &declared.url, settings.private_addresses)?;
        let signer = match (declared.signing_secret.as_str(), declared.previous_signing_secret.as_str()) {
            ("", "") => None,
            ("", _) => return Err("previous_signing_secret is of no use without signing_secret".to_owned()),
            (secret, "") => Some(WebhookSigner::new(secret)),
            (secret, previous) => Some(WebhookSigner::rotating(secret, previous)),
        };
        let signer =
            signer.transpose().map_err(|_| "signing_secret must be whsec_ and base64, or base64 alone")?;
        Ok(Self {
            id: EndpointId(Arc::from(id)),
            app,
            url: declared.url.clone(),
            token: declared.token.clone(),
            signer,
            tls: Arc::new(tls(&declared)?),
            filter: Filter::new(&declared)?,
            settings,
            declared,
        })
    }

    /// As it can be shown.
    pub fn public_url(&self) -> String {
        public_url(&self.url.parse().expect("it was parsed when the endpoint was declared"))
    }

    /// Whether it is asked anything. Only the first endpoint is.
    pub fn is_asked(&self) -> bool {
        let mut questions = CallbackCommand::ALL.iter().filter(|command| command.is_question());
        questions.any(|question| self.is_asked_with(*question))
    }

    /// Whether it is asked this question.
    pub fn is_asked_with(&self, question: CallbackCommand) -> bool {
        &*self.id.0 == FIRST && self.wants(question)
    }

    pub fn wants(&self, command: CallbackCommand) -> bool {
        let is_named = |commands: &Vec<CallbackCommand>| commands.contains(&command);
        self.filter.commands.as_ref().map_or(!command.is_own(), is_named)
    }

    pub fn wants_question(&self, question: &Question<'_>) -> bool {
        self.is_asked_with(CallbackCommand::C2cBeforeSendMsg)
            && self.filter.people(&[question.from, question.to]).is_ok()
            && self.filter.message(&question.content.body).is_ok()
    }

    pub fn wants_friend_question(&self, question: &FriendQuestion<'_>) -> bool {
        self.is_asked_with(render::friend_command(&question.step))
            && self.filter.people(&[question.from, question.to]).is_ok()
    }

    pub fn wants_event(&self, event: &Event) -> Result<(), Unwanted> {
        if !render::command(&event.fact).is_some_and(|command| self.wants(command)) {
            return Err(Unwanted::Event);
        }
        self.filter.people(&event.fact.people())?;
        match &event.fact {
            Fact::AfterSend(fact) => self.filter.message(&fact.body),
            Fact::AfterEdit(fact) => self.filter.message(&fact.body),
            Fact::Missed(fact) => self.filter.message(&fact.body),
            _ => Ok(()),
        }
    }
}

impl Filter {
    fn new(declared: &config::Endpoint) -> Result<Self, String> {
        let command = |name: &String| {
            CallbackCommand::parse(name).ok_or_else(|| format!("events: {name:?} is no event of this server"))
        };
        let user = |name: &String| UserId::new(name).ok_or_else(|| format!("{name:?} is no user id"));
        let users = |names: &Option<Vec<String>>| {
            names.as_ref().map(|names| names.iter().map(user).collect::<Result<Vec<_>, _>>()).transpose()
        };
        let commands = declared
            .events
            .as_ref()
            .map(|names| names.iter().map(command).collect::<Result<_, _>>())
            .transpose()?;
        let mut types = declared.message_types.iter().flatten();
        if let Some(name) = types.find(|name| !element::is_type(name)) {
            return Err(format!("message_types: {name:?} is no type of an element, such as TIMTextElem"));
        }
        if !declared.name.is_empty()
            && commands.iter().flatten().any(|command: &CallbackCommand| command.is_question())
        {
            return Err("events: only the endpoint of [app.callback] is asked".to_owned());
        }
        Ok(Self {
            commands,
            senders: users(&declared.senders)?,
            recipients: users(&declared.recipients)?,
            message_types: declared.message_types.clone(),
        })
    }

    fn people(&self, [from, to]: &[UserId; 2]) -> Result<(), Unwanted> {
        let among =
            |users: &Option<Vec<UserId>>, user| users.as_ref().is_none_or(|users| users.contains(user));
        if !among(&self.senders, from) {
            return Err(Unwanted::Sender);
        }
        if among(&self.recipients, to) { Ok(()) } else { Err(Unwanted::Recipient) }
    }

    fn message(&self, body: &[u8]) -> Result<(), Unwanted> {
        #[derive(Deserialize)]
        struct Element<'a> {
            #[serde(rename = "MsgType", borrow)]
            kind: std::borrow::Cow<'a, str>,
        }
        let Some(wanted) = &self.message_types else { return Ok(()) };
        let elements: Vec<Element<'_>> =
            serde_json::from_slice(body).expect("the body was inspected before it was taken");
        let any = elements.iter().any(|element| wanted.iter().any(|kind| *kind == element.kind));
        if any { Ok(()) } else { Err(Unwanted::MessageType) }
    }
}

/// Without what may be a secret: the query, and what stands before the host.
pub fn public_url(url: &Uri) -> String {
    let authority = url.authority().map_or("", |authority| authority.as_str());
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{}://{host}{}", url.scheme_str().unwrap_or_default(), url.path())
}

fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    name.len() <= 32 && name.chars().all(allowed) && name != "default"
}

/// Whom the endpoint's certificate may be issued by, and what it is shown in turn.
fn tls(declared: &config::Endpoint) -> Result<ClientConfig, String> {
    let roots = if declared.ca.as_os_str().is_empty() {
        trust::public_authorities()
    } else {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&declared.ca)? {
            roots.add(certificate).map_err(|error| format!("ca {}: {error}", declared.ca.display()))?;
        }
        roots
    };
    let config = trust::trusting(roots);
    let (cert, key) = (&declared.client_cert, &declared.client_key);
    if cert.as_os_str().is_empty() && key.as_os_str().is_empty() {
        return Ok(config.with_no_client_auth());
    }
    if cert.as_os_str().is_empty() || key.as_os_str().is_empty() {
        return Err("client_cert and client_key go together: set both, or neither".to_owned());
    }
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| format!("client_key {}: {error}", key.display()))?;
    config
        .with_client_auth_cert(certificates(cert)?, private)
        .map_err(|error| format!("client_cert {}: {error}", cert.display()))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    trust::certificates(path).map_err(|bad| match bad {
        BadCertificates::Unreadable(error) => format!("{}: {error}", path.display()),
        BadCertificates::Empty => format!("{} holds no certificate", path.display()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_without_secrets() {
        for (url, expected) in [
            ("http://127.0.0.1:8080/callback", "http://127.0.0.1:8080/callback"),
            ("https://me:secret@example.com/a/b?token=1", "https://example.com/a/b"),
            ("https://me@[::1]:1/?x", "https://[::1]:1/"),
            ("http://example.com", "http://example.com/"),
        ] {
            assert_eq!(public_url(&url.parse().unwrap()), expected);
        }
    }
}
