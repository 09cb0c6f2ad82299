"""Linters of the manifests: kubeconform and kube-score judge what kustomize renders. Part of `make lint`."""
