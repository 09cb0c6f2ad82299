// What Argo CD's application controller and API server do with one object, by the functions that they call for it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/diff"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/health"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/tracing"
	"github.com/argoproj/argo-cd/v3/common"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	argodiff "github.com/argoproj/argo-cd/v3/util/argo/diff"
	"github.com/argoproj/argo-cd/v3/util/argo/normalizers"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/argoproj/argo-cd/v3/util/settings"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

type overrides = map[string]v1alpha1.ResourceOverride

type argoCD struct {
	ctx     context.Context
	kubectl *kube.KubectlCmd
	// How objects of some kinds are judged, and which of their fields count in an update of theirs.
	judged, counted overrides

	config *rest.Config
	types  *managedfields.GvkParser
	runner diff.ServerSideDryRunner
}

func newArgoCD(ctx context.Context) *argoCD {
	return &argoCD{
		ctx:     ctx,
		kubectl: &kube.KubectlCmd{Log: logr.Discard(), Tracer: tracing.NopTracer{}},
		judged:  overrides{},
	}
}

// customize judges by scripts that are given, in the form of the one key resource.customizations.
func (a *argoCD) customize(raw json.RawMessage) (any, error) {
	found := overrides{}
	if err := json.Unmarshal(raw, &found); err != nil {
		return nil, err
	}
	a.judged = found
	return slices.Sorted(maps.Keys(found)), nil
}

// connect has an API server for the ops that need one.
func (a *argoCD) connect(kubeconfig string) (any, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 200, 400
	applier, _, err := a.kubectl.ManageServerSideDiffDryRuns(config)
	if err != nil {
		return nil, err
	}
	_, types, err := a.kubectl.LoadOpenAPISchema(config)
	if err != nil {
		return nil, err
	}
	a.config, a.types, a.runner = config, types, diff.NewK8sServerSideDryRunner(applier)
	return "connected", nil
}

// readSettings judges by the ConfigMap argocd-cm of a namespace, as an Argo CD that is installed there.
func (a *argoCD) readSettings(namespace string) (any, error) {
	if a.config == nil {
		return nil, errors.New("not connected")
	}
	client, err := kubernetes.NewForConfig(a.config)
	if err != nil {
		return nil, err
	}
	ctx, done := context.WithCancel(a.ctx)
	defer done()
	manager := settings.NewSettingsManager(ctx, client, namespace)
	if a.judged, err = manager.GetResourceOverrides(); err != nil {
		return nil, err
	}
	if a.counted, err = manager.GetIgnoreResourceUpdatesOverrides(); err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(a.judged)), nil
}

func (a *argoCD) health(object *unstructured.Unstructured) (any, error) {
	return health.GetResourceHealth(object, lua.ResourceHealthOverrides(a.judged))
}

func (a *argoCD) actions(object *unstructured.Unstructured) (any, error) {
	vm := lua.VM{ResourceOverrides: a.judged}
	scripts, err := vm.GetResourceActionDiscovery(object)
	if err != nil {
		return nil, err
	}
	found, err := vm.ExecuteResourceActionDiscovery(object, scripts)
	slices.SortFunc(found, func(one, other v1alpha1.ResourceAction) int { return strings.Compare(one.Name, other.Name) })
	return found, err
}

// act returns the object as the action would have it.
func (a *argoCD) act(object *unstructured.Unstructured, name string) (any, error) {
	vm := lua.VM{ResourceOverrides: a.judged}
	action, err := vm.GetResourceAction(object, name)
	if err != nil {
		return nil, err
	}
	impacted, err := vm.ExecuteResourceAction(object, action.ActionLua, nil)
	if err != nil {
		return nil, err
	}
	if len(impacted) != 1 || impacted[0].K8SOperation != lua.PatchOperation {
		return nil, fmt.Errorf("%s does not patch the object alone", name)
	}
	return impacted[0].UnstructuredObj, nil
}

// watched returns what of an object counts: an update in which neither that nor the health's status changes refreshes
// no Application (controller/cache: generateManifestHash, skipResourceUpdate).
func (a *argoCD) watched(object *unstructured.Unstructured) (any, error) {
	if a.counted == nil {
		return nil, errors.New("no settings were read")
	}
	normalizer, err := normalizers.NewIgnoreNormalizer(nil, a.counted, normalizers.IgnoreNormalizerOpts{})
	if err != nil {
		return nil, err
	}
	return object, normalizer.Normalize(object)
}

type difference struct {
	Modified  bool            `json:"modified"`
	Live      json.RawMessage `json:"live"`
	Predicted json.RawMessage `json:"predicted"`
}

// diff compares what Git has with what is live, in one of the ways that an Application can choose.
func (a *argoCD) diff(config, live *unstructured.Unstructured, mode string) (any, error) {
	builder := argodiff.NewDiffConfigBuilder().
		WithDiffSettings(nil, a.judged, false, normalizers.IgnoreNormalizerOpts{}).
		WithTracking(common.LabelKeyAppInstance, string(v1alpha1.TrackingMethodAnnotation)).
		WithManager(common.ArgoCDSSAManager).
		WithGVKParser(a.types).
		WithNoCache()
	switch mode {
	case "three-way":
	case "structured-merge":
		builder = builder.WithStructuredMergeDiff(true)
	case "server-side":
		builder = builder.WithServerSideDiff(true).WithServerSideDryRunner(a.runner)
	default:
		return nil, fmt.Errorf("there is no diff %q", mode)
	}
	built, err := builder.Build()
	if err != nil {
		return nil, err
	}
	result, err := argodiff.StateDiff(live, config, built)
	if err != nil {
		return nil, err
	}
	return difference{result.Modified, result.NormalizedLive, result.PredictedLive}, nil
}
