package main

import (
	"flag"
	"fmt"
	"log"
	"sync"
	"sync/atomic"
	"time"
)

// scaleMain fills the cluster with simulated nodes and workloads; kwok plays their kubelets.
//
// The pods are created with everything their controllers would have written (owner, hash,
// labels), under names that are the same in every run. So the controller manager has to be
// stopped while this runs, or it would make pods of its own; started again it adopts these.
// With -wait it must run: this waits until all counts are as they should be.
func scaleMain(args []string) {
	flags := flag.NewFlagSet("scale", flag.ExitOnError)
	server := flags.String("server", "", "API server")
	pki := flags.String("pki", "", "directory with ca.crt, admin.crt and admin.key")
	pods := flags.Int("pods", 10_000, "number of pods")
	failing := flags.Int("failing", 0, "number of deployments that fail (default: one of 50, at least one for each fault)")
	nodes := flags.Int("nodes", 0, "number of nodes (default: one for 100 pods)")
	wait := flags.Bool("wait", false, "create nothing, wait until the controllers and kwok are done")
	parse(flags, args)
	if *failing == 0 {
		*failing = max(len(faults), *pods/podsPerDeployment/50)
	}
	if *nodes == 0 {
		*nodes = (*pods + podsPerNode - 1) / podsPerNode
	}

	a := newAPI(*server, *pki)
	plan := newPlan(*pods, *failing, *nodes)
	if *wait {
		must(a.waitForPlan(plan))
	} else {
		must(a.create(plan))
	}
}

// create creates a plan's objects; those that are there already stay as they are.
func (a *api) create(p plan) error {
	started := time.Now()
	total := 0
	for _, phase := range []struct {
		what, manager string // manager: who the managed fields say wrote the objects
		objects       []*creation
	}{
		{"nodes", "kubelet", p.nodeObjects()},
		{"namespaces", "kubectl-create", p.namespaceObjects()},
		{"objects without an owner, and deployments", "kubectl-create", p.workloadObjects()},
		{"replica sets", "kube-controller-manager", p.replicaSetObjects()}, // need the UIDs of the deployments
		{"pods", "kube-controller-manager", p.podObjects()},                // need the UIDs of the replica sets
		{"events", "kubelet", p.eventObjects()},                            // need the UIDs of the pods
	} {
		err := parallel(phase.objects, func(c *creation) error {
			uid, err := a.ensure(c.path, c.name, phase.manager, c.build())
			if c.uid != nil {
				*c.uid = uid
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("%s: %w", phase.what, err)
		}
		if phase.what == "nodes" {
			if err := until(a.nodesAreReady); err != nil {
				return err
			}
		}
		total += len(phase.objects)
		log.Printf("%6.1f s: %d %s", time.Since(started).Seconds(), len(phase.objects), phase.what)
	}
	log.Printf("%6.1f s: %d objects in all", time.Since(started).Seconds(), total)
	return nil
}

// creation is one object to create: where, and how. It is built late, when the UID of its
// owner is known; its own UID goes to *uid.
type creation struct {
	path, name string
	build      func() object
	uid        *string
}

// parallel calls do for all items, some at once, and returns an error if there was one.
func parallel[T any](items []T, do func(T) error) error {
	const workers = 32
	var next atomic.Int64
	var failure atomic.Pointer[error]
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for failure.Load() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(items) {
					return
				}
				if err := do(items[i]); err != nil {
					failure.Store(&err)
				}
			}
		})
	}
	group.Wait()
	if err := failure.Load(); err != nil {
		return *err
	}
	return nil
}

// waitForPlan waits until the deployments count all their pods, those that work count them as
// ready, and the others show their fault.
func (a *api) waitForPlan(p plan) error {
	return until(func() (bool, string, error) { return a.planState(p) })
}

// until asks for a state, every two seconds, until it is done.
func until(state func() (done bool, what string, err error)) error {
	started := time.Now()
	for {
		done, what, err := state()
		switch {
		case err != nil:
			return err
		case done:
			log.Printf("%6.1f s: %s", time.Since(started).Seconds(), what)
			return nil
		case time.Since(started) > 10*time.Minute:
			return fmt.Errorf("still only %s", what)
		}
		time.Sleep(2 * time.Second)
	}
}

// nodesAreReady tells whether kwok has taken over all nodes. Before, it lists the pods of each
// node again and again, which costs much once there are many.
func (a *api) nodesAreReady() (done bool, what string, err error) {
	var nodes struct {
		Items []struct {
			Status struct{ Phase string } // kwok sets it together with the conditions
		}
	}
	if err := a.get("/api/v1/nodes?labelSelector="+scaleLabel, &nodes); err != nil {
		return false, "", err
	}
	ready := 0
	for _, node := range nodes.Items {
		if node.Status.Phase == "Running" {
			ready++
		}
	}
	return ready == len(nodes.Items), fmt.Sprintf("%d of %d nodes ready", ready, len(nodes.Items)), nil
}

func (a *api) planState(p plan) (done bool, what string, err error) {
	var deployments struct {
		Items []struct {
			Status struct{ Replicas, ReadyReplicas int }
		}
	}
	if err := a.get("/apis/apps/v1/deployments?labelSelector="+scaleLabel, &deployments); err != nil {
		return false, "", err
	}
	pods, ready, faulty, wantReady, wantFaulty := 0, 0, 0, 0, 0
	for _, d := range deployments.Items {
		pods += d.Status.Replicas
		ready += d.Status.ReadyReplicas
	}
	for _, w := range p.workloads {
		if w.fault == "" {
			wantReady += w.replicas
			continue
		}
		wantFaulty += w.replicas
		if pods < p.pods {
			continue // don't ask for more while there is enough to do
		}
		var list struct {
			Items []struct {
				Status struct{ ContainerStatuses []struct{} }
			}
		}
		if err := a.get("/api/v1/namespaces/"+w.namespace+"/pods?labelSelector=app="+w.name, &list); err != nil {
			return false, "", err
		}
		for _, pod := range list.Items {
			faulty += len(pod.Status.ContainerStatuses)
		}
	}
	what = fmt.Sprintf("%d of %d pods, %d of %d ready, %d of %d faulty", pods, p.pods, ready, wantReady, faulty, wantFaulty)
	return pods == p.pods && ready == wantReady && faulty == wantFaulty, what, nil
}
