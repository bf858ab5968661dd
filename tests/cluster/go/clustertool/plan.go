package main

import (
	"fmt"
	"hash/fnv"
	"time"
)

const (
	// faultAnnotation makes kwok (kwok/stages.yaml) show a pod as failing in this way.
	faultAnnotation = "test.kubectl-react.dev/fault"
	// scaleLabel is on every object of a plan that people look for.
	scaleLabel = "test.kubectl-react.dev/scale"

	podsPerDeployment       = 10
	deploymentsPerNamespace = 10
	podsPerNode             = 100
)

var (
	faults = []string{"crashloop", "imagepull", "oom", "unready"}
	apps   = [deploymentsPerNamespace]string{"auth", "billing", "cart", "catalog", "gateway", "mailer", "orders", "search", "web", "worker"}
)

// plan is a cluster full of workloads. It depends on its three numbers only.
type plan struct {
	pods, nodes int
	workloads   []*workload
}

// workload is one Deployment with its ReplicaSet, pods, Service, ConfigMap and Secret.
type workload struct {
	namespace, name string
	replicas        int
	fault           string // of all its pods; empty: none
	deploymentUID   string
	replicaSetUID   string
	pods            []*pod
}

type pod struct {
	name, node, uid string
}

func newPlan(pods, failing, nodes int) plan {
	p := plan{pods: pods, nodes: nodes}
	count := (pods + podsPerDeployment - 1) / podsPerDeployment
	failing = min(failing, count)
	for i := range count {
		w := &workload{
			namespace: fmt.Sprintf("shop-%03d", i/deploymentsPerNamespace),
			name:      apps[i%deploymentsPerNamespace],
			replicas:  min(podsPerDeployment, pods-i*podsPerDeployment),
		}
		for j := range w.replicas {
			suffix := safeHash(fmt.Sprint(w.namespace, w.name, j), 5)
			w.pods = append(w.pods, &pod{name: w.replicaSet() + "-" + suffix, node: nodeName((i*podsPerDeployment + j) % nodes)})
		}
		p.workloads = append(p.workloads, w)
	}
	for k := range failing { // spread evenly over the namespaces, and not always the same app
		gap := count / failing
		p.workloads[k*count/failing+k%gap].fault = faults[k%len(faults)]
	}
	return p
}

func nodeName(i int) string { return fmt.Sprintf("sim-%03d", i) }

func (w *workload) replicaSet() string { return w.name + "-" + w.hash() }

// hash stands for the hash of the pod template. The controller finds a ReplicaSet by its
// template, not by this.
func (w *workload) hash() string { return safeHash(w.namespace+"/"+w.name, 10) }

// safeHash spells a hash as Kubernetes does in names of pods.
func safeHash(text string, length int) string {
	const letters = "bcdfghjklmnpqrstvwxz2456789"
	h := fnv.New64a()
	h.Write([]byte(text))
	sum := h.Sum64()
	out := make([]byte, length)
	for i := range out {
		out[i] = letters[sum%uint64(len(letters))]
		sum /= uint64(len(letters))
	}
	return string(out)
}

// object is a Kubernetes object, or a part of one, as in JSON.
type (
	object = map[string]any
	list   = []any
)

func (p plan) nodeObjects() (out []*creation) {
	capacity := object{"cpu": "32", "memory": "128Gi", "pods": "250"}
	for i := range p.nodes {
		name := nodeName(i)
		out = append(out, &creation{path: "/api/v1/nodes", name: name, build: func() object {
			return object{
				"metadata": object{
					"name":        name,
					"annotations": object{"kwok.x-k8s.io/node": "fake"},
					"labels": object{
						"type": "kwok", scaleLabel: "",
						"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
						"topology.kubernetes.io/zone":      "zone-" + string(rune('a'+i%3)),
						"node.kubernetes.io/instance-type": "simulated",
					},
				},
				"spec":   object{"taints": list{object{"key": "kwok.x-k8s.io/node", "value": "fake", "effect": "NoSchedule"}}},
				"status": object{"capacity": capacity, "allocatable": capacity},
			}
		}})
	}
	return out
}

// namespaceObjects makes the namespaces, and the service account without which no pod is admitted.
func (p plan) namespaceObjects() (out []*creation) {
	for i, w := range p.workloads {
		if i%deploymentsPerNamespace == 0 {
			out = append(out, &creation{path: "/api/v1/namespaces", name: w.namespace, build: func() object {
				return object{"metadata": object{"name": w.namespace, "labels": object{scaleLabel: "", "team": w.namespace}}}
			}})
		}
	}
	return out
}

func (p plan) workloadObjects() (out []*creation) {
	for i, w := range p.workloads {
		namespace := "/api/v1/namespaces/" + w.namespace
		if i%deploymentsPerNamespace == 0 {
			out = append(out, &creation{path: namespace + "/serviceaccounts", name: "default", build: func() object {
				return object{"metadata": object{"name": "default"}}
			}})
		}
		out = append(out,
			&creation{path: namespace + "/configmaps", name: w.configMap(), build: w.configMapObject},
			&creation{path: namespace + "/secrets", name: w.secret(), build: w.secretObject},
			&creation{path: namespace + "/services", name: w.name, build: w.serviceObject},
			&creation{path: "/apis/apps/v1/namespaces/" + w.namespace + "/deployments", name: w.name, build: w.deploymentObject, uid: &w.deploymentUID})
	}
	return out
}

func (p plan) replicaSetObjects() (out []*creation) {
	for _, w := range p.workloads {
		out = append(out, &creation{path: "/apis/apps/v1/namespaces/" + w.namespace + "/replicasets",
			name: w.replicaSet(), build: w.replicaSetObject, uid: &w.replicaSetUID})
	}
	return out
}

func (p plan) podObjects() (out []*creation) {
	for _, w := range p.workloads {
		for _, pod := range w.pods {
			out = append(out, &creation{path: "/api/v1/namespaces/" + w.namespace + "/pods",
				name: pod.name, build: func() object { return w.podObject(pod) }, uid: &pod.uid})
		}
	}
	return out
}

// eventObjects makes one Warning for each failing pod, as its kubelet would.
func (p plan) eventObjects() (out []*creation) {
	for _, w := range p.workloads {
		for _, pod := range w.pods {
			if w.fault != "" {
				name := pod.name + "." + w.fault
				out = append(out, &creation{path: "/api/v1/namespaces/" + w.namespace + "/events",
					name: name, build: func() object { return w.eventObject(pod, name) }})
			}
		}
	}
	return out
}

func (w *workload) configMap() string { return w.name + "-config" }
func (w *workload) secret() string    { return w.name + "-credentials" }

func (w *workload) image() string {
	tag := "v2.4.1"
	if w.fault == "imagepull" {
		tag = "v2.4.1-rc7" // was never pushed
	}
	return "registry.example.com/shop/" + w.name + ":" + tag
}

func (w *workload) labels() object {
	return object{
		"app":                       w.name,
		"app.kubernetes.io/name":    w.name,
		"app.kubernetes.io/version": "2.4.1",
		scaleLabel:                  "",
	}
}

func (w *workload) podLabels() object {
	labels := w.labels()
	labels["pod-template-hash"] = w.hash()
	return labels
}

func (w *workload) podAnnotations() object {
	annotations := object{
		"checksum/config":      fmt.Sprintf("%064x", len(w.namespace+w.name)),
		"prometheus.io/scrape": "true",
	}
	if w.fault != "" {
		annotations[faultAnnotation] = w.fault
	}
	return annotations
}

func (w *workload) configMapObject() object {
	properties := ""
	for i := range 30 {
		properties += fmt.Sprintf("%s.feature-%02d.enabled=%t\n", w.name, i, i%3 == 0)
	}
	return object{
		"metadata": object{"name": w.configMap(), "labels": w.labels()},
		"data":     object{"LOG_LEVEL": "info", "CACHE_TTL": "300s", "application.properties": properties},
	}
}

func (w *workload) secretObject() object {
	return object{
		"metadata":   object{"name": w.secret(), "labels": w.labels()},
		"type":       "Opaque",
		"stringData": object{"username": w.name, "password": "not-a-secret-" + w.hash(), "ca.crt": "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"},
	}
}

func (w *workload) serviceObject() object {
	return object{
		"metadata": object{"name": w.name, "labels": w.labels()},
		"spec": object{"selector": object{"app": w.name}, "ports": list{
			object{"name": "http", "port": 80, "targetPort": "http"},
			object{"name": "metrics", "port": 9090, "targetPort": "metrics"}}},
	}
}

func (w *workload) selector(extra ...string) object {
	labels := object{"app": w.name}
	for _, hash := range extra {
		labels["pod-template-hash"] = hash
	}
	return object{"matchLabels": labels}
}

func (w *workload) deploymentObject() object {
	return object{
		"metadata": object{"name": w.name, "labels": w.labels(), "annotations": object{"deployment.kubernetes.io/revision": "1"}},
		"spec": object{
			"replicas": w.replicas, "selector": w.selector(),
			"template": object{"metadata": object{"labels": w.labels(), "annotations": w.podAnnotations()}, "spec": w.podSpec()},
		},
	}
}

func (w *workload) replicaSetObject() object {
	return object{
		"metadata": object{
			"name": w.replicaSet(), "labels": w.podLabels(),
			"annotations": object{
				"deployment.kubernetes.io/revision":         "1",
				"deployment.kubernetes.io/desired-replicas": fmt.Sprint(w.replicas),
				"deployment.kubernetes.io/max-replicas":     fmt.Sprint(w.replicas + (w.replicas+3)/4),
			},
			"ownerReferences": owner("Deployment", w.name, w.deploymentUID),
		},
		"spec": object{
			"replicas": w.replicas, "selector": w.selector(w.hash()),
			"template": object{"metadata": object{"labels": w.podLabels(), "annotations": w.podAnnotations()}, "spec": w.podSpec()},
		},
	}
}

func (w *workload) podObject(p *pod) object {
	spec := w.podSpec()
	spec["nodeName"] = p.node
	return object{
		"metadata": object{
			"name": p.name, "generateName": w.replicaSet() + "-", "labels": w.podLabels(), "annotations": w.podAnnotations(),
			"ownerReferences": owner("ReplicaSet", w.replicaSet(), w.replicaSetUID),
		},
		"spec": spec,
	}
}

func owner(kind, name, uid string) list {
	return list{object{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid, "controller": true, "blockOwnerDeletion": true}}
}

func (w *workload) podSpec() object {
	from := func(kind, name, key string) object { return object{kind: object{"name": name, "key": key}} }
	field := func(path string) object { return object{"fieldRef": object{"fieldPath": path}} }
	probe := func(path string, period int) object {
		return object{"httpGet": object{"path": path, "port": "http"}, "periodSeconds": period, "timeoutSeconds": 2, "failureThreshold": 3}
	}
	return object{
		"nodeSelector":                  object{"type": "kwok"},
		"tolerations":                   list{object{"key": "kwok.x-k8s.io/node", "operator": "Exists", "effect": "NoSchedule"}},
		"terminationGracePeriodSeconds": 30,
		"securityContext":               object{"runAsNonRoot": true, "runAsUser": 10001, "fsGroup": 10001, "seccompProfile": object{"type": "RuntimeDefault"}},
		"volumes": list{
			object{"name": "config", "configMap": object{"name": w.configMap()}},
			object{"name": "credentials", "secret": object{"secretName": w.secret(), "defaultMode": 256}},
			object{"name": "cache", "emptyDir": object{"sizeLimit": "256Mi"}},
		},
		"containers": list{object{
			"name": "app", "image": w.image(), "imagePullPolicy": "IfNotPresent",
			"args":  list{"--config=/etc/app/application.properties", "--listen=:8080", "--metrics=:9090"},
			"ports": list{object{"name": "http", "containerPort": 8080}, object{"name": "metrics", "containerPort": 9090}},
			"env": list{
				object{"name": "POD_NAME", "valueFrom": field("metadata.name")},
				object{"name": "DATABASE_HOST", "value": "postgres." + w.namespace + ".example.com"},
				object{"name": "DATABASE_PASSWORD", "valueFrom": from("secretKeyRef", w.secret(), "password")},
				object{"name": "LOG_LEVEL", "valueFrom": from("configMapKeyRef", w.configMap(), "LOG_LEVEL")},
			},
			"resources":      object{"requests": object{"cpu": "100m", "memory": "128Mi"}, "limits": object{"memory": "256Mi"}},
			"readinessProbe": probe("/ready", 10),
			"livenessProbe":  probe("/healthz", 20),
			"volumeMounts": list{
				object{"name": "config", "mountPath": "/etc/app", "readOnly": true},
				object{"name": "credentials", "mountPath": "/etc/credentials", "readOnly": true},
				object{"name": "cache", "mountPath": "/var/cache/app"},
			},
			"securityContext": object{"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": object{"drop": list{"ALL"}}},
		}},
	}
}

func (w *workload) eventObject(p *pod, name string) object {
	reason, message := "BackOff", fmt.Sprintf("Back-off restarting failed container app in pod %s_%s(%s)", p.name, w.namespace, p.uid)
	switch w.fault {
	case "imagepull":
		reason, message = "Failed", fmt.Sprintf("Failed to pull image %q: rpc error: code = NotFound desc = failed to pull and unpack image %q: not found", w.image(), w.image())
	case "unready":
		reason, message = "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"
	}
	now := time.Now().UTC()
	return object{
		"metadata": object{"name": name},
		"involvedObject": object{"apiVersion": "v1", "kind": "Pod", "namespace": w.namespace, "name": p.name, "uid": p.uid,
			"fieldPath": "spec.containers{app}"},
		"type": "Warning", "reason": reason, "message": message, "count": 37,
		"source":         object{"component": "kubelet", "host": p.node},
		"firstTimestamp": now.Add(-20 * time.Minute).Format(time.RFC3339), "lastTimestamp": now.Format(time.RFC3339),
	}
}
