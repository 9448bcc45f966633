package main

import (
	"context"
	"net"
	"strconv"

	"github.com/spf13/pflag"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/client-go/rest"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

const issuer = "https://kubernetes.default.svc"

// serve runs the API server until the context ends. Its options are those of the program of that name; only the
// listener, which has no flag, is why the program's own command is not used.
func serve(ctx context.Context, files *files, listener net.Listener, etcd string) error {
	opts := options.NewServerRunOptions()
	flags := pflag.NewFlagSet("kube-apiserver", pflag.ContinueOnError)
	named := opts.Flags()
	for _, set := range named.FlagSets {
		flags.AddFlagSet(set)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := flags.Parse([]string{
		"--etcd-servers=" + etcd,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(port),
		"--tls-cert-file=" + files.certificate,
		"--tls-private-key-file=" + files.key,
		"--service-cluster-ip-range=10.0.0.0/24",
		// Endpoints may not be on loopback, and nothing looks for the API server in the Service `kubernetes`.
		"--endpoint-reconciler-type=none",
		"--authorization-mode=RBAC",
		// Pods may be made as soon as their namespace is there; nothing runs them.
		"--disable-admission-plugins=ServiceAccount",
		"--token-auth-file=" + files.tokens,
		"--service-account-issuer=" + issuer,
		"--service-account-signing-key-file=" + files.serviceAccountKey,
		"--service-account-key-file=" + files.serviceAccountKey,
		"--api-audiences=" + issuer + ",pipelines.kubeflow.org",
	}); err != nil {
		return err
	}
	opts.SecureServing.Listener = listener
	if err := opts.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return err
	}
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	completed, err := opts.Complete(ctx)
	if err != nil {
		return err
	}
	if errs := completed.Validate(); len(errs) > 0 {
		return utilerrors.NewAggregate(errs)
	}
	return app.Run(ctx, completed)
}
