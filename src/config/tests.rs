//! Layers of settings, and mistakes in them.

use super::*;

fn resolve(flags: &Flags, env: &[(&str, &str)], file: Option<&str>) -> Result<Settings, ConfigError> {
    let env = |name: &str| env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Settings::layered(flags, &env, file.map(|text| (PathBuf::from("/c.yaml"), text.to_owned())))
}

#[test]
fn a_flag_beats_the_environment_and_that_the_file() {
    let file = Some("output: yaml\ncolor: never\npageSize: 100\n");
    let settings =
        resolve(&Flags { output: Some(Format::Name), ..Flags::default() }, &[("KUBECTL_REACT_COLOR", "always")], file)
            .unwrap();
    assert_eq!(settings.output, Setting { value: Format::Name, origin: Origin::Flag("--output") });
    assert_eq!(settings.color, Setting { value: ColorChoice::Always, origin: Origin::Env("KUBECTL_REACT_COLOR") });
    assert_eq!(settings.page_size, Setting { value: PageSize(100), origin: Origin::File("/c.yaml".into()) });
    let file = Some("runbooks:\n  repo: git@example.org:team/runbooks.git\nindex: {chroma: {token: {env: T}}}\n");
    let settings = resolve(&Flags::default(), &[("KUBECTL_REACT_RUNBOOKS_BRANCH", "stable")], file).unwrap();
    assert_eq!(settings.runbooks.repo.as_deref(), Some("git@example.org:team/runbooks.git"));
    assert_eq!(settings.runbooks.branch.origin, Origin::Env("KUBECTL_REACT_RUNBOOKS_BRANCH"));
    assert_eq!(settings.chroma.token.env.as_deref(), Some("T"));
    let file = Some("redact: {emails: true, ips: true}");
    let settings = resolve(&Flags::default(), &[("KUBECTL_REACT_REDACT_IPS", "false")], file).unwrap();
    assert_eq!((settings.redaction.emails.0, settings.redaction.ips.0), (true, false));
    let settings = resolve(&Flags::default(), &[], None).unwrap();
    assert_eq!((settings.redaction.emails.0, settings.redaction.ips.0), (false, false));
    assert_eq!((*settings.output, settings.output.origin), (Format::Text, Origin::Default));
}

#[test]
fn faults_name_their_place_and_a_way_out() {
    let table = [
        ("outptu: json", "the config file `/c.yaml` has the unknown key `outptu`", Some("did you mean `output`?")),
        (
            "llm: {}",
            "the config file `/c.yaml` has the unknown key `llm`",
            Some(
                "known keys: output, color, pageSize, runbooks, index, embedder, incidents, model, agent, prometheus, alertmanager, redact, forge",
            ),
        ),
        ("output: jsn", "`output` in `/c.yaml` is not valid: `jsn` is none of text, json, yaml, markdown, name", None),
        ("pageSize: 3", "`pageSize` in `/c.yaml` is not valid: `3` is no number from 10 to 100000", None),
        (
            "runbooks: {rpo: x}",
            "the config file `/c.yaml` has the unknown key `runbooks.rpo`",
            Some("did you mean `runbooks.repo`?"),
        ),
        (
            "index: {chroma: {token: abc}}",
            "the config file `/c.yaml` holds a secret at `index.chroma.token`",
            Some(
                "name the variable or the file that has it: `index.chroma.token: {env: NAME}` or `index.chroma.token: {file: PATH}`",
            ),
        ),
        ("redact: {ips: maybe}", "`redact.ips` in `/c.yaml` is not valid: `maybe` is neither true nor false", None),
        (
            "redact: {mails: true}",
            "the config file `/c.yaml` has the unknown key `redact.mails`",
            Some("did you mean `redact.emails`?"),
        ),
        ("runbooks: [a]", "`runbooks` in `/c.yaml` is not valid: it is not a mapping", None),
        ("color: [a]", "`color` in `/c.yaml` is not valid: it is not a single value", None),
        (
            "- a",
            "the config file `/c.yaml` is not valid: it is not a mapping",
            Some("it is YAML, such as `output: markdown`"),
        ),
    ];
    for (file, message, hint) in table {
        let error = resolve(&Flags::default(), &[], Some(file)).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.hint().as_deref()), (message, hint));
    }
    for empty in ["", "# nothing\n", "---\n", "output:\n"] {
        assert!(resolve(&Flags::default(), &[], Some(empty)).is_ok(), "{empty:?}");
    }
    let error = resolve(&Flags::default(), &[("KUBECTL_REACT_OUTPUT", "x")], None).unwrap_err();
    assert!(error.to_string().starts_with("`output` in KUBECTL_REACT_OUTPUT is not valid"), "{error}");
}
