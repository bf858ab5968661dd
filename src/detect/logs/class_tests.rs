//! Lines as programs write them, and what they complain of.

use super::class::*;

fn file(path: &str) -> Class {
    Class::MissingFile(path.into())
}

fn env(name: &str) -> Class {
    Class::MissingEnv(name.into())
}

fn host(name: &str) -> Class {
    Class::UnknownHost(name.into())
}

#[track_caller]
fn table(rows: &[(&str, Option<Class>)]) {
    for (line, expected) in rows {
        assert_eq!(&classify(line), expected, "{line}");
    }
}

#[test]
fn programs_that_do_not_start() {
    let none = |x: &str| Some(Class::NoCommand(x.into()));
    table(&[
        (
            r#"runc create failed: unable to start container process: exec: "/bin/serverr": stat /bin/serverr: no such file or directory: unknown"#,
            none("/bin/serverr"),
        ),
        (
            r#"unable to start container process: exec: "serve --port 80": executable file not found in $PATH: unknown"#,
            none("serve --port 80"),
        ),
        (
            "container create failed: executable file `serve` not found in $PATH: No such file or directory",
            none("serve"),
        ),
        ("exec /s/run.sh: no such file or directory", none("/s/run.sh")),
        ("/bin/sh: serverr: not found", none("serverr")),
        ("/bin/sh: 1: serverr: not found", none("serverr")),
        ("/app/run.sh: line 12: jq: command not found", none("jq")),
        (
            r#"unable to start container process: exec: "/s/run.sh": permission denied: unknown"#,
            Some(Class::NotExecutable("/s/run.sh".into())),
        ),
        ("/bin/sh: /s/run.sh: Permission denied", Some(Class::NotExecutable("/s/run.sh".into()))),
        ("exec /s/run.sh: exec format error", Some(Class::ExecFormat("/s/run.sh".into()))),
    ]);
}

#[test]
fn memory_that_runs_out() {
    let (sure, likely) = (Some(Class::Memory(true)), Some(Class::Memory(false)));
    table(&[
        ("java.lang.OutOfMemoryError: Java heap space", sure.clone()),
        ("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", sure.clone()),
        (
            "PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes)",
            sure.clone(),
        ),
        ("fatal error: runtime: out of memory", sure.clone()),
        ("terminate called after throwing an instance of 'std::bad_alloc'", sure.clone()),
        ("fork: Cannot allocate memory", sure),
        ("worker process 29 exited on signal 9", likely.clone()),
        ("convert failed: signal: killed", likely),
        ("process 29 exited with code 9", None),
    ]);
}

#[test]
fn an_account_without_its_token() {
    table(&[
        (
            "kubernetes.config.config_exception.ConfigException: Service token file does not exist.",
            Some(file(crate::detect::logs::mount::TOKEN)),
        ),
        (
            "open /var/run/secrets/kubernetes.io/serviceaccount/token: no such file or directory",
            Some(file(crate::detect::logs::mount::TOKEN)),
        ),
    ]);
}

#[test]
fn hosts_without_an_address() {
    table(&[
        ("dial tcp: lookup db on 10.96.0.10:53: no such host", Some(host("db"))),
        ("[raft] cannot resolve peer ledger-0.ledger-hl: no such host", Some(host("ledger-0.ledger-hl"))),
        ("could not resolve host: db", Some(host("db"))),
        ("failed to resolve broker kafka.data", Some(host("kafka.data"))),
        ("dial tcp: lookup db.shop.svc.cluster.local: no such host", Some(host("db.shop.svc.cluster.local"))),
        (r#"psql: error: could not translate host name "pg" to address: Name or service not known"#, Some(host("pg"))),
        ("wget: bad address 'backend:8080'", Some(host("backend"))),
        ("wget: bad address 'backend'", Some(host("backend"))),
        ("Error: getaddrinfo ENOTFOUND redis-master", Some(host("redis-master"))),
        ("Error: getaddrinfo EAI_AGAIN redis", Some(host("redis"))),
        ("java.net.UnknownHostException: kafka-0.kafka", Some(host("kafka-0.kafka"))),
        (r#"nginx: [emerg] host not found in upstream "api" in /etc/nginx/conf.d/default.conf:3"#, Some(host("api"))),
        ("curl: (6) Could not resolve host: api.shop", Some(host("api.shop"))),
        ("** server can't find db.shop.svc.cluster.local: NXDOMAIN", Some(host("db.shop.svc.cluster.local"))),
        ("socket.gaierror: [Errno -2] Name or service not known", Some(host(""))),
        ("lookup db on 10.96.0.10:53: read udp 10.0.0.1:1->10.96.0.10:53: i/o timeout", Some(host("db"))),
    ]);
}

#[test]
fn names_that_could_not_be_asked_for() {
    for line in [
        "dial tcp: lookup db on 10.96.0.10:53: no such host",
        "lookup db on 10.96.0.10:53: read udp 10.0.0.1:1->10.96.0.10:53: read: connection refused",
        ";; connection timed out; no servers could be reached",
        "getaddrinfo db: error EAI_FAIL",
    ] {
        assert!(unresolved(line), "{line}");
    }
    for line in ["dial tcp 10.96.3.4:5432: connect: connection refused", "lookup table built", "cannot find lookup.csv"]
    {
        assert!(!unresolved(line), "{line}");
    }
}

#[test]
fn servers_that_do_not_answer() {
    table(&[
        ("dial tcp 10.96.3.4:5432: connect: connection refused", Some(Class::Unreachable(false))),
        ("wget: can't connect to remote host (10.96.3.4): Connection refused", Some(Class::Unreachable(false))),
        ("Error: connect ECONNREFUSED 10.96.0.1:6379", Some(Class::Unreachable(false))),
        ("dial tcp 10.96.3.4:5432: i/o timeout", Some(Class::Unreachable(true))),
        (
            "ERROR upstream failure calling rates:8080/healthz/: wget: can't connect to remote host (10.0.0.7): Connection refused",
            Some(Class::Unreachable(false)),
        ),
        (
            "redis.exceptions.ConnectionError: Error 111 connecting to cache:6379. Connection refused.",
            Some(Class::Unreachable(false)),
        ),
        (r#"FATAL: password authentication failed for user "app""#, Some(Class::Auth)),
        ("Access denied for user 'app'@'10.0.0.1' (using password: YES)", Some(Class::Auth)),
        ("Get \"https://api:8443/\": x509: certificate signed by unknown authority", Some(Class::Tls)),
        ("ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", Some(Class::Tls)),
        ("nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)", Some(Class::PortInUse(Some(80)))),
        ("Error: listen EADDRINUSE: address already in use :::3000", Some(Class::PortInUse(Some(3000)))),
        ("listen tcp :80: bind: permission denied", Some(Class::PortDenied(Some(80)))),
    ]);
}

#[test]
fn certificates_and_keys_of_its_own() {
    let own = Some(Class::KeyFile);
    table(&[
        ("tls: failed to find any PEM data in certificate input", own.clone()),
        ("error:0480006C:PEM routines::no start line:Expecting: TRUSTED CERTIFICATE", own.clone()),
        ("cannot load client certificate: not a valid PEM file", own.clone()),
        ("tls: private key does not match public key", own.clone()),
        ("could not decode PEM block of /etc/tls/tls.key", own),
        ("cannot load /etc/tls/ca.pem: file not found", Some(file("/etc/tls/ca.pem"))),
        (
            "unable to load PEM: open /etc/tls/tls.key: permission denied",
            Some(Class::FileDenied(Some("/etc/tls/tls.key".into()))),
        ),
        ("remote error: tls: bad certificate", Some(Class::Tls)),
        ("x509: certificate signed by unknown authority", Some(Class::Tls)),
    ]);
}

#[test]
fn files() {
    table(&[
        (
            "panic: open /etc/inventory/settings.ini: no such file or directory",
            Some(file("/etc/inventory/settings.ini")),
        ),
        ("/etc/opal/license: no such file or directory", Some(file("/etc/opal/license"))),
        (
            "FileNotFoundError: [Errno 2] No such file or directory: '/etc/app/config.yaml'",
            Some(file("/etc/app/config.yaml")),
        ),
        (
            "java.io.FileNotFoundException: /opt/keys/tls.crt (No such file or directory)",
            Some(file("/opt/keys/tls.crt")),
        ),
        ("Error: ENOENT: no such file or directory, open '/app/config.json'", Some(file("/app/config.json"))),
        ("cat: can't open '/etc/app/token': No such file or directory", Some(file("/etc/app/token"))),
        (
            r#"nginx: [emerg] open() "/etc/nginx/x.conf" failed (2: No such file or directory)"#,
            Some(file("/etc/nginx/x.conf")),
        ),
        ("/bin/sh: can't create /var/cache/x: nonexistent directory", Some(file("/var/cache/x"))),
        ("/usr/bin/app: cannot load /etc/app/key.pem: file not found", Some(file("/etc/app/key.pem"))),
        ("config file not found: /etc/app/app.conf", Some(file("/etc/app/app.conf"))),
        ("/bin/sh: can't create /var/x: Permission denied", Some(Class::FileDenied(Some("/var/x".into())))),
        (
            "PermissionError: [Errno 13] Permission denied: '/data/db.lock'",
            Some(Class::FileDenied(Some("/data/db.lock".into()))),
        ),
        ("touch: /var/lib/x: Read-only file system", Some(Class::ReadOnly(Some("/var/lib/x".into())))),
        ("dd: error writing '/d/x': No space left on device", Some(Class::DiskFull(Some("/d/x".into())))),
    ]);
}

#[test]
fn variables() {
    table(&[
        ("/bin/sh: DATABASE_URL: parameter not set", Some(env("DATABASE_URL"))),
        ("FATAL: environment variable DB_URL is not set", Some(env("DB_URL"))),
        ("KeyError: 'PAYMENT_KEY'", Some(env("PAYMENT_KEY"))),
        ("required environment variable \"API_TOKEN\" is not set", Some(env("API_TOKEN"))),
        ("missing required environment variable: API_TOKEN", Some(env("API_TOKEN"))),
        ("envconfig: required key API_TOKEN missing value", Some(env("API_TOKEN"))),
        ("Error: You must specify POSTGRES_PASSWORD to a non-empty value", Some(env("POSTGRES_PASSWORD"))),
        ("API_TOKEN must be set", Some(env("API_TOKEN"))),
        ("config error: API_TOKEN is required", Some(env("API_TOKEN"))),
        ("Could not resolve placeholder 'spring.datasource.url' in value", Some(env("spring.datasource.url"))),
    ]);
}

#[test]
fn rights_and_configuration() {
    let denial = Denial {
        user: "system:serviceaccount:shop:web".into(),
        verb: "list".into(),
        resource: "pods".into(),
        group: String::new(),
        namespace: "shop".into(),
    };
    table(&[
        (
            r#"pods is forbidden: User "system:serviceaccount:shop:web" cannot list resource "pods" in API group "" in the namespace "shop""#,
            Some(Class::Forbidden(denial)),
        ),
        ("error converting YAML to JSON: yaml: line 3: did not find expected key", Some(Class::Config)),
        ("flag provided but not defined: -listn", Some(Class::Config)),
        ("nginx: [emerg] unknown directive \"lisen\" in /etc/nginx/nginx.conf:3", Some(Class::Config)),
        ("json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)", Some(Class::Config)),
        ("server started on port 8080", None),
        ("GET /healthz 200", None),
        ("migrating 3 tables", None),
    ]);
}
