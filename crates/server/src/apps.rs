//! The apps this server serves, with everything their settings decide, ready to use.

use crate::config::{self, Callback, ConfigError};
use crate::endpoint::Endpoint;
use crate::push::Carrier;
use crate::rate::Rates;
use crate::translate;
use arc_swap::ArcSwap;
use chat::admit::{DeviceTerms, Terms};
use chat::befriend::FriendRules;
use chat::filter::{Action, WordList};
use chat::login::{LoginPolicy, PerPlatform};
use chat::send::{GateFailure, ReplaceTexts, SendRules};
use chat::{AppId, UserId};
use protocol::callback::{CallbackCommand, OptPlatform};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The apps as they are declared now. Declarations can be replaced while the server runs.
#[derive(Debug, Default)]
pub struct Apps {
    by_id: ArcSwap<FxHashMap<u32, Arc<App>>>,
    generation: AtomicU64,
}

pub struct App {
    pub id: AppId,
    /// Secrets that UserSigs may be made with: the current one and, while keys are changed, the previous one.
    pub keys: Vec<String>,
    pub admins: Vec<UserId>,
    pub rules: SendRules,
    pub friend_rules: FriendRules,
    /// Whether logins and lost connections are events.
    pub state_changes: bool,
    /// What the sends of devices have to respect besides.
    pub friends_only: bool,
    pub tells_blocked: bool,
    /// Whether messages to many are events too.
    pub callback_on_batch: bool,
    pub rates: Rates,
    /// How many sessions a user may have.
    pub logins: LoginPolicy,
    /// For so long its sender can recall a message from a device.
    pub recall_secs: u64,
    /// Whether only its sender can edit a message from a device.
    pub edits_own_only: bool,
    /// Whoever is told of events. The first one, if it has the first name, is also asked.
    pub endpoints: Vec<Arc<Endpoint>>,
    /// Who carries push to devices that are not connected.
    pub carriers: Vec<Arc<Carrier>>,
    /// How it is watched which messages find no device, if an endpoint wants to hear of them.
    pub watch: Option<Callback>,
}

// Without the secrets: what can be printed will be, one day.
impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Apps {
    /// Everything that declarations say, checked. Nothing is changed yet.
    pub fn declared(
        config: &config::Config,
        declared: &[config::App],
    ) -> Result<FxHashMap<u32, Arc<App>>, ConfigError> {
        let mut by_id = FxHashMap::default();
        for app in declared {
            let made = Arc::new(App::new(config, app)?);
            if by_id.insert(app.sdkappid, made).is_some() {
                return Err(ConfigError::Unusable(format!("app {} is declared twice", app.sdkappid)));
            }
        }
        Ok(by_id)
    }

    pub fn replace(&self, by_id: FxHashMap<u32, Arc<App>>) {
        self.by_id.store(Arc::new(by_id));
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Changes after every replacement. What was concluded from an app holds only for the generation that was asked
    /// for before the app was.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub fn get(&self, sdkappid: u32) -> Option<Arc<App>> {
        self.by_id.load().get(&sdkappid).cloned()
    }

    pub fn all(&self) -> Vec<Arc<App>> {
        self.by_id.load().values().cloned().collect()
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
        let endpoints = endpoints(config, app)?;
        let is_asked = |question| endpoints.first().is_some_and(|endpoint| endpoint.is_asked_with(question));
        let before_failure = endpoints.first().map(|endpoint| endpoint.settings.before_failure);
        let gate_failure = match before_failure {
            Some(config::BeforeFailure::Reject) => GateFailure::Reject,
            Some(config::BeforeFailure::Pass) | None => GateFailure::Pass,
        };
        let follower = config.push.follower(&config.callback)?;
        let carriers =
            Carrier::declared(id, &app.push, &follower, config.push.age_secs_max).map_err(unusable)?;
        let wants_missed =
            endpoints.iter().any(|endpoint| endpoint.wants(CallbackCommand::CoupletMsgOffline));
        let watch = wants_missed.then_some(follower);
        let rules = SendRules {
            message_bytes_max: config.limits.message_bytes_max,
            word_lists: app.filters.iter().map(word_list).collect::<Result<_, _>>().map_err(unusable)?,
            replace_texts: ReplaceTexts(translate::replace_texts),
            ask_gate: is_asked(CallbackCommand::C2cBeforeSendMsg),
            gate_failure,
            records_all: watch.is_some() || !carriers.is_empty(),
        };
        let friend_rules = FriendRules {
            ask_before_add: is_asked(CallbackCommand::SnsPrevFriendAdd),
            ask_before_answer: is_asked(CallbackCommand::SnsPrevFriendResponse),
            gate_failure,
        };
        let previous = Some(app.previous_key.clone()).filter(|key| !key.is_empty());
        let keys = [app.key.clone()].into_iter().chain(previous).collect();
        Ok(Self {
            id,
            keys,
            admins,
            rules,
            friend_rules,
            state_changes: app.state_changes,
            friends_only: app.friends_only,
            tells_blocked: app.tells_blocked,
            callback_on_batch: app.callback_on_batch,
            rates: Rates::new(&app.rates).map_err(unusable)?,
            logins: login_policy(&app.logins).map_err(unusable)?,
            recall_secs: app.recall_secs,
            edits_own_only: app.edits_own_only,
            endpoints,
            carriers,
            watch,
        })
    }

    pub fn is_admin(&self, user: &UserId) -> bool {
        self.admins.contains(user)
    }

    /// What a device's send has to respect.
    pub fn device_terms(&self) -> Terms {
        let (friends_only, tells_blocked) = (self.friends_only, self.tells_blocked);
        Terms { device: Some(DeviceTerms { friends_only, tells_blocked }), heeds_recipient: true }
    }

    pub fn endpoint(&self, name: &str) -> Option<&Arc<Endpoint>> {
        self.endpoints.iter().find(|endpoint| &*endpoint.id.0 == name)
    }
}

fn endpoints(config: &config::Config, app: &config::App) -> Result<Vec<Arc<Endpoint>>, ConfigError> {
    let mut endpoints: Vec<Arc<Endpoint>> = Vec::new();
    let first = app.callback.iter().map(|table| (table, "callback".to_owned()));
    let further =
        app.endpoints.iter().enumerate().map(|(number, table)| (table, format!("endpoint {}", number + 1)));
    for (table, place) in first.chain(further) {
        let place = format!("app {}, {place}", app.sdkappid);
        let (settings, declared) = Callback::of(&config.callback, table, &place)?;
        let unusable = |what: String| ConfigError::Unusable(format!("{place}: {what}"));
        let Some(declared) = declared else { continue };
        let is_first = endpoints.is_empty() && app.callback.is_some();
        if declared.name.is_empty() != is_first {
            let wanted = if is_first { "has no name" } else { "needs a name" };
            return Err(unusable(format!("this endpoint {wanted}")));
        }
        let endpoint = Endpoint::new(AppId(app.sdkappid), declared, settings).map_err(unusable)?;
        if endpoints.iter().any(|other| other.id == endpoint.id) {
            return Err(unusable(format!("there are two endpoints {}", endpoint.id.0)));
        }
        endpoints.push(Arc::new(endpoint));
    }
    Ok(endpoints)
}

fn login_policy(declared: &config::Logins) -> Result<LoginPolicy, String> {
    if declared.policy != config::LoginPolicy::Count && !declared.max_per_platform.is_empty() {
        return Err("logins.max_per_platform has no effect unless logins.policy is \"count\"".to_owned());
    }
    Ok(match declared.policy {
        config::LoginPolicy::Any => LoginPolicy::Any,
        config::LoginPolicy::Last => LoginPolicy::Last,
        config::LoginPolicy::Class => LoginPolicy::Class,
        config::LoginPolicy::Count => LoginPolicy::Count(per_platform(&declared.max_per_platform)?),
    })
}

fn per_platform(declared: &BTreeMap<String, u32>) -> Result<PerPlatform, String> {
    let mut numbers = PerPlatform::all(1);
    for (name, number) in declared {
        let platform = OptPlatform::parse(name).filter(|platform| *platform != OptPlatform::RestApi);
        let platform =
            platform.ok_or_else(|| format!("logins.max_per_platform: there is no platform {name}"))?;
        if *number == 0 {
            return Err(format!("logins.max_per_platform: with 0 nobody could log in on {name}"));
        }
        numbers = numbers.with(translate::device_platform(platform), *number);
    }
    Ok(numbers)
}

fn word_list(filter: &config::Filter) -> Result<WordList, String> {
    let action = match filter.action {
        config::FilterAction::Block => Action::Block,
        config::FilterAction::Mask => Action::Mask,
        config::FilterAction::Mark => Action::Mark,
    };
    WordList::new(&filter.words, action).map_err(|error| format!("filter: {error}"))
}
