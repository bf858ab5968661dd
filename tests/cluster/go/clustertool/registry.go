package main

import (
	"flag"
	"log"
	"net/http"
	"strings"
)

// registryMain serves an image registry that never has an image: /v2/private/... asks for
// credentials, /v2/broken/... fails, every other name is unknown. So a container runtime
// meets the real pull errors without a network.
func registryMain(args []string) {
	flags := flag.NewFlagSet("registry", flag.ExitOnError)
	listen := flags.String("listen", "127.0.0.1:5000", "address")
	parse(flags, args)
	log.Fatal(http.ListenAndServe(*listen, http.HandlerFunc(registry)))
}

func registry(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	w.Header().Set("Content-Type", "application/json")
	refuse := func(status int, code, message string) {
		w.WriteHeader(status)
		w.Write([]byte(`{"errors":[{"code":"` + code + `","message":"` + message + `"}]}`)) // nolint:errcheck
	}
	switch {
	case r.URL.Path == "/v2/": // the API exists
	case strings.HasPrefix(r.URL.Path, "/v2/private/"):
		w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
		refuse(http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
	case strings.HasPrefix(r.URL.Path, "/v2/broken/"):
		refuse(http.StatusServiceUnavailable, "UNAVAILABLE", "service unavailable")
	default:
		refuse(http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown")
	}
}
