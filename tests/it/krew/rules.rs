//! What krew and the reviewers of krew-index ask of a manifest.
//!
//! krew can't be had as a library or a Go module here, so its rules
//! (`validate.go`, `validate-krew-manifest`, the manifest documentation, and what
//! reviewers send back) stand here once more. The real krew is tried before a release.

use regex::Regex;

use super::manifest::{Manifest, Platform};

/// A rule, and what a manifest does wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Breach {
    pub(super) rule: &'static str,
    pub(super) what: String,
}

type Check = fn(&Manifest) -> Vec<String>;

/// By name; `broken.rs` breaks each once.
pub(super) const RULES: &[(&str, Check)] = &[
    ("api-version", api_version),
    ("bin", bin),
    ("bin-exe", bin_exe),
    ("description", description),
    ("description-examples", description_examples),
    ("files", files),
    ("homepage", homepage),
    ("kind", kind),
    ("name", name),
    ("platform-known", platform_known),
    ("platform-overlap", platform_overlap),
    ("platforms", platforms),
    ("selector", selector),
    ("sha256", sha256),
    ("short-description", short_description),
    ("short-description-length", short_description_length),
    ("short-description-words", short_description_words),
    ("uri", uri),
    ("uri-version", uri_version),
    ("version", version),
    ("wrap", wrap),
];

/// What `text`, to be installed from a file called `file_name`, does wrong.
pub(super) fn breaches(file_name: &str, text: &str) -> Vec<Breach> {
    let manifest = match Manifest::parse(text) {
        Ok(manifest) => manifest,
        Err(what) => {
            return vec![Breach { rule: "syntax", what }];
        }
    };
    let mut found = Vec::new();
    if file_name != format!("{}.yaml", manifest.metadata.name) {
        found.push(Breach { rule: "file-name", what: file_name.to_owned() });
    }
    for &(rule, check) in RULES {
        found.extend(check(&manifest).into_iter().map(|what| Breach { rule, what }));
    }
    found
}

fn api_version(manifest: &Manifest) -> Vec<String> {
    unless(manifest.api_version == "krew.googlecontainertools.github.com/v1alpha2", &manifest.api_version)
}

fn kind(manifest: &Manifest) -> Vec<String> {
    unless(manifest.kind == "Plugin", &manifest.kind)
}

/// krew allows `^[\w-]+$` without the names of Windows' devices; reviewers ask for kebab-case.
fn name(manifest: &Manifest) -> Vec<String> {
    let name = &manifest.metadata.name;
    let device = matches(r"^(con|prn|aux|nul|com[1-9]|lpt[1-9])$", name);
    unless(matches(r"^[a-z0-9]+(-[a-z0-9]+)*$", name) && !device, name)
}

fn version(manifest: &Manifest) -> Vec<String> {
    let semantic = r"^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$";
    unless(matches(semantic, &manifest.spec.version), &manifest.spec.version)
}

fn homepage(manifest: &Manifest) -> Vec<String> {
    unless(manifest.spec.homepage.starts_with("https://"), &manifest.spec.homepage)
}

fn short_description(manifest: &Manifest) -> Vec<String> {
    let text = &manifest.spec.short_description;
    unless(!text.is_empty() && !text.contains(['\r', '\n']), text)
}

fn short_description_length(manifest: &Manifest) -> Vec<String> {
    let text = &manifest.spec.short_description;
    unless(text.chars().count() <= 50, text)
}

/// In a list of kubectl plugins these say nothing, and so does a full stop.
fn short_description_words(manifest: &Manifest) -> Vec<String> {
    let text = &manifest.spec.short_description;
    let empty = matches(r"(?i)\b(kubectl|plugin|kubernetes|k8s|krew)\b", text);
    unless(!empty && !text.ends_with('.'), text)
}

fn description(manifest: &Manifest) -> Vec<String> {
    unless(!manifest.spec.description.trim().is_empty(), "is missing")
}

/// Usage belongs to `--help`.
fn description_examples(manifest: &Manifest) -> Vec<String> {
    let example = Regex::new(r"^\s*(\$ |kubectl |-{1,2}[a-z])|`kubectl ").expect("a valid expression");
    manifest.spec.description.lines().filter(|line| example.is_match(line)).map(str::to_owned).collect()
}

/// A line may pass 80 columns if it is one word.
fn wrap(manifest: &Manifest) -> Vec<String> {
    let lines = manifest.spec.description.lines().chain(manifest.spec.caveats.lines());
    lines.filter(|line| line.chars().count() > 80 && line.trim().contains(' ')).map(str::to_owned).collect()
}

fn platforms(manifest: &Manifest) -> Vec<String> {
    unless(!manifest.spec.platforms.is_empty(), "none")
}

fn selector(manifest: &Manifest) -> Vec<String> {
    each(manifest, |platform| {
        let labels = platform.selector.as_ref().map(|selector| &selector.match_labels);
        labels.is_some_and(|labels| !labels.is_empty() && labels.keys().all(|key| key == "os" || key == "arch"))
    })
}

fn platform_known(manifest: &Manifest) -> Vec<String> {
    each(manifest, |platform| {
        platform.selector.is_none() || known_platforms().any(|(os, arch)| selects(platform, os, arch))
    })
}

/// No machine may be offered two archives.
fn platform_overlap(manifest: &Manifest) -> Vec<String> {
    let selected_by = |os, arch| manifest.spec.platforms.iter().filter(|p| selects(p, os, arch)).count();
    let twice = known_platforms().filter(|&(os, arch)| selected_by(os, arch) > 1);
    twice.map(|(os, arch)| format!("{os}/{arch}")).collect()
}

fn uri(manifest: &Manifest) -> Vec<String> {
    each(manifest, |platform| matches(r"^https://.+\.(zip|tar\.gz)$", &platform.uri))
}

/// Not krew's rule: an address without the version serves another file next time.
fn uri_version(manifest: &Manifest) -> Vec<String> {
    each(manifest, |platform| platform.archive().contains(&manifest.spec.version))
}

fn sha256(manifest: &Manifest) -> Vec<String> {
    each(manifest, |platform| matches("^[a-f0-9]{64}$", &platform.sha256))
}

/// Set, and inside of what is installed.
fn bin(manifest: &Manifest) -> Vec<String> {
    each(manifest, |platform| {
        !platform.bin.is_empty() && !platform.bin.starts_with(['/', '\\']) && !platform.bin.contains("..")
    })
}

fn bin_exe(manifest: &Manifest) -> Vec<String> {
    each(manifest, |platform| matches(r"\.exe$", &platform.bin) == (platform.label("os") == "windows"))
}

/// Absent, which means all files; or at least one operation, with both sides set and clean.
fn files(manifest: &Manifest) -> Vec<String> {
    each(manifest, |platform| {
        let Some(operations) = &platform.files else {
            return true;
        };
        let clean = |path: &str| !path.is_empty() && !path.ends_with('/') && !path.contains("..");
        !operations.is_empty() && operations.iter().all(|operation| !operation.from.is_empty() && clean(&operation.to))
    })
}

/// The pairs that krew is released for, which its check walks.
fn known_platforms() -> impl Iterator<Item = (&'static str, &'static str)> {
    let linux = ["386", "amd64", "arm", "arm64", "ppc64le"].map(|arch| ("linux", arch));
    let others = ["darwin", "windows"].map(|os| [(os, "amd64"), (os, "arm64")]);
    linux.into_iter().chain(others.into_iter().flatten())
}

/// A label that is not asked for matches everything.
fn selects(platform: &Platform, os: &str, arch: &str) -> bool {
    platform.selector.is_some()
        && [("os", os), ("arch", arch)].iter().all(|&(key, value)| ["", value].contains(&platform.label(key)))
}

fn each(manifest: &Manifest, holds: impl Fn(&Platform) -> bool) -> Vec<String> {
    let wrong = manifest.spec.platforms.iter().filter(|platform| !holds(platform));
    wrong.map(|platform| format!("{platform:?}")).collect()
}

fn unless(holds: bool, what: &str) -> Vec<String> {
    if holds { Vec::new() } else { vec![what.to_owned()] }
}

fn matches(expression: &str, text: &str) -> bool {
    Regex::new(expression).expect("a valid expression").is_match(text)
}
