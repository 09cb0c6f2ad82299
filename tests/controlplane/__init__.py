"""A real Kubernetes control plane for the tests and the demo: etcd, kube-apiserver, kube-controller-manager, kubectl."""

from tests.controlplane.cluster import ControlPlane

__all__ = ["ControlPlane"]
