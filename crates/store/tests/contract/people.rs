use crate::world::acts::{about, change, changed, hinted, person, profile, tagged};
use crate::world::{APP, NOW_S, events, import, logout, user};
use chat::conversation::{Change, RelationNews};
use chat::effect::Told;
use chat::event::{Fact, ProfileChange, ProfileValue};
use chat::person::{
    Admission, ChangePerson, FOREVER_S, Friend, FriendGroup, NotChanged, Person, PersonChange, PersonChanged,
    Portrait, ProfileSettings, PushProvider, PushToken, Reachable,
};
use chat::port::{Account, Related, Store};
use chat::relate::Approach;
use chat::{AppId, Platform};

async fn portrait(store: &dyn Store, name: &str) -> Option<Portrait> {
    store.people(APP, vec![user(name)]).await.unwrap().remove(0)
}

async fn revoked_s(store: &dyn Store, name: &str) -> u64 {
    store.revoked_s(APP, user(name)).await.unwrap()
}

/// What a user's log says when the user's friend groups changed.
fn grouped(name: &str) -> (String, Change) {
    (name.to_owned(), Change::Relation { peer: user(name), how: RelationNews::Grouped })
}

pub(crate) async fn a_profile_is_written_tag_by_tag(store: &dyn Store) {
    let imported =
        Account { profile: tagged(&[("nick", "Ana"), ("image", "x")]), ..Account::bare(user("ana")) };
    store.import_accounts(APP, vec![imported.clone(), Account::bare(user("bo"))], 5).await.unwrap();
    let again = Account { profile: tagged(&[("image", "y")]), ..imported };
    store.import_accounts(APP, vec![again], 6).await.unwrap();
    let told =
        changed(store, change("ana", profile(&[("nick", "A"), ("level", "")], ProfileSettings::default())))
            .await;
    assert_eq!(hinted(&told), [("ana".to_owned(), Change::Profile)]);
    let expected = tagged(&[("image", "y"), ("level", ""), ("nick", "A")]);
    let found = portrait(store, "ana").await.unwrap();
    assert_eq!(found, Portrait { profile: expected.into_iter().collect(), ..Portrait::default() });
    assert_eq!(portrait(store, "bo").await, Some(Portrait::default()));
    let fact = ProfileChange {
        operator: user("admin"),
        user: user("ana"),
        items: tagged(&[("nick", "A"), ("level", "")]),
    };
    let event = events(store).await.pop().unwrap();
    assert_eq!((event.id, event.fact), (told.events[0], Fact::Profile(fact)));

    // A fourth tag is one too many, and then nothing is written.
    let more = change("ana", profile(&[("nick", "B"), ("more", "")], ProfileSettings::default()));
    assert_eq!(store.change_person(more).await.unwrap(), PersonChanged::Refused(NotChanged::Full));
    assert_eq!(portrait(store, "ana").await.unwrap(), found);
    assert_eq!(events(store).await.len(), 1);
}

pub(crate) async fn the_rules_know_what_a_profile_says(store: &dyn Store) {
    import(store, &["ana"], NOW_S).await;
    let settings =
        ProfileSettings { admission: Some(Admission::Nobody), may_ask: Some(false), receives: Some(false) };
    changed(store, change("ana", profile(&[], settings))).await;
    let settings = ProfileSettings { may_ask: Some(true), ..ProfileSettings::default() };
    changed(store, change("ana", profile(&[("level", "")], settings))).await;
    let expected = Person { admission: Admission::Nobody, receives: false, ..Person::default() };
    assert_eq!(person(store, "ana").await, expected);
}

pub(crate) async fn a_mute_leaves_the_other_one_alone(store: &dyn Store) {
    import(store, &["ana"], NOW_S).await;
    let mute = |until_s, group_until_s| change("ana", PersonChange::Mute { until_s, group_until_s });
    assert_eq!(changed(store, mute(Some(NOW_S + 60), None)).await, Told::default());
    changed(store, mute(None, Some(FOREVER_S))).await;
    let expected = Person { muted_until_s: NOW_S + 60, group_muted_until_s: FOREVER_S, ..Person::default() };
    assert_eq!(person(store, "ana").await, expected);
    changed(store, mute(Some(0), Some(0))).await;
    assert_eq!(person(store, "ana").await, Person::default());
    assert_eq!(events(store).await, []);
}

pub(crate) async fn a_revocation_outlasts_the_account(store: &dyn Store) {
    import(store, &["ana"], NOW_S).await;
    assert_eq!(revoked_s(store, "ana").await, 0);
    changed(store, change("ana", PersonChange::Revoke)).await;
    assert_eq!((revoked_s(store, "ana").await, revoked_s(store, "nobody").await), (NOW_S, 0));
    let users = vec![user("ana"), user("nobody")];
    store.delete_accounts(APP, users, (NOW_S + 30) * 1000 + 5).await.unwrap();
    // A credential of the very second of the deletion may be for the account that comes next.
    assert_eq!((revoked_s(store, "ana").await, revoked_s(store, "nobody").await), (NOW_S + 29, 0));
    assert_eq!(portrait(store, "ana").await, None);
    import(store, &["ana"], NOW_S + 60).await;
    assert_eq!(revoked_s(store, "ana").await, NOW_S + 29);
    assert_eq!(store.revoked_s(AppId(1), user("ana")).await.unwrap(), 0);
    // It never goes back with the clock.
    store.delete_accounts(APP, vec![user("ana")], NOW_S * 1000).await.unwrap();
    assert_eq!(revoked_s(store, "ana").await, NOW_S + 29);
}

pub(crate) async fn a_deleted_person_leaves_nothing_to_the_next_of_that_name(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let settings = ProfileSettings { receives: Some(false), ..ProfileSettings::default() };
    changed(store, change("ana", profile(&[("nick", "Ana")], settings))).await;
    changed(store, change("ana", PersonChange::AddGroups { names: vec!["work".to_owned()], groups_max: 2 }))
        .await;
    store.delete_accounts(APP, vec![user("ana")], NOW_S * 1000).await.unwrap();
    import(store, &["ana"], NOW_S).await;
    let left = Person { revoked_s: NOW_S - 1, ..Person::default() };
    assert_eq!(portrait(store, "ana").await, Some(Portrait { person: left, ..Portrait::default() }));
}

pub(crate) async fn groups_are_kept_by_their_numbers(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let add = |names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        change("ana", PersonChange::AddGroups { names, groups_max: 2 })
    };
    assert_eq!(hinted(&changed(store, add(&["work", "home"])).await), [grouped("ana")]);
    assert_eq!(store.change_person(add(&["more"])).await.unwrap(), PersonChanged::Refused(NotChanged::Full));
    let approach = Approach::Import { entry: Friend::default(), groups: vec!["work".to_owned()] };
    assert!(matches!(store.relate(about("ana", "bo", approach)).await.unwrap(), Related::Done(_)));
    let names = vec!["work".to_owned()];
    let removed = changed(store, change("ana", PersonChange::RemoveGroups { names })).await;
    assert_eq!(hinted(&removed), [grouped("ana")]);
    changed(store, add(&["more"])).await;
    let group = |id, name: &str| FriendGroup { id, name: name.to_owned() };
    let expected = Person {
        friends: 1,
        friends_version: 4,
        groups: vec![group(2, "home"), group(3, "more")],
        group_last: 3,
        ..Person::default()
    };
    assert_eq!(person(store, "ana").await, expected);
}

pub(crate) async fn whoever_has_no_account_cannot_be_changed(store: &dyn Store) {
    for change in [
        change("ana", PersonChange::Revoke),
        change("ana", profile(&[("nick", "Ana")], ProfileSettings::default())),
    ] {
        assert_eq!(store.change_person(change).await.unwrap(), PersonChanged::UnknownAccount);
    }
    assert_eq!(revoked_s(store, "ana").await, 0);
    store.record(logout("ana", NOW_S)).await.unwrap();
    assert_eq!(portrait(store, "ana").await, None);
    assert_eq!(events(store).await.len(), 1);
}

pub(crate) async fn push_reaches_a_person_for_a_time(store: &dyn Store) {
    import(store, &["ana"], NOW_S).await;
    let reach_of = |issued_s, platform, until_s| {
        let reach = Reachable { platform, until_s };
        change("ana", PersonChange::Reach { reach, issued_s })
    };
    let reach = |platform, until_s| reach_of(NOW_S - 9, platform, until_s);
    changed(store, reach(Platform::Ios, NOW_S + 60)).await;
    changed(store, reach(Platform::Android, NOW_S + 90)).await;
    let known = person(store, "ana").await.reachable;
    let expected = [
        Reachable { platform: Platform::Ios, until_s: NOW_S + 60 },
        Reachable { platform: Platform::Android, until_s: NOW_S + 90 },
    ];
    assert_eq!(known, expected);
    changed(store, reach(Platform::Ios, NOW_S)).await;
    assert_eq!(person(store, "ana").await.reachable, expected[1..]);
    changed(store, change("ana", PersonChange::Revoke)).await;
    assert_eq!(person(store, "ana").await.reachable, []);
    // A session that was ended by it says so only now.
    for issued_s in [NOW_S - 9, NOW_S] {
        let told = changed(store, reach_of(issued_s, Platform::Ios, NOW_S + 60)).await;
        assert_eq!((told, person(store, "ana").await.reachable), (Told::default(), vec![]));
    }
    changed(store, reach_of(NOW_S + 1, Platform::Ios, NOW_S + 60)).await;
    assert_eq!(person(store, "ana").await.reachable.len(), 1);
}

fn token(device: &str, token: &str) -> PushToken {
    PushToken { device: device.to_owned(), provider: PushProvider::Apns, token: token.to_owned(), set_ms: 5 }
}

async fn tokens(store: &dyn Store, name: &str) -> Vec<PushToken> {
    portrait(store, name).await.unwrap().tokens
}

pub(crate) async fn a_token_moves_with_its_device(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let set = |name, device, text| change(name, PersonChange::SetToken(token(device, text)));
    assert_eq!(changed(store, set("ana", "phone", "one")).await, Told::default());
    changed(store, set("ana", "tablet", "two")).await;
    assert_eq!(tokens(store, "ana").await, [token("phone", "one"), token("tablet", "two")]);
    changed(store, set("ana", "phone", "three")).await;
    assert_eq!(tokens(store, "ana").await, [token("tablet", "two"), token("phone", "three")]);
    // A phone changes hands. What it was reached by before may be somebody else's by now.
    changed(store, set("bo", "phone", "three")).await;
    changed(store, set("bo", "old phone", "one")).await;
    assert_eq!(tokens(store, "ana").await, [token("tablet", "two")]);
    assert_eq!(tokens(store, "bo").await, [token("phone", "three"), token("old phone", "one")]);
    // The same words of another provider, or in another app, are another token.
    let other = PushToken { provider: PushProvider::Fcm, ..token("phone", "three") };
    changed(store, change("ana", PersonChange::SetToken(other.clone()))).await;
    store.import_accounts(AppId(1), vec![Account::bare(user("ana"))], 5).await.unwrap();
    changed(store, ChangePerson { app: AppId(1), ..set("ana", "phone", "three") }).await;
    assert_eq!(tokens(store, "bo").await.len(), 2);
    assert_eq!(tokens(store, "ana").await, [token("tablet", "two"), other]);
    let drop =
        |device: &str| change("ana", PersonChange::DropToken { device: device.to_owned(), only: None });
    // A carrier says that a token is gone, and the device has another one by now.
    let only =
        |text: &str| PersonChange::DropToken { device: "tablet".to_owned(), only: Some(text.to_owned()) };
    changed(store, change("ana", only("an older one"))).await;
    assert_eq!(tokens(store, "ana").await.len(), 2);
    changed(store, change("ana", only("two"))).await;
    assert_eq!(tokens(store, "ana").await.len(), 1);
    changed(store, set("ana", "tablet", "two")).await;
    changed(store, drop("tablet")).await;
    changed(store, drop("phone")).await;
    changed(store, drop("nothing")).await;
    assert_eq!((tokens(store, "ana").await, events(store).await.len()), (vec![], 0));
    // What was dropped is nobody's any more.
    changed(store, set("bo", "tablet", "two")).await;
    changed(store, set("ana", "tablet", "two")).await;
    assert_eq!((tokens(store, "ana").await.len(), tokens(store, "bo").await.len()), (1, 2));
}

pub(crate) async fn nobody_is_reached_who_is_logged_out_or_gone(store: &dyn Store) {
    import(store, &["ana", "bo", "cy"], NOW_S).await;
    let set = |name, text| change(name, PersonChange::SetToken(token("phone", text)));
    changed(store, set("ana", "one")).await;
    changed(store, set("bo", "two")).await;
    changed(store, change("ana", PersonChange::Revoke)).await;
    assert_eq!(tokens(store, "ana").await, []);
    store.delete_accounts(APP, vec![user("bo")], NOW_S * 1000).await.unwrap();
    import(store, &["bo"], NOW_S).await;
    assert_eq!(tokens(store, "bo").await, []);
    changed(store, set("cy", "one")).await;
    changed(store, set("cy", "two")).await;
    assert_eq!(tokens(store, "cy").await, [token("phone", "two")]);
    changed(store, set("ana", "one")).await;
    changed(store, set("ana", "two")).await;
    assert_eq!(tokens(store, "cy").await, []);
}

pub(crate) async fn a_group_is_renamed_with_its_friends(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let groups = ["work", "home"].map(str::to_owned).to_vec();
    let approach = Approach::Import { entry: Friend::default(), groups };
    store.relate(about("ana", "bo", approach)).await.unwrap();
    let rename = |name: &str, to: &str| {
        change("ana", PersonChange::RenameGroup { name: name.to_owned(), to: to.to_owned() })
    };
    let refused = store.change_person(rename("work", "home")).await.unwrap();
    assert_eq!(refused, PersonChanged::Refused(NotChanged::GroupExists));
    let refused = store.change_person(rename("more", "new")).await.unwrap();
    assert_eq!(refused, PersonChanged::Refused(NotChanged::NoSuchGroup));
    assert_eq!(hinted(&changed(store, rename("work", "office")).await), [grouped("ana")]);
    let ana = person(store, "ana").await;
    assert_eq!((ana.group_names(&[1, 2]), ana.friends_version), (vec!["office", "home"], 2));
}

pub(crate) async fn numbers_and_texts_are_kept_apart(store: &dyn Store) {
    import(store, &["ana"], NOW_S).await;
    let items =
        vec![("a".to_owned(), ProfileValue::Number(7)), ("b".to_owned(), ProfileValue::Text("7".to_owned()))];
    let account = Account { profile: items.clone(), ..Account::bare(user("ana")) };
    store.import_accounts(APP, vec![account], 5).await.unwrap();
    assert_eq!(portrait(store, "ana").await.unwrap().profile.into_iter().collect::<Vec<_>>(), items);
}
