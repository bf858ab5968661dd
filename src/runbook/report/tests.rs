//! The forms of a report, hostile names among them.

use serde_json::Value;

use super::*;
use crate::runbook::lint;

fn report() -> Report {
    let rules = lint::rules();
    let rule = |id: &str| *rules.iter().find(|rule| rule.id == id).unwrap();
    let hostile = "runbooks/a,b:\u{1b}[2J\n::set-output name=x::1%0A.md";
    Report::new(
        3,
        vec![
            Problem::new(rule("command-refused"), "runbooks/a b.md", 7, "`|` is a pipe")
                .at(3)
                .hint("100% plain\nlines"),
            Problem::new(rule("review-stale"), hostile, 2, "old"),
            Problem::new(rule("not-ours"), "c.md", 1, "a draft"),
        ],
    )
}

#[test]
fn text_is_as_compilers_write_it() {
    assert_eq!(
        report().render(Form::Text),
        "runbooks/a b.md:7:3: error[command-refused]: `|` is a pipe\n  hint: 100% plain lines\n\
         runbooks/a,b: ::set-output name=x::1%0A.md:2: warning[review-stale]: old\n\
         c.md:1: note[not-ours]: a draft\n\
         3 files: 1 error, 1 warning, 1 note\n"
    );
    assert_eq!(Report::new(1, Vec::new()).render(Form::Text), "1 file: nothing to mend\n");
}

#[test]
fn github_gets_one_command_for_each_problem() {
    let text = report().render(Form::Github);
    assert_eq!(
        text,
        "::error file=runbooks/a b.md,line=7,col=3,title=command-refused::`|` is a pipe%0Ahint: 100%25 plain lines\n\
         ::warning file=runbooks/a%2Cb%3A\u{1b}[2J%0A%3A%3Aset-output name=x%3A%3A1%250A.md,line=2,title=review-stale::old\n\
         ::notice file=c.md,line=1,title=not-ours::a draft\n"
    );
}

#[test]
fn sarif_has_what_code_scanning_asks_for() {
    let text = report().render(Form::Sarif);
    let sarif: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!((rules.len(), results.len()), (3, 3));
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
    }
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "runbooks/a%20b.md");
    assert_eq!((place["region"]["startLine"].as_u64(), place["region"]["startColumn"].as_u64()), (Some(7), Some(3)));
    assert_eq!(results[0]["message"]["text"], "`|` is a pipe; 100% plain lines");
    let uri = results[1]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
    assert!(uri.bytes().all(|byte| byte.is_ascii_graphic()), "{uri}");
}

#[test]
fn json_has_a_version_and_counts() {
    let json: Value = serde_json::from_str(&report().render(Form::Json)).unwrap();
    assert_eq!(json["schemaVersion"], LINT_SCHEMA);
    assert_eq!(json["files"], 3);
    assert_eq!(json["counts"], serde_json::json!({ "error": 1, "warning": 1, "note": 1 }));
    assert_eq!(json["problems"][0]["rule"], "command-refused");
    assert_eq!(json["problems"][1].get("column"), None);
}

#[test]
fn forms_have_names() {
    for (name, form) in [("text", Form::Text), ("github", Form::Github), ("sarif", Form::Sarif), ("json", Form::Json)] {
        assert_eq!(name.parse(), Ok(form));
    }
    assert!("xml".parse::<Form>().is_err());
}
