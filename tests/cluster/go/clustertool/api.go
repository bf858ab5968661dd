package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// api is a client of the API server as the admin, with the files of a PKI directory.
type api struct {
	server string
	http   *http.Client
}

func newAPI(server, pki string) *api {
	cert := must1(tls.LoadX509KeyPair(filepath.Join(pki, "admin.crt"), filepath.Join(pki, "admin.key")))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(must1(os.ReadFile(filepath.Join(pki, "ca.crt"))))
	return &api{server, &http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{
			RootCAs: pool, Certificates: []tls.Certificate{cert}}},
	}}
}

func (a *api) do(method, path string, body []byte) (int, []byte, error) {
	request := must1(http.NewRequest(method, a.server+path, bytes.NewReader(body)))
	request.Header.Set("Content-Type", "application/json")
	response, err := a.http.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// ensure creates an object below the collection path, or finds the one that is there already,
// and returns its UID.
func (a *api) ensure(path, name, manager string, object any) (string, error) {
	status, answer, err := a.do("POST", path+"?fieldManager="+manager, must1(json.Marshal(object)))
	if err == nil && status == http.StatusConflict {
		status, answer, err = a.do("GET", path+"/"+name, nil)
	}
	if err != nil {
		return "", err
	}
	if status >= 300 {
		return "", fmt.Errorf("%s/%s: %d: %.300s", path, name, status, answer)
	}
	var created struct{ Metadata struct{ UID string } }
	return created.Metadata.UID, json.Unmarshal(answer, &created)
}

// get reads a path into an answer.
func (a *api) get(path string, into any) error {
	status, answer, err := a.do("GET", path, nil)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("%s: %d: %.300s", path, status, answer)
	}
	return json.Unmarshal(answer, into)
}

// waitMain waits until a path of the API server answers "ok".
func waitMain(args []string) {
	flags := flag.NewFlagSet("wait", flag.ExitOnError)
	server := flags.String("server", "https://127.0.0.1:6443", "API server")
	pki := flags.String("pki", "", "directory with ca.crt, admin.crt and admin.key")
	path := flags.String("path", "/readyz", "path")
	timeout := flags.Duration("timeout", time.Minute, "give up after this time")
	parse(flags, args)

	a := newAPI(*server, *pki)
	a.http.Timeout = 2 * time.Second
	last := ""
	for deadline := time.Now().Add(*timeout); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		_, answer, err := a.do("GET", *path, nil)
		if err == nil && strings.TrimSpace(string(answer)) == "ok" {
			return
		}
		last = fmt.Sprintf("%v %.300s", err, answer)
	}
	log.Fatalf("%s%s is not ok after %s: %s", *server, *path, *timeout, last)
}
