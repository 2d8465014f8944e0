//! Profiles and the blocklist, as devices use them.

use crate::app::{Setup, TestApp};
use crate::device::Device;
use crate::friends::{DONE, import_accounts};
use crate::literal::literal;

/// What a device is answered, and the pushes that come before and after.
pub(crate) async fn ask(device: &mut Device, frame: &str, pushes: usize) -> (String, Vec<String>) {
    device.say(frame).await;
    let mut frames = Vec::new();
    for _ in 0..=pushes {
        frames.push(device.hear().await);
    }
    let (pushed, mut answers): (Vec<_>, Vec<_>) =
        frames.into_iter().partition(|frame| frame.starts_with(r#"{"push""#));
    assert_eq!(answers.len(), 1, "{answers:?} {pushed:?}");
    (answers.remove(0), pushed)
}

/// Makes requests one after the other, and looks at what each is answered and pushed.
pub(crate) async fn walk(device: &mut Device, steps: &[(&str, &str, &[String])]) {
    for (request, expected, pushes) in steps {
        let (answer, pushed) = ask(device, &format!(r#"{{"id":2,{request}}}"#), pushes.len()).await;
        assert_eq!(answer, format!(r#"{{"id":2,{expected}}}"#), "{request}");
        assert_eq!(pushed, *pushes, "{request}");
    }
}

pub(crate) fn error(code: u32, text: &str) -> String {
    format!(r#""error":{{"code":{code},"text":"{text}","temporary":false}}"#)
}

pub(crate) fn relation_push(offset: u64, peer: &str, news: &str) -> String {
    format!(
        r#"{{"push":"relation","position":{{"epoch":"E","offset":{offset}}},"unread":0,"peer":"{peer}","news":"{news}"}}"#
    )
}

fn profile_push(offset: u64) -> String {
    format!(r#"{{"push":"profile","position":{{"epoch":"E","offset":{offset}}},"unread":0}}"#)
}

/// Accounts whose profiles are as large as they can be.
pub(crate) async fn import_large(app: &TestApp, names: &[String]) {
    import_accounts(app, names).await;
    let tags = (b'a'..b'a' + 20).map(|letter| {
        let (letter, text) = (letter as char, "x".repeat(500));
        format!(r#"{{"Tag":"Tag_Profile_Custom_{letter}","Value":"{text}"}}"#)
    });
    let tags = tags.collect::<Vec<_>>().join(",");
    for name in names {
        let request = format!(r#"{{"From_Account":"{name}","ProfileItem":[{tags}]}}"#);
        assert_eq!(app.rest("profile/portrait_set", &request).await, DONE);
    }
}

#[tokio::test]
async fn a_profile_is_written_and_read() {
    let mut app = Setup::telling(&["Profile.CallbackPortraitSet"]).start().await;
    let (mut ana, mut phone, mut bo) =
        (app.device("ana").await, app.device("ana").await, app.device("bo").await);
    let write = r#""op":"set_profile","profile":{"Tag_Profile_IM_Nick":"Ana \"A.\"","Tag_Profile_IM_Level":"3","Tag_Profile_IM_AllowType":"AllowType_Type_NeedConfirm","Tag_Profile_IM_MsgSettings":0,"Tag_Profile_Custom_Vip":"yes","Tag_Profile_IM_Nick":"Ana"}"#;
    walk(&mut ana, &[(write, r#""ok":{}"#, &[profile_push(1)])]).await;
    assert_eq!(phone.hear().await, profile_push(1));
    let told = app.receiver.next().await;
    assert_eq!(told.parameter("OptPlatform"), "Web");
    assert_eq!(
        literal(&told.body),
        r#"{"CallbackCommand":"Profile.CallbackPortraitSet","Operator_Account":"ana","From_Account":"ana","EventTime":MS,"ProfileItem":[{"Tag":"Tag_Profile_IM_Nick","Value":"Ana"},{"Tag":"Tag_Profile_IM_Level","Value":3},{"Tag":"Tag_Profile_IM_AllowType","Value":"AllowType_Type_NeedConfirm"},{"Tag":"Tag_Profile_IM_MsgSettings","Value":0},{"Tag":"Tag_Profile_Custom_Vip","Value":"yes"}]}"#
    );
    // Of nobody there is nothing to tell, and what ana has decided for herself is not for bo.
    let read = r#""op":"profiles","users":["bo","nobody","ana"]"#;
    let bos = r#"{"user_id":"bo","profile":{"Tag_Profile_IM_Nick":"bo"}}"#;
    let seen_by_ana = format!(
        r#""ok":{{"profiles":[{bos},{{"user_id":"ana","profile":{{"Tag_Profile_Custom_Vip":"yes","Tag_Profile_IM_AllowType":"AllowType_Type_NeedConfirm","Tag_Profile_IM_Level":3,"Tag_Profile_IM_MsgSettings":0,"Tag_Profile_IM_Nick":"Ana"}}}}]}}"#
    );
    walk(&mut ana, &[(read, &seen_by_ana, &[])]).await;
    let seen_by_bo = seen_by_ana.replace(r#""Tag_Profile_IM_MsgSettings":0,"#, "");
    walk(&mut bo, &[(read, &seen_by_bo, &[])]).await;
    assert_eq!(
        app.rest("profile/portrait_get", r#"{"To_Account":["ana"],"TagList":["Tag_Profile_IM_Nick"]}"#).await,
        r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","UserProfileItem":[{"To_Account":"ana","ProfileItem":[{"Tag":"Tag_Profile_IM_Nick","Value":"Ana"}],"ResultCode":0,"ResultInfo":""}]}"#
    );
    drop((ana, phone, bo));
    app.stop().await;
}

#[tokio::test]
async fn profiles_that_are_not_written_or_read() {
    let app = Setup::default().start().await;
    let mut ana = app.device("ana").await;
    let long = "x".repeat(501);
    let many = (b'a'..=b'u').map(|letter| format!(r#""Tag_Profile_Custom_{}":"x""#, letter as char));
    let many = many.collect::<Vec<_>>().join(",");
    for (request, code) in [
        (r#""op":"set_profile","profile":{"Tag_Profile_IM_AdminForbidType":"AdminForbid_Type_None"}"#, 40008),
        (
            r#""op":"set_profile","profile":{"Tag_Profile_IM_Nick":"x","Tag_Profile_IM_AdminForbidType":"AdminForbid_Type_SendOut"}"#,
            40008,
        ),
        (r#""op":"set_profile","profile":{"Tag_Profile_IM_Shoe":"x"}"#, 40009),
        (&format!(r#""op":"set_profile","profile":{{{many}}}"#), 40009),
        (r#""op":"set_profile","profile":{}"#, 40001),
        (r#""op":"set_profile","profile":{"Tag_Profile_IM_Gender":"x"}"#, 40605),
        (r#""op":"set_profile","profile":{"Tag_Profile_IM_Level":"x"}"#, 40610),
        (&format!(r#""op":"set_profile","profile":{{"Tag_Profile_IM_Nick":"{long}"}}"#), 40601),
        (r#""op":"set_profile"}"#.trim_end_matches('}'), 40001),
        (r#""op":"profiles""#, 11002),
        (r#""op":"profiles","users":["bo",""]"#, 40001),
        (&format!(r#""op":"profiles","users":[{}]"#, vec![r#""bo""#; 101].join(",")), 11005),
    ] {
        let (answer, _) = ask(&mut ana, &format!(r#"{{"id":2,{request}}}"#), 0).await;
        assert!(answer.starts_with(&format!(r#"{{"id":2,"error":{{"code":{code},"#)), "{request} {answer}");
        assert!(answer.ends_with(r#","temporary":false}}"#), "{answer}");
    }
    // There is room for twelve standard tags and twenty of the app's own, and ana has a name.
    for at in 0..32_u8 {
        let tag = format!("Tag_Profile_Custom_{}{}", (b'a' + at / 16) as char, (b'a' + at % 16) as char);
        let frame = format!(r#"{{"id":2,"op":"set_profile","profile":{{"{tag}":"x"}}}}"#);
        let fits = at < 31;
        let (answer, _) = ask(&mut ana, &frame, fits.into()).await;
        let expected = if fits {
            r#"{"id":2,"ok":{}}"#.to_owned()
        } else {
            format!(r#"{{"id":2,{}}}"#, error(40009, "the profile would have too many custom tags"))
        };
        assert_eq!(answer, expected, "{tag}");
    }
    let unwritten = r#""ok":{"profiles":[{"user_id":"bo","profile":{"Tag_Profile_IM_Nick":"bo"}}]}"#;
    walk(&mut ana, &[(r#""op":"profiles","users":["bo"]"#, unwritten, &[])]).await;
    drop(ana);
    app.is_unharmed().await;
    app.stop().await;
}

#[tokio::test]
async fn answers_do_not_become_too_large() {
    let app = Setup::default().start().await;
    let names: Vec<_> = (10..40).map(|number| format!("u{number}")).collect();
    import_large(&app, &names).await;
    let mut ana = app.device("ana").await;
    let too_large = error(11005, "the answer would be too large: name fewer users");
    walk(&mut ana, &[(&format!(r#""op":"profiles","users":{names:?}"#), &too_large, &[])]).await;
    let few = format!(r#"{{"id":3,"op":"profiles","users":{:?}}}"#, &names[..20]);
    assert_eq!(ask(&mut ana, &few, 0).await.0.matches("user_id").count(), 20);

    let items =
        names.iter().map(|name| format!(r#"{{"To_Account":"{name}","AddSource":"AddSource_Type_Web"}}"#));
    let items = items.collect::<Vec<_>>().join(",");
    let import = format!(r#"{{"From_Account":"ana","AddFriendItem":[{items}]}}"#);
    app.rest("sns/friend_import", &import).await;
    for _ in &names {
        assert!(ana.hear().await.starts_with(r#"{"push":"relation""#));
    }
    walk(&mut ana, &[(&format!(r#""op":"friends","peers":{names:?}"#), &too_large, &[])]).await;
    // A page ends before it is too large, and the next one goes on there.
    let (mut seen, mut after, mut pages) = (Vec::new(), "null".to_owned(), 0);
    loop {
        ana.say(format!(r#"{{"id":4,"op":"friends","after":{after}}}"#)).await;
        let page = ana.hear_json().await["ok"].clone();
        let friends = page["friends"].as_array().unwrap();
        seen.extend(friends.iter().map(|friend| friend["peer"].as_str().unwrap().to_owned()));
        pages += 1;
        if page["next"].is_null() {
            break;
        }
        after = page["next"].to_string();
    }
    assert_eq!((seen, pages), (names, 2));
    drop(ana);
    app.stop().await;
}

#[tokio::test]
async fn others_are_blocked_and_unblocked() {
    let mut app = Setup::telling(&["Sns.CallbackBlackListAdd", "Sns.CallbackBlackListDelete"]).start().await;
    let (mut ana, mut phone, mut bo) =
        (app.device("ana").await, app.device("ana").await, app.device("bo").await);
    let block = r#""op":"block","peers":["bo","nobody","ana"]"#;
    let blocked = r#""ok":{"results":[{"peer":"bo","code":0},{"peer":"nobody","code":30003,"text":"the account does not exist"},{"peer":"ana","code":30001,"text":"the peer must be another user"}]}"#;
    walk(&mut ana, &[(block, blocked, &[relation_push(1, "bo", "blocked")])]).await;
    assert_eq!(phone.hear().await, relation_push(1, "bo", "blocked"));
    let told = app.receiver.next().await;
    assert_eq!(told.parameter("OptPlatform"), "Web");
    assert_eq!(
        literal(&told.body),
        r#"{"CallbackCommand":"Sns.CallbackBlackListAdd","PairList":[{"From_Account":"ana","To_Account":"bo"}],"EventTime":MS}"#
    );
    let again =
        r#""ok":{"results":[{"peer":"bo","code":30001,"text":"Err_SNS_BlackListAdd_Already_Exist"}]}"#;
    walk(
        &mut ana,
        &[
            (r#""op":"block","peers":["bo"]"#, again, &[]),
            (r#""op":"blocked""#, r#""ok":{"blocked":[{"peer":"bo","time":T}],"next":null}"#, &[]),
        ],
    )
    .await;
    // Bo hears of nothing, and sees nothing: what bo sends seems to arrive.
    walk(&mut bo, &[(r#""op":"blocked""#, r#""ok":{"blocked":[],"next":null}"#, &[])]).await;
    let sent = bo.ask(r#"{"id":3,"op":"send","to":"ana","random":1,"body":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}]}"#).await;
    assert!(sent.starts_with(r#"{"id":3,"ok":{"MsgTime""#), "{sent}");

    let unblock = r#""op":"unblock","peers":["bo","nobody"]"#;
    let unblocked = r#""ok":{"results":[{"peer":"bo","code":0},{"peer":"nobody","code":30001,"text":"the user is not on the blocklist"}]}"#;
    walk(&mut ana, &[(unblock, unblocked, &[relation_push(2, "bo", "unblocked")])]).await;
    assert_eq!(app.receiver.next().await.parameter("CallbackCommand"), "Sns.CallbackBlackListDelete");
    walk(&mut ana, &[(r#""op":"blocked""#, r#""ok":{"blocked":[],"next":null}"#, &[])]).await;
    drop((ana, phone, bo));
    app.stop().await;
}

#[tokio::test]
async fn a_blocklist_has_pages_and_an_end() {
    let app = Setup::default().settings("[limits]\nblocklist_len_max = 4\n").start().await;
    let names: Vec<_> = ["u1", "u2", "u3"].map(str::to_owned).into();
    import_accounts(&app, &names).await;
    let mut ana = app.device("ana").await;
    let block = r#"{"id":2,"op":"block","peers":["u3","u1","bo","u2"]}"#;
    assert_eq!(
        ask(&mut ana, block, 4).await.0,
        r#"{"id":2,"ok":{"results":[{"peer":"u3","code":0},{"peer":"u1","code":0},{"peer":"bo","code":0},{"peer":"u2","code":0}]}}"#
    );
    let full = r#""ok":{"results":[{"peer":"cy","code":30013,"text":"the blocklist is full"}]}"#;
    let first = r#""ok":{"blocked":[{"peer":"bo","time":T},{"peer":"u1","time":T}],"next":"u1"}"#;
    let rest = r#""ok":{"blocked":[{"peer":"u2","time":T},{"peer":"u3","time":T}],"next":null}"#;
    walk(
        &mut ana,
        &[
            (r#""op":"block","peers":["cy"]"#, full, &[]),
            (r#""op":"blocked","limit":2"#, first, &[]),
            // Who is taken out in between does not shift the pages.
            (
                r#""op":"unblock","peers":["u1"]"#,
                r#""ok":{"results":[{"peer":"u1","code":0}]}"#,
                &[relation_push(5, "u1", "unblocked")],
            ),
            (r#""op":"blocked","limit":2,"after":"u1""#, rest, &[]),
            (r#""op":"blocked","after":"""#, &error(11002, "after is not valid"), &[]),
        ],
    )
    .await;
    drop(ana);
    app.stop().await;
}
