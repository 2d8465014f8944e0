//! `openim/sendmsg`: what each member makes of the message that is kept.

use crate::app::{OK, SDKAPPID, Setup};
use chat::port::{Direction, HistoryQuery, Store};
use chat::{AppId, ConversationId, Delivery, Message, UserId};
use store::embedded::{Embedded, EmbeddedOptions};

const PUSH: &str = r#"{ "PushFlag":0,"Title":"caf\u00e9","Desc":"d","Ext":"{}","AndroidInfo":{"Sound":"s"},"ApnsInfo":{"BadgeMode":1,"Newer":[1.0]} }"#;

#[tokio::test]
async fn what_is_kept_of_a_message() {
    let plain = Delivery::default();
    let with_push = format!(r#","OfflinePushInfo":{PUSH}"#);
    let table = [
        ("", plain, ""),
        (r#","SyncOtherMachine":null"#, plain, ""),
        (r#","SyncOtherMachine":0"#, plain, ""),
        (r#","SyncOtherMachine":1"#, plain, ""),
        (r#","SyncOtherMachine":"2""#, Delivery { hidden_from_sender: true, ..plain }, ""),
        (r#","OnlineOnlyFlag":0"#, plain, ""),
        (r#","MsgLifeTime":1"#, plain, ""),
        (r#","MsgLifeTime":604801"#, plain, ""),
        (r#","SendMsgControl":[]"#, plain, ""),
        (r#","SendMsgControl":["NoUnread"]"#, Delivery { no_unread: true, ..plain }, ""),
        (r#","SendMsgControl":["NoLastMsg"]"#, Delivery { no_last: true, ..plain }, ""),
        (r#","SendMsgControl":["NoMsgCheck","Newer","WithMuteNotifications"]"#, plain, ""),
        (
            r#","SendMsgControl":["NoLastMsg","NoUnread"]"#,
            Delivery { no_unread: true, no_last: true, ..plain },
            "",
        ),
        (
            r#","ForbidCallbackControl":["ForbidBeforeSendMsgCallback","ForbidAfterSendMsgCallback","Newer"]"#,
            plain,
            "",
        ),
        (r#","SupportMessageExtension":1"#, Delivery { extensible: true, ..plain }, ""),
        (r#","SupportMessageExtension":0"#, plain, ""),
        (r#","IsNeedReadReceipt":1"#, Delivery { needs_receipt: true, ..plain }, ""),
        (r#","IsNeedReadReceipt":0"#, plain, ""),
        (r#","OfflinePushInfo":null"#, plain, ""),
        (r#","OfflinePushInfo":{}"#, plain, "{}"),
        (&with_push, plain, PUSH),
    ];
    let app = Setup::default().start().await;
    for (random, (more, _, _)) in (1..).zip(&table) {
        let answer = app.send(["ana", "bo"], random, "hi", more).await;
        assert!(answer.starts_with(OK.trim_end_matches('}')), "{more} {answer}");
    }
    // None of these is kept, so that none of them is found below.
    for (random, more) in (100..).zip([
        r#","OnlineOnlyFlag":1"#,
        r#","MsgLifeTime":0"#,
        r#","OnlineOnlyFlag":0,"MsgLifeTime":0"#,
        r#","OnlineOnlyFlag":1,"MsgLifeTime":5"#,
    ]) {
        let answer = app.send(["ana", "bo"], random, "hi", more).await;
        assert!(answer.starts_with(OK.trim_end_matches('}')), "{more} {answer}");
    }
    let directory = app.stop().await;

    let kept = kept(&directory.path().join("data/store")).await;
    assert_eq!(kept.len(), table.len());
    for (message, (more, delivery, push)) in kept.iter().zip(&table) {
        assert_eq!(message.delivery, *delivery, "{more}");
        assert_eq!(message.offline_push, push.as_bytes(), "{more}");
    }
}

/// The messages that bo has from ana, from old to new.
pub(crate) async fn kept(path: &std::path::Path) -> Vec<Message> {
    let store = Embedded::open(path, EmbeddedOptions::default()).unwrap();
    let user = |name| UserId::new(name).unwrap();
    let query = HistoryQuery {
        conversation: ConversationId::new(AppId(SDKAPPID), user("ana"), user("bo")),
        viewer: user("bo"),
        direction: Direction::Older,
        time_s_min: 0,
        time_s_max: u64::MAX,
        behind: None,
        limit: 1_000,
        bytes_max: usize::MAX,
    };
    let mut messages = store.history(query).await.unwrap().messages;
    messages.reverse();
    messages
}
