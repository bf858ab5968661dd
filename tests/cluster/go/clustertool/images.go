package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// image is one layer and how to run it. The archive is for "ctr images import".
type image struct {
	tags   []string
	layer  []byte
	config map[string]any
}

// imagesMain writes one docker-archive with all images of the cluster, made from two local
// programs: a static busybox and CoreDNS. Same input, same bytes.
func imagesMain(args []string) {
	flags := flag.NewFlagSet("images", flag.ExitOnError)
	out := flags.String("out", "images.tar", "archive to write")
	busybox := flags.String("busybox", "/bin/busybox", "a statically linked busybox")
	coredns := flags.String("coredns", "", "the CoreDNS binary")
	parse(flags, args)

	box := busyboxLayer(*busybox)
	must(os.WriteFile(*out, archive([]image{
		{[]string{"docker.io/library/busybox:1.36", "docker.io/library/busybox:latest"}, box,
			map[string]any{"Cmd": []string{"sh"}}},
		// A web server on port 8080, for Services and probes.
		{[]string{"docker.io/library/web:1.0"}, box,
			map[string]any{"Entrypoint": strings.Fields("httpd -f -v -p 8080 -h /www"), "ExposedPorts": map[string]any{"8080/tcp": struct{}{}}}},
		// The sandbox of each pod: it only has to stay.
		{[]string{"registry.k8s.io/pause:3.8"}, box,
			map[string]any{"Entrypoint": []string{"/bin/busybox", "sleep", "2147483647"}, "User": "65535:65535"}},
		{[]string{"registry.k8s.io/coredns/coredns:v1.14.3"}, corednsLayer(*coredns),
			map[string]any{"Entrypoint": []string{"/coredns"}}},
	}), 0o644))
}

func busyboxLayer(busybox string) []byte {
	var l layer
	for _, dir := range strings.Fields("bin dev etc home proc root sys usr usr/bin var www") {
		l.dir(dir, 0o755)
	}
	l.dir("tmp", 0o1777)
	l.dir("var/tmp", 0o1777)
	l.file("bin/busybox", 0o755, must1(os.ReadFile(busybox)))
	for _, applet := range strings.Fields(string(must1(exec.Command(busybox, "--list").Output()))) {
		if applet != "busybox" {
			l.link("bin/"+applet, "/bin/busybox")
		}
	}
	l.link("usr/bin/env", "/bin/busybox")
	l.file("etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n"))
	l.file("etc/group", 0o644, []byte("root:x:0:\nnogroup:x:65534:\n"))
	l.file("www/index.html", 0o644, []byte("ok\n"))
	return l.bytes()
}

func corednsLayer(coredns string) []byte {
	var l layer
	l.dir("etc", 0o755)
	l.dir("tmp", 0o1777)
	l.file("coredns", 0o755, must1(os.ReadFile(coredns)))
	return l.bytes()
}

// layer collects the entries of a tar archive, without owner and time.
type layer struct {
	buffer bytes.Buffer
	tar    *tar.Writer
}

func (l *layer) add(header tar.Header, content []byte) {
	if l.tar == nil {
		l.tar = tar.NewWriter(&l.buffer)
	}
	header.Size = int64(len(content))
	must(l.tar.WriteHeader(&header))
	must1(l.tar.Write(content))
}

func (l *layer) dir(name string, mode int64) {
	l.add(tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode}, nil)
}

func (l *layer) file(name string, mode int64, content []byte) {
	l.add(tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode}, content)
}

func (l *layer) link(name, target string) {
	l.add(tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}, nil)
}

func (l *layer) bytes() []byte {
	must(l.tar.Close())
	return l.buffer.Bytes()
}

func archive(images []image) []byte {
	type entry struct {
		Config           string
		RepoTags, Layers []string
	}
	var out layer
	var manifest []entry
	seen := map[string]bool{}
	put := func(name string, content []byte) {
		if !seen[name] {
			out.file(name, 0o644, content)
		}
		seen[name] = true
	}
	for _, i := range images {
		i.config["Env"] = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
		digest := fmt.Sprintf("%x", sha256.Sum256(i.layer))
		config := must1(json.Marshal(map[string]any{
			"architecture": runtime.GOARCH, "os": "linux", "created": "2024-01-01T00:00:00Z", "config": i.config,
			"rootfs":  map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + digest}},
			"history": []map[string]string{{"created": "2024-01-01T00:00:00Z", "created_by": "kubectl-react test cluster"}},
		}))
		name := fmt.Sprintf("%x.json", sha256.Sum256(config))
		put(name, config)
		put(digest+".tar", i.layer)
		manifest = append(manifest, entry{name, i.tags, []string{digest + ".tar"}})
	}
	put("manifest.json", must1(json.Marshal(manifest)))
	return out.bytes()
}
