//! `kubectl api-resources` and `kubectl version`.

use super::error::ServeError;
use super::source::{Source, Type};
use super::table::aligned;
use super::{Answer, Server};
use crate::kubectl::Line;

pub(super) async fn resources(server: &Server, line: &Line) -> Result<Answer, ServeError> {
    let mut types: Vec<Type> = match &server.source {
        Source::Live(live) => live.types().await?.to_vec(),
        Source::Saved(saved) => saved.types(),
    };
    if let Some(group) = line.flag("api-group") {
        types.retain(|of| of.group == group);
    }
    if let Some(namespaced) = line.flag("namespaced") {
        types.retain(|of| of.namespaced == (namespaced != "false"));
    }
    let words = |flag| line.values(flag).flat_map(|words| words.split(',')).map(str::to_owned).collect::<Vec<_>>();
    let (verbs, categories) = (words("verbs"), words("categories"));
    types.retain(|of| verbs.iter().all(|verb| of.verbs.contains(verb)));
    types.retain(|of| categories.iter().all(|category| of.categories.contains(category)));
    match line.flag("sort-by") {
        Some("kind") => types.sort_by(|a, b| (&a.kind, &a.group).cmp(&(&b.kind, &b.group))),
        Some(_) => types.sort_by(|a, b| (&a.plural, &a.group).cmp(&(&b.plural, &b.group))),
        None => types.sort_by(|a, b| (&a.group, &a.plural).cmp(&(&b.group, &b.plural))),
    }
    let wide = match line.flag("output") {
        None => false,
        Some("wide") => true,
        Some("name") => {
            return Ok(Answer::of(types.iter().map(|of| of.plural_argument() + "\n").collect::<String>()));
        }
        Some(other) => return Err(ServeError::unsupported(format!("`-o {other}`"), "use wide or name")),
    };
    let mut lines: Vec<Vec<String>> = Vec::new();
    if !line.has("no-headers") {
        let mut head = vec!["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"];
        head.extend(if wide { &["VERBS", "CATEGORIES"][..] } else { &[] });
        lines.push(head.into_iter().map(str::to_owned).collect());
    }
    for of in &types {
        let mut cells =
            vec![of.plural.clone(), of.short.join(","), of.api_version(), of.namespaced.to_string(), of.kind.clone()];
        if wide {
            cells.extend([of.verbs.join(","), of.categories.join(",")]);
        }
        lines.push(cells);
    }
    let answer = Answer::of(aligned(&lines)).headed(!line.has("no-headers"));
    Ok(match &server.source {
        Source::Live(_) => answer,
        Source::Saved(_) => answer.noted("the types that a snapshot can hold; a cluster has more"),
    })
}

pub(super) async fn version(server: &Server, line: &Line) -> Result<Answer, ServeError> {
    if line.has("client") {
        let instead = "there is no kubectl here; `kubectl version` says the server's version";
        return Err(ServeError::unsupported("`--client`", instead));
    }
    let version = match &server.source {
        Source::Live(live) => {
            let version = live.client.version().await;
            version.map_err(|error| ServeError::read(&error, &server.redactor))?.to_owned()
        }
        Source::Saved(saved) if saved.snapshot.server_version.is_empty() => {
            return Err(ServeError::missing("the server's version"));
        }
        Source::Saved(saved) => saved.snapshot.server_version.clone(),
    };
    Ok(Answer::of(match line.flag("output") {
        Some("json") => format!("{}\n", serde_json::json!({ "serverVersion": { "gitVersion": version } })),
        Some(_) => format!("serverVersion:\n  gitVersion: {version}\n"),
        None => format!("Server Version: {version}\n"),
    }))
}
