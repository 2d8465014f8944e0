//! Texts from the server in a form that is the same in every run.

use chat::port::Clock;
use server::clock::SystemClock;

/// Times within this of now are the server's; other numbers are the test's own.
const AROUND_NOW_SECS: u64 = 3_600;

/// Writes `T` for times in seconds, `MS` for times in milliseconds, `N` for the numbers that stand for users in a
/// `MsgId`, `E` for epochs, and `S` for sessions. Everything else stays to the letter.
pub(crate) fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let is_word = |c: char| c.is_ascii_alphanumeric();
        let word_len = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if word_len == 0 {
            let next = rest.chars().next().unwrap();
            out.push(next);
            rest = &rest[next.len_utf8()..];
            continue;
        }
        let (word, after) = rest.split_at(word_len);
        let chosen = [(r#""epoch":""#, "E"), (r#""session":""#, "S")];
        let chosen = chosen.iter().find(|(before, _)| out.ends_with(before));
        out.push_str(chosen.map_or_else(|| normal(word), |(_, letter)| letter));
        rest = after;
    }
    out
}

fn normal(word: &str) -> &str {
    let now_s = SystemClock.now_ms() / 1000;
    if word.len() == 11
        && u64::from_str_radix(word, 16).is_ok_and(|ms| (ms / 1000).abs_diff(now_s) < AROUND_NOW_SECS)
    {
        return "E";
    }
    let Ok(number) = word.parse::<u64>() else { return word };
    match word.len() {
        10 if number.abs_diff(now_s) < AROUND_NOW_SECS => "T",
        13 if (number / 1000).abs_diff(now_s) < AROUND_NOW_SECS => "MS",
        18 => "N",
        _ => word,
    }
}

#[test]
fn only_what_the_server_chose_is_put_in_normal_form() {
    let now_ms = SystemClock.now_ms();
    let now_s = now_ms / 1000;
    let text = format!(
        r#"{{"MsgKey":"7_4021_{now_s}","MsgId":"144115188075855873-{now_s}-4294967295","EventTime":{now_ms},"epoch":"19a2b","next":"{now_ms:x}-3","Text":"é 1500000000"}}"#
    );
    let expected = r#"{"MsgKey":"7_4021_T","MsgId":"N-T-4294967295","EventTime":MS,"epoch":"E","next":"E-3","Text":"é 1500000000"}"#;
    assert_eq!(literal(&text), expected);
}
