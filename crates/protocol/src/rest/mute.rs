//! `openconfigsvr`: muting a user, and saying how long that still lasts.
//!
//! `GroupmsgNospeakingTime` is kept and given back as it was set. This server has no groups that it could mute in.

use std::borrow::Cow;

use super::{OK_AND, user_id};
use crate::{
    code::{ErrorCode, Failure},
    json::write_json,
    lenient::{self, Slot, slots},
};

/// `setnospeaking`. Answered with [`ok`](super::ok). At least one of the times is there; the other stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set<'a> {
    /// `Set_Account`.
    pub user: Cow<'a, str>,
    /// `C2CmsgNospeakingTime`: for messages to other users.
    pub c2c: Option<MuteTime>,
    /// `GroupmsgNospeakingTime`: for messages to groups.
    pub group: Option<MuteTime>,
}

/// How long a user is muted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MuteTime {
    /// 0: not at all. In a request, a mute is lifted.
    No,
    /// 1 to 4294967294: for so many seconds from now.
    Secs(u32),
    /// 4294967295: until it is lifted.
    Forever,
}

/// `getnospeaking`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Get<'a> {
    /// `Get_Account`.
    pub user: Cow<'a, str>,
}

/// The answer to [`Get`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mutes {
    /// `C2CmsgNospeakingTime`: what is left of it.
    pub c2c: MuteTime,
    /// `GroupmsgNospeakingTime`.
    pub group: MuteTime,
}

slots! {
    struct SetMembers {
        user: "Set_Account",
        c2c: "C2CmsgNospeakingTime",
        group: "GroupmsgNospeakingTime",
    }
}

slots! { struct GetMembers { user: "Get_Account", } }

impl<'a> Set<'a> {
    /// Parses the body of the request. Refused with [`ErrorCode::MuteBadJson`], [`ErrorCode::MuteSetAccountMissing`],
    /// [`ErrorCode::MuteSetAccountInvalid`], or [`ErrorCode::MuteTimeMissing`] when there is no time, or one that is
    /// none.
    pub fn parse(body: &'a [u8]) -> Result<Set<'a>, Failure> {
        let members: SetMembers<'a> = lenient::body(body).map_err(|_| ErrorCode::MuteBadJson)?;
        if members.user.is_absent() {
            return Err(ErrorCode::MuteSetAccountMissing.into());
        }
        let user = user_id(members.user, ErrorCode::MuteSetAccountInvalid)?;
        let (c2c, group) = (time(members.c2c)?, time(members.group)?);
        if c2c.is_none() && group.is_none() {
            return Err(ErrorCode::MuteTimeMissing.into());
        }
        Ok(Set { user, c2c, group })
    }
}

impl<'a> Get<'a> {
    /// Parses the body of the request. Refused with [`ErrorCode::MuteBadJson`], [`ErrorCode::MuteGetAccountMissing`] or
    /// [`ErrorCode::MuteGetAccountInvalid`].
    pub fn parse(body: &'a [u8]) -> Result<Get<'a>, Failure> {
        let members: GetMembers<'a> = lenient::body(body).map_err(|_| ErrorCode::MuteBadJson)?;
        if members.user.is_absent() {
            return Err(ErrorCode::MuteGetAccountMissing.into());
        }
        Ok(Get { user: user_id(members.user, ErrorCode::MuteGetAccountInvalid)? })
    }
}

impl MuteTime {
    /// What the number says.
    pub fn from_number(number: u32) -> MuteTime {
        match number {
            0 => MuteTime::No,
            u32::MAX => MuteTime::Forever,
            secs => MuteTime::Secs(secs),
        }
    }

    /// The number that says it.
    pub fn number(self) -> u32 {
        match self {
            MuteTime::No => 0,
            MuteTime::Secs(secs) => secs,
            MuteTime::Forever => u32::MAX,
        }
    }
}

impl Mutes {
    /// The body of the answer.
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(128);
        let out = &mut bytes;
        write_json!(
            out,
            raw(OK_AND.as_bytes()),
            r#""C2CmsgNospeakingTime":"#,
            number(u64::from(self.c2c.number())),
            r#","GroupmsgNospeakingTime":"#,
            number(u64::from(self.group.number())),
            "}",
        );
        bytes
    }
}

fn time(slot: Slot<'_>) -> Result<Option<MuteTime>, ErrorCode> {
    Ok(slot.u32().map_err(|_| ErrorCode::MuteTimeMissing)?.map(MuteTime::from_number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutes_are_set() {
        let table = [
            (r#""C2CmsgNospeakingTime":0"#, Ok((Some(MuteTime::No), None))),
            (r#""C2CmsgNospeakingTime":1"#, Ok((Some(MuteTime::Secs(1)), None))),
            (r#""C2CmsgNospeakingTime":"7200""#, Ok((Some(MuteTime::Secs(7200)), None))),
            (r#""C2CmsgNospeakingTime":4294967294"#, Ok((Some(MuteTime::Secs(4_294_967_294)), None))),
            (r#""C2CmsgNospeakingTime":4294967295"#, Ok((Some(MuteTime::Forever), None))),
            (r#""C2CmsgNospeakingTime":4294967296"#, Err(130_008)),
            (r#""C2CmsgNospeakingTime":-1"#, Err(130_008)),
            (r#""C2CmsgNospeakingTime":"long""#, Err(130_008)),
            (r#""GroupmsgNospeakingTime":0,"C2CmsgNospeakingTime":null"#, Ok((None, Some(MuteTime::No)))),
            (
                r#""GroupmsgNospeakingTime":4294967295,"C2CmsgNospeakingTime":9"#,
                Ok((Some(MuteTime::Secs(9)), Some(MuteTime::Forever))),
            ),
            (r#""C2CmsgNospeakingTime":9,"GroupmsgNospeakingTime":[]"#, Err(130_008)),
            (r#""x":1"#, Err(130_008)),
            (r#""C2CmsgNospeakingTime":null"#, Err(130_008)),
            (r#""C2CmsgNospeakingTime":9,"Set_Account":null"#, Err(130_004)),
            (r#""C2CmsgNospeakingTime":9,"Set_Account":"""#, Err(130_005)),
            (r#""C2CmsgNospeakingTime":9,"Set_Account":7"#, Err(130_005)),
        ];
        for (members, expected) in table {
            let body = format!(r#"{{"Set_Account":"ada",{members}}}"#);
            let request = Set::parse(body.as_bytes()).map_err(|failure| failure.code);
            let expected = expected.map(|(c2c, group)| Set { user: "ada".into(), c2c, group });
            assert_eq!(request, expected, "{members}");
        }
        assert_eq!(Set::parse(b"").unwrap_err().code, 130_001);
        assert_eq!(Set::parse(b"{}").unwrap_err().code, 130_004);
    }

    #[test]
    fn mutes_are_asked_for() {
        let table = [
            (r#"{"Get_Account":"ada"}"#, Ok("ada")),
            ("{}", Err(130_002)),
            (r#"{"Get_Account":null}"#, Err(130_002)),
            (r#"{"Get_Account":""}"#, Err(130_003)),
            (r#"{"Get_Account":["ada"]}"#, Err(130_003)),
            (r#"{"Get_Account":"123456789012345678901234567890123"}"#, Err(130_003)),
            ("[]", Err(130_001)),
            ("", Err(130_001)),
        ];
        for (body, expected) in table {
            let request = Get::parse(body.as_bytes());
            let user = request.as_ref().map(|request| &*request.user);
            assert_eq!(user.map_err(|failure| failure.code), expected, "{body}");
        }
    }

    #[test]
    fn answers() {
        let table = [
            (
                Mutes { c2c: MuteTime::Secs(7196), group: MuteTime::No },
                r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","C2CmsgNospeakingTime":7196,"GroupmsgNospeakingTime":0}"#,
            ),
            (
                Mutes { c2c: MuteTime::No, group: MuteTime::Forever },
                r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","C2CmsgNospeakingTime":0,"GroupmsgNospeakingTime":4294967295}"#,
            ),
        ];
        for (mutes, expected) in table {
            assert_eq!(String::from_utf8(mutes.to_json()).unwrap(), expected);
        }
    }
}
