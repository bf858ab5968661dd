#!/usr/bin/env python3
"""Prints the manifests of the recorded outage: healthy workloads first, then what breaks them.

usage: workloads.py healthy | outage

The story: a shop of five namespaces. At 'outage' someone renames the key of a database password in
`payments`, and rolls out the ledger with it; the ledger can't start, what calls it goes down, up to
the shop's Ingress. Beside it a nightly report asks for an image tag that was never pushed, and a
quota stops the analytics workers. The rest is healthy, and some of it looks odd on purpose.
"""
import json
import sys

IMAGE = "registry.example.com/"


def meta(namespace, name, labels=None, **more):
    return {"namespace": namespace, "name": name, "labels": labels or {"app": name}, **more}


def container(name, image, script, **more):
    return {"name": name, "image": IMAGE + image, "imagePullPolicy": "IfNotPresent",
            "command": ["/bin/sh", "-c", script],
            "resources": {"requests": {"cpu": "5m", "memory": "8Mi"}, "limits": {"memory": "64Mi"}}, **more}


def serve(port=8080, say="listening"):
    return f"echo \"$(date -u +%FT%TZ) INFO {say} on :{port}\"; mkdir -p /tmp/www/healthz; echo ok > /tmp/www/healthz/index.html; exec httpd -f -p {port} -h /tmp/www"


def probe(path="/healthz/", port=8080):
    return {"httpGet": {"path": path, "port": port}, "periodSeconds": 3}


def deployment(namespace, name, replicas, pod, strategy=None, **more):
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"terminationGracePeriodSeconds": 1, **pod}}}
    if strategy:
        spec["strategy"] = strategy
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta(namespace, name, **more), "spec": spec}


def service(namespace, name, port=80, target=8080, app=None):
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta(namespace, name),
            "spec": {"selector": {"app": app or name}, "ports": [{"name": "http", "port": port, "targetPort": target}]}}


def web(namespace, name, replicas=2, image=None, **more):
    """A healthy web workload and its Service."""
    pod = {"containers": [container("app", image or f"{namespace}/{name}:1.8.2", serve(), ports=[{"containerPort": 8080}], readinessProbe=probe(), **more)]}
    return [deployment(namespace, name, replicas, pod), service(namespace, name)]


def database(namespace, name):
    """Something that listens where a database does."""
    pod = {"containers": [container("postgres", f"{namespace}/postgres-stub:16", serve(5432), ports=[{"containerPort": 5432}])]}
    return [deployment(namespace, name, 1, pod), service(namespace, name, 5432, 5432)]


def kind(api, kind_, namespace, name, **body):
    return {"apiVersion": api, "kind": kind_, "metadata": meta(namespace, name), **body}


def ledger(key, tag):
    env = [{"name": "DB_HOST", "value": "ledger-db.payments.svc.cluster.local"}, {"name": "DB_PORT", "value": "5432"},
           {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "ledger-db", "key": key}}}]
    pod = {"containers": [container("ledger", f"payments/ledger:{tag}", serve(), ports=[{"containerPort": 8080}], readinessProbe=probe(), env=env)]}
    return deployment("payments", "ledger", 2, pod, strategy={"type": "Recreate"})


def calls(namespace, name, url, host, port, replicas=2):
    """A web workload that ends when what it calls is not there."""
    # The image's busybox can't resolve names in connect(), so the address is asked for first.
    script = f"""
check() {{
  ip=$(nslookup {host}.svc.cluster.local 2>/dev/null | awk '/^Name:/{{f=1}} f&&/^Address/{{print $NF; exit}}')
  timeout 3 wget -q -O /dev/null "http://$ip:{port}/healthz/" 2>/dev/null && return 0
  echo "$(date -u +%FT%TZ) ERROR dial tcp {host}:{port}: connect: connection refused"
  return 1
}}
n=0; until check; do n=$((n+1)); [ $n -ge 3 ] && exit 1; sleep 1; done
echo "$(date -u +%FT%TZ) INFO listening on :8080"
mkdir -p /tmp/www/healthz; echo ok > /tmp/www/healthz/index.html
httpd -p 8080 -h /tmp/www
n=0; while sleep 2; do if check; then n=0; else n=$((n+1)); [ $n -ge 3 ] && exit 1; fi; done
"""
    pod = {"containers": [container("app", f"{namespace}/{name}:3.1.0", script, ports=[{"containerPort": 8080}], readinessProbe=probe(),
                                    env=[{"name": url, "value": f"http://{host}:{port}"}])]}
    return [deployment(namespace, name, replicas, pod), service(namespace, name)]


def ingress(namespace, name, host, paths):
    rule = [{"path": path, "pathType": "Prefix", "backend": {"service": {"name": target, "port": {"number": 80}}}} for path, target in paths]
    return kind("networking.k8s.io/v1", "Ingress", namespace, name, spec={"ingressClassName": "nginx", "rules": [{"host": host, "http": {"paths": rule}}]})


def cron(namespace, name, schedule, image, suspend=False, note=None):
    pod = {"restartPolicy": "Never", "containers": [container("job", image, "echo done")]}
    item = kind("batch/v1", "CronJob", namespace, name,
                spec={"schedule": schedule, "suspend": suspend, "jobTemplate": {"spec": {"template": {"spec": pod}}}})
    if note:
        item["metadata"]["annotations"] = {"ops.example.com/reason": note}
    return item


def fleet(namespace, name, replicas):
    """Healthy pods on simulated nodes: the majority of a cluster."""
    pod = {"nodeSelector": {"type": "kwok"}, "tolerations": [{"key": "kwok.x-k8s.io/node", "operator": "Exists"}],
           "containers": [{"name": "app", "image": f"{IMAGE}{namespace}/{name}:5.0.1", "ports": [{"containerPort": 8080}],
                           "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}}}]}
    return [deployment(namespace, name, replicas, pod), service(namespace, name)]


def healthy():
    items = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"team": team}}}
             for name, team in [("shop", "storefront"), ("payments", "money"), ("search", "discovery"), ("analytics", "data"), ("platform", "sre")]]
    items += [{"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/ingress-nginx"}}]
    items += [kind("v1", "Secret", "payments", "ledger-db", stringData={"password": "demo-only"}, type="Opaque"), ledger("password", "2.3.0"), service("payments", "ledger")]
    items += database("payments", "ledger-db") + web("payments", "fraud-check") + web("payments", "exchange-rates")
    items += calls("payments", "payments-api", "LEDGER_URL", "ledger.payments", 80)
    items += calls("shop", "checkout", "PAYMENTS_URL", "payments-api.payments", 80)
    for name in ["storefront", "cart", "catalog", "recommendations", "accounts"]:
        items += web("shop", name)
    items += [ingress("shop", "shop", "shop.example.com", [("/checkout", "checkout"), ("/cart", "cart"), ("/", "storefront")])]
    items += web("search", "query") + web("search", "suggest") + web("platform", "status-page", 1)
    # Odd, but meant so.
    items += [deployment("shop", "flash-sale", 0, {"containers": [container("app", "shop/flash-sale:1.0.0", serve())]})]
    items += [cron("shop", "legacy-export", "*/10 * * * *", "shop/export:1.0.0", suspend=True, note="replaced by the event pipeline, OPS-811")]
    items += [kind("v1", "Service", "payments", "card-network", spec={"type": "ExternalName", "externalName": "gateway.example.net"})]
    job = {"backoffLimit": 2, "template": {"spec": {"restartPolicy": "Never", "containers": [container("migrate", "payments/migrate:2.3.0", "echo migrated")]}}}
    items += [kind("batch/v1", "Job", "payments", "ledger-migrate-2-3", spec=job)]
    items += [kind("v1", "ResourceQuota", "analytics", "team-data", spec={"hard": {"pods": "6", "requests.memory": "300Mi"}})]
    pod = {"containers": [container("worker", "analytics/worker:4.4.0", serve())]}
    pod["containers"][0]["resources"] = {"requests": {"memory": "64Mi"}}
    items += [deployment("analytics", "worker", 3, pod)]
    for namespace, name, replicas in [("search", "indexer", 30), ("search", "ranker", 24), ("shop", "images", 36), ("platform", "mailer", 12), ("platform", "audit", 18), ("shop", "sessions", 20)]:
        items += fleet(namespace, name, replicas)
    return items


def outage():
    # The key was renamed in the Secret, the Deployment asks for another name still.
    secret = kind("v1", "Secret", "payments", "ledger-db", stringData={"db-password": "demo-only-2"}, type="Opaque")
    job = {"backoffLimit": 3, "template": {"spec": {"restartPolicy": "Never", "containers": [container("report", "analytics/report:2026.11", "echo report")]}}}
    job["template"]["spec"]["containers"][0]["imagePullPolicy"] = "Always"
    job["template"]["spec"]["containers"][0]["image"] = "127.0.0.1:5000/analytics/report:2026.11"
    pod = {"containers": [container("worker", "analytics/worker:4.4.0", serve())]}
    pod["containers"][0]["resources"] = {"requests": {"memory": "64Mi"}}
    return [secret, ledger("password", "2.4.0"), deployment("analytics", "worker", 6, pod), kind("batch/v1", "Job", "analytics", "daily-report-29412", spec=job)]


if __name__ == "__main__":
    chosen = {"healthy": healthy, "outage": outage}[sys.argv[1]]()
    print(json.dumps({"apiVersion": "v1", "kind": "List", "items": chosen}, indent=1))
