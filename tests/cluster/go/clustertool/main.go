// Clustertool holds what the test cluster needs and no package offers.
// Each subcommand is one file; it uses the standard library and golang.org/x/sys only.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
)

var commands = map[string]func(args []string){
	"images":   imagesMain,   // write the archive of the cluster's images
	"pki":      pkiMain,      // write certificates and kubeconfigs
	"registry": registryMain, // an image registry that has no image
	"run":      runMain,      // run a command as PID 1 of new namespaces and forward a port into them
	"scale":    scaleMain,    // fill the cluster with simulated workloads
	"wait":     waitMain,     // wait until an API path answers "ok"
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("clustertool: ")
	if len(os.Args) > 1 {
		if command, ok := commands[os.Args[1]]; ok {
			command(os.Args[2:])
			return
		}
	}
	names := []string{}
	for name := range commands {
		names = append(names, name)
	}
	slices.Sort(names)
	fmt.Fprintln(os.Stderr, "usage: clustertool COMMAND [-h]; commands:", names)
	os.Exit(2)
}

// parse parses args with flags that exit on error, and returns what is left.
func parse(flags *flag.FlagSet, args []string) []string {
	must(flags.Parse(args))
	return flags.Args()
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func must1[T any](value T, err error) T {
	must(err)
	return value
}
