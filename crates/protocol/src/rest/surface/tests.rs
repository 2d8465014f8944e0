//! The tables and the parsers say the same.
//!
//! From what the tables say of a request, a body is made with every member. Then each member in turn is made wrong, too
//! long, older or is left out, and the parser has to do what the tables say it does.

use super::{Compat, Entry, Kind, Member, Presence};
use crate::{
    code::{ErrorCode, Failure},
    lenient::known_names,
    rest::{
        Command, account, batch, contact, deletion, edit, extension, import, mute, profile, read, recall,
        roam, sendmsg, sns, status,
    },
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What a parser makes of a body: the codes of the items that fail alone, 0 for the others; or the code of the call.
type Outcome = Result<Vec<u32>, u32>;

/// Members that a request may do without, but not the request with all members, whose operation needs them.
const NEEDED_BY_ANOTHER: &[(Command, &str)] = &[(Command::SetExtensions, "ExtensionList")];

/// Numbers that a parser takes although the tables do not offer them: nobody looks at them.
const NOT_LOOKED_AT: &[(Command, &str)] = &[(Command::SendMsg, "MsgTimeStamp")];

/// Members that are only looked at when another one is not there.
const IN_PLACE_OF: &[(Command, &str, &str)] = &[(Command::MultiAccountImport, "Accounts", "AccountList")];

fn outcome(command: Command, body: &str) -> Outcome {
    fn whole<T>(parsed: Result<T, Failure>) -> Outcome {
        parsed.map(|_| Vec::new()).map_err(|failure| failure.code)
    }
    fn items<T>(parsed: Result<Vec<sns::Item<'_, T>>, Failure>) -> Outcome {
        let code = |item: sns::Item<'_, T>| item.err().map_or(0, |refused| refused.failure.code);
        let items = parsed.map_err(|failure| failure.code)?;
        Ok(items.into_iter().map(code).collect())
    }
    let body = body.as_bytes();
    match command {
        Command::SendMsg => whole(sendmsg::SendMessage::parse(body)),
        Command::BatchSendMsg => whole(batch::SendBatch::parse(body)),
        Command::ImportMsg => whole(import::ImportMessage::parse(body)),
        Command::GetRoamMsg => whole(roam::GetRoamMessages::parse(body)),
        Command::RecallMsg => whole(recall::Recall::parse(body)),
        Command::EditMsg => whole(edit::Edit::parse(body)),
        Command::DeleteMsg => whole(deletion::DeleteMessages::parse(body)),
        Command::SetMsgRead => whole(read::SetRead::parse(body)),
        Command::ConfirmMsgRead => whole(read::Confirm::parse(body)),
        Command::GetUnreadNum => whole(read::Unread::parse(body)),
        Command::QueryOnlineStatus | Command::QueryState => whole(status::Query::parse(body)),
        Command::SetExtensions => whole(extension::Set::parse(body)),
        Command::GetExtensions => whole(extension::Get::parse(body)),
        Command::GetContacts => whole(contact::List::parse(body)),
        Command::DeleteContact => whole(contact::Delete::parse(body)),
        Command::PinContact => whole(contact::Pin::parse(body)),
        Command::AccountImport => whole(account::Import::parse(body)),
        Command::MultiAccountImport => whole(account::MultiImport::parse(body)),
        Command::AccountCheck => whole(account::Check::parse(body)),
        Command::AccountDelete => whole(account::Delete::parse(body)),
        Command::Kick => whole(account::Kick::parse(body)),
        Command::PortraitSet => whole(profile::Set::parse(body)),
        Command::PortraitGet => whole(profile::Get::parse(body)),
        Command::FriendAdd => items(sns::friend::Add::parse(body).map(|add| add.items)),
        Command::FriendImport => items(sns::friend::Import::parse(body).map(|import| import.items)),
        Command::FriendUpdate => items(sns::friend::Update::parse(body).map(|update| update.items)),
        Command::FriendDelete => items(sns::friend::Delete::parse(body).map(|delete| delete.to)),
        Command::FriendDeleteAll => whole(sns::friend::DeleteAll::parse(body)),
        Command::FriendCheck => items(sns::friend::Check::parse(body).map(|check| check.to)),
        Command::FriendGet => whole(sns::friend::Page::parse(body)),
        Command::FriendGetList => items(sns::friend::Pick::parse(body).map(|pick| pick.to)),
        Command::FriendGroupAdd => items(sns::group::Add::parse(body).map(|add| add.to)),
        Command::FriendGroupDelete => whole(sns::group::Delete::parse(body)),
        Command::FriendGroupGet => whole(sns::group::Get::parse(body)),
        Command::BlocklistAdd => items(sns::blocklist::Add::parse(body).map(|add| add.to)),
        Command::BlocklistDelete => items(sns::blocklist::Delete::parse(body).map(|delete| delete.to)),
        Command::BlocklistGet => whole(sns::blocklist::Page::parse(body)),
        Command::BlocklistCheck => items(sns::blocklist::Check::parse(body).map(|check| check.to)),
        Command::SetMute => whole(mute::Set::parse(body)),
        Command::GetMute => whole(mute::Get::parse(body)),
    }
}

fn all_fine(outcome: &Outcome) -> bool {
    outcome.as_ref().is_ok_and(|codes| codes.iter().all(|code| *code == 0))
}

/// A value that is as described. `number` makes those of one list different from each other.
fn good(kind: &Kind, number: usize) -> Value {
    match kind {
        Kind::Text { min, .. } => json!(format!("{number:0min$}")),
        Kind::UserId => json!(format!("ana{number}")),
        Kind::MsgKey => json!("3_31_1900"),
        Kind::Word(words) => json!(words[0]),
        Kind::Form(form) => json!(form.sample),
        Kind::Integer { min, .. } => json!(min),
        Kind::Choice(choices) => json!(choices[0]),
        Kind::Flag => json!(1),
        Kind::List { of, min, .. } => items(of, (*min).max(1)),
        Kind::Object(members) => object(members, |_| true),
        Kind::AnyObject => json!({"any": [1]}),
        Kind::OneOf(kinds) => good(&kinds[0], number),
        Kind::Elements => json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]),
        Kind::StoredElements | Kind::LineCode | Kind::FailedLineCode => panic!("not in a request"),
    }
}

fn items(of: &Kind, count: usize) -> Value {
    Value::Array((0..count).map(|number| good(of, number)).collect())
}

fn object(members: &[Member], wanted: impl Fn(&Member) -> bool) -> Value {
    // The two people of a message are told apart by nothing here: some commands want them to be the same twice.
    let members = members.iter().filter(|member| wanted(member));
    Value::Object(members.map(|member| (member.name.to_owned(), good(&member.kind, 0))).collect())
}

/// Values that are not as described, and those at the edges, which are.
fn edges(kind: &Kind) -> (Vec<Value>, Vec<Value>) {
    match kind {
        Kind::Text { min, max } => {
            let long = max.map(|max| json!("x".repeat(max + 1)));
            let short = min.checked_sub(1).map(|len| json!("x".repeat(len)));
            let fits = max.iter().chain([min]).map(|len| json!("x".repeat(*len))).collect();
            ([json!({}), json!(7)].into_iter().chain(long).chain(short).collect(), fits)
        }
        Kind::UserId => (
            vec![json!(7), json!({}), json!(""), json!("x".repeat(33)), json!("a\nb")],
            vec![json!("x"), json!("x".repeat(32))],
        ),
        Kind::MsgKey => (vec![json!(7), json!({}), json!("3_31"), json!("x")], vec![json!("0_0_0")]),
        Kind::Word(words) => {
            (vec![json!(7), json!({}), json!("nonsense")], words.iter().map(|word| json!(word)).collect())
        }
        Kind::Form(form) => (
            vec![json!(7), json!({}), json!("nonsense"), json!(format!("{}abcdefghi", form.sample))],
            vec![json!(form.sample)],
        ),
        Kind::Integer { min, max } => {
            let below = min.checked_sub(1).map_or(json!(-1), |below| json!(below));
            let above = max.checked_add(1).map_or(json!(1.844_674_407_370_955_2e19), |above| json!(above));
            (vec![json!({}), json!("x"), json!(0.5), below, above], vec![json!(min), json!(max)])
        }
        Kind::Choice(choices) => {
            let beyond = choices.iter().max().unwrap() + 1;
            (vec![json!({}), json!("x"), json!(beyond)], choices.iter().map(|choice| json!(choice)).collect())
        }
        Kind::Flag => (vec![json!({}), json!("x"), json!(2)], vec![json!(0), json!(1)]),
        Kind::List { of, min, max } => {
            let long = max.map(|max| items(of, max + 1));
            let short = min.checked_sub(1).map(|len| items(of, len));
            let of_wrong = json!([{"nonsense": 1}]);
            let of_unknown = matches!(of, Kind::OneOf(_)).then(|| json!(["nonsense"]));
            let wrong = [json!({}), json!("x"), of_wrong].into_iter().chain(of_unknown);
            let wrong = wrong.chain(long).chain(short).collect();
            (wrong, max.iter().chain([min]).map(|len| items(of, *len)).collect())
        }
        Kind::Object(_) | Kind::AnyObject => (vec![json!("x"), json!([1])], vec![json!({})]),
        Kind::OneOf(kinds) => {
            let is_tag = matches!(kinds[0], Kind::Word(_));
            (
                [json!({"nonsense": 1})].into_iter().chain(is_tag.then(|| json!("nonsense"))).collect(),
                Vec::new(),
            )
        }
        Kind::Elements => {
            let text = |text: &str| json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}]);
            let unknown = json!([{"MsgType": "x", "MsgContent": {}}]);
            let [long, huge] = [12_289, 131_072].map(|len| text(&"x".repeat(len)));
            (vec![json!("x"), json!({}), json!([]), json!([1]), unknown, long, huge], vec![text("")])
        }
        Kind::StoredElements | Kind::LineCode | Kind::FailedLineCode => panic!("not in a request"),
    }
}

/// A member, with the way to the object that has it.
struct Place {
    path: String,
    member: &'static Member,
}

fn places(members: &'static [Member], path: &str) -> Vec<Place> {
    let mut found = Vec::new();
    for member in members {
        found.push(Place { path: path.to_owned(), member });
        let step = if matches!(member.kind, Kind::List { .. }) { "/0" } else { "" };
        found.extend(places(member.kind.members(), &format!("{path}/{}{step}", member.name)));
    }
    found
}

/// A command with a body that has every member.
struct Scene {
    command: Command,
    entry: &'static Entry,
    body: Value,
}

impl Scene {
    fn all() -> impl Iterator<Item = Scene> {
        Command::ALL.iter().map(|&command| {
            let entry = command.entry();
            Scene { command, entry, body: object(entry.request, |_| true) }
        })
    }

    fn outcome(&self, body: &Value) -> Outcome {
        outcome(self.command, &body.to_string())
    }

    /// The body after a change to one object in it.
    fn changed(&self, path: &str, change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> Value {
        let mut body = self.body.clone();
        change(body.pointer_mut(path).unwrap().as_object_mut().unwrap());
        body
    }

    fn with(&self, place: &Place, value: &Value) -> Value {
        self.changed(&place.path, |object| {
            object.insert(place.member.name.to_owned(), value.clone());
            for (command, name, other) in IN_PLACE_OF {
                if (*command, *name) == (self.command, place.member.name) {
                    object.remove(*other);
                }
            }
        })
    }

    fn is(&self, list: &[(Command, &str)], member: &Member) -> bool {
        list.contains(&(self.command, member.name))
    }

    /// Panics unless the body is refused with what the tables say of the member. Returns the code.
    fn is_refused(&self, body: &Value, member: &Member) -> ErrorCode {
        let one_of = |codes: &[ErrorCode], number| codes.iter().copied().find(|code| code.number() == number);
        let outcome = self.outcome(body);
        let as_said = match &outcome {
            Err(code) => one_of(member.codes, *code),
            Ok(codes) => codes.iter().find_map(|code| one_of(member.line_codes, *code)),
        };
        let shown = || format!("{:?} {}: {outcome:?} {:.300}", self.command, member.name, body.to_string());
        as_said.unwrap_or_else(|| panic!("{}", shown()))
    }

    /// Panics unless it matters, as the tables say, that a member is left out. Returns the code if it is refused.
    fn left_out(&self, Place { path, member }: &Place) -> BTreeSet<ErrorCode> {
        let without = self.changed(path, |object| drop(object.remove(member.name)));
        let with_null = self.changed(path, |object| drop(object.insert(member.name.to_owned(), Value::Null)));
        let is_needed = member.presence == Presence::Always || self.is(NEEDED_BY_ANOTHER, member);
        let code = |body: &Value| {
            if !is_needed {
                self.is_fine(body, member.name);
            }
            is_needed.then(|| self.is_refused(body, member))
        };
        [&without, &with_null].into_iter().filter_map(code).collect()
    }

    fn is_fine(&self, body: &Value, why: &str) {
        let outcome = self.outcome(body);
        assert!(all_fine(&outcome), "{:?} {why}: {outcome:?} {:.300}", self.command, body.to_string());
    }
}

#[test]
fn requests_with_all_members_and_with_the_least_are_fine() {
    for scene in Scene::all() {
        scene.is_fine(&scene.body, "everything");
        let mut wanted: Vec<&[&str]> = scene.entry.any_of.iter().map(std::slice::from_ref).collect();
        if wanted.is_empty() {
            wanted.push(&[]);
        }
        for any_of in wanted {
            let needed = |member: &Member| {
                member.presence == Presence::Always
                    || any_of.contains(&member.name)
                    || scene.is(NEEDED_BY_ANOTHER, member)
            };
            scene.is_fine(&object(scene.entry.request, needed), "the least");
        }
        if !scene.entry.any_of.is_empty() {
            let least = object(scene.entry.request, |member| member.presence == Presence::Always);
            let code = scene.outcome(&least).unwrap_err();
            let codes = scene.entry.own_codes();
            assert!(codes.iter().any(|known| known.number() == code), "{:?} {code}", scene.command);
        }
    }
}

/// Bodies in which a member is wrong in a way that its kind alone does not show.
fn other_ways(scene: &Scene, member: &Member) -> Vec<Value> {
    let top = |value: Value| scene.changed("", |body| drop(body.insert(member.name.to_owned(), value)));
    let item = |path: &str, tag: &str, value: Value| {
        scene.changed(path, |item| {
            item.insert("Tag".to_owned(), json!(tag));
            item.insert("Value".to_owned(), value);
        })
    };
    match (scene.command, member.name) {
        (_, "CloudCustomData") => vec![top(json!("x".repeat(12_289)))],
        (Command::SendMsg, "MsgTimeStamp") => vec![top(json!("soon"))],
        (Command::PortraitSet, "Value") => vec![
            item("/ProfileItem/0", "Tag_Profile_IM_Gender", json!("x")),
            item("/ProfileItem/0", "Tag_Profile_IM_Nick", json!(7)),
            item("/ProfileItem/0", "Tag_Profile_IM_Nick", json!("x".repeat(501))),
        ],
        (Command::FriendUpdate, "Value") => {
            vec![item(
                "/UpdateItem/0/SnsItem/0",
                "Tag_SNS_IM_Group",
                items(&Kind::Text { min: 1, max: None }, 33),
            )]
        }
        _ => Vec::new(),
    }
}

/// Every code of a member, and no other, is what something that is wrong with it is refused with.
#[test]
fn what_is_not_as_described_is_refused_as_described() {
    for scene in Scene::all() {
        for place in places(scene.entry.request, "") {
            let member = place.member;
            let mut seen = scene.left_out(&place);
            let (wrong, fits) = edges(&member.kind);
            for value in wrong.iter().filter(|_| !scene.is(NOT_LOOKED_AT, member)) {
                seen.insert(scene.is_refused(&scene.with(&place, value), member));
            }
            for value in other_ways(&scene, member) {
                seen.insert(scene.is_refused(&value, member));
            }
            let told = member.codes.iter().chain(member.line_codes).copied().collect();
            assert_eq!(seen, told, "{:?} {}", scene.command, member.name);
            // What another member has to agree with cannot be any value.
            let is_free = !["From_Account", "To_Account", "Tag"].contains(&member.name)
                && !["Operator_Account", "Peer_Account", "OperateType"].contains(&member.name);
            for value in fits.iter().filter(|_| is_free) {
                scene.is_fine(&scene.with(&place, value), member.name);
            }
        }
    }
}

#[test]
fn older_names_stand_for_the_newer_ones() {
    let mut count = 0;
    for scene in Scene::all() {
        for place in places(scene.entry.request, "") {
            for older in place.member.older {
                let body = scene.changed(&place.path, |object| {
                    let value = object.remove(place.member.name).unwrap();
                    object.insert((*older).to_owned(), value);
                });
                scene.is_fine(&body, older);
                count += 1;
            }
        }
    }
    assert_eq!(count, 7);
}

/// A name that a parser knows is written about, or it has no effect at that place.
#[test]
fn no_name_that_a_parser_knows_is_left_out() {
    for scene in Scene::all() {
        let text = scene.body.to_string();
        let (_, noted) = known_names::during(|| outcome(scene.command, &text));
        let known: BTreeSet<&str> =
            noted.iter().flat_map(|names| names.iter().copied()).filter(|name| !name.is_empty()).collect();
        let places = places(scene.entry.request, "");
        let mut objects: BTreeSet<&str> = places.iter().map(|place| place.path.as_str()).collect();
        objects.insert("");
        for path in objects {
            let here = || places.iter().filter(|place| place.path == path).map(|place| place.member);
            let described: BTreeSet<&str> =
                here().flat_map(|member| member.older.iter().copied().chain([member.name])).collect();
            for name in known.difference(&described) {
                let body = scene.changed(path, |object| {
                    object.insert((*name).to_owned(), json!({"nonsense": [1]}));
                });
                scene.is_fine(&body, &format!("{path}/{name} is read, and not written about"));
            }
        }
    }
}

/// What is written about is known to a parser, and what a parser knows is written about somewhere.
#[test]
fn the_parsers_know_the_same_names() {
    let mut written: BTreeSet<&str> = BTreeSet::new();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for scene in Scene::all() {
        let text = scene.body.to_string();
        let (_, noted) = known_names::during(|| outcome(scene.command, &text));
        let names: BTreeSet<&str> = noted.into_iter().flatten().copied().collect();
        for place in places(scene.entry.request, "") {
            for name in place.member.older.iter().copied().chain([place.member.name]) {
                assert!(names.contains(name), "{:?} does not know {name}", scene.command);
                written.insert(name);
            }
        }
        known.extend(names);
    }
    known.remove("");
    let of_one_side: Vec<_> = known.symmetric_difference(&written).collect();
    assert!(of_one_side.is_empty(), "{of_one_side:?}");
}

#[test]
fn examples_are_good_requests() {
    for scene in Scene::all() {
        let body: Value = serde_json::from_str(scene.entry.example.request).unwrap();
        scene.is_fine(&body, "the example");
        assert_eq!(
            body.to_string().len(),
            scene.entry.example.request.len(),
            "compact: {}",
            scene.entry.example.request
        );
        for name in body.as_object().unwrap().keys() {
            let described = scene.entry.request.iter().any(|member| member.name == name);
            assert!(described, "{:?}: {name} is in the example and not in the table", scene.command);
        }
    }
}

#[test]
fn everything_is_said_once_and_in_sentences() {
    let is_sentence = |text: &str| text.ends_with('.') && !text.contains("  ") && !text.contains('\n');
    for scene in Scene::all() {
        let entry = scene.entry;
        assert!(!entry.summary.is_empty() && !entry.summary.ends_with('.'), "{:?}", scene.command);
        for note in entry.notes {
            assert!(is_sentence(note), "{note}");
        }
        let answers = entry.answers.iter().flat_map(|answer| places(answer.members, ""));
        for place in places(entry.request, "").into_iter().chain(answers) {
            assert!(is_sentence(place.member.meaning), "{:?} {}", scene.command, place.member.name);
        }
        let compared = entry.compat.iter().copied();
        let of_members = places(entry.request, "").into_iter().map(|place| place.member.compat);
        for compat in compared.chain(of_members) {
            let (Compat::Open(text) | Compat::More(text) | Compat::Added(text) | Compat::Differs(text)) =
                compat
            else {
                continue;
            };
            assert!(is_sentence(text), "{:?} {text}", scene.command);
        }
        for code in entry.codes.iter().chain(entry.line_codes) {
            assert!(is_sentence(code.when), "{:?} {}", scene.command, code.when);
        }
        let forms = entry.answers.len();
        assert!(forms > 0 && entry.answers.iter().all(|answer| (forms > 1) != answer.when.is_empty()));
    }
}
