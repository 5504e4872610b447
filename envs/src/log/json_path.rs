//! The path of the field at a byte of a JSON text: serde_json gives the byte, people want the column.

/// What encloses the byte looked for.
enum Frame {
    /// Start and end of the last key.
    Object(Option<(usize, usize)>),
    /// Position in the list.
    Array(usize),
}

/// Path of the last value that begins within the first `end` bytes, such as `decisions[2].propensity`.
///
/// A brace that closes at `end` leaves its object only with `leave_last`: serde_json reports errors about a whole object
/// behind its brace, and those about the object's last value too.
pub(super) fn path_at(text: &[u8], end: usize, leave_last: bool) -> String {
    let end = end.min(text.len());
    let mut stack: Vec<Frame> = Vec::new();
    let mut expects_key = false;
    let mut i = 0;
    while i < end {
        match text[i] {
            b'"' => {
                let start = i + 1;
                i = start;
                while i < text.len() && text[i] != b'"' {
                    i += if text[i] == b'\\' { 2 } else { 1 };
                }
                if let (true, Some(Frame::Object(key))) = (expects_key, stack.last_mut()) {
                    *key = Some((start, i.min(text.len())));
                    expects_key = false;
                }
            }
            b'{' => {
                stack.push(Frame::Object(None));
                expects_key = true;
            }
            b'[' => {
                stack.push(Frame::Array(0));
                expects_key = false;
            }
            b']' => {
                stack.pop();
            }
            b'}' if i + 1 < end || leave_last => {
                stack.pop();
                expects_key = false;
            }
            b',' if i + 1 < end => match stack.last_mut() {
                Some(Frame::Array(index)) => *index += 1,
                _ => expects_key = true,
            },
            _ => {}
        }
        i += 1;
    }
    let mut path = String::new();
    for frame in &stack {
        match frame {
            Frame::Object(Some((from, to))) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&String::from_utf8_lossy(&text[*from..*to]));
            }
            Frame::Object(None) => {}
            Frame::Array(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_follow_keys_and_positions() {
        let text = br#"{"a":1,"list":[{"x":"}]"},{"x":[1,2,{"y":null}],"z":3}]}"#;
        let at = |needle: &str| {
            let text = std::str::from_utf8(text).unwrap();
            text.find(needle).unwrap() + needle.len()
        };
        for (needle, path) in [
            (r#""a":1"#, "a"),
            (r#""x":"}]""#, "list[0].x"),
            (r#"[1,2"#, "list[1].x[1]"),
            (r#""y":null"#, "list[1].x[2].y"),
            (r#""z":3"#, "list[1].z"),
        ] {
            assert_eq!(path_at(text, at(needle), false), path, "{needle}");
        }
        let closed = at(r#""z":3}"#);
        assert_eq!(path_at(text, closed, false), "list[1].z");
        assert_eq!(path_at(text, closed, true), "list[1]");
        assert_eq!(path_at(b"{\"a", 99, false), "a");
    }
}
