//! The reference of error codes and close codes, from the tables in `protocol::code`.

use protocol::{CloseCode, ErrorCode};
use std::fmt::Write;

const HEAD: &str = "\
# Error and close codes

<!-- Written by `cargo xtask codegen` from crates/protocol/src/code.rs. Change that file, not this one. -->

An error code says what went wrong, and whether the same request may succeed later.
A close code says whether a client should connect again.
Numbers and names are stable and never get another meaning.

## Error codes

REST answers carry the number as `ErrorCode`, answers to client frames as `code`; 0 is success.
The text is sent as `ErrorInfo` unless there is something more exact to say: programs look at the number.
*Temporary* means: try again, with growing pauses.
Codes from 120001 to 130000 belong to the app: its backend chooses them when it refuses a message before it is sent.
So do those from 38000 to 39000, for what a device wants of a friendship.

| Code | Name | When | Text | Temporary |
|---|---|---|---|---|
";

const CLOSE_HEAD: &str = "
## Close codes

A WebSocket that the server closes carries one of these.
*Reconnect* means: connect again after a short random pause, and present the last position; nothing is lost.
Otherwise the same attempt would end in the same way.

| Code | Name | When | Reconnect |
|---|---|---|---|
";

pub(super) fn page() -> String {
    let mut page = HEAD.to_owned();
    for code in ErrorCode::ALL {
        let temporary = if code.temporary() { "yes" } else { "no" };
        let (number, name, when) = (code.number(), code.name(), cell(code.when()));
        write_row(
            &mut page,
            format_args!("| {number} | {name} | {when} | {} | {temporary} |", cell(code.text())),
        );
    }
    page.push_str(CLOSE_HEAD);
    for code in CloseCode::ALL {
        let reconnect = if code.reconnect() { "yes" } else { "no" };
        let (number, name, when) = (code.number(), code.name(), cell(code.when()));
        write_row(&mut page, format_args!("| {number} | {name} | {when} | {reconnect} |"));
    }
    page
}

fn write_row(page: &mut String, row: std::fmt::Arguments<'_>) {
    writeln!(page, "{row}").expect("a string takes everything");
}

/// Text that does not end its cell or start a tag.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_row() {
        let page = page();
        assert!(page.contains("| 90001 | BadJson | The body of an `openim` command is empty,"));
        assert!(page.contains("| 4000 | ShuttingDown |"));
        let rows = page.lines().filter(|line| line.starts_with("| ") && line.contains("00")).count();
        assert!(rows > 20);
        assert_eq!(cell("a|<b>"), "a\\|&lt;b>");
    }
}
