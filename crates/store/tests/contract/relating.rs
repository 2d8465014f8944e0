use crate::world::acts::{
    about, befriend, change, changed, hinted, last_fact, listed, not_related, person, profile, related,
    tagged, tie,
};
use crate::world::{APP, NOW_S, events, import, user};
use chat::conversation::{Change, RelationNews};
use chat::event::{Befriended, Fact, Relation, RelationChange};
use chat::person::{Admission, Friend, FriendRequest, Person, ProfileSettings, Tie};
use chat::port::{ListQuery, Related, Store, TieList};
use chat::relate::{Approach, NotRelated};

fn news(name: &str, peer: &str, how: RelationNews) -> (String, Change) {
    (name.to_owned(), Change::Relation { peer: user(peer), how })
}

fn fact(from: &str, to: &str, relation: Relation) -> Fact {
    Fact::Relation(RelationChange { from: user(from), to: user(to), relation })
}

async fn admits(store: &dyn Store, name: &str, admission: Admission) {
    let settings = ProfileSettings { admission: Some(admission), ..ProfileSettings::default() };
    changed(store, change(name, profile(&[], settings))).await;
}

fn as_import(groups: &[&str], notes: &[(&str, &str)]) -> Approach {
    let entry = Friend {
        added_s: 77,
        remark: "from elsewhere".to_owned(),
        custom: tagged(notes).into_iter().collect(),
        ..Friend::default()
    };
    Approach::Import { entry, groups: groups.iter().map(|group| (*group).to_owned()).collect() }
}

pub(crate) async fn friends_are_on_one_list_or_on_both(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let told = related(store, about("ana", "bo", befriend(false))).await;
    assert_eq!(hinted(&told), [news("ana", "bo", RelationNews::Befriended)]);
    let how =
        Befriended { initiator: user("ana"), mutual: false, accepted: false, admin: None, forced: false };
    assert_eq!(last_fact(store).await, fact("ana", "bo", Relation::Befriended(how)));
    let friend = Friend {
        added_s: NOW_S,
        remark: "remark".to_owned(),
        source: "source".to_owned(),
        wording: "wording".to_owned(),
        ..Friend::default()
    };
    assert_eq!(tie(store, "ana", "bo").await, Tie { friend: Some(friend.clone()), ..Tie::default() });
    assert_eq!(tie(store, "bo", "ana").await, Tie { kept_by_peer: true, ..Tie::default() });
    assert_eq!(not_related(store, about("ana", "bo", befriend(false))).await, NotRelated::AlreadyFriends);

    // The other list is told of when it is the one that gets an entry.
    let told = related(store, about("ana", "bo", befriend(true))).await;
    assert_eq!(hinted(&told), [news("bo", "ana", RelationNews::Befriended)]);
    assert_eq!(last_fact(store).await, fact("bo", "ana", Relation::Befriended(how)));
    let there = Friend { remark: String::new(), ..friend };
    assert_eq!(tie(store, "bo", "ana").await.friend, Some(there));
    for name in ["ana", "bo"] {
        let expected = Person { friends: 1, friends_version: 1, ..Person::default() };
        assert_eq!(person(store, name).await, expected);
    }
    assert_eq!(not_related(store, about("bo", "ana", befriend(true))).await, NotRelated::AlreadyFriends);
    assert_eq!(events(store).await.len(), 2);
}

pub(crate) async fn a_request_waits_for_its_answer(store: &dyn Store) {
    import(store, &["ana", "bo", "cy"], NOW_S).await;
    admits(store, "bo", Admission::Asked).await;
    let before = events(store).await.len();
    let asked = store.relate(about("ana", "bo", befriend(false))).await.unwrap();
    let Related::Pending(told) = asked else { panic!("{asked:?}") };
    assert_eq!(hinted(&told), [news("bo", "ana", RelationNews::Asked)]);
    assert_eq!((told.events.len(), events(store).await.len()), (0, before));
    let request = FriendRequest {
        asked_s: NOW_S,
        mutual: false,
        remark: "remark".to_owned(),
        group: None,
        source: "source".to_owned(),
        wording: "wording".to_owned(),
    };
    assert_eq!(tie(store, "bo", "ana").await.request, Some(request));
    assert_eq!((person(store, "bo").await.asked, person(store, "ana").await.friends), (1, 0));
    // Asking again is no second request, but there is room for no other.
    assert!(matches!(store.relate(about("ana", "bo", befriend(false))).await.unwrap(), Related::Pending(_)));
    assert_eq!(not_related(store, about("cy", "bo", befriend(true))).await, NotRelated::RequestsFull);

    // Whoever was asked agrees by wanting the same, and the other gets what was asked for.
    let told = related(store, about("bo", "ana", befriend(false))).await;
    let expected = [news("bo", "ana", RelationNews::Befriended), news("ana", "bo", RelationNews::Befriended)];
    assert_eq!(hinted(&told), expected);
    let how = Befriended { initiator: user("ana"), mutual: true, accepted: true, admin: None, forced: false };
    assert_eq!(last_fact(store).await, fact("bo", "ana", Relation::Befriended(how)));
    assert_eq!(tie(store, "ana", "bo").await.friend.unwrap().remark, "remark");
    assert_eq!(tie(store, "bo", "ana").await.request, None);
    assert_eq!((person(store, "bo").await.asked, person(store, "ana").await.friends), (0, 1));
}

pub(crate) async fn a_request_is_refused_without_a_word_to_who_asked(store: &dyn Store) {
    import(store, &["ana", "bo", "cy", "dee"], NOW_S).await;
    admits(store, "bo", Admission::Asked).await;
    let ask = |name| {
        let mut ask = about(name, "bo", befriend(false));
        ask.limits.requests_max = 3;
        ask
    };
    for name in ["dee", "ana", "cy"] {
        assert!(matches!(store.relate(ask(name)).await.unwrap(), Related::Pending(_)));
    }
    assert_eq!(listed(store, "bo", TieList::Requests).await, ["ana", "cy", "dee"]);
    let told = related(store, about("bo", "cy", Approach::Refuse)).await;
    assert_eq!((hinted(&told), told.events.len()), (vec![news("bo", "cy", RelationNews::Unasked)], 0));
    assert_eq!(not_related(store, about("bo", "cy", Approach::Refuse)).await, NotRelated::NotAsked);
    assert_eq!(not_related(store, about("cy", "bo", Approach::Refuse)).await, NotRelated::NotAsked);
    assert_eq!(not_related(store, about("nobody", "bo", Approach::Refuse)).await, NotRelated::UnknownAccount);
    assert_eq!(
        (tie(store, "bo", "cy").await, tie(store, "cy", "bo").await),
        (Tie::default(), Tie::default())
    );
    // Whoever was refused may ask again.
    assert!(matches!(store.relate(ask("cy")).await.unwrap(), Related::Pending(_)));
    assert_eq!(person(store, "bo").await.asked, 3);
    // With whoever leaves or blocks, the wish goes, and the owner of the list is told.
    let offset = || async { store.inbox(APP, user("bo")).await.unwrap().unwrap().offset };
    let before = offset().await;
    store.delete_accounts(APP, vec![user("ana")], NOW_S * 1000).await.unwrap();
    assert_eq!(offset().await, before + 1);
    let told = related(store, about("cy", "bo", Approach::Block)).await;
    let expected = [news("cy", "bo", RelationNews::Blocked), news("bo", "cy", RelationNews::Unasked)];
    assert_eq!(hinted(&told), expected);
    assert_eq!(listed(store, "bo", TieList::Requests).await, ["dee"]);
}

pub(crate) async fn some_cannot_be_befriended(store: &dyn Store) {
    import(store, &["ana", "bo", "cy", "dee", "eve"], NOW_S).await;
    admits(store, "cy", Admission::Nobody).await;
    let settings = ProfileSettings { may_ask: Some(false), ..ProfileSettings::default() };
    changed(store, change("dee", profile(&[], settings))).await;
    let refused = [
        ("ana", "ana", NotRelated::Oneself),
        ("ana", "nobody", NotRelated::UnknownAccount),
        ("nobody", "ana", NotRelated::UnknownAccount),
        ("ana", "cy", NotRelated::PeerRefuses),
        ("dee", "ana", NotRelated::MayNotAsk),
    ];
    for (from, to, refusal) in refused {
        assert_eq!(not_related(store, about(from, to, befriend(true))).await, refusal, "{from} {to}");
    }
    related(store, about("ana", "bo", Approach::Block)).await;
    assert_eq!(not_related(store, about("ana", "bo", befriend(true))).await, NotRelated::BlocksPeer);
    assert_eq!(not_related(store, about("bo", "ana", befriend(true))).await, NotRelated::BlockedByPeer);
    // By force neither of the two wishes counts.
    let mut forced = befriend(true);
    if let Approach::Befriend { forced, admin, .. } = &mut forced {
        (*forced, *admin) = (true, Some(user("admin")));
    }
    related(store, about("dee", "cy", forced.clone())).await;
    let how = Befriended {
        initiator: user("dee"),
        mutual: true,
        accepted: false,
        admin: Some(user("admin")),
        forced: true,
    };
    assert_eq!(last_fact(store).await, fact("dee", "cy", Relation::Befriended(how)));
    related(store, about("dee", "eve", forced.clone())).await;
    assert_eq!(not_related(store, about("dee", "bo", forced.clone())).await, NotRelated::FriendsFull);
    assert_eq!(not_related(store, about("bo", "dee", forced)).await, NotRelated::PeerFriendsFull);
    assert_eq!(listed(store, "dee", TieList::Friends).await, ["cy", "eve"]);
    assert_eq!(listed(store, "bo", TieList::Friends).await, [""; 0]);
}

pub(crate) async fn a_friend_is_imported_without_an_event(store: &dyn Store) {
    import(store, &["ana", "bo", "cy", "dee"], NOW_S).await;
    let told = related(store, about("ana", "bo", as_import(&["work"], &[("note", "x")]))).await;
    assert_eq!(hinted(&told), [news("ana", "bo", RelationNews::Befriended)]);
    let friend = tie(store, "ana", "bo").await.friend.unwrap();
    assert_eq!((friend.added_s, friend.groups, friend.custom.len()), (77, vec![1], 1));
    // One who is there is overwritten.
    let told = related(store, about("ana", "bo", as_import(&[], &[]))).await;
    assert_eq!(hinted(&told), [news("ana", "bo", RelationNews::Noted)]);
    let friend = tie(store, "ana", "bo").await.friend.unwrap();
    assert_eq!((friend.groups, friend.custom.len()), (vec![], 0));
    let too_many = as_import(&[], &[("a", ""), ("b", "")]);
    assert_eq!(not_related(store, about("ana", "cy", too_many)).await, NotRelated::TooManyNotes);
    let groups = as_import(&["home", "more"], &[]);
    assert_eq!(not_related(store, about("ana", "cy", groups)).await, NotRelated::GroupsFull);
    related(store, about("ana", "cy", as_import(&["home"], &[]))).await;
    assert_eq!(not_related(store, about("ana", "dee", as_import(&[], &[]))).await, NotRelated::FriendsFull);
    let expected: Vec<String> = ["work", "home"].map(str::to_owned).to_vec();
    let names: Vec<String> = person(store, "ana").await.groups.into_iter().map(|group| group.name).collect();
    assert_eq!((names, events(store).await.len()), (expected, 0));
}

pub(crate) async fn notes_of_a_friend_change_one_by_one(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let note =
        |remark: Option<&str>, groups: Option<&[&str]>, join: Option<&str>, custom: &[(&str, &str)]| {
            let owned = |groups: &[&str]| groups.iter().map(|group| (*group).to_owned()).collect();
            let act = Approach::Note {
                remark: remark.map(str::to_owned),
                groups: groups.map(owned),
                join: join.map(str::to_owned).into_iter().collect(),
                leave: Vec::new(),
                custom: tagged(custom),
            };
            about("ana", "bo", act)
        };
    assert_eq!(not_related(store, note(Some("x"), None, None, &[])).await, NotRelated::NotFriends);
    related(store, about("ana", "bo", befriend(false))).await;
    let told = related(store, note(Some("x"), None, None, &[])).await;
    assert_eq!((hinted(&told), told.events.len()), (vec![news("ana", "bo", RelationNews::Noted)], 0));
    related(store, note(None, Some(&["work"]), None, &[("note", "1")])).await;
    assert_eq!(not_related(store, note(None, None, Some("home"), &[])).await, NotRelated::NoSuchGroup);
    let too_many = note(Some("y"), None, None, &[("more", "")]);
    assert_eq!(not_related(store, too_many).await, NotRelated::TooManyNotes);
    related(store, note(None, Some(&["home"]), Some("work"), &[("note", "2")])).await;
    let friend = tie(store, "ana", "bo").await.friend.unwrap();
    assert_eq!((friend.remark.as_str(), friend.groups), ("x", vec![2, 1]));
    assert_eq!(friend.custom.into_iter().collect::<Vec<_>>(), tagged(&[("note", "2")]));
    let leave = |group: &str| {
        let leave = vec![group.to_owned()];
        let act = Approach::Note { remark: None, groups: None, join: Vec::new(), leave, custom: Vec::new() };
        about("ana", "bo", act)
    };
    assert_eq!(not_related(store, leave("more")).await, NotRelated::NoSuchGroup);
    related(store, leave("home")).await;
    assert_eq!(tie(store, "ana", "bo").await.friend.unwrap().groups, [1]);
    assert_eq!(person(store, "ana").await.friends_version, 5);
}

pub(crate) async fn blocking_ends_a_friendship(store: &dyn Store) {
    import(store, &["ana", "bo", "cy"], NOW_S).await;
    related(store, about("ana", "bo", befriend(true))).await;
    let told = related(store, about("bo", "ana", Approach::Block)).await;
    let expected = [
        news("bo", "ana", RelationNews::Blocked),
        news("bo", "ana", RelationNews::Unfriended),
        news("ana", "bo", RelationNews::Unfriended),
    ];
    assert_eq!((hinted(&told), told.events.len()), (expected.to_vec(), 2));
    let told = events(store).await;
    assert_eq!(told[1].fact, fact("bo", "ana", Relation::Blocked));
    assert_eq!(told[2].fact, fact("bo", "ana", Relation::Unfriended { mutual: true }));
    assert_eq!(tie(store, "bo", "ana").await, Tie { blocked_s: Some(NOW_S), ..Tie::default() });
    assert_eq!(tie(store, "ana", "bo").await, Tie { kept_by_peer: true, ..Tie::default() });
    assert_eq!(listed(store, "bo", TieList::Blocked).await, ["ana"]);
    let expected = Person { blocked: 1, blocklist_version: 1, friends_version: 2, ..Person::default() };
    assert_eq!(person(store, "bo").await, expected);
    assert_eq!(not_related(store, about("bo", "ana", Approach::Block)).await, NotRelated::AlreadyBlocked);
    assert_eq!(not_related(store, about("bo", "cy", Approach::Block)).await, NotRelated::BlocklistFull);
    assert_eq!(not_related(store, about("ana", "bo", Approach::Unblock)).await, NotRelated::NotBlocked);

    let told = related(store, about("bo", "ana", Approach::Unblock)).await;
    assert_eq!(hinted(&told), [news("bo", "ana", RelationNews::Unblocked)]);
    assert_eq!(last_fact(store).await, fact("bo", "ana", Relation::Unblocked));
    for (name, peer) in [("ana", "bo"), ("bo", "ana")] {
        assert_eq!(tie(store, name, peer).await, Tie::default());
    }
}

pub(crate) async fn a_friendship_ends_on_one_side_or_on_both(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    let unfriend = |mutual| Approach::Unfriend { mutual };
    assert_eq!(not_related(store, about("ana", "bo", unfriend(true))).await, NotRelated::NotFriends);
    related(store, about("ana", "bo", befriend(true))).await;
    let told = related(store, about("ana", "bo", unfriend(false))).await;
    assert_eq!(hinted(&told), [news("ana", "bo", RelationNews::Unfriended)]);
    assert_eq!(last_fact(store).await, fact("ana", "bo", Relation::Unfriended { mutual: false }));
    assert_eq!(listed(store, "bo", TieList::Friends).await, ["ana"]);
    assert_eq!(not_related(store, about("ana", "bo", unfriend(false))).await, NotRelated::NotFriends);
    let told = related(store, about("ana", "bo", unfriend(true))).await;
    assert_eq!(hinted(&told), [news("bo", "ana", RelationNews::Unfriended)]);
    assert_eq!(last_fact(store).await, fact("bo", "ana", Relation::Unfriended { mutual: false }));
    assert_eq!(person(store, "bo").await.friends, 0);
}

pub(crate) async fn lists_are_read_by_name_in_pages(store: &dyn Store) {
    let names = ["me", "b", "aaa", "c", "aa", "用户", "d"];
    import(store, &names, NOW_S).await;
    for name in &names[1..6] {
        let mut act = about("me", name, befriend(false));
        act.limits.friends_max = 9;
        related(store, act).await;
    }
    related(store, about("me", "d", Approach::Block)).await;
    assert_eq!(listed(store, "me", TieList::Friends).await, ["aa", "aaa", "b", "c", "用户"]);
    assert_eq!(listed(store, "me", TieList::Blocked).await, ["d"]);
    let page =
        ListQuery { app: APP, user: user("me"), list: TieList::Friends, after: None, skip: 1, limit: 2 };
    let found = store.listed(page).await.unwrap();
    let peers: Vec<&str> = found.iter().map(|listed| listed.peer.as_str()).collect();
    assert_eq!(peers, ["aaa", "b"]);
    assert_eq!(found[0].tie, tie(store, "me", "aaa").await);
    assert_eq!(store.listed(ListQuery { skip: 5, ..page }).await.unwrap(), []);
    for (after, expected) in
        [("aa", &["aaa", "b"][..]), ("ab", &["b", "c"]), ("me", &["用户"]), ("用户", &[])]
    {
        let page = ListQuery { after: Some(user(after)), skip: 0, ..page };
        let found = store.listed(page).await.unwrap();
        let peers: Vec<&str> = found.iter().map(|listed| listed.peer.as_str()).collect();
        assert_eq!(peers, expected, "{after}");
    }
    assert_eq!(listed(store, "nobody", TieList::Friends).await, [""; 0]);
}

pub(crate) async fn who_leaves_is_on_nobodys_list(store: &dyn Store) {
    import(store, &["ana", "bo", "cy", "dee"], NOW_S).await;
    related(store, about("bo", "ana", befriend(true))).await;
    related(store, about("cy", "ana", Approach::Block)).await;
    admits(store, "dee", Admission::Asked).await;
    store.relate(about("ana", "dee", befriend(true))).await.unwrap();
    assert_eq!(person(store, "dee").await.asked, 1);
    let told = events(store).await.len();
    let offset = || async { store.inbox(APP, user("bo")).await.unwrap().unwrap().offset };
    let before = offset().await;
    // Cy leaves in the same breath, and need not be told.
    store.delete_accounts(APP, vec![user("ana"), user("cy")], NOW_S * 1000).await.unwrap();
    assert_eq!((offset().await, events(store).await.len()), (before + 1, told));
    for (name, peer) in [("ana", "bo"), ("bo", "ana"), ("cy", "ana"), ("ana", "dee"), ("dee", "ana")] {
        assert_eq!(tie(store, name, peer).await, Tie::default(), "{name} {peer}");
    }
    assert_eq!(person(store, "bo").await, Person { friends_version: 2, ..Person::default() });
    assert_eq!(person(store, "dee").await.asked, 0);
    import(store, &["ana", "cy"], NOW_S).await;
    assert_eq!(person(store, "cy").await, Person { revoked_s: NOW_S - 1, ..Person::default() });
    assert_eq!(listed(store, "ana", TieList::Friends).await, [""; 0]);
    // Both can begin anew.
    related(store, about("cy", "ana", Approach::Block)).await;
    assert_eq!(
        not_related(store, about("bo", "nobody", Approach::Unfriend { mutual: true })).await,
        NotRelated::NotFriends
    );
}
