package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// user is someone with a client certificate and a kubeconfig.
type user struct {
	file, name, group string
}

// people get a kubeconfig for the outside, in -out.
var people = []user{
	{"admin", "admin", "system:masters"},
	{"viewer", "viewer", ""},             // manifests/base.yaml binds it to the ClusterRole "view"
	{"nobody", "nobody", ""},             // bound to nothing: every read is forbidden
	{"react-reader", "react-reader", ""}, // bound to nothing here: a test binds its own role to it
}

// daemons get a kubeconfig for the inside, in -pki.
func daemons(node string) []user {
	return []user{
		{"kube-controller-manager", "system:kube-controller-manager", ""},
		{"kube-scheduler", "system:kube-scheduler", ""},
		{"kube-proxy", "system:kube-proxy", ""},
		{"kubelet", "system:node:" + node, "system:nodes"},
		{"kwok", "kwok", "system:masters"},
		{"metrics-server", "metrics-server", "system:masters"},
	}
}

// pkiMain writes all keys and certificates of the cluster, and a kubeconfig for each user.
func pkiMain(args []string) {
	flags := flag.NewFlagSet("pki", flag.ExitOnError)
	pki := flags.String("pki", "", "directory for keys, certificates and the daemons' kubeconfigs")
	out := flags.String("out", "", "directory for the people's kubeconfigs")
	inside := flags.String("inside", "https://127.0.0.1:6443", "API server as the daemons see it")
	outside := flags.String("outside", "https://127.0.0.1:16443", "API server as people see it")
	node := flags.String("node", "node-1", "node name")
	nodeIP := flags.String("node-ip", "", "node IP")
	simulatedIP := flags.String("simulated-ip", "", "IP of the simulated nodes")
	serviceIP := flags.String("service-ip", "", "first IP of the Service range")
	parse(flags, args)
	must(os.MkdirAll(*pki, 0o700))

	ca := newAuthority("test-cluster-ca")
	ca.save(*pki, "ca")
	ca.server("kube-apiserver", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
		"kubernetes.default.svc.cluster.local", "127.0.0.1", *serviceIP, *nodeIP).save(*pki, "apiserver")
	ca.server("system:node:"+*node, *node, "localhost", "127.0.0.1", *nodeIP).save(*pki, "kubelet-server")
	ca.server("kwok", *simulatedIP).save(*pki, "kwok-server")
	ca.client("kube-apiserver-kubelet-client", "system:masters").save(*pki, "apiserver-kubelet-client")
	ca.client("front-proxy-client", "").save(*pki, "front-proxy-client")
	saveServiceAccountKey(*pki)

	for _, u := range daemons(*node) {
		c := ca.client(u.name, u.group)
		write(*pki, u.file+".kubeconfig", kubeconfig(*inside, ca, u.name, c))
	}
	for _, u := range people {
		c := ca.client(u.name, u.group)
		if u.file == "admin" {
			c.save(*pki, "admin")
			// The server is right, but this kubeconfig trusts someone else.
			write(*out, "wrong-ca.kubeconfig", kubeconfig(*outside, newAuthority("unrelated-ca"), u.name, c))
		}
		write(*out, u.file+".kubeconfig", kubeconfig(*outside, ca, u.name, c))
	}
	past := ca.issue(pkix.Name{CommonName: "expired"}, nil, time.Now().AddDate(0, 0, -30), time.Now().AddDate(0, 0, -1))
	write(*out, "expired.kubeconfig", kubeconfig(*outside, ca, "expired", past))
}

// identity is a key with its certificate.
type identity struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(name string) identity {
	key := must1(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	t := template(pkix.Name{CommonName: name}, time.Now().Add(-time.Hour), time.Now().AddDate(5, 0, 0))
	t.IsCA, t.KeyUsage, t.ExtKeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature, nil
	return identity{key, sign(t, t, &key.PublicKey, key)}
}

// server issues a serving certificate for host names and IPs.
func (ca identity) server(name string, hosts ...string) identity {
	return ca.issue(pkix.Name{CommonName: name}, hosts, time.Now().Add(-time.Hour), time.Now().AddDate(2, 0, 0))
}

// client issues a certificate for a user, in a group unless that is empty.
func (ca identity) client(name, group string) identity {
	subject := pkix.Name{CommonName: name}
	if group != "" {
		subject.Organization = []string{group}
	}
	return ca.issue(subject, nil, time.Now().Add(-time.Hour), time.Now().AddDate(2, 0, 0))
}

func (ca identity) issue(subject pkix.Name, hosts []string, from, until time.Time) identity {
	key := must1(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	t := template(subject, from, until)
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, host)
		}
	}
	return identity{key, sign(t, ca.cert, &key.PublicKey, ca.key)}
}

func template(subject pkix.Name, from, until time.Time) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: must1(rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))),
		Subject:      subject, NotBefore: from, NotAfter: until,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
}

func sign(t, parent *x509.Certificate, public *ecdsa.PublicKey, signer *ecdsa.PrivateKey) *x509.Certificate {
	return must1(x509.ParseCertificate(must1(x509.CreateCertificate(rand.Reader, t, parent, public, signer))))
}

func (i identity) certPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.cert.Raw})
}

func (i identity) keyPEM() []byte { return keyPEM(i.key) }

func keyPEM(key *ecdsa.PrivateKey) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: must1(x509.MarshalECPrivateKey(key))})
}

func (i identity) save(dir, name string) {
	write(dir, name+".crt", i.certPEM())
	write(dir, name+".key", i.keyPEM())
}

func saveServiceAccountKey(dir string) {
	key := must1(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	write(dir, "sa.key", keyPEM(key))
	write(dir, "sa.pub", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must1(x509.MarshalPKIXPublicKey(&key.PublicKey))}))
}

func kubeconfig(server string, ca identity, name string, client identity) []byte {
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters:
- name: test-cluster
  cluster:
    server: %s
    certificate-authority-data: %s
users:
- name: %s
  user:
    client-certificate-data: %s
    client-key-data: %s
contexts:
- name: test-cluster
  context: {cluster: test-cluster, user: %s}
current-context: test-cluster
`, server, b64(ca.certPEM()), name, b64(client.certPEM()), b64(client.keyPEM()), name)
}

func write(dir, name string, content []byte) {
	must(os.WriteFile(filepath.Join(dir, name), content, 0o600))
}
