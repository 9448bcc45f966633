package main

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/clusterroleaggregation"
	"k8s.io/kubernetes/pkg/controller/namespace"
	"k8s.io/kubernetes/pkg/controller/serviceaccount"
	"sigs.k8s.io/yaml"
)

//go:embed profiles.yaml
var profiles []byte

// clients speak to the API server as its administrator.
type clients struct {
	core       kubernetes.Interface
	extensions apiextensions.Interface
	metadata   metadata.Interface
}

func newClients(kubeconfig string) (*clients, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	// The usual five requests a second are for the sake of clusters that others use, too.
	config.QPS = -1
	return build(config)
}

func build(config *rest.Config) (*clients, error) {
	core, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	extensions, err := apiextensions.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	metadata, err := metadata.NewForConfig(config)
	return &clients{core, extensions, metadata}, err
}

// get asks until the answer is 200.
func (c *clients) get(ctx context.Context, path string) error {
	var last error
	err := wait.PollUntilContextCancel(ctx, 20*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		last = c.core.Discovery().RESTClient().Get().AbsPath(path).Do(ctx).Error()
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", path, last)
	}
	return nil
}

func (c *clients) waitUntilReady(ctx context.Context) error {
	return c.get(ctx, "/readyz")
}

// applyProfiles waits until Profiles are served as well, which is a moment after their definition is stored.
func (c *clients) applyProfiles(ctx context.Context) error {
	definition := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(profiles, definition); err != nil {
		return err
	}
	_, err := c.extensions.ApiextensionsV1().CustomResourceDefinitions().Create(ctx, definition, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	for _, version := range definition.Spec.Versions {
		if err := c.get(ctx, "/apis/kubeflow.org/"+version.Name+"/profiles"); err != nil {
			return err
		}
	}
	return nil
}

// startControllers runs the few controllers of the controller manager that tests need: what fills the rules of
// aggregated ClusterRoles, what empties namespaces that are deleted, and what gives each the ServiceAccount `default`.
// They run by themselves rather than by the controller manager, whose command keeps its state in the same globals as
// the API server's, and which would double the size of this program.
func (c *clients) startControllers(ctx context.Context) error {
	shared := informers.NewSharedInformerFactory(c.core, 0)
	core := shared.Core().V1()

	roles := clusterroleaggregation.NewClusterRoleAggregation(shared.Rbac().V1().ClusterRoles(), c.core.RbacV1())
	namespaces := namespace.NewNamespaceController(ctx, c.core, c.metadata,
		c.core.Discovery().ServerPreferredNamespacedResources, core.Namespaces(), 0, corev1.FinalizerKubernetes)
	accounts, err := serviceaccount.NewServiceAccountsController(klog.FromContext(ctx), core.ServiceAccounts(),
		core.Namespaces(), c.core, serviceaccount.DefaultServiceAccountsControllerOptions())
	if err != nil {
		return err
	}
	shared.Start(ctx.Done())
	go roles.Run(ctx, 1)
	go namespaces.Run(ctx, 1)
	go accounts.Run(ctx, 1)
	return nil
}
