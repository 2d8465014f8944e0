//! After a profile is changed.

use crate::{
    callback::CallbackCommand,
    json::{self, write_json},
};

/// The body of `Profile.CallbackPortraitSet`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortraitSet<'a> {
    /// `Operator_Account`: who changed it.
    pub operator: &'a str,
    /// `From_Account`: whose profile it is.
    pub user: &'a str,
    /// `ProfileItem`: each tag that was set, with its value.
    pub items: &'a [(&'a str, PortraitValue<'a>)],
    /// `EventTime`, in Unix milliseconds.
    pub event_time_ms: u64,
}

/// The value of a tag; which of the two it is depends on the tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortraitValue<'a> {
    /// A JSON number.
    Number(u32),
    /// A JSON string.
    Text(&'a str),
}

impl PortraitSet<'_> {
    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        write_json!(
            out,
            r#"{"CallbackCommand":"#,
            string(CallbackCommand::ProfilePortraitSet.as_str()),
            r#","Operator_Account":"#,
            string(self.operator),
            r#","From_Account":"#,
            string(self.user),
            r#","EventTime":"#,
            number(self.event_time_ms),
            r#","ProfileItem":"#,
        );
        json::array(out, self.items, |out, (tag, value)| {
            write_json!(out, r#"{"Tag":"#, string(tag), r#","Value":"#);
            match value {
                PortraitValue::Number(value) => json::number(out, u64::from(*value)),
                PortraitValue::Text(value) => json::string(out, value),
            }
            out.push(b'}');
        });
        out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callback::body::written;

    #[test]
    fn a_profile_to_the_letter() {
        let set = PortraitSet {
            operator: "administrator",
            user: "ana",
            items: &[
                ("Tag_Profile_IM_Nick", PortraitValue::Text("Ana \"K.\"")),
                ("Tag_Profile_IM_BirthDay", PortraitValue::Number(u32::MAX)),
            ],
            event_time_ms: 1_767_000_300_500,
        };
        assert_eq!(
            written(|out| set.write(out)),
            r#"{"CallbackCommand":"Profile.CallbackPortraitSet","Operator_Account":"administrator","From_Account":"ana","EventTime":1767000300500,"ProfileItem":[{"Tag":"Tag_Profile_IM_Nick","Value":"Ana \"K.\""},{"Tag":"Tag_Profile_IM_BirthDay","Value":4294967295}]}"#
        );
    }
}
