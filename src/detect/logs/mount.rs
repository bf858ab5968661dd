//! Which volume a path of a container lies in, and what the volume holds.

use std::collections::BTreeSet;

use crate::detect::prelude::*;

/// Where the token of a pod's account is mounted.
pub const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// Whether a path is the account's token (or lies beside it) in a container where none is mounted.
pub fn token_absent(pod: &Pod, container: &Container, path: &str) -> bool {
    let real = path.strip_prefix("/run/").map_or_else(|| path.to_owned(), |rest| format!("/var/run/{rest}"));
    within(&real, folder(TOKEN)) && mount_of(pod, container, &real).is_none()
}

/// A mount of one key that its ConfigMap does not hold, where the kubelet makes an empty folder
/// instead of a file; with it the files there are.
pub fn absent_key<'a>(view: &View<'_>, pod: &'a Pod, mount: &'a VolumeMount) -> Option<(&'a MapVolume, Vec<String>)> {
    let volume = pod.spec.volumes.iter().find(|volume| volume.name == mount.name)?;
    let map = volume.config_map.as_ref().filter(|map| !map.optional && !mount.sub_path.is_empty())?;
    let holder = view.beside(pod, Kind::ConfigMap, &map.name);
    let files = if map.items.is_empty() {
        keys(view, &holder)?
    } else {
        map.items.iter().map(|item| item.path.clone()).collect()
    };
    let first = |path: &str| path.split('/').next().unwrap_or_default().to_owned();
    let there = files.iter().any(|file| first(file) == first(&mount.sub_path));
    (!there).then_some((map, files))
}

/// Whether what a container complains of is a path that such an empty folder stands at.
pub fn meets_empty_folder(view: &View<'_>, pod: &Pod, container: &Container, said: &str) -> bool {
    let mut mounts = container.volume_mounts.iter();
    mounts.any(|mount| said.contains(mount.mount_path.as_str()) && absent_key(view, pod, mount).is_some())
}

/// A mount with its volume.
#[derive(Clone, Copy)]
pub struct Mounted<'a> {
    /// Where.
    pub mount: &'a VolumeMount,
    /// What; a volume of a StatefulSet's template is not in the pod's own list before it is made.
    pub volume: Option<&'a Volume>,
}

/// The mounts of a container.
pub fn mounts<'a>(pod: &'a Pod, container: &'a Container) -> impl Iterator<Item = Mounted<'a>> {
    let volume = |name: &str| pod.spec.volumes.iter().find(|volume| volume.name == name);
    container.volume_mounts.iter().map(move |mount| Mounted { mount, volume: volume(&mount.name) })
}

/// The mount that a path lies in: the deepest one.
pub fn mount_of<'a>(pod: &'a Pod, container: &'a Container, path: &str) -> Option<Mounted<'a>> {
    mounts(pod, container)
        .filter(|mounted| within(path, &mounted.mount.mount_path))
        .max_by_key(|mounted| mounted.mount.mount_path.len())
}

/// Whether a path is a folder or lies in it.
pub fn within(path: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// The folder of a path; empty at the top.
pub fn folder(path: &str) -> &str {
    path.trim_end_matches('/').rsplit_once('/').map_or("", |(folder, _)| folder)
}

impl Mounted<'_> {
    /// The ConfigMap or Secret that is mounted, in this namespace.
    pub fn source(&self, namespace: &str) -> Option<ObjectRef> {
        let volume = self.volume?;
        let map = volume.config_map.as_ref().map(|map| ObjectRef::new(Kind::ConfigMap, namespace, &map.name));
        map.or_else(|| {
            volume.secret.as_ref().map(|secret| ObjectRef::new(Kind::Secret, namespace, &secret.secret_name))
        })
    }

    /// The files that its ConfigMap or Secret puts there; nothing where they aren't known.
    pub fn files(&self, view: &View<'_>, namespace: &str) -> Option<Vec<String>> {
        let volume = self.volume?;
        let items: &[KeyPath] = match (&volume.config_map, &volume.secret) {
            (Some(map), _) => &map.items,
            (_, Some(secret)) => &secret.items,
            _ => return None,
        };
        if !items.is_empty() {
            return Some(items.iter().map(|item| item.path.clone()).collect());
        }
        keys(view, &self.source(namespace)?)
    }

    /// The mode of its files: the default is 0644.
    pub fn mode(&self) -> i64 {
        let volume = self.volume;
        let map = volume.and_then(|volume| volume.config_map.as_ref()).and_then(|map| map.default_mode);
        map.or_else(|| volume?.secret.as_ref()?.default_mode).unwrap_or(0o644)
    }

    /// What it is, for people: `ConfigMap settings`, `volume data`.
    pub fn title(&self, namespace: &str) -> String {
        self.source(namespace)
            .map_or_else(|| format!("volume {}", self.mount.name), |source| format!("{} {}", source.kind, source.name))
    }
}

/// The keys of a ConfigMap or a Secret, where they are known.
pub fn keys(view: &View<'_>, object: &ObjectRef) -> Option<Vec<String>> {
    match object.kind {
        Kind::ConfigMap => {
            view.get::<ConfigMap>(object.ns(), &object.name).map(|map| map.keys().map(str::to_owned).collect())
        }
        Kind::Secret => view
            .snapshot
            .keys_of(object.ns(), &object.name)
            .map(|keys| keys.keys.iter().map(|key| key.name.clone()).collect()),
        _ => None,
    }
}

/// ConfigMaps and Secrets of a namespace that could be what a missing file should have come from,
/// and that the pod doesn't mount: one with a key of the file's name, else one whose name is made
/// of the path's words.
pub fn could_hold(view: &View<'_>, pod: &Pod, path: &str) -> Option<ObjectRef> {
    let namespace = &pod.metadata.namespace;
    let used: BTreeSet<(Kind, &str)> =
        crate::graph::configuration(&pod.spec).into_iter().map(|(kind, name, _)| (kind, name)).collect();
    let file = file_name(path);
    let maps = view
        .within::<ConfigMap>(namespace)
        .iter()
        .filter(|map| map.metadata.name != "kube-root-ca.crt")
        .map(Resource::object_ref);
    let secrets = view
        .within::<Secret>(namespace)
        .iter()
        .filter(|secret| secret.kind != "kubernetes.io/service-account-token" && !secret.kind.starts_with("helm.sh/"))
        .map(Resource::object_ref);
    let unused: Vec<ObjectRef> =
        maps.chain(secrets).filter(|object| !used.contains(&(object.kind, &*object.name))).collect();
    let mut holds =
        unused.iter().filter(|object| keys(view, object).is_some_and(|keys| keys.iter().any(|key| key == file)));
    if let Some(first) = holds.next() {
        return holds.next().is_none().then(|| first.clone());
    }
    let words = |text: &str| {
        text.split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| word.len() > 1)
            .map(str::to_ascii_lowercase)
            .collect::<BTreeSet<_>>()
    };
    let wanted = words(path);
    // A ConfigMap's keys are known, and were looked at; a Secret's name must do.
    let mut named = unused.iter().filter(|object| keys(view, object).is_none()).filter(|object| {
        let name = words(&object.name);
        name.len() > 1 && name.is_subset(&wanted)
    });
    named.next().filter(|_| named.next().is_none()).cloned()
}

/// Whether a container's program, or a script among its arguments, lies in this folder.
pub fn runs_from(container: &Container, mount_path: &str) -> bool {
    let words = container.command.iter().chain(container.args.iter());
    words.flat_map(|word| word.split_whitespace()).any(|word| within(word, mount_path))
}

/// The mount that was probably to be where a missing path lies: it holds a file of that name, or
/// its path is a letter or two away. With it the path it should have had.
pub fn misplaced<'a>(
    view: &View<'_>,
    pod: &'a Pod,
    container: &'a Container,
    path: &str,
) -> Option<(Mounted<'a>, String)> {
    if !path.starts_with('/') || mount_of(pod, container, path).is_some() {
        return None;
    }
    let namespace = &pod.metadata.namespace;
    let own = |mounted: &Mounted<'_>| {
        mounted.mount.mount_path.starts_with("/var/run/secrets/kubernetes.io")
            || mounted.volume.is_some_and(|volume| volume.empty_dir.is_some())
    };
    let mut near = None;
    for mounted in mounts(pod, container).filter(|mounted| !own(mounted)) {
        let at = mounted.mount.mount_path.trim_end_matches('/');
        if !mounted.mount.sub_path.is_empty() {
            // One file: its own name is the file's.
            if file_name(at) == file_name(path) && file_name(path).contains('.') {
                return Some((mounted, path.to_owned()));
            }
            continue;
        }
        match mounted.files(view, namespace) {
            Some(files) => {
                let holds =
                    files.iter().find(|file| path.strip_suffix(file.as_str()).is_some_and(|rest| rest.ends_with('/')));
                if let Some(file) = holds {
                    let right = path.strip_suffix(file.as_str()).unwrap_or(path).trim_end_matches('/');
                    return Some((mounted, if right.is_empty() { "/".to_owned() } else { right.to_owned() }));
                }
            }
            None => near = near.or_else(|| misspelt(at, path).map(|right| (mounted, right))),
        }
    }
    near
}

/// The beginning of `path` that a mount path is a misspelling of: all parts but one are equal.
fn misspelt(at: &str, path: &str) -> Option<String> {
    let mounted: Vec<&str> = at.split('/').collect();
    let wanted: Vec<&str> = path.split('/').take(mounted.len()).collect();
    if wanted.len() != mounted.len() {
        return None;
    }
    let mut differ = mounted.iter().zip(&wanted).filter(|(a, b)| a != b);
    let (given, right) = differ.next()?;
    let close = given.len() >= 3 && meant(given, std::iter::once(*right)).is_some();
    (close && differ.next().is_none()).then(|| wanted.join("/"))
}
