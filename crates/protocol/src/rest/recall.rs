//! `openim/admin_msgwithdraw`: an admin takes a message back, whoever sent it and however old it is.
//!
//! Answered with [`ok`](super::ok).

use std::borrow::Cow;

use super::{msg_key, user_id};
use crate::{
    MsgKey,
    code::{ErrorCode, Failure},
    lenient::{self, slots},
};

/// The request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recall<'a> {
    /// `From_Account`: who sent the message.
    pub from: Cow<'a, str>,
    /// `To_Account`: who got it.
    pub to: Cow<'a, str>,
    /// `MsgKey`.
    pub key: MsgKey,
}

slots! {
    struct Members {
        from: "From_Account",
        to: "To_Account",
        key: "MsgKey",
    }
}

impl<'a> Recall<'a> {
    /// Parses the body of the request. Refused with [`ErrorCode::BadJson`], [`ErrorCode::BadFromAccount`],
    /// [`ErrorCode::BadToAccount`] or [`ErrorCode::BadMsgKey`].
    pub fn parse(body: &'a [u8]) -> Result<Recall<'a>, Failure> {
        let members: Members<'a> = lenient::body(body).map_err(|_| ErrorCode::BadJson)?;
        Ok(Recall {
            from: user_id(members.from, ErrorCode::BadFromAccount)?,
            to: user_id(members.to, ErrorCode::BadToAccount)?,
            key: msg_key(members.key, ErrorCode::BadMsgKey)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        let good = r#""From_Account":"ada","To_Account":"bo","MsgKey":"3_31_1900""#;
        let table = [
            (r#""x":1"#, None),
            (r#""From_Account":null"#, Some(90008)),
            (r#""From_Account":"""#, Some(90008)),
            (r#""To_Account":null"#, Some(90003)),
            (r#""To_Account":["bo"]"#, Some(90003)),
            (r#""MsgKey":null"#, Some(90054)),
            (r#""MsgKey":"""#, Some(90054)),
            (r#""MsgKey":"3_31""#, Some(90054)),
            (r#""MsgKey":3"#, Some(90054)),
        ];
        for (member, code) in table {
            let body = format!("{{{good},{member}}}");
            let request = Recall::parse(body.as_bytes()).map_err(|failure| failure.code);
            let key = MsgKey { seq: 3, random: 31, time_s: 1900 };
            let expected = Recall { from: "ada".into(), to: "bo".into(), key };
            assert_eq!(request, code.map_or(Ok(expected), Err), "{member}");
        }
        assert_eq!(Recall::parse(b"[]").unwrap_err().code, 90001);
    }
}
