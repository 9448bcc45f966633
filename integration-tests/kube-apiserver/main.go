// kube-apiserver runs a real Kubernetes API server in one process, for tests: etcd, the API server itself, and those
// controllers without which what it stores would not mean what it means in a cluster.
//
//	kube-apiserver --data DIR [--port N] [--user NAME[=GROUP,...]]...
//
// It listens on loopback alone. Once everything answers it prints one line of JSON on stdout: url, ca (a PEM file),
// token (of an administrator), kubeconfig (a file), and users (the token of each). What it logs goes to stderr.
//
// It ends on SIGTERM, on SIGINT, and when its stdin is closed, which happens even if whoever started it is killed.
// Started again on the same folder it has the same objects, keys and tokens; with --port, also the same address.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const (
	startTime = time.Minute
	// It would wait a minute for clients that hold watches open.
	stopTime = 2 * time.Second
)

func main() {
	dir := flag.String("data", "", "the folder of everything it writes; made if it is missing")
	port := flag.Int("port", 0, "the port of the API; 0 for any free one")
	var users users
	flag.Var(&users, "user", "a user and perhaps groups, `NAME[=GROUP,...]`, with a token of its own; may be repeated")
	flag.Parse()
	if *dir == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*dir, *port, users); err != nil {
		fmt.Fprintf(os.Stderr, "kube-apiserver: %v\n", err)
		os.Exit(1)
	}
}

type user struct {
	name   string
	groups []string
}

type users []user

func (u *users) String() string { return "" }

func (u *users) Set(text string) error {
	name, groups, _ := strings.Cut(text, "=")
	// Both go into a CSV file that has a meaning for commas and quotes.
	if name == "" || strings.ContainsAny(text, "\"\n") || strings.Contains(name, ",") {
		return errors.New("not of the form NAME[=GROUP,...]")
	}
	one := user{name: name}
	if groups != "" {
		one.groups = strings.Split(groups, ",")
	}
	*u = append(*u, one)
	return nil
}

func run(dir string, port int, users users) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	go func() {
		io.Copy(io.Discard, os.Stdin)
		stop()
	}()

	// The port is taken here and handed over, so that nobody else can have it in between.
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return fmt.Errorf("the API's port: %w", err)
	}
	files, err := writeFiles(dir, "https://"+listener.Addr().String(), users)
	if err != nil {
		return err
	}
	etcd, err := startEtcd(ctx, files.etcd)
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}

	serving := make(chan error, 1)
	go func() { serving <- serve(ctx, files, listener, "http://"+etcd.Clients[0].Addr().String()) }()
	ready := make(chan error, 1)
	go func() { ready <- prepare(ctx, files) }()
	select {
	case err = <-serving:
		return errors.Join(errors.New("the API server ended before it was ready"), err)
	case err = <-ready:
	}
	if err != nil && ctx.Err() == nil {
		return err
	}
	if ctx.Err() == nil {
		json.NewEncoder(os.Stdout).Encode(files.access)
	}

	select {
	case err = <-serving:
	case <-ctx.Done():
		select {
		case err = <-serving:
		case <-time.After(stopTime):
		}
	}
	if ctx.Err() == nil {
		return errors.Join(errors.New("the API server ended by itself"), err)
	}
	// etcd needs no farewell: what it acknowledged is in its log.
	return nil
}

// prepare waits for the API, and adds to it what a cluster has besides. Its controllers run while it is served.
func prepare(serving context.Context, files *files) error {
	ctx, cancel := context.WithTimeout(serving, startTime)
	defer cancel()
	clients, err := newClients(files.kubeconfig)
	if err != nil {
		return err
	}
	if err := clients.waitUntilReady(ctx); err != nil {
		return fmt.Errorf("the API server is not ready after %s: %w", startTime, err)
	}
	if err := clients.applyProfiles(ctx); err != nil {
		return fmt.Errorf("the CustomResourceDefinition of Profiles: %w", err)
	}
	return clients.startControllers(serving)
}
