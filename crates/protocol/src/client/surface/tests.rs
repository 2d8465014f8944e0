//! The tables and the parsers say the same.
//!
//! From what the tables say of a request, a frame is made with every member. Then each member in turn is made wrong, too
//! long, or is left out, and the parser has to do what the tables say it does.

use super::{Choice, Kind, Member, OPERATIONS, Operation, PUSHES, Presence, REFUSAL, UPLOADED, operations};
use crate::{
    client::{Alteration, ClientFrame, MediaKind, Reach},
    code::ErrorCode,
    lenient::known_names,
};
use serde_json::{Map, Value, json};
use std::{collections::BTreeSet, fs, path::Path};

type Outcome = Result<(), u32>;

/// Members that the parser does not miss: somebody else does, later.
const MISSED_LATER: &[(&str, &str)] = &[("connect", "usersig")];

fn outcome(frame: &Value) -> Outcome {
    let text = frame.to_string();
    ClientFrame::parse(&text).map(|_| ()).map_err(|error| error.failure.code)
}

/// A value that is as described. `number` makes those of one list different from each other.
fn good(kind: &Kind, number: usize) -> Value {
    match kind {
        Kind::Text { min, .. } => json!(format!("{number:0min$}")),
        Kind::UserId => json!(format!("ana{number}")),
        Kind::MsgKey => json!("3_31_1900"),
        Kind::Word(words) => json!(words.words[0]),
        Kind::Form(form) => json!(form.sample),
        Kind::Integer { min, .. } => json!(min),
        Kind::Choice(choices) => json!(choices[0]),
        Kind::Flag => json!(true),
        Kind::List { of, min, .. } => items(of, (*min).max(1)),
        Kind::Object(object) => Value::Object(whole(object.members, |_| true)),
        Kind::AnyObject => json!({"any": [1]}),
        Kind::Tags(sample) => json!({*sample: "x"}),
        Kind::Elements => json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]),
        Kind::OrNull(_) => panic!("not in a request"),
    }
}

fn items(of: &Kind, count: usize) -> Value {
    Value::Array((0..count).map(|number| good(of, number)).collect())
}

fn whole(members: &[Member], wanted: impl Fn(&Member) -> bool) -> Map<String, Value> {
    let members = members.iter().filter(|member| wanted(member));
    members.map(|member| (member.name.to_owned(), good(&member.kind, 0))).collect()
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
        Kind::Word(words) => (
            vec![json!(7), json!({}), json!("nonsense")],
            words.words.iter().map(|word| json!(word)).collect(),
        ),
        Kind::Form(form) => (
            vec![json!(7), json!({}), json!("nonsense"), json!(format!("{}abcdefghi", form.sample))],
            vec![json!(form.sample)],
        ),
        Kind::Integer { min, max } => {
            let below = min.checked_sub(1).map_or(json!(-1), |below| json!(below));
            let above = max.checked_add(1).map_or(json!(1.844_674_407_370_955_2e19), |above| json!(above));
            (
                vec![json!({}), json!("x"), json!(0.5), below, above],
                vec![json!(min), json!(max), json!(max.to_string())],
            )
        }
        Kind::Choice(choices) => {
            let beyond = choices.iter().max().unwrap() + 1;
            (vec![json!({}), json!("x"), json!(beyond)], choices.iter().map(|choice| json!(choice)).collect())
        }
        Kind::Flag => (vec![json!({}), json!("x"), json!(2)], vec![json!(1), json!(true)]),
        Kind::List { of, min, max } => {
            let long = max.map(|max| items(of, max + 1));
            let short = min.checked_sub(1).map(|len| items(of, len));
            let wrong = [json!({}), json!("x"), json!([{"nonsense": 1}])].into_iter();
            (
                wrong.chain(long).chain(short).collect(),
                max.iter().chain([min]).map(|len| items(of, *len)).collect(),
            )
        }
        Kind::Object(_) | Kind::AnyObject => (vec![json!("x"), json!([1])], Vec::new()),
        Kind::Tags(_) => (vec![json!("x"), json!([1]), json!({"nonsense": 1})], Vec::new()),
        Kind::Elements => {
            let text = |text: &str| json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}]);
            let unknown = json!([{"MsgType": "x", "MsgContent": {}}]);
            let [long, huge] = [12_289, 131_072].map(|len| text(&"x".repeat(len)));
            (vec![json!("x"), json!({}), json!([]), json!([1]), unknown, long, huge], vec![text("")])
        }
        Kind::OrNull(_) => panic!("not in a request"),
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
        if let Some(object) = member.kind.object() {
            let step = if matches!(member.kind, Kind::List { .. }) { "/0" } else { "" };
            found.extend(places(object.members, &format!("{path}/{}{step}", member.name)));
        }
    }
    found
}

/// A frame with every member, or, of an operation some of whose members exclude one another, with one of those.
struct Scene {
    operation: &'static Operation,
    frame: Value,
    chosen: Option<&'static str>,
}

impl Scene {
    fn all() -> impl Iterator<Item = Scene> {
        operations().flat_map(|operation| {
            chosen_of(operation).into_iter().map(move |chosen| {
                let is_wanted = |member: &Member| match (operation.choice, chosen) {
                    (Choice::AtMostOneOf(names, _) | Choice::OneOf(names, _), _) => {
                        !names.contains(&member.name) || chosen == Some(member.name)
                    }
                    (Choice::InPlaceOfOthers(name), None) => member.name != name,
                    (_, Some(name)) => member.name == name,
                    (_, None) => true,
                };
                Scene { operation, frame: framed(operation, is_wanted), chosen }
            })
        })
    }

    /// The members of this scene.
    fn places(&self) -> Vec<Place> {
        let mut places = places(self.operation.request, "");
        places.retain(|place| self.frame.pointer(&format!("{}/{}", place.path, place.member.name)).is_some());
        places
    }

    /// The frame after a change to one object in it.
    fn changed(&self, path: &str, change: impl FnOnce(&mut Map<String, Value>)) -> Value {
        let mut frame = self.frame.clone();
        change(frame.pointer_mut(path).unwrap().as_object_mut().unwrap());
        frame
    }

    fn with(&self, place: &Place, value: &Value) -> Value {
        self.changed(&place.path, |object| drop(object.insert(place.member.name.to_owned(), value.clone())))
    }

    /// Panics unless the frame is refused with what the tables say of the member. Returns the code.
    fn is_refused(&self, frame: &Value, member: &Member) -> ErrorCode {
        let outcome = outcome(frame);
        let as_said = match outcome {
            Err(number) => member.codes.iter().copied().find(|code| code.number() == number),
            Ok(()) => None,
        };
        let shown =
            || format!("{} {}: {outcome:?} {:.300}", self.operation.name, member.name, frame.to_string());
        as_said.unwrap_or_else(|| panic!("{}", shown()))
    }

    /// Panics unless it matters, as the tables say, that a member is left out. Returns the code if it is refused.
    fn left_out(&self, Place { path, member }: &Place) -> BTreeSet<ErrorCode> {
        let without = self.changed(path, |object| drop(object.remove(member.name)));
        let with_null = self.changed(path, |object| drop(object.insert(member.name.to_owned(), Value::Null)));
        let is_missed = MISSED_LATER.contains(&(self.operation.name, member.name));
        let is_needed = member.presence == Presence::Always && !is_missed;
        let is_the_choice = matches!(self.operation.choice, Choice::OneOf(..))
            && path.is_empty()
            && self.chosen == Some(member.name);
        let code = |frame: &Value| {
            if is_the_choice {
                return None;
            }
            if !is_needed {
                self.is_fine(frame, member.name);
            }
            is_needed.then(|| self.is_refused(frame, member))
        };
        [&without, &with_null].into_iter().filter_map(code).collect()
    }

    fn is_fine(&self, frame: &Value, why: &str) {
        let outcome = outcome(frame);
        assert!(outcome.is_ok(), "{} {why}: {outcome:?} {:.300}", self.operation.name, frame.to_string());
    }
}

/// Those members that exclude others; `None` stands for none of them.
fn chosen_of(operation: &Operation) -> Vec<Option<&'static str>> {
    match operation.choice {
        Choice::Free | Choice::AnyOf(..) => vec![None],
        Choice::AtMostOneOf(names, _) | Choice::OneOf(names, _) => names.iter().copied().map(Some).collect(),
        Choice::InPlaceOfOthers(name) => vec![None, Some(name)],
    }
}

fn framed(operation: &Operation, wanted: impl Fn(&Member) -> bool) -> Value {
    let mut frame = whole(operation.request, wanted);
    frame.insert("id".to_owned(), json!(1));
    frame.insert("op".to_owned(), json!(operation.name));
    Value::Object(frame)
}

#[test]
fn requests_with_all_members_are_fine() {
    for scene in Scene::all() {
        scene.is_fine(&scene.frame, "everything");
    }
}

#[test]
fn members_that_exclude_or_need_one_another() {
    for operation in operations() {
        let with = |names: &[&str], all: &[&str]| {
            outcome(&framed(operation, |member| !all.contains(&member.name) || names.contains(&member.name)))
        };
        let (all, none, one, two) = match operation.choice {
            Choice::Free | Choice::InPlaceOfOthers(_) => continue,
            Choice::AnyOf(all, code) => (all, Err(code.number()), Ok(()), Ok(())),
            Choice::AtMostOneOf(all, code) => (all, Ok(()), Ok(()), Err(code.number())),
            Choice::OneOf(all, code) => (all, Err(code.number()), Ok(()), Err(code.number())),
        };
        assert_eq!(with(&[], all), none, "{}", operation.name);
        for (index, name) in all.iter().enumerate() {
            assert_eq!(with(&[name], all), one, "{} {name}", operation.name);
            for other in &all[index + 1..] {
                assert_eq!(with(&[name, other], all), two, "{} {name} {other}", operation.name);
            }
        }
    }
}

/// Values that are wrong in a way that the kind of a member alone does not show.
fn other_ways(operation: &Operation, member: &Member) -> Vec<Value> {
    match (operation.name, member.name) {
        (_, "custom_data") => vec![json!("x".repeat(12_289))],
        (_, "profile") => vec![
            json!({}),
            json!({"Tag_Profile_IM_Nick": 7}),
            json!({"Tag_Profile_IM_Nick": "x".repeat(501)}),
            json!({"Tag_Profile_IM_Gender": "x"}),
        ],
        _ => Vec::new(),
    }
}

/// Every code of a member, and no other, is what something that is wrong with it is refused with.
#[test]
fn what_is_not_as_described_is_refused_as_described() {
    for scene in Scene::all() {
        for place in scene.places() {
            let member = place.member;
            let mut seen = scene.left_out(&place);
            let (mut wrong, fits) = edges(&member.kind);
            wrong.extend(other_ways(scene.operation, member));
            for value in &wrong {
                seen.insert(scene.is_refused(&scene.with(&place, value), member));
            }
            assert_eq!(
                seen,
                member.codes.iter().copied().collect(),
                "{} {}",
                scene.operation.name,
                member.name
            );
            for value in &fits {
                scene.is_fine(&scene.with(&place, value), member.name);
            }
        }
    }
}

/// What is written about is known to a parser, and what a parser knows is written about somewhere.
#[test]
fn the_parsers_know_the_same_names() {
    let mut written: BTreeSet<&str> = ["id", "op"].into();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for scene in Scene::all() {
        let (_, noted) = known_names::during(|| outcome(&scene.frame));
        let names: BTreeSet<&str> = noted.into_iter().flatten().copied().collect();
        for place in scene.places() {
            assert!(names.contains(place.member.name), "{} {}", scene.operation.name, place.member.name);
            written.insert(place.member.name);
        }
        known.extend(names);
    }
    known.remove("");
    let of_one_side: Vec<_> = known.symmetric_difference(&written).collect();
    assert!(of_one_side.is_empty(), "{of_one_side:?}");
}

/// Every word in the parsers' sources is tried as an operation: those that are one are the operations of the table.
#[test]
fn the_parsers_know_the_same_operations() {
    fn words_in(folder: &Path, words: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                words_in(&path, words);
            } else {
                let text = fs::read_to_string(path).unwrap();
                let is_word =
                    |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
                words.extend(text.split('"').filter(is_word).map(str::to_owned));
            }
        }
    }
    let mut words = BTreeSet::new();
    words_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/client"), &mut words);
    let is_known =
        |word: &String| outcome(&json!({"id": 1, "op": word})) != Err(ErrorCode::UnknownOperation.number());
    let known: Vec<String> = words.into_iter().filter(is_known).collect();
    let mut written: Vec<&str> = operations().map(|operation| operation.name).collect();
    written.sort_unstable();
    assert_eq!(known, written);
}

/// The words of the tables are those that are written and read.
#[test]
fn the_words_are_the_same() {
    let words = |name: &str| {
        let members = operations().flat_map(|operation| [operation.request, operation.answer]);
        let all =
            members.chain(PUSHES.iter().map(|push| push.members)).flat_map(|members| places(members, ""));
        let named = all.filter_map(|place| place.member.kind.words()).find(|words| words.name == name);
        named.unwrap_or_else(|| panic!("{name}")).words
    };
    assert_eq!(words("StatusType"), Reach::ALL.map(Reach::as_str));
    assert_eq!(words("MediaKind"), MediaKind::ALL.map(MediaKind::name));
    for alteration in Alteration::WORDS {
        assert!(PUSHES.iter().any(|push| push.name == *alteration), "{alteration}");
    }
}

#[test]
fn everything_is_said_once_and_in_sentences() {
    let is_sentence = |text: &str| text.ends_with('.') && !text.contains("  ") && !text.contains('\n');
    let mut names: Vec<&str> = operations().map(|operation| operation.name).collect();
    names.extend(PUSHES.iter().map(|push| push.name));
    let of_operations = operations().flat_map(|operation| [operation.request, operation.answer]);
    let of_pushes = PUSHES.iter().map(|push| push.members);
    for members in of_operations.chain(of_pushes).chain([REFUSAL.members, UPLOADED.members]) {
        let mut seen = BTreeSet::new();
        for place in places(members, "") {
            let name = format!("{}/{}", place.path, place.member.name);
            assert!(is_sentence(place.member.meaning), "{name}: {}", place.member.meaning);
            assert!(seen.insert(name));
        }
    }
    for about in operations().map(|known| known.about).chain(PUSHES.iter().map(|push| push.about)) {
        assert!(is_sentence(about), "{about}");
    }
    let count = OPERATIONS.iter().map(|area| area.len()).sum::<usize>() + PUSHES.len();
    assert_eq!(names.len(), count);
}
