//! JSON over several lines. Works on the text, so that members stay in their order and numbers as they were written.

/// How it is laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// Spaces in front of every line.
    pub(super) margin: usize,
    /// Deeper than this is not indented further.
    pub(super) depth_max: usize,
}

impl Layout {
    /// Text that is known to be JSON, laid out.
    pub(super) fn of(self, json: impl Iterator<Item = char>) -> String {
        let mut out = " ".repeat(self.margin);
        let mut depth = 0_usize;
        let mut chars = json.peekable();
        while let Some(c) = chars.next() {
            match c {
                '"' => {
                    out.push(c);
                    copy_string(&mut chars, &mut out);
                }
                '{' | '[' => {
                    out.push(c);
                    while chars.next_if(|c| c.is_whitespace()).is_some() {}
                    match chars.next_if(|c| ['}', ']'].contains(c)) {
                        Some(end) => out.push(end),
                        None => {
                            depth += 1;
                            self.new_line(&mut out, depth);
                        }
                    }
                }
                '}' | ']' => {
                    depth = depth.saturating_sub(1);
                    self.new_line(&mut out, depth);
                    out.push(c);
                }
                ',' => {
                    out.push(c);
                    self.new_line(&mut out, depth);
                }
                ':' => out.push_str(": "),
                c if c.is_whitespace() => {}
                c => out.push(c),
            }
        }
        out
    }

    fn new_line(self, out: &mut String, depth: usize) {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', self.margin + 2 * depth.min(self.depth_max)));
    }
}

/// What follows an opening quote, up to the closing one.
fn copy_string(chars: &mut impl Iterator<Item = char>, out: &mut String) {
    let mut escaped = false;
    for c in chars {
        out.push(if c.is_control() { ' ' } else { c });
        match c {
            '"' if !escaped => return,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
}
