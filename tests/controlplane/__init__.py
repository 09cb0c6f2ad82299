"""A real Kubernetes control plane for the tests and the demo."""

from tests.controlplane.cluster import ControlPlane

__all__ = ["ControlPlane"]
