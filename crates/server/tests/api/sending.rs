//! `openim/sendmsg`: what is accepted, what is answered, and what is made of it.

use crate::app::{ADMIN, SDKAPPID, Setup, text_body};
use crate::literal::literal;

const SEND: &str = "openim/sendmsg";

fn sent(seq: u32, random: u32) -> String {
    format!(
        r#"{{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","MsgTime":T,"MsgKey":"{seq}_{random}_T","MsgId":"N-T-{random}"}}"#
    )
}

#[tokio::test]
async fn the_sequence_is_the_senders_or_counts() {
    let app = Setup::default().start().await;
    for (more, seq) in [
        ("", 1),
        (r#","MsgSeq":4294967295"#, 4_294_967_295),
        ("", 3),
        (r#","MsgSeq":0"#, 0),
        (r#","MsgSeq":null"#, 5),
    ] {
        assert_eq!(
            app.send(["ana", "bo"], 4_294_967_295, &format!("number {seq}"), more).await,
            sent(seq, 4_294_967_295)
        );
    }
    // Without From_Account the calling admin sends.
    let least = format!(r#"{{"To_Account":"bo","MsgRandom":9,"MsgBody":{}}}"#, text_body("hi"));
    assert_eq!(app.rest(SEND, &least).await, sent(1, 9));
    assert_eq!(app.texts("bo", ADMIN).await, ["hi"]);
    app.stop().await;
}

/// What the app wrote, with everything that a server could be tempted to tidy up.
const ODD_BODY: &str = r#"[ {"MsgContent" : {"Text":"caf\u00e9 \/ \ud83d\ude00 é","x":1.0,"y":10e2 } ,"MsgType":"TIMTextElem","Newer":null},
  {"MsgType":"TIMCustomElem","MsgContent":{"Data":"{\"a\": 1}","big":123456789012345678901234567890,"neg":-0.0}} ]"#;

#[tokio::test]
async fn the_apps_own_bytes_pass_unchanged() {
    let mut app = Setup::told().start().await;
    let mut bo = app.device("bo").await;
    let request = format!(
        r#"{{"From_Account":"ana","To_Account":"bo","MsgSeq":7,"MsgRandom":4021,"CloudCustomData":"{{\"v\": 1}}\n","MsgBody":{ODD_BODY}}}"#
    );
    assert_eq!(app.rest(SEND, &request).await, sent(7, 4021));

    let shown = format!(
        r#"{{"From_Account":"ana","To_Account":"bo","MsgSeq":7,"MsgRandom":4021,"MsgTimeStamp":T,"MsgFlagBits":0,"IsPeerRead":0,"MsgKey":"7_4021_T","MsgId":"N-T-4021","MsgBody":{ODD_BODY},"CloudCustomData":"{{\"v\": 1}}\n","MsgClientTime":T,"MsgVersion":0,"IsNeedReadReceipt":0,"SupportMessageExtension":0}}"#
    );
    assert_eq!(
        bo.hear().await,
        format!(r#"{{"push":"message","position":{{"epoch":"E","offset":1}},"unread":1,"message":{shown}}}"#)
    );
    let page = format!(
        r#"{{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","Complete":1,"MsgCnt":1,"LastMsgTime":T,"LastMsgKey":"7_4021_T","MsgList":[{shown}]}}"#
    );
    assert_eq!(app.history("bo", "ana").await, page);
    assert_eq!(app.history("ana", "bo").await, page);
    let told = format!(
        r#"{{"CallbackCommand":"C2C.CallbackAfterSendMsg","From_Account":"ana","To_Account":"bo","MsgSeq":7,"MsgRandom":4021,"MsgTime":T,"MsgKey":"7_4021_T","OnlineOnlyFlag":0,"SendMsgResult":0,"ErrorInfo":"send msg succeed","UnreadMsgNum":1,"MsgBody":{ODD_BODY},"CloudCustomData":"{{\"v\": 1}}\n","MsgId":"N-T-4021","EventTime":MS}}"#
    );
    assert_eq!(literal(&app.receiver.next().await.body), told);
    drop(bo);
    app.stop().await;
}

#[tokio::test]
async fn every_type_of_element() {
    let mut app = Setup::told().start().await;
    let video = r#""VideoUrl":"http://f/v","VideoUUID":"v1","VideoSize":99,"VideoSecond":3,"VideoFormat":"mp4","VideoDownloadFlag":2,"ThumbUrl":"http://f/t","ThumbUUID":"t1","ThumbSize":9,"ThumbWidth":16,"ThumbHeight":9,"ThumbFormat":"JPG","ThumbDownloadFlag":2"#;
    let relayed = r#"{"From_Account":"ana","To_Account":"bo","MsgSeq":1,"MsgRandom":2,"MsgTimeStamp":1760000000,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}],"CloudCustomData":""}"#;
    let elements = [
        r#"{"MsgType":"TIMTextElem","MsgContent":{"Text":"see "}}"#.to_owned(),
        r#"{"MsgType":"TIMLocationElem","MsgContent":{"Desc":"here","Latitude":29.34,"Longitude":-116.5}}"#.into(),
        r#"{"MsgType":"TIMFaceElem","MsgContent":{"Index":4,"Data":"wave"}}"#.into(),
        r#"{"MsgType":"TIMCustomElem","MsgContent":{"Data":"d","Desc":"e","Ext":"f","Sound":"s.wav"}}"#.into(),
        r#"{"MsgType":"TIMSoundElem","MsgContent":{"Url":"http://f/s","UUID":"s1","Size":62351,"Second":1,"Download_Flag":2}}"#.into(),
        r#"{"MsgType":"TIMImageElem","MsgContent":{"UUID":"i1","ImageFormat":3,"ImageInfoArray":[{"Type":1,"Size":90112,"Width":800,"Height":600,"URL":"http://f/o"},{"Type":2,"Size":0,"Width":0,"Height":0,"URL":"http://f/l"},{"Type":3,"Size":4096,"Width":198,"Height":148,"URL":"http://f/s"}]}}"#.into(),
        r#"{"MsgType":"TIMFileElem","MsgContent":{"Url":"http://f/f","UUID":"f1","FileSize":1773552,"FileName":"a.zip","Download_Flag":2}}"#.into(),
        format!(r#"{{"MsgType":"TIMVideoFileElem","MsgContent":{{{video}}}}}"#),
        format!(r#"{{"MsgType":"TIMRelayElem","MsgContent":{{"Title":"t","MsgNum":1,"CompatibleText":"c","AbstractList":["ana: hi"],"MsgList":[{relayed}]}}}}"#),
        r#"{"MsgType":"TIMRelayElem","MsgContent":{"Title":"t","MsgNum":99,"CompatibleText":"c","AbstractList":["a"],"JsonMsgKey":"k"}}"#.into(),
    ];
    let all = elements[..9].join(",");
    for (random, body) in (1..).zip(elements.iter().chain([&all])) {
        let request = format!(
            r#"{{"From_Account":"ana","To_Account":"bo","MsgSeq":7,"MsgRandom":{random},"MsgBody":[{body}]}}"#
        );
        assert_eq!(app.rest(SEND, &request).await, sent(7, random), "{body}");
        let told = app.receiver.next().await;
        assert!(told.body.contains(&format!(r#","MsgBody":[{body}],"#)), "{}", told.body);
    }
    app.stop().await;
}

#[tokio::test]
async fn a_duplicate_is_answered_like_the_first_and_changes_nothing() {
    let mut app = Setup::told().start().await;
    let mut bo = app.device("bo").await;
    for (text, more, seq) in [("one", "", 1), ("two", r#","MsgSeq":7"#, 7)] {
        let first = app.send(["ana", "bo"], 5, text, more).await;
        assert_eq!(first, sent(seq, 5));
        for _ in 0..3 {
            assert_eq!(app.send(["ana", "bo"], 5, text, more).await, first);
        }
    }
    // Each of these differs in one part of what makes a duplicate.
    app.send_ok(["ana", "bo"], 6, "one").await;
    app.send_ok(["ana", "cy"], 5, "one").await;
    app.send_ok(["cy", "bo"], 5, "one").await;
    assert_eq!(app.send(["ana", "bo"], 5, "two", r#","MsgSeq":8"#).await, sent(8, 5));
    assert_eq!(app.send(["ana", "bo"], 5, "one", r#","CloudCustomData":"c""#).await, sent(5, 5));

    assert_eq!(app.texts("bo", "ana").await, ["one", "two", "one", "two", "one"]);
    for offset in 1..=6 {
        let (at, unread, _) = bo.hear_message().await;
        assert_eq!((at, unread), (offset, offset));
    }
    let mut told = Vec::new();
    for _ in 0..7 {
        let callback = app.receiver.next().await;
        told.push(format!("{} {}", callback.to(), callback.text()));
    }
    told.sort_unstable();
    assert_eq!(told, ["bo one", "bo one", "bo one", "bo one", "bo two", "bo two", "cy one"]);
    drop(bo);
    app.stop().await;
}

/// Of sends that race, one is carried out, and all are answered alike.
#[tokio::test]
async fn duplicates_at_the_same_time() {
    let mut app = Setup::told().start().await;
    let sends = (0..16).map(|_| app.send(["ana", "bo"], 5, "one", ""));
    let answers = futures_util::future::join_all(sends).await;
    assert!(answers.iter().all(|answer| *answer == sent(1, 5)), "{answers:?}");
    app.send_ok(["ana", "bo"], 6, "last").await;
    assert_eq!(app.texts("bo", "ana").await, ["one", "last"]);
    assert_eq!(app.receiver.next().await.text(), "one");
    assert_eq!(app.receiver.next().await.text(), "last");
    app.stop().await;
}

#[tokio::test]
async fn the_message_id_names_the_sender_and_is_the_same_everywhere() {
    let mut app = Setup::told().start().await;
    let mut ana = app.device("ana").await;
    let frame = r#"{"id":2,"op":"send","to":"bo","random":9,"client_time":1700000001,"body":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}]}"#;
    assert_eq!(
        ana.ask(frame).await,
        r#"{"id":2,"ok":{"MsgTime":T,"MsgKey":"1_9_T","MsgId":"N-1700000001-9"}}"#
    );
    assert!(ana.hear().await.contains(r#""MsgId":"N-1700000001-9","#));
    assert!(app.history("bo", "ana").await.contains(r#""MsgId":"N-1700000001-9","#));
    let told = app.receiver.next().await.json()["MsgId"].as_str().unwrap().to_owned();
    let number = chat::UserId::new("ana").unwrap().numeric(chat::AppId(SDKAPPID));
    assert_eq!(told, format!("{number}-1700000001-9"));
    drop(ana);
    app.stop().await;
}
