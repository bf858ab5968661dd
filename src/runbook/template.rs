//! The files that a new runbook repository begins with.
//!
//! *Invariant:* what lint would say of the first runbook is nothing; the workflows run the version that wrote them.

#![warn(clippy::disallowed_methods)]

/// A path, and what stands there.
const FILES: &[(&str, &str)] = &[
    (".gitattributes", include_str!("templates/gitattributes")),
    (".github/CODEOWNERS", include_str!("templates/CODEOWNERS")),
    (".github/workflows/runbooks.yml", include_str!("templates/github/runbooks.yml")),
    (".gitlab-ci.yml", include_str!("templates/gitlab-ci.yml")),
    (".markdownlint-cli2.yaml", include_str!("templates/markdownlint-cli2.yaml")),
    (".pre-commit-config.yaml", include_str!("templates/pre-commit-config.yaml")),
    ("README.md", include_str!("templates/README.md")),
    ("azure-pipelines.yml", include_str!("templates/azure-pipelines.yml")),
    ("runbooks/example/checkout-error-rate.md", include_str!("templates/runbooks/checkout-error-rate.md")),
];

/// The files, sorted by path. `today` is a day as `2026-11-20`.
pub fn template(today: &str) -> Vec<(&'static str, String)> {
    let filled = |text: &str| text.replace("{version}", env!("CARGO_PKG_VERSION")).replace("{today}", today);
    FILES.iter().map(|(path, text)| (*path, filled(text))).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::model::{Library, Place};
    use crate::runbook::parse::{Parsed, parse};
    use crate::runbook::{lint, yaml};

    fn read(path: &str, text: &str) -> Parsed {
        let place = Place { library: Library::Team, path: path.into(), commit: String::new(), blob: String::new() };
        parse(place, text.as_bytes())
    }

    #[test]
    fn the_first_runbook_lints_clean() {
        let files = template("2026-11-26");
        assert!(files.is_sorted_by_key(|(path, _)| *path));
        let runbooks: Vec<Parsed> = files
            .iter()
            .filter(|(path, _)| path.starts_with("runbooks/"))
            .map(|(path, text)| read(path, text))
            .collect();
        assert_eq!(runbooks.len(), 1);
        assert!(runbooks.iter().all(|file| file.runbook.as_ref().is_some_and(|runbook| !runbook.derived)));
        let options = lint::Options {
            detectors: &["oom-killed"],
            others: &[],
            exists: &|_| false,
            today: date(2026, 11, 26),
            max_age_days: 180,
        };
        assert_eq!(lint::lint(&runbooks, &options), []);
    }

    #[test]
    fn every_yaml_of_it_reads_and_installs_this_version() {
        let mut seen = 0;
        for (path, text) in template("2026-11-26") {
            assert!(!text.contains("{version}") && !text.contains("{today}"), "{path}");
            assert!(text.ends_with('\n') && !text.contains('\t'), "{path}");
            let workflow = text.contains("releases/download");
            if path.ends_with("yml") || path.ends_with("yaml") {
                yaml::read(&text).unwrap_or_else(|fault| panic!("{path}: {fault:?}"));
                seen += 1;
            }
            if workflow {
                assert!(text.contains(&format!("VERSION: v{}\n", env!("CARGO_PKG_VERSION"))), "{path}");
                assert!(text.contains("sha256sum --check") && text.contains("runbooks lint"), "{path}");
                // The whole history, no credentials, and never in a log: a workflow would take commands from there.
                assert!(text.contains("runbooks review -o markdown >"), "{path}");
                let whole = ["fetch-depth: 0", "fetchDepth: 0", "GIT_DEPTH: \"0\""];
                assert!(whole.iter().any(|whole| text.contains(whole)), "{path}");
                assert!(!text.contains("secrets.") && !text.contains(": write"), "{path}");
            }
        }
        assert_eq!(seen, 5);
    }

    #[test]
    fn the_readme_wraps_and_names_what_there_is() {
        let files = template("2026-11-26");
        let (_, readme) = files.iter().find(|(path, _)| *path == "README.md").unwrap();
        assert!(readme.lines().all(|line| line.chars().count() <= 80));
        // The block that it shows is one that lint takes.
        let shown = read("README.md", readme);
        let fence = shown.outline.fences.iter().find(|fence| fence.language == "markdown").unwrap();
        let inner = read("x.md", &fence.text());
        assert_eq!(inner.outline.fences[0].attribute("react"), Some("diagnose"));
    }
}
