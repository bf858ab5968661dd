package main

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestPlanIsTheSameInEveryRun(t *testing.T) {
	if one, two := newPlan(500, 20, 5), newPlan(500, 20, 5); !reflect.DeepEqual(one, two) {
		t.Error("two plans of one size differ")
	}
}

func TestPlanHasTheNumbersItPromises(t *testing.T) {
	for _, size := range []struct{ pods, failing, deployments, namespaces int }{
		{10_000, 20, 1000, 100},
		{500, 20, 50, 5},
		{37, 4, 4, 1},
	} {
		p := newPlan(size.pods, size.failing, 3)
		pods, failing := map[string]bool{}, 0
		for _, w := range p.workloads {
			if w.fault != "" {
				failing++
			}
			for _, pod := range w.pods {
				pods[w.namespace+"/"+pod.name] = true
			}
		}
		if len(pods) != size.pods || failing != size.failing || len(p.workloads) != size.deployments || len(p.namespaceObjects()) != size.namespaces {
			t.Errorf("%+v: %d different pods, %d failing, %d deployments, %d namespaces",
				size, len(pods), failing, len(p.workloads), len(p.namespaceObjects()))
		}
	}
}

// The controllers adopt what stands only if template, labels and owners fit.
func TestReplicaSetFitsItsDeployment(t *testing.T) {
	w := newPlan(10, 1, 1).workloads[0]
	template := func(o object) object { return o["spec"].(object)["template"].(object) }
	deployment, replicaSet := template(w.deploymentObject()), template(w.replicaSetObject())
	delete(replicaSet["metadata"].(object)["labels"].(object), "pod-template-hash")
	if !reflect.DeepEqual(deployment, replicaSet) {
		t.Errorf("the templates differ:\n%v\n%v", deployment, replicaSet)
	}
}

func TestPodIsAsLargeAsARealOne(t *testing.T) {
	w := newPlan(10, 1, 1).workloads[0]
	text, err := json.Marshal(w.podObject(w.pods[0]))
	if err != nil || len(text) < 2000 { // the server adds defaults, managed fields and the status
		t.Errorf("%d bytes, %v", len(text), err)
	}
}
