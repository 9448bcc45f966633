package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/csv"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/cert"
)

// admin may do everything: Kubernetes asks no authorizer about its group.
var admin = user{name: "admin", groups: []string{"system:masters"}}

// access is what a test is told.
type access struct {
	URL        string            `json:"url"`
	CA         string            `json:"ca"`
	Token      string            `json:"token"`
	Kubeconfig string            `json:"kubeconfig"`
	Users      map[string]string `json:"users"`
}

// files are the paths of what is in the folder.
type files struct {
	access
	etcd              string
	certificate, key  string
	serviceAccountKey string
	tokens            string
	kubeconfig        string
}

// writeFiles makes what is not there yet. The tokens and the kubeconfig are written anew, the former keeping the
// tokens that were given out before.
func writeFiles(dir, url string, users users) (*files, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	made := &files{
		etcd:              in("etcd"),
		certificate:       in("tls.crt"),
		key:               in("tls.key"),
		serviceAccountKey: in("service-accounts.key"),
		tokens:            in("tokens.csv"),
		kubeconfig:        in("kubeconfig"),
		access:            access{URL: url, CA: in("ca.crt"), Kubeconfig: in("kubeconfig")},
	}
	if missing(made.key) {
		if err := writeCertificates(made); err != nil {
			return nil, fmt.Errorf("the certificate: %w", err)
		}
	}
	if missing(made.serviceAccountKey) {
		if err := writeServiceAccountKey(made.serviceAccountKey); err != nil {
			return nil, fmt.Errorf("the key of service accounts: %w", err)
		}
	}
	tokens, err := writeTokens(made.tokens, append(users, admin))
	if err != nil {
		return nil, fmt.Errorf("the tokens: %w", err)
	}
	made.access.Token = tokens[admin.name]
	delete(tokens, admin.name)
	made.access.Users = tokens
	return made, writeKubeconfig(made.access)
}

func missing(file string) bool {
	_, err := os.Stat(file)
	return errors.Is(err, fs.ErrNotExist)
}

// writeCertificates has the authority in a file of its own: clients in Rust refuse a server's certificate that is its
// own root.
func writeCertificates(files *files) error {
	chain, key, err := cert.GenerateSelfSignedCertKey("localhost", []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
	if err != nil {
		return err
	}
	_, authority := pem.Decode(chain)
	return errors.Join(
		os.WriteFile(files.CA, authority, 0o600),
		os.WriteFile(files.certificate, chain, 0o600),
		os.WriteFile(files.key, key, 0o600),
	)
}

func writeServiceAccountKey(file string) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	return os.WriteFile(file, pem.EncodeToMemory(block), 0o600)
}

// writeTokens gives the token of each user. The columns are the API server's: token, name, uid, and perhaps
// groups.
func writeTokens(file string, users users) (map[string]string, error) {
	before := map[string]string{}
	if old, err := os.Open(file); err == nil {
		defer old.Close()
		reader := csv.NewReader(old)
		reader.FieldsPerRecord = -1
		rows, err := reader.ReadAll()
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			before[row[1]] = row[0]
		}
	}
	tokens, rows := map[string]string{}, [][]string{}
	for _, user := range users {
		if _, twice := tokens[user.name]; twice {
			return nil, fmt.Errorf("there are two users %q; %q is always there", user.name, admin.name)
		}
		token := before[user.name]
		if token == "" {
			token = rand.Text()
		}
		tokens[user.name] = token
		row := []string{token, user.name, user.name}
		// An empty column would be a group with an empty name.
		if len(user.groups) > 0 {
			row = append(row, strings.Join(user.groups, ","))
		}
		rows = append(rows, row)
	}
	text := &strings.Builder{}
	if err := csv.NewWriter(text).WriteAll(rows); err != nil {
		return nil, err
	}
	return tokens, os.WriteFile(file, []byte(text.String()), 0o600)
}

func writeKubeconfig(access access) error {
	config := api.NewConfig()
	config.Clusters["test"] = &api.Cluster{Server: access.URL, CertificateAuthority: access.CA}
	config.AuthInfos[admin.name] = &api.AuthInfo{Token: access.Token}
	config.Contexts["test"] = &api.Context{Cluster: "test", AuthInfo: admin.name}
	config.CurrentContext = "test"
	return clientcmd.WriteToFile(*config, access.Kubeconfig)
}
