//! The examples of the reference are true: carried out one after another, each is answered to the letter as it says.

use crate::app::{Setup, TestApp, TestClock};
use protocol::rest::Command;

/// When the examples happen.
const THEN_S: u64 = 1_795_441_092;

/// In an order in which each finds what it needs.
const STORY: &[Command] = &[
    Command::AccountImport,
    Command::MultiAccountImport,
    Command::AccountCheck,
    Command::QueryOnlineStatus,
    Command::QueryState,
    Command::SendMsg,
    Command::BatchSendMsg,
    Command::GetRoamMsg,
    Command::GetUnreadNum,
    Command::ImportMsg,
    Command::SetExtensions,
    Command::GetExtensions,
    Command::ConfirmMsgRead,
    Command::EditMsg,
    Command::SetMsgRead,
    Command::DeleteMsg,
    Command::PinContact,
    Command::GetContacts,
    Command::RecallMsg,
    Command::DeleteContact,
    Command::PortraitSet,
    Command::PortraitGet,
    Command::FriendAdd,
    Command::FriendImport,
    Command::FriendUpdate,
    Command::FriendGroupAdd,
    Command::FriendGroupGet,
    Command::FriendGet,
    Command::FriendGetList,
    Command::FriendCheck,
    Command::FriendGroupDelete,
    Command::FriendDelete,
    Command::FriendDeleteAll,
    Command::BlocklistAdd,
    Command::BlocklistGet,
    Command::BlocklistCheck,
    Command::BlocklistDelete,
    Command::SetMute,
    Command::GetMute,
    Command::Kick,
    Command::AccountDelete,
];

async fn answer(app: &TestApp, command: Command) -> String {
    let path = format!("{}/{}", command.service().path(), command.name());
    app.call_exactly(&path, &app.admin_query(), command.entry().example.request).await
}

#[tokio::test]
async fn the_examples_are_true() {
    let app = Setup::default().clock(&TestClock::at(THEN_S)).start().await;
    let _device = app.device("ana").await;
    let mut untold: Vec<_> = Command::ALL.to_vec();
    let mut wrong = Vec::new();
    for &command in STORY {
        untold.retain(|untold| *untold != command);
        let (answer, told) = (answer(&app, command).await, command.entry().example.answer);
        if answer != told {
            wrong.push(format!("{command:?} says\n  {told}\nand is answered\n  {answer}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(untold.is_empty(), "{untold:?} has no place in the story");
    app.stop().await;
}
