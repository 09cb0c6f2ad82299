"""The Helm chart against what kustomize makes: the same objects, both ways."""
