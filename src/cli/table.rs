//! Columns, as kubectl prints them.
//!
//! *Invariant:* what is in a cell was cleaned before: this only measures and pads.

/// Rows in columns, as kubectl prints them; the last column is not padded.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let wide = |text: &str| unicode_width::UnicodeWidthStr::width(text);
    let widths: Vec<usize> = head
        .iter()
        .enumerate()
        .map(|(at, head)| rows.iter().filter_map(|row| row.get(at)).map(|cell| wide(cell)).chain([wide(head)]).max())
        .map(Option::unwrap_or_default)
        .collect();
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| {
            let gap = width.saturating_sub(wide(cell)) + 3;
            format!("{cell}{}", " ".repeat(gap))
        });
        padded.collect::<String>().trim_end().to_owned() + "\n"
    };
    let mut out = line(head.to_vec());
    out.extend(rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
    out
}
