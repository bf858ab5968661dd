//! Text of others inside markdown.
//!
//! *Invariant:* it forms no markup, link or mention, and ends no block: it is escaped, or stands in code.

/// Text among other text: words that a forge would turn into a link or a mention become code, the
/// rest is escaped.
///
/// Pairs of backticks become code too, as our own sentences mean them.
pub fn inline(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len() < 3 || parts.len().is_multiple_of(2) || text.contains("``") {
        return sentence(text);
    }
    let part = |(at, part): (usize, &&str)| if at % 2 == 1 { code(part.trim()) } else { between(part) };
    parts.iter().enumerate().map(part).collect()
}

/// A sentence's part, with one blank at each end that had any.
fn between(text: &str) -> String {
    let inner = sentence(text);
    let edge = |blank| if blank { " " } else { "" };
    if inner.is_empty() {
        return edge(!text.is_empty()).to_owned();
    }
    format!("{}{inner}{}", edge(text.starts_with(char::is_whitespace)), edge(text.ends_with(char::is_whitespace)))
}

fn sentence(text: &str) -> String {
    let word = |word: &str| if is_active(word) { code(word) } else { escaped(word) };
    text.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

/// Whether a forge would see a link, a mention or a reference in it.
fn is_active(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    word.contains('@')
        || lower.contains("://")
        || lower.contains("www.")
        || lower.contains("mailto:")
        || word.contains(['#', '!', '$', '%', '~', '^']) && word.contains(|c: char| c.is_ascii_digit())
}

fn escaped(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    for c in word.chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '$' | '!' | '^'
        ) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A code span, with a fence that the text can't close.
pub fn code(text: &str) -> String {
    let fence = "`".repeat(longest_run(text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A code block, with a fence that the text can't close.
pub fn fenced(language: &str, text: &str) -> String {
    let fence = "`".repeat((longest_run(text) + 1).max(3));
    format!("{fence}{language}\n{text}\n{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}
