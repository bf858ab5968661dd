//! The text of a pull request: what is ours in it, and how much of it fits.
//!
//! *Invariant:* what stands outside our marks stays as it is, byte for byte; a text that is cut ends at the end of a line
//! where it has one, leaves no block of code open, and says that it was cut.

use crate::printable::one_line;

const BEGIN: &str = "<!-- kubectl-react -->";
const END: &str = "<!-- /kubectl-react -->";
const CUT: &str = "… (cut: the runbook has the rest)";

/// A text that fits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fitting {
    pub(super) text: String,
    /// Something is missing.
    pub(super) cut: bool,
}

/// How long a text is.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// A title on one line.
pub(super) fn title(prefix: &str, title: &str, longest: usize) -> Fitting {
    let title = format!("{prefix}{}", one_line(title).trim());
    if length(&title) <= longest {
        return Fitting { text: title, cut: false };
    }
    let text = format!("{}…", beginning(&title, longest.saturating_sub(1)).trim_end());
    Fitting { text, cut: true }
}

/// Our text between our marks.
pub(super) fn marked(ours: &str, longest: usize) -> Fitting {
    // Too short for the marks is no limit of any forge.
    let between = between(ours, longest).unwrap_or_else(|| Fitting { text: String::new(), cut: true });
    Fitting { text: format!("{BEGIN}\n{}\n{END}", between.text), cut: between.cut }
}

/// The same in a description that others may have written in. `None` where there is no room left for it.
pub(super) fn merged(existing: &str, ours: &str, longest: usize) -> Option<Fitting> {
    let (before, after) = outside(existing);
    let room = longest.checked_sub(length(&before) + length(after))?;
    let between = between(ours, room)?;
    Some(Fitting { text: format!("{before}{BEGIN}\n{}\n{END}{after}", between.text), cut: between.cut })
}

/// What stands before our marks, and behind them. Who took them out keeps the text, and gets ours below it.
fn outside(existing: &str) -> (String, &str) {
    if let Some((before, rest)) = existing.split_once(BEGIN)
        && let Some((_, after)) = rest.split_once(END)
    {
        return (before.to_owned(), after);
    }
    let above = existing.trim_end();
    (if above.is_empty() { String::new() } else { format!("{above}\n\n") }, "")
}

/// Our text, so long that it fits between the marks into `room`.
fn between(ours: &str, room: usize) -> Option<Fitting> {
    let room = room.checked_sub(length(BEGIN) + length(END) + 2)?;
    // A mark in the text would end it the next time.
    let ours = ours.replace(BEGIN, "").replace(END, "");
    let ours = ours.trim();
    if length(ours) <= room {
        return Some(Fitting { text: ours.to_owned(), cut: false });
    }
    let mut room = room.checked_sub(length(CUT) + 2)?;
    loop {
        let kept = whole_lines(beginning(ours, room));
        let close = open_fence(kept).map_or_else(String::new, |fence| format!("\n{fence}"));
        let text = format!("{}{close}\n\n{CUT}", kept.trim_end());
        match length(&text).checked_sub(room + length(CUT) + 2) {
            // The fence that closes needs room too.
            Some(over) if over > 0 => room = room.checked_sub(over)?,
            _ => return Some(Fitting { text: text.trim_start().to_owned(), cut: true }),
        }
    }
}

/// The most of a text's beginning that is no longer than that.
fn beginning(text: &str, longest: usize) -> &str {
    let mut used = 0;
    let end = text.char_indices().find(|(_, c)| {
        used += c.len_utf16();
        used > longest
    });
    end.and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// Without the line that was begun, where there is one before it.
fn whole_lines(text: &str) -> &str {
    text.rsplit_once('\n').map_or(text, |(lines, _)| lines)
}

/// The fence that would close the block of code that a text ends in.
fn open_fence(text: &str) -> Option<String> {
    let mut open: Option<String> = None;
    for line in text.lines() {
        let line = line.trim_start();
        let Some(mark) = line.chars().next().filter(|c| matches!(c, '`' | '~')) else { continue };
        let run = line.chars().take_while(|c| *c == mark).count();
        if run < 3 {
            continue;
        }
        match &open {
            None => open = Some(mark.to_string().repeat(run)),
            Some(fence) if fence.starts_with(mark) && run >= fence.len() && line.trim_end().len() == run => open = None,
            Some(_) => {}
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_stays() {
        let table = [
            ("", "new", "<!-- kubectl-react -->\nnew\n<!-- /kubectl-react -->"),
            (
                "Ann: looks good\r\n\n<!-- kubectl-react -->\nold\n<!-- /kubectl-react -->\n- [x] read ",
                "new",
                "Ann: looks good\r\n\n<!-- kubectl-react -->\nnew\n<!-- /kubectl-react -->\n- [x] read ",
            ),
            ("by hand\n", "new", "by hand\n\n<!-- kubectl-react -->\nnew\n<!-- /kubectl-react -->"),
            // The mark that ends it stands alone: nobody knows what was ours.
            (
                "x\n<!-- /kubectl-react -->",
                "new",
                "x\n<!-- /kubectl-react -->\n\n<!-- kubectl-react -->\nnew\n<!-- /kubectl-react -->",
            ),
            // A text of ours can't end itself.
            ("", "a <!-- /kubectl-react --> b", "<!-- kubectl-react -->\na  b\n<!-- /kubectl-react -->"),
        ];
        for (existing, ours, expected) in table {
            let merged = merged(existing, ours, 1000).unwrap();
            assert_eq!(merged, Fitting { text: expected.to_owned(), cut: false }, "{existing:?}");
            assert_eq!(
                super::merged(&merged.text, ours, 1000).unwrap().text,
                expected,
                "the second time: {existing:?}"
            );
        }
    }

    #[test]
    fn what_is_too_long_ends_at_a_line_and_closes_its_code() {
        let around = length(&marked("", 1000).text);
        let table = [
            ("one\ntwo\nthree", 100, "one\ntwo\nthree"),
            (
                "one\ntwo\nthree, which is far too long for what is left here",
                45,
                "one\ntwo\n\n… (cut: the runbook has the rest)",
            ),
            (
                "```sh\nkubectl get pods\nkubectl get nodes\n```\nand so on, with more than there is room for",
                70,
                "```sh\nkubectl get pods\n```\n\n… (cut: the runbook has the rest)",
            ),
            (
                "äöü𝄞ß without any line that ends somewhere before the room does",
                40,
                "äöü𝄞\n\n… (cut: the runbook has the rest)",
            ),
        ];
        for (text, room, expected) in table {
            let fitting = marked(text, room + around);
            assert_eq!(fitting.text, format!("{BEGIN}\n{expected}\n{END}"));
            assert_eq!(fitting.cut, expected.contains(CUT));
            assert!(length(&fitting.text) <= room + around, "{}", length(&fitting.text));
        }
    }

    #[test]
    fn every_length_holds() {
        let text = "# Heading\n\n````sh\nkubectl get pods -n shop\n````\n\n- ä 𝄞\n~~~\nmore\n~~~\n".repeat(20);
        let least = length(BEGIN) + length(END) + 2 + length(CUT) + 2;
        for longest in 0..1500 {
            match merged("by hand", &text, longest) {
                Some(fitting) => {
                    assert!(length(&fitting.text) <= longest, "{longest}");
                    assert!(fitting.text.starts_with("by hand\n\n<!-- ") && fitting.text.ends_with(END), "{longest}");
                    assert!(open_fence(&fitting.text).is_none(), "{longest}: {}", fitting.text);
                }
                None => assert!(longest < least + 9 + 10, "{longest}"),
            }
        }
    }

    #[test]
    fn a_title_is_one_line() {
        let table = [
            ("", " Out of\u{1b}[31m memory\n in shop ", 100, "Out of memory  in shop", false),
            ("WIP: ", "Out of memory", 18, "WIP: Out of memory", false),
            ("Draft: ", "Out of memory", 15, "Draft: Out of…", true),
        ];
        for (prefix, text, longest, expected, cut) in table {
            assert_eq!(title(prefix, text, longest), Fitting { text: expected.to_owned(), cut });
        }
    }
}
