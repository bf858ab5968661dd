//! Markdown, and what a terminal gets of it.

use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

use super::*;

const PLAIN: Style = Style { color: false, width: 80, verbose: false };
const COLORS: Style = Style { color: true, ..PLAIN };

#[test]
fn a_page_without_colours() {
    let source = "# oom-killed: too much memory\n\n## What it detects\n\nA container that was *killed* for using **more** memory than its `limits.memory`\nallows, now or before; see [the docs](https://kubernetes.io/docs/oom) or <https://example.com>.\n\n- one\n  and on\n- two\n  1. first `a b`\n  2. second\n\n10. ten\n11. eleven\n\n```sh\nkubectl get pods -n <NAMESPACE> --field-selector=status.phase=Running,spec.nodeName=<NODE> -o wide\n```\n\n> quoted\n> text\n\n| name | what |\n|---|---|\n| `a` | first |\n| longer | second |\n\n### Under it\n\nA <POD> with `<redacted>` and <redacted:1a2b3c4d~16> &amp; more.\n";
    insta::assert_snapshot!(page(source, &PLAIN), @r"
    oom-killed: too much memory

    What it detects

      A container that was killed for using more memory than its `limits.memory`
      allows, now or before; see the docs (https://kubernetes.io/docs/oom) or
      https://example.com.

      - one and on
      - two
        1. first `a b`
        2. second

      10. ten
      11. eleven

        kubectl get pods -n <NAMESPACE> --field-selector=status.phase=Running,spec.nodeName=<NODE> -o wide

      | quoted text

      name    what
      `a`     first
      longer  second

    Under it

      A <POD> with `<redacted>` and <redacted:1a2b3c4d~16> & more.
    ");
}

#[test]
fn marks_become_colours_and_end_on_their_line() {
    let table = [
        ("a **bold** word", "a \u{1b}[1mbold\u{1b}[0m word\n"),
        ("*so* and `this one`", "\u{1b}[3mso\u{1b}[0m and \u{1b}[36mthis one\u{1b}[0m\n"),
        ("**both *at* once**", "\u{1b}[1mboth \u{1b}[0m\u{1b}[1m\u{1b}[3mat\u{1b}[0m \u{1b}[1monce\u{1b}[0m\n"),
        ("# Title", "\u{1b}[1mTitle\u{1b}[0m\n"),
        ("```\nls -l\n```", "\u{1b}[36m  ls -l\u{1b}[0m\n"),
    ];
    for (source, expected) in table {
        let got = page(source, &COLORS);
        let plain = |text: &str| text.replace("\u{1b}[0m \u{1b}[1monce", "\u{1b}[0m\u{1b}[1m once").replace(' ', "");
        assert_eq!(plain(&got), plain(expected), "{source}: {got:?}");
    }
    let long = page(&format!("**{}**", "word ".repeat(40).trim()), &COLORS);
    for line in long.lines() {
        assert!(line.starts_with("\u{1b}[1m") && line.ends_with("\u{1b}[0m"), "{line:?}");
    }
}

#[test]
fn an_answer_is_dense_and_its_lines_are_lines() {
    let source = "The **cart** waits for a Secret:\nnobody made it.\n\n## Next\n\n1. make it with `kubectl create`\n2. look again\n";
    assert_eq!(
        answer(source, &PLAIN, 4),
        "    The cart waits for a Secret:\n    nobody made it.\n    Next\n    1. make it with `kubectl create`\n    2. look again\n"
    );
}

#[test]
fn a_table_that_has_no_room_is_told_cell_by_cell() {
    let source = "| pod | why | |\n|---|---|---|\n| `cart-1` | its Secret has no key **DB_PASSWORD**, so the container is never started | x |\n| 漢字 | | y |\n";
    insta::assert_snapshot!(answer(source, &Style { width: 50, ..PLAIN }, 4), @r"
    pod: `cart-1`
    why: its Secret has no key DB_PASSWORD, so
      the container is never started
    x

    pod: 漢字
    y
    ");
    let wide = answer(source, &Style { width: 120, ..PLAIN }, 4);
    assert!(wide.lines().count() == 3 && wide.starts_with("    pod       why"), "{wide}");
    assert_eq!(
        answer("| one two three | four five six |\n|---|---|\n", &Style { width: 1, ..PLAIN }, 0),
        "one two three\nfour five six\n"
    );
}

/// What a hostile page may hold, as characters and as references to them.
const HOSTILE: &[&str] = &[
    "\u{1b}[31mred",
    "&#27;[31mred",
    "&#x1b;]0;title&#7;",
    "&#155;31m",
    "a&#x202e;b",
    "`&#27; \u{1b}[2J`",
    "[x](https://a.example/&#27;[2J)",
    "[x](<https://a.example/\u{202e}>)",
    "![&#27;](b&#x1b;)",
    "```\n\u{1b}[2J&#27;\u{9b}2J\n```",
    "<b>\u{1b}[2J</b>",
    "<div>\n\u{1b}[2J\n</div>",
    "| a |\n|---|\n| &#27;[2J |",
    "> &#27;",
    "1. &#x9b;2J",
    "# &#27;]8;;x",
];

#[test]
fn no_reference_brings_an_escape_back() {
    for source in HOSTILE {
        for text in [page(source, &PLAIN), answer(source, &PLAIN, 2)] {
            assert_eq!(printable(&text), text, "{source:?}");
        }
    }
}

#[test]
fn columns_are_the_terminals() {
    let wide = page(&"漢字".repeat(60), &PLAIN);
    assert!(wide.lines().count() == 3 && wide.lines().all(|line| textwrap::core::display_width(line) <= 80), "{wide}");
    let url = format!("see https://example.com/{}", "x".repeat(90));
    assert!(page(&url, &PLAIN).lines().any(|line| line.starts_with("https://") && line.ends_with("xxx")));
}

/// Whether a line that is painted has room in `width` columns, or is what is never broken: code, or a single word.
fn fits(line: &str, width: usize) -> bool {
    let plain = printable(line);
    let is_lead = |c: char| c.is_ascii_digit() || " |-.".contains(c);
    let text = plain.trim_start_matches(is_lead);
    let room = width.max(plain.width() - text.width() + LEAST);
    let block_of_code = line.trim_start_matches(is_lead).starts_with("\u{1b}[36m  ");
    plain.width() <= room || block_of_code || !text.trim_end().contains(' ')
}

proptest! {
    #[test]
    fn any_text_is_harmless_and_fits(parts in proptest::collection::vec(prop_oneof![
        proptest::sample::select(HOSTILE.to_vec()).prop_map(str::to_owned),
        proptest::sample::select(vec!["\n", "\n\n", "- ", "1. ", "> ", "# ", "**", "*", "`", "```\n", "|", "    ", "[", "](", ")", "<", "&", "漢", "word ", "漢字 ", "| a | b |\n|---|---|\n| ", " | "]).prop_map(str::to_owned),
        "(?s).{0,8}",
    ], 0..24), width in 1_usize..130) {
        let source = parts.concat();
        let style = Style { width, ..PLAIN };
        for text in [page(&source, &style), answer(&source, &style, 10)] {
            prop_assert_eq!(&*printable(&text), text.as_str());
        }
        let painted = Style { color: true, ..style };
        for (text, width) in [(page(&source, &painted), width.clamp(40, 100)), (answer(&source, &painted, 10), width)] {
            for line in text.lines() {
                prop_assert!(fits(line, width), "{} columns: {:?}", width, line);
            }
        }
    }
}
