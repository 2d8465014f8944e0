//! REST calls: every body is understood or refused with a code, and means the same however it is spelt.

use protocol::{
    ErrorCode, Failure, RawValue,
    rest::{
        self, Command, Query, account, batch, contact, deletion, edit, extension, import, mute, profile,
        read, recall, roam, sendmsg,
        sns::{blocklist, friend, group},
        status,
    },
    url, valid_user_id,
};

use super::respell::{spaced, squeezed, with_stranger};

/// Spacing makes four bytes of one; beyond this it could run into a limit on the length of JSON.
const COMPARED_LEN_MAX: usize = 16 * 1024;

/// Makes the one place where commands and their requests stand beside one another.
macro_rules! requests {
    ($( $command:ident => $request:ty, )*) => {
        /// The request as it is understood, for comparing.
        fn understand(command: Command, body: &str) -> Result<String, Failure> {
            match command {
                $( Command::$command => {
                    <$request>::parse(body.as_bytes()).map(|request| squeezed(&format!("{request:?}")))
                } )*
            }
        }
    };
}

requests! {
    SendMsg => sendmsg::SendMessage,
    BatchSendMsg => batch::SendBatch,
    ImportMsg => import::ImportMessage,
    GetRoamMsg => roam::GetRoamMessages,
    RecallMsg => recall::Recall,
    EditMsg => edit::Edit,
    DeleteMsg => deletion::DeleteMessages,
    SetMsgRead => read::SetRead,
    ConfirmMsgRead => read::Confirm,
    GetUnreadNum => read::Unread,
    QueryOnlineStatus => status::Query,
    QueryState => status::Query,
    SetExtensions => extension::Set,
    GetExtensions => extension::Get,
    GetContacts => contact::List,
    DeleteContact => contact::Delete,
    PinContact => contact::Pin,
    AccountImport => account::Import,
    MultiAccountImport => account::MultiImport,
    AccountCheck => account::Check,
    AccountDelete => account::Delete,
    Kick => account::Kick,
    PortraitSet => profile::Set,
    PortraitGet => profile::Get,
    FriendAdd => friend::Add,
    FriendImport => friend::Import,
    FriendUpdate => friend::Update,
    FriendDelete => friend::Delete,
    FriendDeleteAll => friend::DeleteAll,
    FriendCheck => friend::Check,
    FriendGet => friend::Page,
    FriendGetList => friend::Pick,
    FriendGroupAdd => group::Add,
    FriendGroupDelete => group::Delete,
    FriendGroupGet => group::Get,
    BlocklistAdd => blocklist::Add,
    BlocklistDelete => blocklist::Delete,
    BlocklistGet => blocklist::Page,
    BlocklistCheck => blocklist::Check,
    SetMute => mute::Set,
    GetMute => mute::Get,
}

/// The bytes are a line with commands and their body, or with a query. Returns the commands that understood the body.
pub fn check(bytes: &[u8]) -> Vec<Command> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Vec::new() };
    let (line, body) = text.split_once('\n').unwrap_or((text, ""));
    reads_back(line);
    let mut understood = commands(line);
    understood.retain(|&command| is_answered(command, body));
    understood
}

/// The commands that the line names, or one that its bytes choose, so that no input is wasted.
fn commands(line: &str) -> Vec<Command> {
    let named =
        |path: &str| path.split_once('/').and_then(|(service, name)| Command::parse(service, name).ok());
    let mut commands: Vec<_> = line.split(' ').filter_map(named).collect();
    if commands.is_empty() {
        let sum: usize = line.bytes().map(usize::from).sum();
        commands.push(Command::ALL[sum % Command::ALL.len()]);
    }
    commands
}

/// Whether the command understood the body.
fn is_answered(command: Command, body: &str) -> bool {
    let read_once = understand(command, body);
    if body.len() <= COMPARED_LEN_MAX {
        for respelt in [spaced(body), with_stranger(body)] {
            let read_again = understand(command, &respelt);
            match (&read_once, &read_again) {
                (Ok(once), Ok(again)) => assert_eq!(once, again, "{command:?} {respelt}"),
                (Err(once), Err(again)) => assert_eq!(once.code, again.code, "{command:?} {respelt}"),
                _ => panic!("{command:?} differs: {read_once:?}, and {read_again:?} for {respelt}"),
            }
        }
    }
    if let Err(failure) = &read_once {
        assert!(ErrorCode::from_number(failure.code).is_some(), "{command:?}: {failure}");
        let answer =
            String::from_utf8(rest::fail(Some(command.service()), failure)).expect("an answer is text");
        RawValue::from_string(answer).expect("an answer is JSON");
    }
    read_once.is_ok()
}

/// A query that is understood means the same when it is written anew.
fn reads_back(query: &str) {
    match Query::parse(query) {
        Ok(parsed) => {
            assert!(valid_user_id(&parsed.identifier));
            let mut anew = format!("sdkappid={}&identifier=", parsed.sdkappid);
            url::encode(&mut anew, &parsed.identifier);
            anew.push_str("&usersig=");
            url::encode(&mut anew, &parsed.usersig);
            assert_eq!(Query::parse(&anew).as_ref(), Ok(&parsed));
        }
        Err(code) => assert!(ErrorCode::ALL.contains(&code)),
    }
}
