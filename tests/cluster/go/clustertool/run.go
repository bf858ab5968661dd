package main

import (
	"flag"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// runMain is the one process of the cluster outside of the cluster's namespaces. It runs a
// command as PID 1 of new mount, network, PID, UTS and IPC namespaces, and forwards a local
// port into them.
//
// Invariant: this process and the namespaces live and die together. PID 1 is killed when this
// process ends in any way, and with PID 1 the kernel ends every process and mount inside.
func runMain(args []string) {
	flags := flag.NewFlagSet("run", flag.ExitOnError)
	data := flags.String("data", "", "directory for supervisor.lock (held while running) and init.pid")
	listen := flags.String("listen", "127.0.0.1:16443", "address to listen on, outside")
	to := flags.String("to", "127.0.0.1:6443", "literal IP:port to forward to, inside")
	grace := flags.Duration("grace", 10*time.Second, "time between TERM and KILL of the command")
	command := parse(flags, args)

	holdLock(filepath.Join(*data, "supervisor.lock"))
	listener := must1(net.Listen("tcp", *listen))

	// Pdeathsig is sent when the *thread* that started the child ends: keep it.
	runtime.LockOSThread()
	child := exec.Command(command[0], command[1:]...)
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC,
		Setsid:     true,
		Pdeathsig:  unix.SIGKILL,
	}
	must(child.Start())
	pid := strconv.Itoa(child.Process.Pid)
	must(os.WriteFile(filepath.Join(*data, "init.pid"), []byte(pid+"\n"), 0o644))

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, unix.SIGTERM, unix.SIGINT)
	go func() {
		<-stop
		child.Process.Signal(unix.SIGTERM) // nolint:errcheck
		time.Sleep(*grace)
		child.Process.Kill() // nolint:errcheck
	}()
	go forward(listener, dialerInside("/proc/"+pid+"/ns/net"), *to)

	err := child.Wait()
	log.Printf("PID 1 ended: %v", err)
	if err != nil {
		os.Exit(1)
	}
}

// holdLock takes an exclusive lock that the kernel drops when this process ends. Others learn
// from it whether the cluster runs: unlike a PID file it can't name a stranger.
func holdLock(path string) {
	fd := must1(unix.Open(path, unix.O_CREAT|unix.O_RDWR|unix.O_CLOEXEC, 0o644)) // never closed
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		log.Fatalf("another supervisor holds %s", path)
	}
	must(unix.Ftruncate(fd, 0))
	must1(unix.Write(fd, []byte(strconv.Itoa(os.Getpid())+"\n")))
}

type dialer func(address string) (net.Conn, error)

// dialerInside returns a dialer whose sockets are made in another network namespace.
func dialerInside(namespace string) dialer {
	type result struct {
		conn net.Conn
		err  error
	}
	type request struct {
		address string
		answer  chan result
	}
	requests := make(chan request)
	go func() {
		runtime.LockOSThread() // only this thread moves into the namespace
		fd := must1(unix.Open(namespace, unix.O_RDONLY|unix.O_CLOEXEC, 0))
		must(unix.Setns(fd, unix.CLONE_NEWNET))
		for r := range requests {
			conn, err := net.Dial("tcp", r.address) // a literal IP: no other thread is asked
			r.answer <- result{conn, err}
		}
	}()
	return func(address string) (net.Conn, error) {
		r := request{address, make(chan result)}
		requests <- r
		answer := <-r.answer
		return answer.conn, answer.err
	}
}

func forward(listener net.Listener, dial dialer, to string) {
	for {
		outer := must1(listener.Accept())
		go func() {
			defer outer.Close()
			inner, err := dial(to)
			if err != nil {
				return // the client sees a closed connection, as with any server that is down
			}
			defer inner.Close()
			go copyThenClose(inner, outer)
			copyThenClose(outer, inner)
		}()
	}
}

func copyThenClose(to, from net.Conn) {
	io.Copy(to, from)              // nolint:errcheck
	to.(*net.TCPConn).CloseWrite() // nolint:errcheck
}
