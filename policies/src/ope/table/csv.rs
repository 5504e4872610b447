//! Lines of comma-separated numbers to rows, without a copy of a cell.

use super::error::Fault;
use super::header::{Header, Role};
use super::rows::{Rows, Wanted, text_key};

/// The first line of a file as names of columns.
pub(crate) fn names(line: &[u8]) -> Vec<String> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.split(|b| *b == b',')
        .map(|name| String::from_utf8_lossy(plain(name)).into_owned())
        .collect()
}

/// A cell without blanks and quotes around it.
fn plain(cell: &[u8]) -> &[u8] {
    let cell = cell.trim_ascii();
    cell.strip_prefix(b"\"")
        .and_then(|cell| cell.strip_suffix(b"\""))
        .map_or(cell, <[u8]>::trim_ascii)
}

/// Why lines could not be read, with the number of lines before the one that is wrong.
#[derive(Debug)]
pub(crate) struct BadLine {
    pub(crate) before: u64,
    pub(crate) fault: Fault,
}

/// Counts the rows and the lines of whole lines.
pub(crate) fn count(text: &[u8]) -> (u64, u64) {
    let (mut rows, mut lines, mut start) = (0, 0, 0);
    for end in memchr::memchr_iter(b'\n', text).chain([text.len()]) {
        if start < text.len() {
            rows += u64::from(!matches!(text[start], b'\n' | b'\r'));
            lines += 1;
        }
        start = end + 1;
    }
    (rows, lines)
}

/// Reads whole lines. Blank lines are passed over. Returns the rows and the number of lines.
pub(crate) fn rows(text: &[u8], header: &Header, wanted: Wanted) -> Result<(Rows, u64), BadLine> {
    let parts: Vec<Option<Role>> = header
        .roles
        .iter()
        .map(|role| role.filter(|role| wanted.takes(*role)))
        .collect();
    let mut rows = Rows::default();
    let mut cursor = Cursor { text, at: 0 };
    let mut lines = 0;
    while cursor.at < text.len() {
        let blank = matches!(text[cursor.at], b'\n' | b'\r');
        if blank {
            cursor.end_of_line();
        } else if let Err(fault) = line(&mut cursor, &parts, header, &mut rows) {
            return Err(BadLine {
                before: lines,
                fault,
            });
        }
        lines += 1;
    }
    Ok((rows, lines))
}

fn line(
    cursor: &mut Cursor<'_>,
    parts: &[Option<Role>],
    header: &Header,
    rows: &mut Rows,
) -> Result<(), Fault> {
    let last = parts.len() - 1;
    for (index, part) in parts.iter().enumerate() {
        match part {
            None => {
                cursor.cell();
            }
            Some(
                role @ (Role::Episode | Role::State | Role::NextState | Role::Unit | Role::Class),
            ) => {
                // A whole number is its own key.
                let key = match cursor.whole() {
                    Some(whole) => whole,
                    None => {
                        let text = plain(cursor.cell());
                        let key = text_key(text);
                        rows.name(*role, key, text, header);
                        key
                    }
                };
                rows.key(*role, key)?;
            }
            Some(role) => match cursor.number() {
                Number::Is(value) => rows.number(*role, value)?,
                Number::Empty => rows.empty(*role, header)?,
                Number::Not(text) => {
                    return Err(Fault::new(
                        &header.names[index],
                        format!("is `{text}`, and a number is needed"),
                        "write numbers with a decimal point and without thousands separators",
                    ));
                }
            },
        }
        if index == last {
            if !cursor.end_of_line() {
                return Err(cells(index + 1, parts.len(), "more"));
            }
        } else if !cursor.comma() {
            return Err(cells(index + 1, parts.len(), "only"));
        }
    }
    rows.complete(header.actions)
}

fn cells(found: usize, columns: usize, what: &str) -> Fault {
    let reason = if what == "only" {
        format!("the row has only {found} cells for {columns} columns")
    } else {
        format!("the row has more cells than the {columns} columns")
    };
    Fault::new(
        "",
        reason,
        "every row has one cell a column; cells with line breaks are not read",
    )
}

enum Number {
    Is(f64),
    Empty,
    Not(String),
}

struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// The rest of the cell, up to a comma or the end of the line.
    fn cell(&mut self) -> &'a [u8] {
        let rest = &self.text[self.at..];
        let mut end = 0;
        if rest.first() == Some(&b'"') {
            // Quotes inside a quoted cell are doubled.
            end = 1;
            while let Some(quote) = memchr::memchr(b'"', &rest[end..]) {
                end += quote + 1;
                if rest.get(end) == Some(&b'"') {
                    end += 1;
                } else {
                    break;
                }
            }
        }
        end += memchr::memchr2(b',', b'\n', &rest[end..]).unwrap_or(rest.len() - end);
        self.at += end;
        let cell = &rest[..end];
        if self.text.get(self.at) == Some(&b'\n')
            && let Some(cell) = cell.strip_suffix(b"\r")
        {
            self.at -= 1;
            return cell;
        }
        cell
    }

    /// A whole number of at most 15 digits that fills its cell.
    #[inline]
    fn whole(&mut self) -> Option<u64> {
        let rest = &self.text[self.at..];
        let mut value = 0;
        for (length, byte) in rest.iter().take(16).enumerate() {
            match byte {
                b'0'..=b'9' => value = value * 10 + u64::from(byte - b'0'),
                b',' | b'\n' | b'\r' if length > 0 => {
                    self.at += length;
                    return Some(value);
                }
                _ => return None,
            }
        }
        None
    }

    #[inline]
    fn number(&mut self) -> Number {
        if let Some(whole) = self.whole() {
            return Number::Is(whole as f64);
        }
        let rest = &self.text[self.at..];
        if let Ok((value, length)) = fast_float2::parse_partial::<f64, _>(rest)
            && matches!(rest.get(length), Some(b',' | b'\n' | b'\r') | None)
        {
            self.at += length;
            return Number::Is(value);
        }
        self.odd_number()
    }

    /// A number between blanks or quotes, a truth value, an empty cell, or something else.
    #[cold]
    fn odd_number(&mut self) -> Number {
        let cell = plain(self.cell());
        match cell {
            b"" | b"NA" | b"null" | b"None" => Number::Empty,
            b"true" | b"True" | b"TRUE" => Number::Is(1.0),
            b"false" | b"False" | b"FALSE" => Number::Is(0.0),
            other => fast_float2::parse(other).map_or_else(
                |_| Number::Not(String::from_utf8_lossy(other).into_owned()),
                Number::Is,
            ),
        }
    }

    #[inline]
    fn comma(&mut self) -> bool {
        let found = self.text.get(self.at) == Some(&b',');
        self.at += usize::from(found);
        found
    }

    /// Passes over the end of the line; false when there is more on it.
    #[inline]
    fn end_of_line(&mut self) -> bool {
        if self.text.get(self.at) == Some(&b'\r') {
            self.at += 1;
        }
        match self.text.get(self.at) {
            Some(b'\n') => {
                self.at += 1;
                true
            }
            None => true,
            Some(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const HEAD: &str = "id,action,propensity,reward,pi0,pi1,q0,q1";

    fn read(text: &str) -> Result<(Rows, u64), (u64, String)> {
        let header = Header::of(Path::new("t"), names(HEAD.as_bytes())).unwrap();
        let wanted = Wanted {
            model: true,
            ..Wanted::default()
        };
        rows(text.as_bytes(), &header, wanted).map_err(|bad| {
            (
                bad.before,
                format!("{} {}", bad.fault.column, bad.fault.reason),
            )
        })
    }

    #[test]
    fn cells_are_read_however_they_are_written() {
        let text = "a,1,0.5,1e-1,.25,0.75,1,-2\r\n\n\"b, \"\"c\"\"\",\"0\", 1 ,0,1.0,0,,2\n";
        let (rows, lines) = read(text).unwrap();
        assert_eq!(lines, 3);
        assert_eq!(rows.action, [1, 0]);
        assert_eq!(rows.propensity, [0.5, 1.0]);
        assert_eq!(rows.reward, [0.1, 0.0]);
        assert_eq!(rows.target, [0.25, 0.75, 1.0, 0.0]);
        assert_eq!(rows.model[..2], [1.0, -2.0]);
        assert!(rows.model[2].is_nan() && rows.model[3] == 2.0);
    }

    #[test]
    fn the_last_line_needs_no_end() {
        assert_eq!(read("a,1,0.5,1,0.5,0.5,0,0").unwrap().0.len(), 1);
        assert_eq!(read("").unwrap().0.len(), 0);
        for text in ["", "a\n", "a", "\n\r\nb\n\n", "a\nb"] {
            let want = (
                text.split('\n').filter(|l| !l.trim().is_empty()).count(),
                text.lines().count(),
            );
            assert_eq!(
                count(text.as_bytes()),
                (want.0 as u64, want.1 as u64),
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let good = "a,1,0.5,1,0.5,0.5,0,0\n";
        for (bad, reason) in [
            ("a,1,0,1,0.5,0.5,0,0", "propensity is 0;"),
            ("a,1,1.5,1,0.5,0.5,0,0", "propensity is 1.5;"),
            ("a,1,nan,1,0.5,0.5,0,0", "propensity is NaN;"),
            ("a,1,,1,0.5,0.5,0,0", "propensity is empty"),
            (
                "a,2,0.5,1,0.5,0.5,0,0",
                "action is 2, and the columns `pi…` end at `pi1`",
            ),
            ("a,0.5,0.5,1,0.5,0.5,0,0", "action is 0.5"),
            ("a,-1,0.5,1,0.5,0.5,0,0", "action is -1"),
            ("a,1,0.5,inf,0.5,0.5,0,0", "reward is inf"),
            ("a,1,0.5,,0.5,0.5,0,0", "reward is empty"),
            (
                "a,1,0.5,1,0.5,0.4,0,0",
                " the target probabilities `pi0` to `pi1` sum to 0.900000",
            ),
            ("a,1,0.5,1,1.5,-0.5,0,0", "pi0 is 1.5"),
            ("a,1,0.5,1,0.5,0.5,0", " the row has only 7 cells for 8"),
            (
                "a,1,0.5,1,0.5,0.5,0,0,9",
                " the row has more cells than the 8",
            ),
            (
                "a,1,0.5,one,0.5,0.5,0,0",
                "reward is `one`, and a number is needed",
            ),
            ("a,1,\"0,5\",1,0.5,0.5,0,0", "propensity is `0,5`"),
            ("a,1,0.5,1,0.5,0.5,inf,0", "q0 is inf"),
        ] {
            let (before, text) = read(&format!("{good}{bad}\n{good}")).unwrap_err();
            assert_eq!(before, 1, "{bad}");
            assert!(text.starts_with(reason), "{bad}: {text}");
        }
    }
}
