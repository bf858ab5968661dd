//! The documentation of a detector for a terminal: simple markdown to text.

use super::Style;
use super::paint::Paint;
use super::text::wrapping;

/// Renders headings, paragraphs, lists and code blocks; anything else stays as it is.
pub fn markdown(source: &str, style: &Style) -> String {
    let paint = Paint::new(style);
    let mut page = Page { out: String::new(), open: None, indent: "", style: *style, paint };
    let mut code = false;
    for line in source.trim().lines() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") {
            page.close();
            code = !code;
        } else if code {
            page.out.push_str(&paint.look(format!("{}  {line}", page.indent).trim_end()));
            page.out.push('\n');
        } else if trimmed.is_empty() {
            page.close();
            page.gap();
        } else if let Some(heading) = trimmed.strip_prefix('#') {
            page.close();
            page.gap();
            page.out.push_str(&paint.bold(heading.trim_start_matches('#').trim()));
            page.out.push('\n');
            // What stands under a heading is set in, so that headings show without colours too.
            page.indent = if heading.starts_with('#') { "  " } else { "" };
        } else if let Some(item) = trimmed.strip_prefix("- ").or_else(|| trimmed.strip_prefix("* ")) {
            page.close();
            page.open = Some(("- ", item.to_owned()));
        } else {
            match &mut page.open {
                Some((_, text)) => *text = format!("{text} {trimmed}"),
                None => page.open = Some(("", trimmed.to_owned())),
            }
        }
    }
    page.close();
    page.out
}

struct Page {
    out: String,
    /// The paragraph or item that is being read.
    open: Option<(&'static str, String)>,
    indent: &'static str,
    style: Style,
    paint: Paint,
}

impl Page {
    fn close(&mut self) {
        let Some((mark, text)) = self.open.take() else { return };
        let (first, next) = (format!("{}{mark}", self.indent), format!("{}{}", self.indent, " ".repeat(mark.len())));
        let options = wrapping(self.style.width.clamp(40, 100)).initial_indent(&first).subsequent_indent(&next);
        self.out.push_str(&self.inline(&textwrap::fill(&text, options)));
        self.out.push('\n');
    }

    fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// Colours `code`; without colours the backticks stay and say as much.
    fn inline(&self, text: &str) -> String {
        if !self.style.color {
            return text.to_owned();
        }
        let parts = text.split('`').enumerate();
        parts.map(|(at, part)| if at % 2 == 1 { self.paint.look(part) } else { part.to_owned() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detectors_page() {
        let source = "## What it detects\n\nA container that was killed for using more memory than its `limits.memory`\nallows, now or before.\n\n- one\n  and on\n- two\n\n```sh\nkubectl get pods\n```\n";
        insta::assert_snapshot!(markdown(source, &Style::default()), @r#"
    What it detects

      A container that was killed for using more memory than its `limits.memory`
      allows, now or before.

      - one and on
      - two

        kubectl get pods
    "#);
    }
}
