//! The apps this server serves, with everything their settings decide, ready to use.

use crate::address;
use crate::config::{self, Callback, ConfigError};
use crate::translate;
use chat::filter::{Action, WordList};
use chat::port::EndpointId;
use chat::send::{GateFailure, ReplaceTexts, SendRules};
use chat::{AppId, UserId};
use hyper::Uri;
use protocol::callback::{CallbackCommand, WebhookSigner};
use rustc_hash::FxHashMap;
use std::sync::Arc;

#[derive(Debug)]
pub struct Apps {
    by_id: FxHashMap<u32, Arc<App>>,
}

pub struct App {
    pub id: AppId,
    /// Secrets that UserSigs may be made with: the current one and, while keys are changed, the previous one.
    pub keys: Vec<String>,
    pub admins: Vec<UserId>,
    pub rules: SendRules,
    pub endpoint: Option<Arc<Endpoint>>,
}

/// Where an app's backend is told and asked.
pub struct Endpoint {
    pub id: EndpointId,
    pub app: AppId,
    pub url: String,
    /// Makes `Sign`; empty: none is sent.
    pub token: String,
    pub signer: Option<WebhookSigner>,
    /// `None`: all.
    commands: Option<Vec<CallbackCommand>>,
    pub settings: Callback,
}

// Without the secrets: what can be printed will be, one day.
impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("id", &self.id).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("id", &self.id).field("app", &self.app).finish_non_exhaustive()
    }
}

impl Endpoint {
    pub fn wants(&self, command: CallbackCommand) -> bool {
        self.commands.as_ref().is_none_or(|commands| commands.contains(&command))
    }
}

impl Apps {
    pub fn new(config: &config::Config, declared: &[config::App]) -> Result<Self, ConfigError> {
        let mut by_id = FxHashMap::default();
        for app in declared {
            let made = Arc::new(App::new(config, app)?);
            if by_id.insert(app.sdkappid, made).is_some() {
                return Err(ConfigError::Unusable(format!("app {} is declared twice", app.sdkappid)));
            }
        }
        Ok(Self { by_id })
    }

    pub fn get(&self, sdkappid: u32) -> Option<&Arc<App>> {
        self.by_id.get(&sdkappid)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<App>> {
        self.by_id.values()
    }
}

impl App {
    fn new(config: &config::Config, app: &config::App) -> Result<Self, ConfigError> {
        let unusable = |what: String| ConfigError::Unusable(format!("app {}: {what}", app.sdkappid));
        if app.sdkappid == 0 {
            return Err(unusable("sdkappid must not be 0".to_owned()));
        }
        if app.key.is_empty() {
            return Err(unusable("key must not be empty".to_owned()));
        }
        let id = AppId(app.sdkappid);
        let admin = |name: &String| {
            UserId::new(name).ok_or_else(|| unusable(format!("admin {name:?} is no user id")))
        };
        let admins = app.admins.iter().map(admin).collect::<Result<Vec<_>, _>>()?;
        if admins.is_empty() {
            return Err(unusable("admins is empty: nobody could call REST".to_owned()));
        }
        let own = app.callback.clone().unwrap_or_default();
        let (settings, endpoint) =
            Callback::of(&config.callback, &own, &format!("app {}, callback", app.sdkappid))?;
        let gate_failure = match settings.before_failure {
            config::BeforeFailure::Pass => GateFailure::Pass,
            config::BeforeFailure::Reject => GateFailure::Reject,
        };
        let endpoint =
            endpoint.map(|endpoint| Endpoint::new(id, endpoint, settings).map_err(unusable)).transpose()?;
        let rules = SendRules {
            message_bytes_max: config.limits.message_bytes_max,
            word_lists: app.filters.iter().map(word_list).collect::<Result<_, _>>().map_err(unusable)?,
            replace_texts: ReplaceTexts(translate::replace_texts),
            ask_gate: endpoint
                .as_ref()
                .is_some_and(|endpoint| endpoint.wants(CallbackCommand::C2cBeforeSendMsg)),
            gate_failure,
        };
        let previous = Some(app.previous_key.clone()).filter(|key| !key.is_empty());
        let keys = [app.key.clone()].into_iter().chain(previous).collect();
        Ok(Self { id, keys, admins, rules, endpoint: endpoint.map(Arc::new) })
    }

    pub fn is_admin(&self, user: &UserId) -> bool {
        self.admins.contains(user)
    }
}

impl Endpoint {
    fn new(app: AppId, endpoint: config::Endpoint, settings: Callback) -> Result<Self, String> {
        let url: Uri =
            endpoint.url.parse().map_err(|error| format!("callback url {:?}: {error}", endpoint.url))?;
        let host = url.host().unwrap_or_default();
        if !matches!(url.scheme_str(), Some("http" | "https")) || host.is_empty() {
            return Err(format!("callback url {:?} must be http:// or https:// with a host", endpoint.url));
        }
        if let Ok(ip) = host.trim_matches(['[', ']']).parse()
            && !address::may_call(ip, settings.private_addresses)
        {
            return Err(format!(
                "callback url {:?} has an address that is never called, or not by these settings",
                endpoint.url
            ));
        }
        let command = |name: &String| {
            CallbackCommand::parse(name)
                .ok_or_else(|| format!("callback events: {name:?} is no event of this server"))
        };
        let commands =
            endpoint.events.map(|names| names.iter().map(command).collect::<Result<_, _>>()).transpose()?;
        let signer = (!endpoint.signing_secret.is_empty())
            .then(|| WebhookSigner::new(&endpoint.signing_secret))
            .transpose()
            .map_err(|_| {
                "callback signing_secret is not usable: give text, or whsec_ and base64".to_owned()
            })?;
        Ok(Self {
            id: EndpointId(Arc::from("ep_default")),
            app,
            url: endpoint.url,
            token: endpoint.token,
            signer,
            commands,
            settings,
        })
    }
}

fn word_list(filter: &config::Filter) -> Result<WordList, String> {
    let action = match filter.action {
        config::FilterAction::Block => Action::Block,
        config::FilterAction::Mask => Action::Mask,
        config::FilterAction::Mark => Action::Mark,
    };
    WordList::new(&filter.words, action).map_err(|error| format!("filter: {error}"))
}
