//! Sizes that are part of the protocol, each with its reason.
//!
//! Limits that an operator may choose (rates, queues, body sizes) are configuration of the server, not here.

/// UserID, in bytes. What compatible servers accept; ids are in keys, so they have to stay short.
pub const USER_ID_LEN_MAX: usize = 32;

/// A message: the decoded text of all strings and the digits of all numbers in every `MsgContent`, plus
/// `CloudCustomData`, in bytes. What compatible servers accept.
pub const MESSAGE_LEN_MAX: usize = 12_288;

/// The JSON text of a `MsgBody`, in bytes. Escapes make six bytes of one, and keys are not counted above, so a message
/// within its limit may be this long on the wire; beyond that it can only be padding.
pub const MSG_BODY_JSON_LEN_MAX: usize = 128 * 1024;

/// Combined messages inside combined messages. What compatible clients can open.
pub const RELAY_DEPTH_MAX: usize = 100;

/// Nesting of arrays and objects in a `MsgBody`. A combined message takes five levels for each of its
/// [`RELAY_DEPTH_MAX`] levels, and the innermost element a few more.
pub const JSON_DEPTH_MAX: usize = 512;

/// How long a message waits for an offline recipient, in seconds: seven days, as in compatible servers.
pub const MSG_LIFE_TIME_SECS_MAX: u32 = 604_800;

/// Accounts in one account command. What compatible servers accept.
pub const ACCOUNTS_PER_CALL_MAX: usize = 100;

/// Items of `To_Account` in one command for many, counted as they were sent. What compatible servers accept.
pub const TARGETS_PER_CALL_MAX: usize = 500;

/// Message keys in one command for single messages of a conversation. What compatible servers accept.
pub const MSG_KEYS_PER_CALL_MAX: usize = 30;

/// Message keys in one `delete` of a device: a page of what a person selects.
pub const DELETED_KEYS_MAX: usize = 50;

/// Conversations in one request of a device. What compatible clients send.
pub const CONVERSATIONS_PER_REQUEST_MAX: usize = 100;

/// Conversations whose way of receiving one request changes. What compatible clients send.
pub const NOTIFIED_PER_REQUEST_MAX: usize = 30;

/// What a person notes of a conversation, in bytes. What compatible clients send.
pub const CONVERSATION_CUSTOM_LEN_MAX: usize = 256;

/// The highest number of a mark: they are kept as bits.
pub const CONVERSATION_MARK_MAX: u32 = 63;

/// Conversations whose unread messages are counted in one call. What compatible servers accept.
pub const UNREAD_PEERS_PER_CALL_MAX: usize = 10;

/// The key of a pair on a message, in bytes. What compatible servers accept.
pub const EXTENSION_KEY_LEN_MAX: usize = 100;

/// The value of a pair on a message, in bytes. What compatible servers accept.
pub const EXTENSION_VALUE_LEN_MAX: usize = 1000;

/// Pairs that one call sets or deletes. What compatible servers accept.
pub const EXTENSIONS_PER_CALL_MAX: usize = 20;

/// Pairs on one message. What compatible servers accept; all of them together stay readable in two pages.
pub const EXTENSIONS_PER_MESSAGE_MAX: usize = 300;

/// Pairs in one answer. What compatible servers give, and what their clients make room for.
pub const EXTENSIONS_PER_PAGE_MAX: usize = 200;

/// Pinned conversations of one user. What compatible servers accept.
pub const PINNED_MAX: usize = 50;

/// Conversations that one call pins or unpins: twice [`PINNED_MAX`], so that a call which would pin too many is told
/// just that.
pub const PINS_PER_CALL_MAX: usize = 100;

/// A profile value such as `Nick`, in bytes. What compatible servers accept.
pub const PROFILE_VALUE_LEN_MAX: usize = 500;

/// The `Location` of a profile, in bytes. What compatible servers accept.
pub const PROFILE_LOCATION_LEN_MAX: usize = 16;

/// What a user says of themself while online (`custom` of `set_status`), in bytes. A short sentence in any script; it is
/// held in memory for everybody who is online.
pub const CUSTOM_STATUS_LEN_MAX: usize = 64;

/// Users whose presence one frame subscribes to. What compatible clients ask for.
pub const SUBSCRIPTIONS_PER_CALL_MAX: usize = 100;

/// Users whose presence one session is pushed. What a screen full of contacts needs, with room to scroll.
pub const SUBSCRIPTIONS_PER_SESSION_MAX: usize = 200;

/// Profiles in one call of `portrait_get`. What compatible servers accept.
pub const PROFILES_PER_CALL_MAX: usize = 100;

/// Custom tags of a profile, and of a friend. As many as compatible servers let an app declare.
pub const CUSTOM_TAGS_MAX: usize = 20;

/// The letters that an app chooses for a custom tag, and for where a friend was found (`AddSource`). What compatible
/// servers accept.
pub const KEYWORD_LEN_MAX: usize = 8;

/// The value of a custom tag of a friend, in bytes. The same as for profiles.
pub const FRIEND_VALUE_LEN_MAX: usize = 500;

/// Friends of one user. What compatible servers accept.
pub const FRIENDS_MAX: usize = 3000;

/// Friends on one page of `friend_get`. What compatible servers give.
pub const FRIENDS_PER_PAGE: usize = 500;

/// Users whom one user blocks. What compatible servers accept.
pub const BLOCKLIST_LEN_MAX: usize = 1000;

/// Friend groups of one user. What compatible servers accept.
pub const FRIEND_GROUPS_MAX: usize = 32;

/// The name of a friend group, in bytes. What compatible servers accept.
pub const FRIEND_GROUP_NAME_LEN_MAX: usize = 30;

/// The `Remark` about a friend, in bytes. What compatible servers accept.
pub const REMARK_LEN_MAX: usize = 96;

/// What comes with a friend request (`AddWording`), in bytes. What compatible servers accept.
pub const ADD_WORDING_LEN_MAX: usize = 256;

/// Users in one call about friends or a blocklist. What compatible servers accept.
pub const RELATIONS_PER_CALL_MAX: usize = 1000;

/// Friends whom one request of a device names. What compatible clients allow.
pub const FRIENDS_PER_REQUEST_MAX: usize = 100;

/// The text of a UserSig, in bytes. Real ones have about 300; they are compressed, so length must be bounded before
/// and after.
pub const USERSIG_TEXT_LEN_MAX: usize = 4 * 1024;

/// The JSON inside a UserSig, in bytes. Real ones have about 200.
pub const USERSIG_JSON_LEN_MAX: usize = 4 * 1024;

/// A callback's answer, in bytes: a replaced message in its escaped form does not need more.
pub const CALLBACK_ANSWER_LEN_MAX: usize = 64 * 1024;

/// The text of a refusal that an app's backend chose, in bytes. It is shown to the sender; the rest is cut.
pub const CALLBACK_INFO_LEN_MAX: usize = 1024;

/// How far the time of a signed callback may be from the receiver's, in seconds, either way.
pub const SIGN_AGE_SECS_MAX: u64 = 60;

/// How far the `webhook-timestamp` of a callback may be from the receiver's time, in seconds, either way: what receivers
/// of Standard Webhooks tolerate.
pub const WEBHOOK_AGE_SECS_MAX: u64 = 5 * 60;

/// A device id chosen by a client, in bytes.
pub const DEVICE_ID_LEN_MAX: usize = 64;

/// What an installed app is known by to a carrier of push, in bytes. The original refuses longer ones with the same
/// code.
pub const PUSH_TOKEN_LEN_MAX: usize = 256;

/// The epoch of a position, in bytes. The server made it; anything longer did not come from here.
pub const EPOCH_LEN_MAX: usize = 64;
