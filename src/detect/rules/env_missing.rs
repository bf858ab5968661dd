//! Containers that miss an environment variable.

use crate::detect::logs::{Class, Failing, Fault, said};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "env-missing",
    summary: "Program fails because an environment variable has no value",
    group: Group::Configuration,
    reads: &[Kind::Pod, Kind::ConfigMap],
    wants: None,
    doc: r"## What it detects
A container that fails because a variable is not set: its log names it. A variable of nearly the same name
in its spec, and a ConfigMap of the namespace that has the key and is not used, are named. Where `envFrom` has a
`prefix`, the names are compared with it.

## Why it matters
The program does not start.

## Evidence
The line of the log; the nearly equal variable in the container's `env`, or the optional reference that it should come
from.

## Look-alikes
A ConfigMap, Secret or key that a reference requires and that is not there is `config-map-missing`, `secret-missing`
or `config-key-missing`: then the container does not start at all. A variable that has an old value is
`config-not-reloaded`. A file that is missing is `file-missing`. A program may read the value from a file or a flag as
well; then the line says so.

## What it does not see
Values from Secrets, and whether a key there is empty. Variables that the image sets, or a shell script before the
program. Only a ConfigMap of the same namespace is proposed, and only if no other has the key; Secrets are not. A
program that takes an empty value and goes on is silent.

## What to do
Set the variable, or correct its name: `kubectl set env deployment/NAME --list` shows what there is. After a change of
a ConfigMap start the pods again: `kubectl rollout restart deployment NAME`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    said(view, |class| matches!(class, Class::MissingEnv(_)))
        .iter()
        .filter_map(|failing| finding(view, failing))
        .collect()
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Option<Finding> {
    let Fault::Said(Class::MissingEnv(name)) = &failing.fault else { return None };
    let (spec, namespace, object) = (failing.container.spec, failing.namespace(), failing.pod());
    let says = format!("{}: environment variable {name}", failing.happens());
    let finding = |why: String| failing.finding(view, Stage::Start, format!("{says} {why}"));
    let path = |name: &str| failing.container.spec_path(&format!("env[{name}]"));
    if let Some(variable) = spec.env.iter().find(|variable| variable.name == *name) {
        let from = variable.value_from.as_deref();
        let reference = from.and_then(|from| {
            from.config_map_key_ref
                .as_ref()
                .map(|key| (Kind::ConfigMap, key))
                .or_else(|| from.secret_key_ref.as_ref().map(|key| (Kind::Secret, key)))
        });
        return Some(failing.read_log(match reference {
            Some((kind, key)) => {
                let source = ObjectRef::new(kind, namespace, &key.name);
                let why = format!(
                    "has no value: it comes from key {} of {kind} {}, {}",
                    key.key,
                    key.name,
                    if key.optional {
                        "which is optional and missing or empty"
                    } else {
                        "which is empty or not what the program takes"
                    }
                );
                finding(why).field(&object, path(name), format!("key: {}, name: {}", key.key, key.name)).culprit(source)
            }
            None => finding("is set and not what the program takes".to_owned()).field(
                &object,
                path(name),
                variable.value.as_deref().unwrap_or_default(),
            ),
        }));
    }
    if let Some(map) = empty(view, failing, name) {
        let why = format!("is empty: it comes from key {name} of ConfigMap {}", map.name);
        let finding = finding(why).field(&map, format!("data.{name}"), "").culprit(map.clone());
        return Some(failing.read_log(finding.fix("give it a value", &map, &["edit", "configmap", &map.name])));
    }
    let near = meant(name, spec.env.iter().map(|variable| variable.name.as_str()));
    let used: Vec<&str> =
        crate::graph::configuration(&failing.container.pod.spec).into_iter().map(|(_, name, _)| name).collect();
    let maps = || view.within::<ConfigMap>(namespace).iter();
    let mut holding = maps().filter(|map| map.has(name) && !used.contains(&map.metadata.name.as_str()));
    // What `envFrom` sets, with its prefix.
    let imported: Vec<(&ConfigMap, &str, String)> = spec
        .env_from
        .iter()
        .filter_map(|from| Some((from, view.get::<ConfigMap>(namespace, &from.config_map_ref.as_ref()?.name)?)))
        .flat_map(|(from, map)| map.keys().map(move |key| (map, key, format!("{}{key}", from.prefix))))
        .collect();
    let prefixed = imported.iter().find(|(_, key, variable)| key == name && variable != name);
    let misnamed = || {
        let near = meant(name, imported.iter().map(|(_, _, variable)| variable.as_str()))?;
        imported.iter().find(|(_, _, variable)| variable == near)
    };
    let finding = if let Some(near) = near {
        finding(format!("is not set; the spec sets {near}, did you mean that?")).field(&object, path(near), near)
    } else if let Some((map, key, variable)) = prefixed {
        finding(format!(
            "is not set; ConfigMap {} has it, and the prefix of envFrom makes it {variable}",
            map.metadata.name
        ))
        .field(
            &object,
            failing.container.spec_path("envFrom"),
            variable.strip_suffix(key).unwrap_or_default(),
        )
    } else if let Some((map, key, variable)) = misnamed() {
        let has = if variable == key { (*key).to_owned() } else { format!("{key}, which envFrom sets as {variable}") };
        finding(format!("is not set; ConfigMap {} has {has}, did you mean that?", map.metadata.name))
            .field(&map.object_ref(), "data", *key)
            .culprit(map.object_ref())
    } else if let Some(map) = holding.next().filter(|_| holding.next().is_none()) {
        finding(format!("is not set; ConfigMap {} has it, and the container does not use it", map.metadata.name)).field(
            &map.object_ref(),
            "data",
            name,
        )
    } else {
        let names: Vec<String> = spec.env.iter().map(|variable| variable.name.clone()).collect();
        let has =
            if names.is_empty() { "its spec sets none".to_owned() } else { format!("its spec sets {}", list(&names)) };
        let has = if spec.env_from.is_empty() { has } else { "neither its env nor its envFrom has it".to_owned() };
        finding(format!("is not set: {has}"))
    };
    Some(failing.edit(view, failing.read_log(finding), "set the variable"))
}

/// The ConfigMap that gives a container this variable, whole, and with nothing in it.
fn empty(view: &View<'_>, failing: &Failing<'_>, name: &str) -> Option<ObjectRef> {
    let namespace = failing.namespace();
    let maps = failing.container.spec.env_from.iter().filter(|source| name.starts_with(&source.prefix));
    maps.filter_map(|source| Some((source.config_map_ref.as_ref()?, name.strip_prefix(source.prefix.as_str())?)))
        .find(|(map, key)| {
            let mut known = view.snapshot.config_values.iter();
            known.any(|known| {
                known.namespace == namespace
                    && known.name == map.name
                    && known.key == *key
                    && known.value.trim().is_empty()
            })
        })
        .map(|(map, _)| ObjectRef::new(Kind::ConfigMap, namespace, &map.name))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: app, env: [ENV]}]}
status:
  phase: Running
  containerStatuses:
  - {name: app, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: Error, exitCode: 1, finishedAt: '2026-01-01T11:59:00Z'}}}
---
kind: ConfigMap
metadata: {name: web-env, namespace: shop}
data: {MAPKEY: x}
---
kind: Log
namespace: shop
pod: web-1
container: app
lines: ['FATAL LINE']
";
    const SAYS: &str = "critical Pod shop/web-1: container app exits 1: environment variable DATABASE_URL ";
    const LINE: &str = "environment variable DATABASE_URL is not set";

    #[test]
    fn misspelt() {
        let yaml = POD.replace("LINE", LINE).replace("[ENV]", "[{name: DATABSE_URL, value: x}]");
        check(&super::DETECTOR, &yaml, &format!("{SAYS}is not set; the spec sets DATABSE_URL, did you mean that?"));
    }

    #[test]
    fn in_a_map_that_is_not_used() {
        let yaml =
            POD.replace("LINE", LINE).replace("[ENV]", "[{name: PORT, value: '80'}]").replace("MAPKEY", "DATABASE_URL");
        check(
            &super::DETECTOR,
            &yaml,
            &format!("{SAYS}is not set; ConfigMap web-env has it, and the container does not use it"),
        );
    }

    #[test]
    fn nowhere() {
        check(
            &super::DETECTOR,
            &POD.replace("LINE", LINE).replace("[ENV]", "[{name: PORT, value: '80'}]"),
            &format!("{SAYS}is not set: its spec sets PORT"),
        );
    }

    #[test]
    fn from_an_optional_key() {
        let yaml = POD.replace("LINE", LINE).replace(
            "[ENV]",
            "[{name: DATABASE_URL, valueFrom: {secretKeyRef: {name: db, key: url, optional: true}}}]",
        );
        check(
            &super::DETECTOR,
            &yaml,
            &format!(
                "{SAYS}has no value: it comes from key url of Secret db, which is optional and missing or empty <- Secret shop/db"
            ),
        );
    }

    #[test]
    fn empty_in_a_whole_map() {
        let value = "
---
kind: ConfigValue
namespace: shop
name: web-env
key: DATABASE_URL
value: 'VALUE'
";
        let yaml = POD.replace("LINE", LINE).replace("env: [ENV]", "envFrom: [{configMapRef: {name: web-env}}]");
        let yaml = yaml.replace("MAPKEY", "DATABASE_URL") + value;
        check(
            &super::DETECTOR,
            &yaml.replace("VALUE", ""),
            &format!("{SAYS}is empty: it comes from key DATABASE_URL of ConfigMap web-env <- ConfigMap shop/web-env"),
        );
    }

    #[test]
    fn a_prefix_changes_its_name() {
        let with = |prefix: &str, key: &str| {
            let from = format!("envFrom: [{{prefix: '{prefix}', configMapRef: {{name: web-env}}}}]");
            POD.replace("LINE", LINE).replace("env: [ENV]", &from).replace("MAPKEY", key)
        };
        check(
            &super::DETECTOR,
            &with("APP_", "DATABASE_URL"),
            &format!("{SAYS}is not set; ConfigMap web-env has it, and the prefix of envFrom makes it APP_DATABASE_URL"),
        );
        check(
            &super::DETECTOR,
            &with("DATABASE_", "ULR"),
            &format!(
                "{SAYS}is not set; ConfigMap web-env has ULR, which envFrom sets as DATABASE_ULR, did you mean that? <- ConfigMap shop/web-env"
            ),
        );
        // With the prefix the key is the variable: it is set, and not misspelt.
        check(
            &super::DETECTOR,
            &with("DATABASE_", "URL"),
            &format!("{SAYS}is not set: neither its env nor its envFrom has it"),
        );
    }

    #[test]
    fn another_error() {
        check(&super::DETECTOR, &POD.replace("LINE", "cannot parse DATABASE_URL").replace("[ENV]", "[]"), "");
    }
}
