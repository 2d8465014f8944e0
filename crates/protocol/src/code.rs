//! The one table of error codes and the one table of WebSocket close codes.
//!
//! An error code says what went wrong and whether trying again makes sense; a close code says whether to reconnect.
//! Numbers and names are stable: a code is never reused for another meaning. The reference pages and the client
//! SDK's constants are generated from [`ErrorCode::ALL`] and [`CloseCode::ALL`].

use std::{borrow::Cow, fmt};

/// What a request is refused with: a code of [`ErrorCode`], or one that the app's own backend chose in its answer to
/// a question: 120001–130000 about a message, 38000–39000 about a friendship.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The number that goes out as `ErrorCode`; never 0.
    pub code: u32,
    /// The text that goes out as `ErrorInfo`, for people.
    pub info: Cow<'static, str>,
}

impl Failure {
    /// Whether the same request may succeed later. Codes that the app's backend chose count as final.
    pub fn temporary(&self) -> bool {
        ErrorCode::from_number(self.code).is_some_and(ErrorCode::temporary)
    }
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Self {
        Failure { code: code.number(), info: Cow::Borrowed(code.text()) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.info)
    }
}

impl std::error::Error for Failure {}

impl ErrorCode {
    /// The same code with a text that says more than the default one.
    pub fn with(self, info: impl Into<Cow<'static, str>>) -> Failure {
        Failure { code: self.number(), info: info.into() }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number(), self.text())
    }
}

macro_rules! error_codes {
    ($( $name:ident = $number:literal, $lasting:ident, $text:literal, $when:literal; )*) => {
        /// Why a request was refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u32)]
        pub enum ErrorCode { $( #[doc = $when] $name = $number, )* }

        impl ErrorCode {
            /// Every code, in ascending order.
            pub const ALL: &'static [ErrorCode] = &[ $( ErrorCode::$name, )* ];

            /// The name of the code in the reference and in the SDK.
            pub fn name(self) -> &'static str {
                match self { $( ErrorCode::$name => stringify!($name), )* }
            }

            /// The `ErrorInfo` that is sent when there is nothing more exact to say.
            pub fn text(self) -> &'static str {
                match self { $( ErrorCode::$name => $text, )* }
            }

            /// Whether the same request may succeed when it is sent again later.
            pub fn temporary(self) -> bool {
                match self { $( ErrorCode::$name => error_codes!(@$lasting), )* }
            }

            /// When the code is returned, as one line of the reference.
            pub fn when(self) -> &'static str {
                match self { $( ErrorCode::$name => $when, )* }
            }

            /// The code with this number.
            pub fn from_number(number: u32) -> Option<ErrorCode> {
                match number { $( $number => Some(ErrorCode::$name), )* _ => None }
            }
        }
    };
    (@temporary) => { true };
    (@lasting) => { false };
}

impl ErrorCode {
    /// The number on the wire.
    pub const fn number(self) -> u32 {
        self as u32
    }
}

error_codes! {
    ExtensionInternal = 10002, temporary,
        "the server could not do this now",
        "The server failed at a command for message extensions, for example because its store is unavailable.";
    ExtensionParameter = 10004, lasting,
        "a parameter is missing or not valid",
        "The body of a command for message extensions is not JSON, a member is missing or not valid, or a message would have too many pairs.";
    NotConnected = 11001, lasting,
        "the first frame must be connect",
        "A client frame came before `connect` was answered.";
    FrameNotUnderstood = 11002, lasting,
        "the frame is not understood",
        "A client frame is not a JSON object with an `id` and an `op`, or a member has the wrong type.";
    TooManyOutstanding = 11003, temporary,
        "too many requests are waiting for their answer",
        "A client sent another request while too many of its requests were unanswered.";
    UnknownOperation = 11004, lasting,
        "this operation is not known",
        "The `op` of a client frame is not one that this server knows.";
    ListTooLong = 11005, lasting,
        "a list is too long",
        "A client frame has more items in a list than its operation takes.";
    NotAllowed = 11006, lasting,
        "the app does not allow this",
        "A device does something that the settings of the app do not allow, such as editing a message of the other person.";
    MediaOff = 11010, lasting,
        "this server takes no files",
        "A device asks to upload, and `media.enabled` is false.";
    FileTooLarge = 11011, lasting,
        "the file is too large",
        "A file is larger than the server takes of its kind, or longer than was said when its upload was asked for.";
    MediaTypeRefused = 11012, lasting,
        "files of this type are not taken as this kind",
        "A file is not of a type that the server takes as an image, a sound or a video, or its beginning is not of one.";
    ImageUnreadable = 11013, lasting,
        "the image cannot be read",
        "An image is damaged, cut off, or has more pixels than `media.image_pixels_max`. It can be sent as a file.";
    UploadRefused = 11014, lasting,
        "this upload was not asked for",
        "The token of an upload is missing, not of this server, expired or used already: ask for another.";
    UploadsBusy = 11015, temporary,
        "no room for this upload now",
        "The server, or the user, has too many uploads under way, the user has uploaded `media.user_bytes_per_day` today, or the disk would have less than `media.free_bytes_min` left.";
    UploadShort = 11016, lasting,
        "the file is shorter than was said",
        "The body of an upload has fewer bytes than were said when it was asked for.";
    UploadTooSlow = 11017, temporary,
        "the file did not come in time",
        "The body of an upload paused for too long, or came too slowly.";
    UnknownEndpoint = 11101, lasting,
        "the app has no endpoint of this name",
        "A call of the event API names an endpoint that the app does not have.";
    UnknownEvent = 11102, lasting,
        "there is no such event",
        "A call of the event API names an event that is not in the log, or not any more.";
    PositionGone = 11103, lasting,
        "the position leads nowhere any more",
        "A position is of another log, or events behind it were forgotten before they were read.";
    BadParameter = 11104, lasting,
        "a parameter is missing or not valid",
        "A parameter or the body of a call of the event API is not of the documented form.";
    AccountInvalid = 20003, lasting,
        "the sender or the recipient is not a known account",
        "The sender or the recipient of a message is not an account of the app.";
    RefusedByCallback = 20006, lasting,
        "the app's backend refused the message",
        "The before-send callback answered 1, or a question about a friend was answered with a code that is none of the app's own.";
    BlockedByRecipient = 20007, lasting,
        "the recipient has blocked the sender",
        "The sender is on the recipient's blocklist and the app wants senders to be told.";
    NotFriends = 20009, lasting,
        "sender and recipient are not friends",
        "The app allows messages among friends only, and neither has the other as a friend.";
    NotInRecipientsFriends = 20010, lasting,
        "the recipient does not have the sender as a friend",
        "The app allows messages among friends only, and only the sender has the other as a friend.";
    NotInSendersFriends = 20011, lasting,
        "the sender does not have the recipient as a friend",
        "The app allows messages among friends only, and only the recipient has the other as a friend.";
    SenderMuted = 20012, lasting,
        "the sender is muted",
        "The sender is muted in one-to-one conversations.";
    RecallTooLate = 20016, lasting,
        "the message is too old to be recalled",
        "A device recalls a message that was sent longer ago than `recall_secs` of the app.";
    MessageNotFound = 20022, lasting,
        "there is no such message",
        "No message between the two accounts has this key.";
    MessageRecalled = 20023, lasting,
        "the message has been recalled",
        "The message that the key names was recalled before.";
    MessageVersionConflict = 20027, lasting,
        "the message was edited in the meantime",
        "An edit names the `MsgVersion` that it is meant for, and the message has another one by now.";
    PushTokenEmpty = 22003, lasting,
        "the push token is empty",
        "`set_push_token` without a token.";
    PushTokenTooLong = 22004, lasting,
        "the push token has more than 256 bytes",
        "`set_push_token` with a token that cannot be a carrier's.";
    TooFrequent = 22006, temporary,
        "too much at once: wait a moment",
        "A user sent or changed more from devices in a second than the app's rate limit allows, or changed the own status too often.";
    ExtensionConflict = 23001, lasting,
        "the pair was changed in the meantime",
        "A device sets or deletes a pair on a message and presents an older `Seq` than the pair has.";
    ExtensionsNotSupported = 23002, lasting,
        "the message was sent without SupportMessageExtension",
        "Key-value pairs are put on a message that was sent without `SupportMessageExtension`.";
    ExtendedMessageNotFound = 23004, lasting,
        "there is no such message",
        "A command for message extensions names a message that is not there, or was recalled.";
    RelationParameter = 30001, lasting,
        "a parameter is missing or not valid",
        "The body of a `sns` command is not JSON, or a member is missing or not valid. As the code of one item: it is there already, or it is not there.";
    RelationAccountNotFound = 30003, lasting,
        "the account does not exist",
        "A `sns` command names an account that does not exist.";
    RelationInternal = 30006, temporary,
        "the server could not do this now",
        "The server failed at a `sns` command, for example because its store is unavailable.";
    FriendRequestsForbidden = 30009, lasting,
        "the user may not send friend requests",
        "The profile of the user who asks has `AdminForbid_Type_SendOut`.";
    FriendListFull = 30010, lasting,
        "the friend list is full",
        "The user has as many friends as the app allows.";
    FriendGroupsFull = 30011, lasting,
        "there are too many friend groups",
        "The user has, or would have, more than 32 friend groups.";
    FriendRequestsFull = 30012, lasting,
        "too many friend requests are waiting",
        "The peer has as many unanswered friend requests as the app allows.";
    BlocklistFull = 30013, lasting,
        "the blocklist is full",
        "The user blocks as many others as the app allows.";
    PeerFriendListFull = 30014, lasting,
        "the friend list of the peer is full",
        "The peer has as many friends as the app allows.";
    PeerIsBlocked = 30515, lasting,
        "the user blocks the peer",
        "A friend is to be made who is on the user's own blocklist.";
    PeerDeniesFriends = 30516, lasting,
        "the peer takes no friend requests",
        "The profile of the peer has `AllowType_Type_DenyAny`.";
    BlockedByPeer = 30525, lasting,
        "the peer blocks the user",
        "A friend is to be made who has the user on the blocklist.";
    FriendRequestPending = 30539, lasting,
        "the friend request waits for the peer's consent",
        "The request was sent, and the peer has to agree. No failure: the users are friends as soon as that happens.";
    FriendRequestNotFound = 30614, lasting,
        "there is no such friend request",
        "A friend request is to be answered that is not there, or not any more.";
    NotFriendsYet = 31704, lasting,
        "the peer is not a friend",
        "A friendship is to be ended that does not exist.";
    ProfileParameter = 40001, lasting,
        "Err_Profile_Comm_Decode_Fail",
        "The body of a `profile` command is not JSON, or a member is missing or not valid.";
    ProfileToAccountMissing = 40002, lasting,
        "To_Account must be an Array of 1 to 100 UserIDs",
        "`To_Account` is missing or empty.";
    ProfileAccountNotFound = 40003, lasting,
        "the account does not exist",
        "A `profile` command, or one item of it, names an account that does not exist.";
    ProfileInternal = 40006, temporary,
        "the server could not do this now",
        "The server failed at a `profile` command, for example because its store is unavailable.";
    ProfileTagReadOnly = 40008, lasting,
        "only the app's backend may change this",
        "A device writes to a tag of its user's profile that is the admin's alone.";
    ProfileTagUnknown = 40009, lasting,
        "there is no such tag",
        "A tag is neither one of the standard ones nor of the form Tag_Profile_Custom_ and one to eight letters, or there are too many custom ones.";
    ValueTooLong = 40601, lasting,
        "a profile value is longer than 500 bytes",
        "A text of a profile is longer than its tag allows: 500 bytes for most.";
    ProfileValueInvalid = 40605, lasting,
        "the value is not one of those that the tag allows",
        "The value of a standard profile tag is not one of its documented values.";
    ProfileValueWrongType = 40610, lasting,
        "the value has the wrong type for its tag",
        "A profile tag was given a number where a text belongs, or the other way round.";
    ContactAccountNotFound = 50001, lasting,
        "the account does not exist",
        "A `recentcontact` command names an account that does not exist.";
    ContactParameter = 50002, lasting,
        "a parameter is missing or not valid",
        "The body of a `recentcontact` command is not JSON, or a member is missing or not valid.";
    ContactInternal = 50004, temporary,
        "the server could not do this now",
        "The server failed at a `recentcontact` command, for example because its store is unavailable.";
    TooManyConversations = 51006, lasting,
        "the request names too many conversations",
        "A client frame changes more conversations at once than its operation takes.";
    TooManyPinned = 51012, lasting,
        "too many conversations are pinned",
        "The user would have more than 50 pinned conversations.";
    BadUrl = 60002, lasting,
        "the URL or the HTTP request cannot be parsed",
        "The HTTP request or its URL cannot be parsed.";
    RateLimited = 60007, temporary,
        "too many calls of this command",
        "The command was called more often than its rate limit allows.";
    UnknownCommand = 60009, lasting,
        "this command is not known",
        "The path of a REST call names no command of this server.";
    NotAdmin = 60010, lasting,
        "the identifier is not an admin of the app",
        "The caller of a REST command has a valid UserSig and is not an admin.";
    AppRateLimited = 60011, temporary,
        "too many calls of this app",
        "The app made more REST calls than its rate limit allows.";
    SdkAppIdMissing = 60012, lasting,
        "sdkappid is missing",
        "The URL of a REST call, or a `connect` frame, has no sdkappid.";
    BadUrlParameter = 60025, lasting,
        "sdkappid or identifier is not valid",
        "The sdkappid is not a number, or the identifier is missing or not a valid UserID.";
    UserSigExpired = 70001, lasting,
        "the UserSig has expired",
        "The UserSig was issued longer ago than its lifetime.";
    UserSigMissing = 70002, lasting,
        "the UserSig is missing",
        "There is no UserSig, or an empty one.";
    UserSigIllegal = 70003, lasting,
        "The UserSig in use is illegal.",
        "The UserSig cannot be decoded: it was cut off, escaped wrongly or not made as documented.";
    UserSigWrongKey = 70009, lasting,
        "UserSig verification Failed. It was not made with a key of this app",
        "The UserSig was made with a key that is not one of the app's.";
    UserSigOtherIdentifier = 70013, lasting,
        "the UserSig was made for another identifier",
        "The identifier differs from the one in the UserSig.";
    UserSigOtherApp = 70014, lasting,
        "the UserSig was made for another sdkappid",
        "The sdkappid differs from the one in the UserSig.";
    AppNotFound = 70020, lasting,
        "there is no app with this sdkappid",
        "The server has no app with this sdkappid.";
    UserSigRevoked = 70052, lasting,
        "the UserSig has been revoked",
        "The UserSig was issued before the user was kicked.";
    AccountNotFound = 70107, lasting,
        "Err_TLS_PT_Open_Login_Account_Not_Exist",
        "An account command, or one item of a command for many, names an account that does not exist.";
    AccountParameter = 70402, lasting,
        "a parameter is missing or not valid",
        "The body of an account command is not JSON, or a member is missing or not valid.";
    AccountInternal = 70500, temporary,
        "the server could not do this now",
        "The server failed at an account command, for example because its store is unavailable.";
    TextRefused = 80001, lasting,
        "the message contains words that the app does not allow",
        "The content filter of the app blocked the message.";
    MessageTooLong = 80002, lasting,
        "the message is longer than 12 KB",
        "The text, the numbers and the custom data of a message together exceed 12,288 bytes.";
    CallbackUnavailable = 80003, temporary,
        "the app's backend did not answer and the app wants messages refused then",
        "A question to the app's backend failed or timed out, and the app's failure policy is `reject`.";
    BadJson = 90001, lasting,
        "Fail to Parse json data of body, Please check it",
        "The body of an `openim` command is empty, not JSON or not a JSON object, or `To_Account` of `query_online_status` is an empty array.";
    BadElement = 90002, lasting,
        "MsgBody must have elements, each with MsgType and MsgContent",
        "`MsgBody` is missing or empty, or an element lacks `MsgType` or `MsgContent`.";
    BadToAccount = 90003, lasting,
        "To_Account must be a UserID: a String of 1 to 32 bytes",
        "The recipient or peer is missing, not a String or not a valid UserID; of commands about what was sent, also when it is not an account of the app.";
    BadMsgRandom = 90005, lasting,
        "MsgRandom must be an unsigned 32-bit integer",
        "`MsgRandom` is missing or not an unsigned 32-bit integer.";
    BadMsgTimeStamp = 90006, lasting,
        "MsgTimeStamp must be an integer",
        "`MsgTimeStamp` is not an integer, or, of `importmsg`, is missing, not a time in Unix seconds, or more than a minute in the future.";
    MsgBodyNotArray = 90007, lasting,
        "MsgBody must be an Array",
        "`MsgBody` is not an array.";
    BadFromAccount = 90008, lasting,
        "From_Account must be a UserID: a String of 1 to 32 bytes",
        "The sender or operator is missing where required, not a String or not a valid UserID; of `batchsendmsg` and of commands about what was sent, also when it is not an account of the app.";
    BadFormat = 90010, lasting,
        "a member of the request is not of the documented format",
        "A member of the body, or of an element of `MsgBody`, is not of the documented format.";
    TooManyTargets = 90011, lasting,
        "there are more than 500 targets",
        "`To_Account` of a command for many accounts has more than 500 items.";
    RecipientNotFound = 90012, lasting,
        "invalid To_Account",
        "None of the recipients is an account of the app.";
    LifeTimeTooLong = 90026, lasting,
        "MsgLifeTime is too large",
        "Reserved: this server shortens a too large `MsgLifeTime` to seven days.";
    TargetsNotArray = 90028, lasting,
        "To_Account must be an Array",
        "`To_Account` of `batchsendmsg` is missing or not an array.";
    NoTargets = 90029, lasting,
        "To_Account is empty",
        "`To_Account` of `batchsendmsg` is an empty array.";
    BadSyncFromOldSystem = 90030, lasting,
        "SyncFromOldSystem must be 2 or 5",
        "`SyncFromOldSystem` of `importmsg` is missing, or not 1, 2 or 5.";
    BadSyncOtherMachine = 90031, lasting,
        "SyncOtherMachine must be 1 or 2",
        "`SyncOtherMachine` is not one of the documented integers.";
    BadOfflinePushInfo = 90043, lasting,
        "OfflinePushInfo is not of the documented format",
        "`OfflinePushInfo`, or a member of it, has the wrong type.";
    BadLifeTime = 90044, lasting,
        "MsgLifeTime must be an integer number of seconds",
        "`MsgLifeTime` is not an unsigned 32-bit integer.";
    AccountUnknown = 90048, lasting,
        "the account does not exist",
        "An `openim` command names an account that does not exist.";
    BadMsgKey = 90054, lasting,
        "a MsgKey has the form <MsgSeq>_<MsgRandom>_<MsgTime>",
        "A message key is missing where required, or malformed.";
    BatchMessageTooLong = 90055, lasting,
        "the message is longer than 12 KB",
        "The text, the numbers and the custom data of a message of `batchsendmsg` together exceed 12,288 bytes.";
    BatchRateLimited = 90057, temporary,
        "too many messages were sent to many",
        "`batchsendmsg` sent more messages in a minute than the app's rate limit allows.";
    Internal = 91000, temporary,
        "the server could not do this now",
        "The server failed, for example because its store is unavailable. Nothing was acknowledged; send the same again.";
    PacketTooLarge = 93000, lasting,
        "the JSON of MsgBody is larger than 128 KiB",
        "The JSON text of `MsgBody` exceeds 128 KiB, or the body of a REST call exceeds `limits.rest_body_bytes_max`.";
    MuteBadJson = 130_001, lasting,
        "the body is not a JSON object",
        "The body of an `openconfigsvr` command is not a JSON object.";
    MuteGetAccountMissing = 130_002, lasting,
        "Get_Account is missing",
        "`getnospeaking` was called without `Get_Account`.";
    MuteGetAccountInvalid = 130_003, lasting,
        "Get_Account is not an account",
        "`Get_Account` is not a String, not a valid UserID, or not an account of the app.";
    MuteSetAccountMissing = 130_004, lasting,
        "Set_Account is missing",
        "`setnospeaking` was called without `Set_Account`.";
    MuteSetAccountInvalid = 130_005, lasting,
        "Set_Account is not an account",
        "`Set_Account` is not a String, not a valid UserID, or not an account of the app.";
    MuteTimeMissing = 130_008, lasting,
        "C2CmsgNospeakingTime or GroupmsgNospeakingTime must be an unsigned 32-bit integer",
        "`setnospeaking` was called without a time, or with one that is not an unsigned 32-bit integer.";
    MuteInternal = 130_014, temporary,
        "the server could not do this now",
        "The server failed at an `openconfigsvr` command, for example because its store is unavailable.";
}

macro_rules! close_codes {
    ($( $name:ident = $number:literal, $text:literal, $when:literal; )*) => {
        /// Why the server closed a WebSocket. From 4000 to 4499 the client should connect again and continue from
        /// its position; from 4500 to 4999 the same attempt would end the same way.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum CloseCode { $( #[doc = $when] $name = $number, )* }

        impl CloseCode {
            /// Every close code, in ascending order.
            pub const ALL: &'static [CloseCode] = &[ $( CloseCode::$name, )* ];

            /// The name of the code in the reference and in the SDK.
            pub fn name(self) -> &'static str {
                match self { $( CloseCode::$name => stringify!($name), )* }
            }

            /// The reason text of the close frame: ASCII, at most 123 bytes.
            pub fn text(self) -> &'static str {
                match self { $( CloseCode::$name => $text, )* }
            }

            /// When the server closes with this code, as one line of the reference.
            pub fn when(self) -> &'static str {
                match self { $( CloseCode::$name => $when, )* }
            }

            /// The close code with this number.
            pub fn from_number(number: u16) -> Option<CloseCode> {
                match number { $( $number => Some(CloseCode::$name), )* _ => None }
            }
        }
    };
}

impl CloseCode {
    /// The number in the close frame.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// Whether the client should connect again.
    pub const fn reconnect(self) -> bool {
        self.number() < 4500
    }
}

close_codes! {
    ShuttingDown = 4000, "server shutting down",
        "The server stops; another one, or the same one soon, will take the session.";
    SlowReader = 4001, "slow reader",
        "The client read nothing for 10 s; what it missed follows from its position.";
    HeartbeatTimeout = 4002, "heartbeat timeout",
        "Nothing was heard from the client for longer than the heartbeat allows.";
    InternalFailure = 4003, "internal failure",
        "The server could not go on, for example because its store is unavailable.";
    BadFrame = 4500, "bad frame",
        "The client sent a binary frame, or bytes that are no frame. Text that is not understood is answered with an error instead.";
    LoginTimeout = 4501, "login timeout",
        "The client did not send `connect` as its first frame in time.";
    LoginRefused = 4502, "login refused",
        "The `connect` was answered with an error that is not temporary.";
    Kicked = 4503, "kicked",
        "The user was logged out by a login on another device or by the app's backend, or the account was deleted.";
    FrameTooLarge = 4504, "frame too large",
        "The client sent a frame above the size limit.";
    Replaced = 4505, "replaced",
        "The same device logged in again, on another connection.";
    Expired = 4506, "expired",
        "The UserSig that the session rests on has expired: connect with a new one.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_find_themselves() {
        assert!(ErrorCode::ALL.is_sorted_by(|a, b| a.number() < b.number()));
        for &code in ErrorCode::ALL {
            assert_eq!(ErrorCode::from_number(code.number()), Some(code));
            assert!(!code.text().is_empty() && code.when().ends_with('.'), "{}", code.name());
            let is_own =
                (120_001..=130_000).contains(&code.number()) || (38_000..=39_000).contains(&code.number());
            assert!(!is_own, "{} belongs to apps", code.name());
        }
        assert_eq!(ErrorCode::from_number(0), None);
    }

    #[test]
    fn close_codes_are_in_order_and_fit_a_close_frame() {
        assert!(CloseCode::ALL.is_sorted_by(|a, b| a.number() < b.number()));
        for &code in CloseCode::ALL {
            assert_eq!(CloseCode::from_number(code.number()), Some(code));
            assert!((4000..5000).contains(&code.number()));
            assert!(code.text().is_ascii() && code.text().len() <= 123 && code.when().ends_with('.'));
        }
        assert!(CloseCode::InternalFailure.reconnect());
        assert!(!CloseCode::BadFrame.reconnect());
    }

    #[test]
    fn texts_that_programs_look_for() {
        let table = [
            (90001, "Fail to Parse json data of body, Please check it"),
            (70003, "The UserSig in use is illegal."),
            (70107, "Err_TLS_PT_Open_Login_Account_Not_Exist"),
            (90012, "invalid To_Account"),
        ];
        for (number, text) in table {
            assert_eq!(ErrorCode::from_number(number).unwrap().text(), text);
        }
        assert!(ErrorCode::UserSigWrongKey.text().starts_with("UserSig verification Failed."));
    }

    #[test]
    fn a_failure_knows_whether_it_is_temporary() {
        assert!(Failure::from(ErrorCode::Internal).temporary());
        assert!(!ErrorCode::BadJson.with("no").temporary());
        assert!(!Failure { code: 120_500, info: "later".into() }.temporary());
    }
}
