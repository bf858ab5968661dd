//! The user's own kubectl, which dry runs go through.

use super::check::Check;
use crate::act;

/// Where it is and which one it is, held against the server's version.
pub(super) async fn check(server: Option<&str>) -> Check {
    let (named, path) = (std::env::var_os("KUBECTL_PATH"), std::env::var_os("PATH"));
    let Some(program) = act::locate(named.as_deref(), path.as_deref()) else {
        return Check::warning("kubectl", "there is no kubectl on the PATH")
            .hint("install it, or set KUBECTL_PATH: `diagnose --check-changes` asks it for a dry run");
    };
    let shown = program.display();
    match act::client_version(&program).await {
        Ok(version) => match server.and_then(|server| skew(&version, server)) {
            Some(skew) if skew > 1 => {
                Check::warning("kubectl", format!("{version} at {shown}, {skew} minor versions from the server's"))
                    .hint("kubectl supports a server that is one minor version older or newer")
            }
            _ => Check::ok("kubectl", format!("{version} at {shown}")),
        },
        Err(error) => Check::failed("kubectl", format!("{shown}: {error}")).hint("run `kubectl version --client`"),
    }
}

/// How many minor versions lie between them.
fn skew(client: &str, server: &str) -> Option<u32> {
    Some(minor(client)?.abs_diff(minor(server)?))
}

/// `34` of `v1.34.4+k3s1`.
fn minor(version: &str) -> Option<u32> {
    let rest = version.strip_prefix("v1.")?;
    let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_minor_number() {
        let table = [
            ("v1.34.1", "v1.34.4", Some(0)),
            ("v1.32.4-dispatcher", "v1.34.4+k3s1", Some(2)),
            ("v1.34.1", "v1.9", Some(25)),
            ("dev", "v1.34.1", None),
            ("v1.34.1", "", None),
        ];
        for (client, server, expected) in table {
            assert_eq!(skew(client, server), expected, "{client} {server}");
        }
    }
}
