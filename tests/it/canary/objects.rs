//! The objects of a cluster that has a secret wherever one can be.

use serde_json::{Value, json};

use super::plants::{Plants, base64};

/// A cluster: objects as the API has them, and the logs of its one container, now and before.
pub(super) struct Planted {
    pub(super) objects: Vec<Value>,
    pub(super) logs: String,
    pub(super) previous: String,
    /// What Prometheus answers to any query, and Alertmanager of its alerts.
    pub(super) series: Value,
    pub(super) alerts: Value,
}

pub(super) fn cluster(plants: &mut Plants) -> Planted {
    let mut objects = vec![pod(plants), deployment(plants)];
    objects.extend(secrets(plants));
    objects.extend(settings(plants));
    objects.extend(of_the_cluster(plants));
    objects.extend(custom(plants));
    let logs = log(plants, "log");
    let previous = log(plants, "previous log");
    let (series, alerts) = metrics(plants);
    Planted { objects, logs, previous, series, alerts }
}

/// What somebody put into labels and annotations.
fn metrics(plants: &mut Plants) -> (Value, Value) {
    let mut word = |what: &str| plants.word(&format!("metrics: {what}"));
    let series = json!({"status": "success", "data": {"resultType": "vector", "result": [{
        "metric": {"__name__": "logins_total", "pod": "cart-1", "db_password": word("label by name"),
            "dsn": format!("postgres://app:{}@db/cart", word("label"))},
        "value": [1_767_268_800, "7"],
    }]}});
    let alerts = json!([{
        "labels": {"alertname": "CartCantLogIn", "namespace": "shop", "pod": "cart-1", "severity": "critical"},
        "annotations": {"summary": format!("login with password={} fails", word("annotation"))},
        "startsAt": "2026-01-01T11:00:00Z", "status": {"state": "active"},
    }]);
    (series, alerts)
}

/// Lines as programs write them.
fn log(plants: &mut Plants, which: &str) -> String {
    let mut word = |what: &str| plants.word(&format!("{which}: {what}"));
    let mut lines = vec![
        "INFO starting the cart 1.25.3 at 12:34:56 for ops@example.org on 10.0.0.7:80".to_owned(),
        "WARN fd00:10::7 does not answer 127.0.0.1".to_owned(),
        format!("DEBUG config: {{\"user\":\"app\",\"password\":\"{}\"}}", word("JSON")),
        format!("connecting to postgres://app:{}@db.shop:5432/cart", word("address")),
        format!("db_password={} db_host=db", word("pair")),
        format!("GET /login?access_token={}&next=/", word("query")),
        format!("> Authorization: Bearer {}", word("header")),
        format!("> Authorization: Basic {}", base64(format!("app:{}", word("basic")).as_bytes())),
        format!("> Cookie: session={}; theme=dark", word("cookie")),
        format!("time=x level=info msg=\"login\" client_secret=\"{}\"", word("logfmt")),
        format!("env: {{\"name\":\"DB_PASSWORD\",\"value\":\"{}\"}}", word("name and value")),
        format!("\u{1b}[36mpassword\u{1b}[0m={}", word("behind colours")),
        format!("+ curl -u me:{} http://db.shop", word("traced command")),
    ];
    let token = plants.token(&format!("{which}: token"));
    lines.push(format!("got {token} from the issuer"));
    let key = plants.capitals(&format!("{which}: AWS"), &["AK", "IA"], 16);
    lines.push(format!("using {key} of the role"));
    lines.extend(plants.key(&format!("{which}: key")).lines().map(str::to_owned));
    lines.push("FATAL: password authentication failed for user \"app\"".to_owned());
    let lines: Vec<String> = lines.iter().map(|line| format!("2026-01-01T11:59:00.000000000Z {line}\n")).collect();
    lines.concat()
}

fn environment(plants: &mut Plants, of: &str) -> Vec<Value> {
    let mut variables = Vec::new();
    for name in
        ["DB_PASSWORD", "API_TOKEN", "STRIPE_API_KEY", "AZURE_CLIENT_SECRET", "AWS_SECRET_ACCESS_KEY", "REDIS_AUTH"]
    {
        variables.push((name, plants.word(&format!("{of}: {name}"))));
    }
    let mut within = |name: &'static str, text: &dyn Fn(&str) -> String| {
        let secret = plants.word(&format!("{of}: {name}"));
        variables.push((name, text(&secret)));
    };
    within("DATABASE_URL", &|s| format!("postgres://app:{s}@db.shop.svc:5432/cart"));
    within("DB_DSN", &|s| format!("app:{s}@tcp(db:3306)/cart"));
    within("SQL", &|s| format!("Server=db,1433;Database=cart;User Id=sa;Password={s};Encrypt=True"));
    within("STORAGE", &|s| {
        format!("DefaultEndpointsProtocol=https;AccountName=cart;AccountKey={s}==;EndpointSuffix=core.windows.net")
    });
    within("HTTPS_PROXY", &|s| format!("http://me:{s}@proxy.shop:3128"));
    within("SETTINGS", &|s| format!("{{\"host\":\"db\",\"password\":\"{s}\"}}"));
    within("FILE", &|s| format!("host: db\npassword: {s}\n"));
    within("JAVA_OPTS", &|s| format!("-Xmx1g -Ddb.password={s}"));
    within("SAS", &|s| format!("https://acc.blob.core.windows.net/c/b?sv=2022&sig={s}%3D&se=2026"));
    variables.push(("ADMIN_PASSWORD", plants.letters(&format!("{of}: a word of letters"))));
    variables.push(("BOOT", plants.token(&format!("{of}: BOOT"))));
    variables.push(("VCS", plants.form(&format!("{of}: VCS"), &["gh", "p_"], 36)));
    variables.push(("CHAT", plants.form(&format!("{of}: CHAT"), &["xo", "xb-1234567890-"], 24)));
    variables.push(("CLOUD", plants.capitals(&format!("{of}: CLOUD"), &["AK", "IA"], 16)));
    variables.push(("MAPS", plants.form(&format!("{of}: MAPS"), &["AI", "za"], 35)));
    let key = plants.key(&format!("{of}: SIGNER"));
    variables.push(("SIGNER", key));
    let key = plants.key(&format!("{of}: GOOGLE"));
    variables.push(("GOOGLE", json!({"type": "service_account", "private_key": key}).to_string()));
    let mut variables: Vec<Value> =
        variables.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    variables
        .push(json!({"name": "FROM_SECRET", "valueFrom": {"secretKeyRef": {"name": "cart-db", "key": "password"}}}));
    variables
}

fn spec(plants: &mut Plants, of: &str) -> Value {
    let env = environment(plants, of);
    let mut word = |what: &str| plants.word(&format!("{of}: {what}"));
    json!({
        "nodeName": "node-1", "serviceAccountName": "cart",
        "containers": [{
            "name": "app", "image": "registry.example.com/cart:1.25.3", "env": env,
            "command": ["/bin/cart", "--password", word("command")],
            "args": [format!("--token={}", word("args")), "--port=80", "sh", "-c",
                format!("PGPASSWORD={} psql -h db && mysql -uroot -p{} cart", word("shell"), word("mysql"))],
            "livenessProbe": {"exec": {"command": ["curl", "-u", format!("me:{}", word("exec probe")), "http://127.0.0.1"]}},
            "readinessProbe": {"httpGet": {"path": format!("/ready?token={}", word("probe's path")), "port": 80,
                "httpHeaders": [{"name": "Authorization", "value": format!("Bearer {}", word("probe's header"))},
                    {"name": "X-Api-Key", "value": word("probe's key")}]}},
            "lifecycle": {"preStop": {"exec": {"command": ["sh", "-c", format!("bye --password {}", word("hook"))]}}},
        }],
        "initContainers": [{
            "name": "pull", "image": format!("https://ci:{}@registry.example.com/pull:1", word("image with a login")),
            "args": ["--api-key", word("init args")],
        }],
        "volumes": [
            {"name": "flex", "flexVolume": {"driver": "x/cifs", "options": {"password": word("flex volume")}}},
            {"name": "csi", "csi": {"driver": "x", "volumeAttributes": {"clientSecret": word("CSI volume"),
                "mountOptions": format!("vers=3.0,username=app,password={}", word("mount options"))}}},
            {"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
        ],
    })
}

fn metadata(plants: &mut Plants, name: &str, of: &str) -> Value {
    let mut word = |what: &str| plants.word(&format!("{of}: {what}"));
    let applied = json!({"spec": {"password": word("last applied")}});
    json!({
        "name": name, "namespace": "shop", "uid": format!("uid-{name}"), "creationTimestamp": "2026-01-01T10:00:00Z",
        "labels": {"app": "cart", "example.com/api-token": word("label")},
        "annotations": {
            "example.com/owner": "jo.doe@example.org",
            "kubectl.kubernetes.io/last-applied-configuration": applied.to_string(),
            "example.com/db-password": word("annotation"),
            "example.com/hidden": format!("pass\u{200b}word={}", word("annotation with a hidden letter")),
            "example.com/note": format!("log in with password={}", word("annotation's text")),
            "nginx.ingress.kubernetes.io/configuration-snippet":
                format!("proxy_set_header Authorization \"Basic {}\";", base64(format!("me:{}", word("snippet")).as_bytes())),
        },
        "managedFields": [{"manager": "x", "fieldsV1": {"f:data": {"f:password": {}}}}],
    })
}

/// A container that fails, and says too much.
fn pod(plants: &mut Plants) -> Value {
    let coloured = plants.word("pod: terminated, behind colours");
    let mut said = |place: &str| format!("dial postgres://app:{}@db/x: refused", plants.word(&format!("pod: {place}")));
    let state = |at: &str, exit: &str| json!({"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": at, "message": exit}});
    let waiting = |message: &str| json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}});
    let status = json!({
        "phase": "Running", "message": said("status message"), "podIP": "10.0.0.7", "hostIP": "10.0.0.1",
        "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": said("condition"),
            "lastTransitionTime": "2026-01-01T11:00:00Z"}],
        "containerStatuses": [{"name": "app", "image": "registry.example.com/cart:1.25.3", "restartCount": 9, "ready": false,
            "state": waiting(&said("waiting")), "lastState": state("2026-01-01T11:59:00Z", &format!("{}; \u{1b}[31mpassword\u{1b}[0m={coloured}", said("terminated")))}],
        "initContainerStatuses": [{"name": "pull", "ready": true, "state": state("2026-01-01T11:00:00Z", &said("init terminated"))}],
    });
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata(plants, "cart-1", "pod"),
        "spec": spec(plants, "pod spec"), "status": status})
}

fn deployment(plants: &mut Plants) -> Value {
    let template = json!({"metadata": metadata(plants, "", "template"), "spec": spec(plants, "template spec")});
    let message = format!("quota service: token={}", plants.word("deployment: condition"));
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(plants, "cart", "deployment"),
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "cart"}}, "template": template},
        "status": {"replicas": 1, "conditions": [{"type": "Available", "status": "False", "message": message}]}})
}

/// What is a secret by its kind alone: nothing in it has a name or a form.
fn secrets(plants: &mut Plants) -> Vec<Value> {
    let token = plants.token("Secret cart-token: data");
    let mut values = vec![("cart-token", "kubernetes.io/service-account-token", "token", token)];
    for (name, kind, key, length) in [
        ("cart-db", "Opaque", "password", 24),
        ("sh.helm.release.v1.cart.v1", "helm.sh/release.v1", "release", 300),
        ("registry", "kubernetes.io/dockerconfigjson", ".dockerconfigjson", 60),
    ] {
        values.push((name, kind, key, plants.form(&format!("Secret {name}: data"), &[""], length)));
    }
    let mut secret = |(name, kind, key, value): (&str, &str, &str, String)| {
        let plain = plants.form(&format!("Secret {name}: stringData"), &[""], 20);
        let applied = plants.form(&format!("Secret {name}: applied data"), &[""], 20);
        let mut metadata = metadata(plants, name, &format!("Secret {name}"));
        let applied = json!({"data": {"settings": base64(applied.as_bytes())}, "stringData": {"x": applied}});
        metadata["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = applied.to_string().into();
        for copy in ["kapp.k14s.io/original", "objectset.rio.cattle.io/applied", "example.com/as-it-was"] {
            let value = plants.form(&format!("Secret {name}: {copy}"), &[""], 20);
            let whole = json!({"kind": "Secret", "data": {"x": base64(value.as_bytes())}, "stringData": {"y": value}});
            metadata["annotations"][copy] = whole.to_string().into();
        }
        json!({"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": metadata,
            "data": {key: base64(value.as_bytes())}, "stringData": {"plain": plain}})
    };
    values.into_iter().map(&mut secret).collect()
}

/// Settings that people take for no secrets.
fn settings(plants: &mut Plants) -> Vec<Value> {
    let key = plants.key("ConfigMap: key");
    let token = plants.token("ConfigMap: kubeconfig");
    let mut word = |what: &str| plants.word(&format!("settings: {what}"));
    let map = json!({
        "api.token": word("key by name"), "LOG_LEVEL": "debug", "id_rsa": key,
        "application.yaml": format!("db:\n  host: db\n  password: {}\n", word("YAML")),
        "application.properties": format!("spring.datasource.password={}\nserver.port=80\n", word("properties")),
        "config.json": json!({"auth": {"clientSecret": word("JSON")}}).to_string(),
        "kubeconfig": format!("users:\n- name: me\n  user:\n    token: {token}\n"),
        "redis.conf": format!("maxmemory 1gb\nrequirepass {}\n", word("redis")),
        "job.yaml": format!("env:\n- name: DB_PASSWORD\n  value: {}\n", word("manifest")),
        "block.yaml": format!("db:\n  password: |\n    {}\n", word("block")),
        ".npmrc": format!("//registry.example.com/:_authToken={}\n", word("npmrc")),
        "nginx.conf": format!("proxy_pass https://me:{}@up.example.com/;\n", word("nginx")),
    });
    let bytes = word("binary data");
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "shop",
        "annotations": {"note": format!("pwd={}", word("claim"))}}, "spec": {"volumeName": "pv-1"}, "status": {"phase": "Bound"}});
    let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv-1"},
        "spec": {"mountOptions": ["vers=3.0", format!("password={}", word("volume's mount option"))],
            "csi": {"driver": "x", "volumeHandle": "h", "volumeAttributes": {"password": word("volume attribute")}}},
        "status": {"phase": "Failed", "message": format!("login failed: password={}", word("volume's message"))}});
    let class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "fast"},
        "provisioner": "x", "parameters": {"restuserkey": word("class parameter by its other name"), "adminPassword": word("class parameter")}});
    vec![
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(plants, "cart", "ConfigMap"), "data": map,
            "binaryData": {"blob": base64(bytes.as_bytes())}}),
        claim,
        volume,
        class,
    ]
}

fn of_the_cluster(plants: &mut Plants) -> Vec<Value> {
    let mut word = |what: &str| plants.word(&format!("cluster: {what}"));
    let hook = json!([{"name": "a.example.com", "failurePolicy": "Ignore", "rules": [],
        "clientConfig": {"url": format!("https://hook:{}@hooks.example.com/x?token={}", word("webhook"), word("webhook's query"))}}]);
    let event = |name: &str, reason: &str, message: String| {
        json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": "shop"}, "type": "Warning",
            "reason": reason, "message": message, "count": 7, "lastTimestamp": "2026-01-01T11:59:30Z",
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "cart-1", "uid": "uid-cart-1"}})
    };
    vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop",
            "annotations": {"note": format!("password: {}", word("namespace"))}}, "status": {"phase": "Active"}}),
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1", "annotations": {"csi": format!("token={}", word("node"))}},
            "spec": {}, "status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.1"}], "conditions": [
                {"type": "Ready", "status": "False", "reason": "KubeletNotReady", "message": format!("no login: token={}", word("node's condition"))}]}}),
        event(
            "e1",
            "Failed",
            format!("Failed to pull image \"https://ci:{}@registry.example.com/cart:1\": 401", word("event")),
        ),
        event(
            "e2",
            "Unhealthy",
            format!("Readiness probe failed: GET http://10.0.0.7/ready?token={}: 500", word("event of a probe")),
        ),
        event("e3", "BackOff", format!("exec [app --password {}]: failed", word("event of a command"))),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "cart", "namespace": "shop",
            "annotations": {"nginx.ingress.kubernetes.io/auth-url": format!("https://me:{}@auth.example.com/", word("ingress"))}},
            "spec": {"rules": [{"host": "cart.example.com"}]}}),
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "hooks"}, "webhooks": hook}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "cart", "namespace": "shop",
            "annotations": {"prometheus.io/path": format!("/metrics?token={}", word("service"))}},
            "spec": {"selector": {"app": "cart"}, "ports": [{"port": 80}], "clusterIP": "10.96.0.7"}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "cart", "namespace": "shop",
            "annotations": {"note": format!("client_secret={}", word("account"))}}}),
        json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly", "namespace": "shop"},
            "spec": {"schedule": "0 0 * * *", "jobTemplate": {"spec": {"template": {"spec": {"containers": [
                {"name": "c", "image": "x", "args": ["--db-password", word("cron job")]}]}}}}}}),
    ]
}

fn custom(plants: &mut Plants) -> Vec<Value> {
    let mut word = |what: &str| plants.word(&format!("custom: {what}"));
    let message = format!("login of app failed: password={}", word("condition"));
    vec![
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "databases.example.com"},
            "spec": {"group": "example.com", "scope": "Namespaced", "names": {"kind": "Database", "plural": "databases", "singular": "database"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"properties": {"status": {"properties": {"conditions": {}}}}}}}]},
            "status": {"conditions": [{"type": "Established", "status": "True"}]}}),
        json!({"apiVersion": "example.com/v1", "kind": "Database", "metadata": {"name": "db", "namespace": "shop"},
            "spec": {"adminPassword": word("spec"), "users": [{"name": "app", "password": word("list")}],
                "uri": format!("mongodb://app:{}@db:27017/x", word("address"))},
            "status": {"conditions": [{"type": "Ready", "status": "False", "reason": "LoginFailed", "message": message}],
                "connectionString": format!("Server=db;Password={};", word("connection string")),
                "health": {"status": "Degraded", "message": format!("token={} refused", word("health"))}}}),
    ]
}
