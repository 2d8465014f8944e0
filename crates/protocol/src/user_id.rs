//! What a UserID may look like.

use crate::limits::USER_ID_LEN_MAX;

/// Whether this text can be a UserID: 1 to 32 bytes without control characters.
///
/// Control characters are refused because a UserSig signs lines: a line feed in a UserID could forge the next line.
pub fn valid_user_id(text: &str) -> bool {
    (1..=USER_ID_LEN_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::valid_user_id;

    #[test]
    fn edges() {
        let table = [
            ("", false),
            ("a", true),
            ("用户-é", true),
            ("@RBT#1 x+y/z", true),
            ("a\nb", false),
            ("a\u{7f}", false),
            ("a\u{85}", false),
            ("12345678901234567890123456789012", true),
            ("123456789012345678901234567890123", false),
        ];
        for (text, valid) in table {
            assert_eq!(valid_user_id(text), valid, "{text:?}");
        }
    }
}
