use crate::world::acts::{act, altered};
use crate::world::{APP, NOW_S, all_of, events, import, mark, message, pair, refusal, say, unread, user};
use chat::alter::Act;
use chat::event::ProfileValue;
use chat::port::{Account, Appended, Changes, MessageKey, Preview, Store, Terms};
use chat::{AppId, Inbox, Position};

pub(crate) async fn importing_again_changes_nothing(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    say(store, message("bo", "ana", NOW_S, 1)).await;
    let inbox = store.inbox(APP, user("ana")).await.unwrap();
    let nick = ("nick".to_owned(), ProfileValue::Text("Ana".to_owned()));
    let named = Account { profile: vec![nick], ..Account::bare(user("ana")) };
    store.import_accounts(APP, vec![named, Account::bare(user("cy"))], NOW_S * 1000 + 5).await.unwrap();
    assert_eq!(store.inbox(APP, user("ana")).await.unwrap(), inbox);
    let users = vec![user("cy"), user("dee"), user("ana")];
    assert_eq!(store.accounts_exist(APP, users.clone()).await.unwrap(), [true, false, true]);
    assert_eq!(store.accounts_exist(AppId(1), users).await.unwrap(), [false; 3]);
}

/// A login was checked, then its account was deleted, and then it made the account anew.
pub(crate) async fn a_login_makes_no_account_that_was_deleted(store: &dyn Store) {
    let exist = async |names: [&str; 2]| store.accounts_exist(APP, names.map(user).to_vec()).await.unwrap();
    let login = |issued_s| Account::of_login(user("ana"), issued_s);
    store.import_accounts(APP, vec![login(NOW_S - 9)], NOW_S * 1000).await.unwrap();
    assert_eq!(exist(["ana", "bo"]).await, [true, false]);
    store.delete_accounts(APP, vec![user("ana")], NOW_S * 1000).await.unwrap();
    let nick = ("nick".to_owned(), ProfileValue::Text("Ana".to_owned()));
    let named = Account { profile: vec![nick], ..login(NOW_S - 1) };
    store.import_accounts(APP, vec![named, Account::bare(user("bo"))], NOW_S * 1000).await.unwrap();
    assert_eq!(exist(["ana", "bo"]).await, [false, true]);
    // One that was issued since is good.
    store.import_accounts(APP, vec![login(NOW_S)], NOW_S * 1000).await.unwrap();
    assert_eq!(exist(["ana", "bo"]).await, [true, true]);
    let people = store.people(APP, vec![user("ana")]).await.unwrap();
    assert!(people[0].as_ref().unwrap().profile.is_empty());
    // The backend makes whom it wants.
    store.delete_accounts(APP, vec![user("ana")], NOW_S * 1000).await.unwrap();
    import(store, &["ana"], NOW_S).await;
    assert_eq!(exist(["ana", "bo"]).await, [true, true]);
}

pub(crate) async fn a_deleted_account_takes_what_is_its_own_with_it(store: &dyn Store) {
    import(store, &["ana", "bo", "cy"], NOW_S).await;
    say(store, message("bo", "ana", NOW_S, 1)).await;
    say(store, message("ana", "bo", NOW_S, 2)).await;
    say(store, message("ana", "ana", NOW_S, 3)).await;
    say(store, message("cy", "ana", NOW_S, 4)).await;
    let users = vec![user("nobody"), user("ana"), user("ana")];
    let existed = store.delete_accounts(APP, users, NOW_S * 1000).await.unwrap();
    assert_eq!(existed, [false, true, false]);

    assert_eq!(store.accounts_exist(APP, vec![user("ana"), user("bo")]).await.unwrap(), [false, true]);
    assert_eq!(store.inbox(APP, user("ana")).await.unwrap(), None);
    let start = Position { epoch: NOW_S * 1000, offset: 0 };
    assert_eq!(store.changes(APP, user("ana"), start, 9).await.unwrap(), Changes::UnknownAccount);
    for peer in ["bo", "cy", "ana"] {
        assert_eq!(unread(store, "ana", peer).await, 0);
        assert_eq!(store.history(all_of("ana", peer)).await.unwrap().messages, []);
    }
    // The other side keeps its own view.
    assert_eq!(unread(store, "bo", "ana").await, 1);
    assert_eq!(store.history(all_of("bo", "ana")).await.unwrap().messages.len(), 2);
    let changes = store.changes(APP, user("bo"), start, 9).await.unwrap();
    let Changes::Records(records) = changes else { panic!("{changes:?}") };
    assert!(records.len() == 2 && records.iter().all(|record| record.message.is_some()));
    assert_eq!(events(store).await.len(), 4);
}

pub(crate) async fn an_account_made_anew_starts_an_epoch(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    say(store, message("bo", "ana", NOW_S, 1)).await;
    let old = store.inbox(APP, user("ana")).await.unwrap().unwrap();
    store.delete_accounts(APP, vec![user("ana")], NOW_S * 1000).await.unwrap();
    // Even within the same millisecond, and even if the clock has gone back.
    import(store, &["ana"], NOW_S - 300).await;
    let new = store.inbox(APP, user("ana")).await.unwrap().unwrap();
    assert_eq!(new, Inbox { epoch: old.epoch + 1, offset: 0, unread: 0 });
    let changes = store.changes(APP, user("ana"), old.position(), 9).await.unwrap();
    assert_eq!(changes, Changes::Resync(new));
    // What was there before stays out of sight, and the conversation counts on.
    assert_eq!(store.history(all_of("ana", "bo")).await.unwrap().messages, []);
    let committed = say(store, message("bo", "ana", NOW_S + 1, 2)).await;
    assert_eq!(committed.message.seq, 2);
    let hint = committed.recipient.unwrap();
    assert_eq!((hint.epoch, hint.record.entry.offset, hint.record.entry.unread), (new.epoch, 1, 1));
    let page = store.history(all_of("ana", "bo")).await.unwrap();
    assert_eq!((page.messages.len(), page.is_complete()), (1, true));
    let changes = store.changes(APP, user("ana"), new.position(), 9).await.unwrap();
    assert_eq!(changes, Changes::Records(vec![hint.record]));

    store.delete_accounts(APP, vec![user("ana")], NOW_S * 1000).await.unwrap();
    import(store, &["ana"], NOW_S + 50).await;
    let later = store.inbox(APP, user("ana")).await.unwrap().unwrap();
    assert_eq!(later, Inbox { epoch: (NOW_S + 50) * 1000, offset: 0, unread: 0 });
}

pub(crate) async fn a_deleted_account_is_not_written_to(store: &dyn Store) {
    import(store, &["ana", "bo"], NOW_S).await;
    say(store, message("ana", "bo", NOW_S, 1)).await;
    store.delete_accounts(APP, vec![user("ana")], NOW_S * 1000).await.unwrap();
    let append = message("bo", "ana", NOW_S, 2);
    assert_eq!(store.preview(append.key(), Terms::default(), NOW_S).await.unwrap(), Preview::UnknownAccount);
    assert_eq!(store.append(append).await.unwrap(), Appended::UnknownAccount);
    assert_eq!(store.record(refusal("bo", "ana", NOW_S)).await.unwrap(), None);
    assert_eq!(store.mark_read(mark("ana", "bo", NOW_S)).await.unwrap(), None);
    // Who stayed can still mark as read what the other has said; nobody else learns of it.
    let read = store.mark_read(mark("bo", "ana", NOW_S)).await.unwrap().unwrap();
    assert_eq!(read.peer, None);
    assert_eq!(store.inbox(APP, user("bo")).await.unwrap().unwrap().unread, 0);
}

/// When both people of a conversation have left, it begins anew, and with it the memory of what was sent.
pub(crate) async fn what_nobody_can_see_any_more_is_gone(store: &dyn Store) {
    import(store, &["ana", "bo", "cy"], NOW_S).await;
    let hidden = message("ana", "bo", NOW_S, 1);
    let first = say(store, hidden.clone()).await.message;
    let key = first.key();
    altered(store, act(&first, "ana", Act::Recall)).await;
    say(store, message("ana", "cy", NOW_S, 1)).await;
    say(store, message("ana", "ana", NOW_S, 1)).await;
    store.delete_accounts(APP, vec![user("ana")], NOW_S * 1000).await.unwrap();
    // One of the two is left.
    assert!(store.find(pair("ana", "bo"), key).await.unwrap().is_some());
    let own = MessageKey { wire_seq: 1, random: 1, time_s: NOW_S };
    assert_eq!(store.find(pair("ana", "ana"), own).await.unwrap(), None);
    store.delete_accounts(APP, vec![user("bo")], NOW_S * 1000).await.unwrap();
    assert_eq!(store.find(pair("ana", "bo"), key).await.unwrap(), None);
    assert!(store.find(pair("ana", "cy"), own).await.unwrap().is_some());

    import(store, &["ana", "bo"], NOW_S).await;
    let anew = say(store, hidden.clone()).await.message;
    assert_eq!(anew, first);
    // Although it stands in the very place of the other, it is another one.
    altered(store, act(&anew, "ana", Act::Recall)).await;
    assert_eq!(say(store, message("ana", "ana", NOW_S, 1)).await.message.seq, 1);
    // The one that stayed is still known, and counts on.
    assert!(matches!(store.append(message("ana", "cy", NOW_S, 1)).await.unwrap(), Appended::Duplicate(_)));
    assert_eq!(say(store, message("ana", "cy", NOW_S, 2)).await.message.seq, 2);
    // It is the same when they leave together.
    store.delete_accounts(APP, vec![user("ana"), user("bo")], NOW_S * 1000).await.unwrap();
    import(store, &["ana", "bo"], NOW_S).await;
    assert_eq!(store.history(all_of("bo", "ana")).await.unwrap().messages, []);
    assert_eq!(say(store, hidden).await.message.seq, 1);
}
