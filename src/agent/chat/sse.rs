//! Server-sent events, cut out of bytes as they come.
//!
//! *Invariant:* how the bytes are cut into pieces makes no difference; a line that never ends is given up.

/// The longest event.
const LONGEST: usize = 16 << 20;

/// Reads events.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The line so far.
    line: Vec<u8>,
    /// The data so far, where there was any.
    data: Option<String>,
    /// The last byte was a carriage return, which may have been the first half of an end of line.
    after_return: bool,
}

/// An event is longer than any that makes sense.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Endless;

impl Events {
    /// The data of the events that end in these bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<String>, Endless> {
        let mut events = Vec::new();
        for byte in bytes {
            let was_return = std::mem::replace(&mut self.after_return, *byte == b'\r');
            match byte {
                b'\n' if was_return => {}
                b'\n' | b'\r' => events.extend(self.end_line()),
                byte => self.line.push(*byte),
            }
        }
        if self.line.len() + self.data.as_ref().map_or(0, String::len) > LONGEST { Err(Endless) } else { Ok(events) }
    }

    /// The event that was not closed before the stream ended.
    pub(super) fn end(&mut self) -> Option<String> {
        self.end_line().or_else(|| self.data.take())
    }

    fn end_line(&mut self) -> Option<String> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let line = line.strip_prefix('\u{feff}').unwrap_or(&line);
        if line.is_empty() {
            return self.data.take();
        }
        let value = match line.split_once(':') {
            Some(("data", value)) => value.strip_prefix(' ').unwrap_or(value),
            None if line == "data" => "",
            // Comments, and fields that we don't need: event, id, retry.
            _ => return None,
        };
        match &mut self.data {
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
            None => self.data = Some(value.to_owned()),
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pieces: &[&[u8]]) -> Vec<String> {
        let mut events = Events::default();
        let mut read: Vec<String> = pieces.iter().flat_map(|piece| events.push(piece).unwrap()).collect();
        read.extend(events.end());
        read
    }

    #[test]
    fn events_are_what_stands_between_blank_lines() {
        let table: &[(&str, &[&str])] = &[
            ("data: a\n\ndata: b\n\n", &["a", "b"]),
            ("data:a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]),
            ("data: a\r\rdata: b\r\r", &["a", "b"]),
            (": comment\nevent: x\nid: 1\ndata: a\ndata:  b\n\n", &["a\n b"]),
            ("\u{feff}data: a\n\n", &["a"]),
            ("data: open", &["open"]),
            ("data\n\n", &[""]),
            ("\n\n\n", &[]),
            ("", &[]),
        ];
        for (text, expected) in table {
            assert_eq!(read(&[text.as_bytes()]), *expected, "{text:?}");
        }
        assert_eq!(Events::default().push(&vec![b'a'; LONGEST + 1]), Err(Endless));
    }

    proptest! {
        #[test]
        fn it_is_the_same_however_it_is_cut(text in "(data: ?|: |\r|\n|\r\n|ä|[a-c])*", cut in 0_usize..40) {
            let bytes = text.as_bytes();
            let cut = cut.min(bytes.len());
            let singles: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(read(&[bytes]), read(&[&bytes[..cut], &bytes[cut..]]));
            prop_assert_eq!(read(&[bytes]), read(&singles));
        }
    }
}
