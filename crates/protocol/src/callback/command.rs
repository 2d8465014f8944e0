//! The names of callbacks and of the platforms that cause them.

macro_rules! words {
    (
        $(#[$meta:meta])* enum $type:ident;
        $( $(#[$variant_meta:meta])* $variant:ident = $word:literal; )*
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $type { $( $(#[$variant_meta])* $variant, )* }

        impl $type {
            /// All of them.
            pub const ALL: &'static [$type] = &[ $( $type::$variant, )* ];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $( $type::$variant => $word, )* }
            }

            /// The value with this word on the wire; case matters.
            pub fn parse(word: &str) -> Option<$type> {
                match word { $( $word => Some($type::$variant), )* _ => None }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// The name of a callback: `CallbackCommand` in its URL and its body.
    enum CallbackCommand;
    /// A question: may this message be sent?
    C2cBeforeSendMsg = "C2C.CallbackBeforeSendMsg";
    /// A message was sent, or failed after it was accepted.
    C2cAfterSendMsg = "C2C.CallbackAfterSendMsg";
    /// A user has read a conversation.
    C2cAfterMsgReport = "C2C.CallbackAfterMsgReport";
    /// A user has confirmed to have read single messages.
    C2cAfterMsgReadReceipt = "C2C.CallbackAfterMsgReadReceipt";
    /// A message was recalled.
    C2cAfterMsgWithDraw = "C2C.CallbackAfterMsgWithDraw";
    /// A message was edited.
    C2cAfterModifyMsg = "C2C.CallbackAfterModifyMsg";
    /// The extensions of a message changed.
    C2cAfterMsgExtension = "C2C.CallbackAfterC2CMsgExtension";
    /// A message was sent to a bot account.
    BotOnC2cMessage = "Bot.OnC2CMessage";
    /// A signal was sent to a bot account.
    ChatbotOnC2cSignalMessage = "Chatbot.OnC2CSignalMessage";
    /// A user came online or went offline.
    StateChange = "State.StateChange";
    /// A profile was changed.
    ProfilePortraitSet = "Profile.CallbackPortraitSet";
    /// A question: may this friend be added?
    SnsPrevFriendAdd = "Sns.CallbackPrevFriendAdd";
    /// A question: may this friend request be answered?
    SnsPrevFriendResponse = "Sns.CallbackPrevFriendResponse";
    /// Friends were added.
    SnsFriendAdd = "Sns.CallbackFriendAdd";
    /// Friends were removed.
    SnsFriendDelete = "Sns.CallbackFriendDelete";
    /// Users were blocked.
    SnsBlackListAdd = "Sns.CallbackBlackListAdd";
    /// Users were unblocked.
    SnsBlackListDelete = "Sns.CallbackBlackListDelete";
    /// A message was stored, and no device of its recipient was there. Couplet's own.
    CoupletMsgOffline = "Couplet.CallbackMsgOffline";
    /// An offline push was sent, has arrived or was opened.
    PushOfflinePush = "Push.OfflinePush";
    /// The content filter has judged something.
    ContentResultNotify = "ContentCallback.ResultNotify";
    /// A REST command is called nearly as often as is allowed.
    AlertRequestOverLimit = "Alert.RequestOverLimit";
}

impl CallbackCommand {
    /// Whether nobody is told unless they ask for this callback by its name: senders of the original's callbacks have
    /// none like it.
    pub const fn is_own(self) -> bool {
        matches!(self, CallbackCommand::CoupletMsgOffline)
    }

    /// Whether this callback asks before something happens, and its answer decides; all others tell afterwards.
    pub const fn is_question(self) -> bool {
        matches!(
            self,
            CallbackCommand::C2cBeforeSendMsg
                | CallbackCommand::SnsPrevFriendAdd
                | CallbackCommand::SnsPrevFriendResponse
        )
    }
}

words! {
    /// What kind of client caused a callback.
    enum OptPlatform;
    /// A call of the REST API.
    RestApi = "RESTAPI";
    /// A browser.
    Web = "Web";
    /// An Android device.
    Android = "Android";
    /// An iPhone.
    Ios = "iOS";
    /// A Windows computer.
    Windows = "Windows";
    /// A Mac.
    Mac = "Mac";
    /// An iPad.
    Ipad = "iPad";
    /// Anything else.
    Unknown = "Unknown";
}

impl OptPlatform {
    /// The word in the URL of this callback. One callback spells one platform unlike all others.
    pub const fn as_str_for(self, command: CallbackCommand) -> &'static str {
        match (self, command) {
            (OptPlatform::Ios, CallbackCommand::StateChange) => "IOS",
            _ => self.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for &command in CallbackCommand::ALL {
            assert_eq!(CallbackCommand::parse(command.as_str()), Some(command));
            let asks = command.as_str().contains("Before") || command.as_str().contains("Prev");
            assert_eq!(command.is_question(), asks);
        }
        for &platform in OptPlatform::ALL {
            assert_eq!(OptPlatform::parse(platform.as_str()), Some(platform));
        }
        assert_eq!(CallbackCommand::parse("c2c.callbackaftersendmsg"), None);
        assert_eq!(OptPlatform::Ios.as_str_for(CallbackCommand::C2cAfterSendMsg), "iOS");
        assert_eq!(OptPlatform::Ios.as_str_for(CallbackCommand::StateChange), "IOS");
    }
}
