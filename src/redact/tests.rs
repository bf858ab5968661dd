//! What goes, what stays, and that nothing goes wrong for any text.

use proptest::prelude::*;

use super::logs::LONGEST_LINE;
use super::*;
use crate::model::{LogTail, ObjectRef, Scope, Time};

fn redactor() -> Redactor {
    Redactor::new([7; 32])
}

/// Every placeholder as `<*>`, so that tables can be read.
fn masked(text: &str) -> String {
    let mut out = String::new();
    for part in between_placeholders(text) {
        if !out.is_empty() || part.start > 0 {
            out.push_str("<*>");
        }
        out.push_str(text.get(part).unwrap());
    }
    out
}

/// Text, and what of it stays.
const GOES: &[(&str, &str)] = &[
    // URLs keep what diagnosis needs.
    ("dial postgres://app:hunter2@db.shop:5432/app failed", "dial postgres://app:<*>@db.shop:5432/app failed"),
    ("redis://:s3cret@cache:6379/0", "redis://:<*>@cache:6379/0"),
    ("mongodb://u:p%40ss@h1:27017,h2:27017/db?replicaSet=rs", "mongodb://u:<*>@h1:27017,h2:27017/db?replicaSet=rs"),
    ("amqp://user:pa/ss#1@mq:5672/vh", "amqp://user:<*>@mq:5672/vh"),
    ("https://user:pa@ss@host/x", "https://user:<*>@host/x"),
    ("https://ghp_abcdefghijklmnopqrstuvwxyz0123456789@github.com/a/b", "https://<*>@github.com/a/b"),
    ("postgres://app:12345@db:5432/app", "postgres://app:<*>@db:5432/app"),
    ("app:s3cret@tcp(db:3306)/shop?parseTime=true", "app:<*>@tcp(db:3306)/shop?parseTime=true"),
    ("jdbc:oracle:thin:scott/tiger7@//db:1521/orcl", "jdbc:oracle:thin:scott/<*>@//db:1521/orcl"),
    (
        "jdbc:postgresql://db:5432/app?user=app&password=hunter&ssl=true",
        "jdbc:postgresql://db:5432/app?user=app&password=<*>&ssl=true",
    ),
    // Connection strings.
    (
        "Server=db,1433;Database=shop;User Id=sa;Password=Hunter,2!;Encrypt=True",
        "Server=db,1433;Database=shop;User Id=sa;Password=<*>;Encrypt=True",
    ),
    ("host=db port=5432 user=app password=hunter dbname=shop", "host=db port=5432 user=app password=<*> dbname=shop"),
    (
        "AccountName=acc;AccountKey=abc123+/==;EndpointSuffix=core.windows.net",
        "AccountName=acc;AccountKey=<*>;EndpointSuffix=core.windows.net",
    ),
    (
        "Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=q1w2e3r4=",
        "Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=<*>",
    ),
    ("cache:6380,password=abc=,ssl=True,abortConnect=False", "cache:6380,password=<*>,ssl=True,abortConnect=False"),
    ("uid=app;pwd=abc;", "uid=app;pwd=<*>;"),
    (
        "GET https://acc.blob.core.windows.net/c/b?sv=2022&sig=Ab3%2Fxyz12345%3D&se=2026",
        "GET https://acc.blob.core.windows.net/c/b?sv=2022&sig=<*>&se=2026",
    ),
    ("GET /v1?api_key=abc&x=1", "GET /v1?api_key=<*>&x=1"),
    ("GET /v1?access_token=abcdef", "GET /v1?access_token=<*>"),
    ("X-Amz-Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024", "X-Amz-Signature=<*>"),
    // Pairs.
    (r#"{"user":"app","password":"hunter two","db":"x"}"#, r#"{"user":"app","password":"<*>","db":"x"}"#),
    (r#"msg="{\"password\":\"hunter\",\"a\":1}""#, r#"msg="{\"password\":\"<*>\",\"a\":1}""#),
    (r#"{"password": "with \" quote", "b": 1}"#, r#"{"password": "<*>", "b": 1}"#),
    (r#"{"client_secret" : "x1y2z3"}"#, r#"{"client_secret" : "<*>"}"#),
    (r#"{"tokens":["abc","def"],"token":["abc","def"]}"#, r#"{"tokens":["abc","def"],"token":[<*>]}"#),
    ("password: hunter", "password: <*>"),
    ("user: app\npassword: hunter\nhost: db", "user: app\npassword: <*>\nhost: db"),
    ("{User:app Password:hunter Host:db}", "{User:app Password:<*> Host:db}"),
    ("password=hunter", "password=<*>"),
    ("DB_PASSWORD='hunter two'", "DB_PASSWORD='<*>'"),
    ("connecting with password hunter=1, token=abcdef0123", "connecting with password hunter=1, token=<*>"),
    ("invalid password: Hunter2!x for user app", "invalid password: <*> for user app"),
    ("api-key: 8f14e45fceea167a", "api-key: <*>"),
    ("X-Api-Key: abcdef", "X-Api-Key: <*>"),
    ("password => 'hunter'", "password => '<*>'"),
    ("config[\"password\"] = \"hunter\"", "config[\"password\"] = \"<*>\""),
    ("<user>app</user><password>hunter</password>", "<user>app</user><password><*></password>"),
    ("token: abc12345def", "token: <*>"),
    ("exec [app --password hunter2x]: exit status 1", "exec [app --password <*>]: exit status 1"),
    ("exec app --password hunter2x: exit status 1", "exec app --password <*>: exit status 1"),
    ("password=\"never closed", "password=\"<*>"),
    // The name is the value of another name, or stands in another way of writing.
    (r#"{"name":"DB_PASSWORD","value":"hunter"}"#, r#"{"name":"DB_PASSWORD","value":"<*>"}"#),
    (r#"m="{\"key\":\"password\", \"value\":\"hunter\"}""#, r#"m="{\"key\":\"password\", \"value\":\"<*>\"}""#),
    ("env:\n- name: DB_PASSWORD\n  value: hunter\n", "env:\n- name: DB_PASSWORD\n  value: <*>\n"),
    (r#"args: ["--password", "hunter", "-v"]"#, r#"args: ["--password", "<*>", "-v"]"#),
    ("<add key=\"DbPassword\" value=\"hunter\"/>", "<add key=\"DbPassword\" value=\"<*>\"/>"),
    (r"\u0022password\u0022:\u0022hunter\u0022,", r"\u0022password\u0022:\u0022<*>\u0022,"),
    ("&quot;password&quot;: &quot;hunter&quot;,", "&quot;password&quot;: &quot;<*>&quot;,"),
    ("next=%2Fx%3Fpassword%3Dhunter%26a%3D1", "next=%2Fx%3Fpassword%3D<*>%26a%3D1"),
    ("DB_PW=hunter", "DB_PW=<*>"),
    (r#"{"kind":"Secret","data":{"a":"aHVudGVy"}}"#, r#"{"kind":"Secret","data":{<*>}}"#),
    // Servers, databases and programs.
    ("define('DB_PASSWORD', 'hunter');", "define('DB_PASSWORD', '<*>');"),
    ("ALTER USER app IDENTIFIED BY 'hunter'", "ALTER USER app IDENTIFIED BY '<*>'"),
    ("CREATE ROLE app LOGIN PASSWORD 'hunter'", "CREATE ROLE app LOGIN PASSWORD '<*>'"),
    ("proxy_set_header X-Api-Key \"hunter\";", "proxy_set_header X-Api-Key \"<*>\";"),
    ("user ops insecure-password hunter", "user ops insecure-password <*>"),
    ("+ curl -u me:hunter http://x", "+ curl -u me:<*> http://x"),
    ("+ redis-cli -a hunter ping", "+ redis-cli -a <*> ping"),
    ("+ sshpass -p hunter ssh db", "+ sshpass -p <*> ssh db"),
    ("+ docker login -u ci -p hunter reg.io", "+ docker login -u ci -p <*> reg.io"),
    ("+ mysql -h db -uroot -phunter -e x", "+ mysql -h db -uroot -p<*> -e x"),
    // Forms.
    ("AKIAIOSFODNN7EXAMPLE / wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "<*> / <*>"),
    ("https://discord.com/api/webhooks/12345678/abcDEF_ghi-123", "https://discord.com/api/webhooks/12345678/<*>"),
    ("POST /bot123456789:AAabcdefghijklmnopqrstuvwxyz0123456/send", "POST /bot<*>/send"),
    ("joined with abcdef.0123456789abcdef", "joined with <*>"),
    ("whsec_0123456789abcdef and dapi0123456789abcdef0123456789abcdef", "<*> and <*>"),
    ("glrt-t1_Abcdefghij0123456789 of the runner", "<*> of the runner"),
    ("the token 7fHq2Lw9Zx3Kv8Rt was refused", "the token <*> was refused"),
    ("payload cGFzc3dvcmQ9aHVudGVyMg== sent", "payload <*> sent"),
    ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-def_123 here", "got <*> here"),
    ("Authorization: Bearer abc.def-123", "Authorization: Bearer <*>"),
    ("curl -H 'Authorization: token abcdef0123456789'", "curl -H 'Authorization: token <*>'"),
    ("authorization=Basic dXNlcjpwYXNz", "authorization=Basic <*>"),
    ("sent Basic dXNlcjpwYXNz", "sent Basic <*>"),
    ("bearer sk12ab34cd", "bearer <*>"),
    ("Cookie: session=abc; theme=dark", "Cookie: <*>"),
    ("Set-Cookie: sid=abcdef; Path=/; HttpOnly", "Set-Cookie: <*>"),
    ("key AKIAIOSFODNN7EXAMPLE used", "key <*> used"),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "aws_secret_access_key = <*>"),
    ("pushed with ghp_abcdefghijklmnopqrst and glpat-abcdefghij0123456789", "pushed with <*> and <*>"),
    ("xoxb-123456789012-abcdefABCDEF", "<*>"),
    ("OPENAI sk-proj-Abcdefghijklmnopqrst0123456789", "OPENAI <*>"),
    ("AIzaSyA1234567890abcdefghijklmnopqrstuv", "<*>"),
    ("https://hooks.slack.com/services/T000/B000/XXXXyyyy", "https://hooks.slack.com/services/<*>"),
    (
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nabc\n-----END RSA PRIVATE KEY-----\nafter",
        "-----BEGIN RSA PRIVATE KEY-----\n<*>\n-----END RSA PRIVATE KEY-----\nafter",
    ),
    ("-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0", "-----BEGIN PRIVATE KEY-----\\n<*>"),
];

#[test]
fn secrets_in_text_go() {
    for (text, expected) in GOES {
        // A literal `\n` before the body of a cut block belongs to it or not; both are fine.
        let got = masked(&redactor().text(text)).replace("-----<*>", "-----\\n<*>");
        assert_eq!(got, *expected, "{text}");
    }
}

/// What diagnosis lives on.
const STAYS: &[&str] = &[
    "secret \"cart-db\" not found",
    "MountVolume.SetUp failed for volume \"kube-api-access-x\" : secret \"cart-db\" not found",
    "MountVolume.SetUp failed for volume \"token\" : object \"shop\"/\"cart\" not registered",
    "couldn't find key DB_PASSWORD in Secret shop/cart-db",
    "FATAL: password authentication failed for user \"app\" (SQLSTATE 28P01)",
    "pq: password authentication failed for user \"app\"",
    "Access denied for user 'app'@'10.0.0.1' (using password: YES)",
    "token has expired",
    "dial tcp auth:80: connect: connection refused",
    "connect to auth:8080 failed",
    "unable to retrieve auth token: 401",
    "failed to fetch oauth token: unexpected status from GET request to https://auth.docker.io/token?scope=repository%3Alibrary%2Fx%3Apull&service=registry.docker.io: 401 Unauthorized",
    "failed to authorize: failed to fetch anonymous token: Get \"https://ghcr.io/token?scope=repository%3Aa%2Fb%3Apull&service=ghcr.io\": dial tcp: lookup ghcr.io: no such host",
    "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
    "no basic auth credentials",
    "failed to fetch token: AADSTS700016: Application with identifier 'x' was not found in the directory",
    "failed to fetch token: Unauthorized",
    "failed to fetch token: x509: certificate signed by unknown authority",
    "error validating token: signature is invalid",
    "invalid token: expired",
    "failed to decode password: illegal base64 data at input byte 4",
    "Bearer token is invalid",
    "Bearer authentication required",
    "Www-Authenticate: Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\"",
    "shop/api@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    "Back-off pulling image \"registry.io/auth/token-service:1.4.2\"",
    "vault-secrets-operator:0.4.0",
    "auth-proxy:latest",
    "dial tcp: lookup token-svc.shop.svc.cluster.local:8080: no such host",
    "connect to auth.shop.svc:443",
    "type: kubernetes.io/service-account-token",
    "secretKeyRef: {name: cart-db, key: DB_PASSWORD}",
    "{\"secretKeyRef\":{\"name\":\"cart-db\",\"key\":\"DB_PASSWORD\"}}",
    "\"Couldn't get secret\" secret=\"shop/cart-db\" pod=\"shop/cart-7d9f8b6c5-x2x4z\"",
    "secretName: cart-db-tls",
    "references non-existent secret key: DB_PASSWORD",
    "uid 7f3c2a9e-1b2c-4d5e-8f90-123456789abc",
    "unknown flag: --token",
    "flag --password is required",
    "--token must be set",
    "exec: \"/bin/serverr\": stat /bin/serverr: no such file or directory: unknown",
    "0/3 nodes are available: 3 Insufficient memory. preemption: 0/3 nodes are available",
    "Readiness probe failed: HTTP probe failed with statuscode: 503",
    "error: no key named \"tls.key\" in secret",
    "password=$(DB_PASSWORD)",
    "password: ${DB_PASSWORD}",
    "password=*****",
    "token_file=/var/run/secrets/kubernetes.io/serviceaccount/token",
    "postgres://app@db.shop:5432/app",
    "postgres://app:$(DB_PASSWORD)@db.shop:5432/app",
    "https://registry.npmjs.org/@scope/pkg",
    "https://example.com:8443/path",
    "git@github.com:org/repo.git",
    "author: jane",
    "max_tokens: 128000",
    "disk-pressure-taint-controller-abcdef12345",
    "pod sk-frontend-7d9c8b6f5-abcde is unhealthy",
    "secret=cart-db not found",
    "pods glagent-7d9f8b6c5-x2x4z and glrt-deployment-7d9f8b6c5-x2x4z are pending",
    "checksum/secret: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    "unknown flag: --token\n- see the documentation",
    "mysql pod -pending for 5m",
    "integrity sha512-0123456789abcdefABCDEF0123456789abcdefABCDEF0123456789abcdefABCDEF0123456789abcdefABCD==",
    "name: token-service\nvalue: 5m",
    "container \"app\" in pod \"cart-7d\" is waiting to start: CreateContainerConfigError",
];

#[test]
fn where_secrets_stand_is_where_they_are_masked() {
    for (text, _) in GOES {
        let found = secrets(text);
        assert!(found.iter().is_sorted_by(|a, b| a.end <= b.start), "{text}");
        let first = found.first().and_then(|range| text.get(..range.start));
        let masked = redactor().text(text).into_owned();
        assert_eq!(first, masked.split(MARK).next(), "{text}");
    }
    assert!(secrets("failed to fetch token: not found").is_empty());
}

#[test]
fn diagnosis_stays() {
    for text in STAYS {
        assert_eq!(redactor().text(text), *text);
    }
}

#[test]
fn what_is_not_seen_hides_no_name() {
    let table = [
        ("\u{1b}[31mpassword\u{1b}[0m=hunter", "password=<*>"),
        ("pass\u{200b}word=hunter\tx\r\n", "password=<*>\tx\r\n"),
        (r"\u001b[36mpassword\u001b[0m=hunter", "password=<*>"),
        ("\u{1b}]0;password=hunter\u{7}ready", "ready"),
        ("\u{1b}[1mnothing\u{1b}[0m\tto see\r", "\u{1b}[1mnothing\u{1b}[0m\tto see\r"),
    ];
    for (text, expected) in table {
        assert_eq!(masked(&redactor().text(text)), expected, "{text:?}");
        assert_eq!(masked(&redactor().value("NOTE", text)), expected, "{text:?}");
        let once = redactor().text(text).into_owned();
        assert_eq!(redactor().text(&once), once, "masking is idempotent");
    }
    assert_eq!(masked(&redactor().value("pass\u{ad}word", "hunter")), "<*>");
}

#[test]
fn variables_by_their_name() {
    let table = [
        ("DB_PASSWORD", "hunter", "<*>"),
        ("DB_PASSWORD", "hunter\n", "<*>\n"),
        ("DB_PASSWORD", "", ""),
        ("DB_PASSWORD", "$(FROM_ELSEWHERE)", "$(FROM_ELSEWHERE)"),
        ("DB_PASSWORD", "my-secret", "<*>"),
        ("DB_PASSWORD", "correct horse battery", "<*>"),
        ("DB_PASSWORD_FILE", "/run/secrets/db", "/run/secrets/db"),
        ("API_TOKEN", "123456", "<*>"),
        ("TOKEN_TTL", "3600", "3600"),
        ("SECRET_NAME", "cart-db", "cart-db"),
        ("AUTH", "basic", "basic"),
        ("REDIS_AUTH", "hunter", "<*>"),
        ("USE_AUTH", "true", "true"),
        ("AUTH_URL", "https://login.shop.svc/oauth", "https://login.shop.svc/oauth"),
        ("AUTH_SECRET_URL", "https://u:pw@login.shop.svc/oauth", "https://u:<*>@login.shop.svc/oauth"),
        ("PWD", "/app", "/app"),
        ("PATH", "/usr/bin:/bin", "/usr/bin:/bin"),
        ("DATABASE_URL", "postgres://app:pw@db:5432/x", "postgres://app:<*>@db:5432/x"),
        ("DATABASE_URL", "postgres://db:5432/x", "postgres://db:5432/x"),
        ("CONNECTION_STRING", "Server=db;Password=pw", "Server=db;Password=<*>"),
        ("CONNECTION_STRING", "opaque", "<*>"),
        ("DB_DSN", "app:pw@tcp(db:3306)/x", "app:<*>@tcp(db:3306)/x"),
        ("ENCRYPTION_KEY", "dGhpcyBpcyBhIGtleSBvZiAzMiBieXRlcyE=", "<*>"),
        ("APP_KEY", "name", "name"),
        ("APP_KEY", "base64AbCdEf0123456789xyz", "<*>"),
        ("JAVA_OPTS", "-Xmx1g -Ddb.password=pw -Dx=y", "-Xmx1g -Ddb.password=<*> -Dx=y"),
        ("CONFIG", "user: app\npassword: correct horse\nhost: db", "user: app\npassword: <*>\nhost: db"),
        // Files are read inside, whatever their names are.
        ("token-policy.json", "{\"ttl\": 3600}", "{\"ttl\": 3600}"),
        ("password-policy.yaml", "minLength: 12\nrotate: true", "minLength: 12\nrotate: true"),
        ("credentials.conf", "user app\npassword hunter", "user app\npassword <*>"),
        ("credentials", "[default]\nregion = x\nsecret_key = abc/K7", "[default]\nregion = x\nsecret_key = <*>"),
        ("secret.yaml", "hunter", "<*>"),
        ("DB_PASSWORD", "correct\nhorse", "<*>"),
        ("redis.conf", "port 6379\nrequirepass hunter", "port 6379\nrequirepass <*>"),
        ("app.yaml", "db:\n  password: |\n    correct\n  host: db", "db:\n  password: |\n    <*>\n  host: db"),
        ("release", "H4sIAAAAAAAA/0vOzyvOz0kFAGcB2XwEAAAA", "<*>"),
        ("LOG_LEVEL", "debug", "debug"),
        ("REDIS_HOST", "cache.shop.svc:6379", "cache.shop.svc:6379"),
    ];
    for (name, value, expected) in table {
        assert_eq!(masked(&redactor().value(name, value)), expected, "{name}={value}");
    }
}

#[test]
fn command_lines_item_by_item() {
    let table: &[(&[&str], &[&str])] = &[
        (&["app", "--password", "hunter", "--port", "80"], &["app", "--password", "<*>", "--port", "80"]),
        (&["app", "--token=abc", "-v"], &["app", "--token=<*>", "-v"]),
        (&["app", "--token-file", "/var/run/token"], &["app", "--token-file", "/var/run/token"]),
        (&["app", "--password", "$(DB_PASSWORD)"], &["app", "--password", "$(DB_PASSWORD)"]),
        (&["/usr/bin/mysql", "-uroot", "-phunter", "-h", "db"], &["/usr/bin/mysql", "-uroot", "-p<*>", "-h", "db"]),
        (&["redis-cli", "-a", "hunter", "ping"], &["redis-cli", "-a", "<*>", "ping"]),
        (&["redis-server", "--requirepass", "hunter"], &["redis-server", "--requirepass", "<*>"]),
        (&["curl", "-u", "me:hunter", "http://x"], &["curl", "-u", "me:<*>", "http://x"]),
        (&["sh", "-c", "mysql -uroot -phunter -e 'select 1'"], &["sh", "-c", "mysql -uroot -p<*> -e 'select 1'"]),
        (&["sh", "-c", "PGPASSWORD=hunter psql -h db"], &["sh", "-c", "PGPASSWORD=<*> psql -h db"]),
        (&["sh", "-c", "app --token hunter && exit 1"], &["sh", "-c", "app --token <*> && exit 1"]),
        (&["/bin/serverr", "--config", "/etc/app.yaml"], &["/bin/serverr", "--config", "/etc/app.yaml"]),
        (&["nginx", "-g", "daemon off;"], &["nginx", "-g", "daemon off;"]),
    ];
    for (items, expected) in table {
        let pod = serde_json::json!({"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "command": items}]}});
        let mut objects = Objects::default();
        objects.add_json(pod).unwrap();
        redactor().objects(&mut objects);
        let got: Vec<String> = objects.pods[0].spec.containers[0].command.iter().map(|item| masked(item)).collect();
        assert_eq!(got, *expected);
    }
}

#[test]
fn equal_secrets_have_equal_placeholders() {
    let redactor = redactor();
    let (a, b) = (redactor.value("DB_PASSWORD", "hunter"), redactor.text("x://u:hunter@h password=hunter"));
    let parts: Vec<&str> = b.matches(&*a).collect();
    assert_eq!(parts.len(), 2, "{a} {b}");
    assert_ne!(a, Redactor::new([8; 32]).value("DB_PASSWORD", "hunter"));
    assert_eq!(redactor.value("A_TOKEN", "0123456789abcdef0123"), redactor.value("B_TOKEN", "0123456789abcdef0123"));
    assert!(redactor.value("A_TOKEN", "0123456789abcdef0123").ends_with("~16>"));
}

#[test]
fn log_lines_are_clean_and_short() {
    let redactor = redactor();
    assert_eq!(redactor.log_line("\u{1b}[31mERROR\u{1b}[0m failed\r"), "ERROR failed");
    let key = "MIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy0AHB7MhgHcTz6sE2I2yPB";
    assert_eq!(masked(&redactor.log_line(key)), "<*>");
    let digest = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
    assert_eq!(redactor.log_line(digest), digest);
    let long = redactor.log_line(&"ü".repeat(5000));
    assert!(long.len() <= LONGEST_LINE + '…'.len_utf8() && long.ends_with("ü…"));
    let edge =
        redactor.log_line(&format!("{} password=hunter and more{}", "x".repeat(LONGEST_LINE - 20), "y".repeat(100)));
    assert!(!edge.contains("<redacted:") || edge.contains('>'), "{edge}");
}

/// A pod's spec with `secret` in every place that may hold one.
fn planted_spec(secret: &str) -> serde_json::Value {
    serde_json::json!({
        "containers": [{
            "name": "c",
            "env": [{"name": "DB_PASSWORD", "value": secret}, {"name": "URL", "value": format!("redis://:{secret}@h")}],
            "command": ["app", "--password", secret], "args": [format!("--token={secret}")],
            "livenessProbe": {"exec": {"command": ["check", "--token", secret]}},
            "readinessProbe": {"httpGet": {"path": format!("/x?token={secret}")}},
            "lifecycle": {"preStop": {"exec": {"command": ["sh", "-c", format!("bye --password {secret}")]}}},
        }],
        "initContainers": [{"name": "i", "args": ["--api-key", secret]}],
    })
}

/// One object of each place that holds free text, with `secret` planted in it.
fn planted(secret: &str) -> Snapshot {
    let message = format!("failed: password={secret} at postgres://app:{secret}@db/x");
    let mut snapshot = Snapshot::new(Time::UNIX_EPOCH, "test", Scope::default());
    for (kind, mut body) in planted_objects(secret, &message) {
        body["kind"] = kind.into();
        body["metadata"] = serde_json::json!({"name": "n", "annotations": {"note": message}});
        snapshot.objects.add_json(body).unwrap();
    }
    let pod = ObjectRef::new(crate::model::Kind::Pod, "shop", "p");
    let lines = vec![message.clone(), format!("Authorization: Bearer {secret}")];
    snapshot.logs.push(LogTail { pod, container: "c".into(), previous: false, lines });
    let value = format!("a: b\npassword: {secret}\n");
    let value = crate::model::snapshot::ConfigValue { key: "app.yaml".into(), value, ..Default::default() };
    snapshot.config_values.push(value);
    snapshot.gaps.push(crate::model::Gap { what: "secrets".into(), namespace: None, reason: message, kind: None });
    snapshot
}

fn planted_objects(secret: &str, message: &str) -> Vec<(&'static str, serde_json::Value)> {
    use serde_json::json;
    let conditions = json!([{"type": "Ready", "status": "False", "message": message}]);
    let state = json!({"waiting": {"reason": "x", "message": message}, "terminated": {"message": message}});
    let container = json!({"name": "c", "state": state, "lastState": state});
    let spec = planted_spec(secret);
    let status = json!({"message": message, "conditions": conditions, "containerStatuses": [container]});
    let template = json!({"metadata": {"annotations": {"note": message}}, "spec": spec});
    let validation = json!({"message": message, "expression": "true"});
    let error = json!({"message": message});
    let mut objects = vec![
        ("Pod", json!({"spec": spec, "status": status})),
        ("CronJob", json!({"spec": {"jobTemplate": {"spec": {"template": template}}}})),
        ("Event", error.clone()),
        ("HTTPRoute", json!({"status": {"parents": [{"conditions": conditions}]}})),
        ("PersistentVolume", json!({"status": error})),
        ("VolumeAttachment", json!({"status": {"attachError": error, "detachError": error}})),
        (
            "MutatingWebhookConfiguration",
            json!({"webhooks": [{"clientConfig": {"url": format!("https://u:{secret}@h")}}]}),
        ),
        ("ValidatingAdmissionPolicy", json!({"spec": {"validations": [validation]}})),
        ("Certificate", json!({"status": {"conditions": conditions, "health": {"status": "x", "message": message}}})),
    ];
    for kind in ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job"] {
        objects.push((kind, json!({"spec": {"template": template}, "status": {"conditions": conditions}})));
    }
    let listener = json!({"name": "l", "conditions": conditions});
    let kinds = ["Node", "Namespace", "Service", "PersistentVolumeClaim", "HorizontalPodAutoscaler", "Gateway"];
    for kind in kinds.into_iter().chain(["PodDisruptionBudget", "APIService", "CustomResourceDefinition"]) {
        objects.push((kind, json!({"status": {"conditions": conditions, "listeners": [listener]}})));
    }
    objects
}

/// Long enough that a placeholder never holds it by chance, and with a digit.
const SECRET: &str = "[A-Za-z0-9]{8}[0-9][A-Za-z0-9!%+*^]{3,24}[A-Za-z0-9]";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_planted_secret_never_survives(secret in SECRET) {
        let sealed = redactor().seal(planted(&secret));
        let text = serde_json::to_string(&*sealed).unwrap();
        prop_assert!(!text.contains(&secret), "{}", text);
        let again = redactor().seal(sealed.clone().into_inner());
        prop_assert_eq!(&*again, &*sealed);
    }

    #[test]
    fn a_secret_in_any_pattern_never_survives(secret in "[a-z][A-Za-z0-9]{7}[0-9][A-Za-z0-9]{3,24}", at in 0..CANARIES.len()) {
        let text = format!("before {} after", CANARIES[at].replace("{}", &secret));
        let masked = redactor().text(&text).into_owned();
        prop_assert!(!masked.contains(&secret), "{}", masked);
        prop_assert!(masked.starts_with("before ") && masked.ends_with(" after"), "{}", masked);
    }

    #[test]
    fn any_text_is_masked_once_and_without_panic(text in any_text()) {
        let redactor = redactor();
        for mode in [Mode::Prose, Mode::Strict] {
            let once = redactor.read(&text, mode).into_owned();
            prop_assert_eq!(redactor.read(&once, mode), once.as_str());
        }
        let once = redactor.value("DB_PASSWORD", &text).into_owned();
        prop_assert_eq!(redactor.value("DB_PASSWORD", &once), once.as_str());
        for name in ["APP_KEY", "DB_DSN", "AUTH", "OTHER"] {
            let once = redactor.value(name, &text).into_owned();
            prop_assert_eq!(redactor.value(name, &once), once.as_str(), "{}", name);
        }
        redactor.log_line(&text);
    }
}

const CANARIES: &[&str] = &[
    "password={}",
    "pwd={};x=1",
    "--password={}",
    "password: \"{}\"",
    "\"password\": \"{}\"",
    "'token':'{}'",
    "Authorization: Bearer {}",
    "bearer {}",
    "https://user:{}@host/path",
    "AccountKey={};",
    "SharedAccessKey={}",
    "?sig={}",
    "token={}&x=y",
    "Password:{}",
    "DB_PASSWORD={}",
    "<secret>{}</secret>",
    "\\\"api_key\\\":\\\"{}\\\"",
    "client_secret={}",
    "app:{}@tcp(db:3306)/x",
    "ghp_0123456789abcdef{}",
    "xoxb-0123456789-{}",
    "api-key={}",
    "--token={}",
    "secret = {}",
    "PGPASSWORD={} psql",
    "credentials={}",
    "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
];

/// Text of parts that the rules look at, and of anything.
fn any_text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        proptest::sample::select(vec![
            "password",
            "token",
            "secret",
            "key",
            "auth",
            "=",
            ":",
            " ",
            "\"",
            "'",
            "\\\"",
            "\n",
            ",",
            ";",
            "&",
            "://",
            "@",
            "/",
            "Bearer ",
            "Basic ",
            "-----BEGIN PRIVATE KEY-----",
            "-----END PRIVATE KEY-----",
            "eyJhbGciOiJIUzI1NiJ9",
            "<redacted:01234567~16>",
            "<redacted:",
            "~16>",
            "</",
            ">",
            "--",
            "-p",
            "mysql ",
            "curl ",
            "hunter2hunter2hunter2A",
            "x1",
            "Authorization",
            "Cookie",
            "sig",
            "ghp_0123456789abcdefghij",
            "value",
            "name",
            "- ",
            "|",
            "\u{1b}[31m",
            "\u{200b}",
            "kind: Secret",
            "data:",
            "cGFzc3dvcmQ9aHVudGVyMg==",
            "{",
            "}",
            "[",
            "]",
            "ü",
        ])
        .prop_map(str::to_owned),
        "(?s).{0,6}",
    ];
    proptest::collection::vec(part, 0..16).prop_map(|parts| parts.concat())
}

#[test]
fn what_replicas_share_they_share_masked() {
    let pod = |name: &str| {
        format!(
            r#"{{"metadata": {{"name": "{name}"}}, "spec": {{
                "containers": [{{"name": "app", "env": [{{"name": "DB_PASSWORD", "value": "hunter"}}],
                    "volumeMounts": [{{"name": "kube-api-access-{name}", "mountPath": "/var/run/secrets"}}]}}],
                "volumes": [{{"name": "kube-api-access-{name}", "projected": {{"sources": []}}}}]}}}}"#
        )
    };
    let json = format!(r#"{{"items": [{}, {}, {}]}}"#, pod("aaaaa"), pod("bbbbb"), pod("ccccc"));
    let objects = (crate::model::Kind::Pod.info().unwrap().parse)(json.as_bytes()).unwrap();
    let mut snapshot = Snapshot::new(Time::default(), "test", Scope::default());
    snapshot.objects = objects;
    redactor().objects(&mut snapshot.objects);
    let sealed = redactor().seal(snapshot);
    for pod in &sealed.objects.pods {
        let [first, ..] = sealed.objects.pods.as_slice() else { panic!("no pods") };
        assert_eq!(masked(pod.spec.containers[0].env[0].value.as_deref().unwrap()), "<*>");
        assert!(pod.spec.containers.is(&first.spec.containers), "masked once");
        assert!(pod.spec.volumes.is(&first.spec.volumes));
        assert_eq!(pod.spec.volumes[0].name, "kube-api-access");
    }
}
