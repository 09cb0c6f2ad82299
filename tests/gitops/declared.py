"""A RelayTask that Git has: synced in either of Argo CD's ways, and compared with what is live by its code.

Each change by anybody but the operator goes through here, so that what else changed was the operator.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from tests.gitops.gitopscheck import Diff, GitopsCheck
from tests.stage.footprint import trespasses
from tests.stage.objects import wait_for
from tests.stage.tenant import Relay
from tests.stage.vendors import Customer

ARGO = "argocd-controller"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
TRACKING = "argocd.argoproj.io/tracking-id"
OWN_FINALIZER = "livetask.dev/stop"
OTHER_FINALIZER = "example.com/backup"

How = Literal["client", "server"]
DIFFS: Mapping[How, tuple[Diff, ...]] = {
    "client": ("three-way", "server-side"),
    "server": ("structured-merge", "server-side"),
}
"""What an Application that syncs in this way can compare with."""


class Declared:
    """One object; `how`: by client-side or by server-side apply."""

    def __init__(self, customer: Customer, name: str, how: How) -> None:
        self.customer, self.how = customer, how
        self.relay = Relay(customer, name)
        self.git: dict[str, Any] = {
            "apiVersion": "livetask.dev/v1alpha1",
            "kind": "RelayTask",
            "metadata": {
                "name": name,
                "namespace": customer.namespace,
                "labels": {"team": "sports", **customer.labels},
                "annotations": {
                    TRACKING: f"live:livetask.dev/RelayTask:{customer.namespace}/{name}",
                    "example.com/contact": "on-call",
                },
            },
            "spec": {
                customer.at.block: customer.at.block_of(name),
                "credentialsSecretRef": {"name": customer.at.secret},
                "pollIntervalSeconds": 5,
            },
        }
        """As Argo CD makes it of what Git has."""
        self._left: dict[str, Any] | None = None
        """What everybody but the operator left behind."""

    def live(self) -> dict[str, Any]:
        body = self.relay.body()
        assert body is not None
        return dict(body)

    # What others do

    def sync(self) -> None:
        """Argo CD applies what Git has."""
        objects, path = self.customer.objects, self.relay.path
        if self.how == "server":
            self._left = left_by_others(objects.apply(path, self.git, by=ARGO))
            return
        applied = copy.deepcopy(self.git)
        applied["metadata"]["annotations"][LAST_APPLIED] = json.dumps(self.git, separators=(",", ":")) + "\n"
        if objects.get(path) is None:
            self._left = left_by_others(objects.create(f"{path.rpartition('/')[0]}?fieldManager={ARGO}", applied))
        else:
            self.change(applied, by=ARGO)

    def replace(self) -> None:
        """Argo CD puts what Git has in its place (Replace=true): all else goes, our finalizer too."""
        body = copy.deepcopy(self.git)
        body["metadata"]["resourceVersion"] = self.live()["metadata"]["resourceVersion"]
        self._left = left_by_others(self.customer.objects.replace(f"{self.relay.path}?fieldManager={ARGO}", body))

    def change(self, patch: Mapping[str, Any], by: str = "somebody") -> None:
        """Somebody changes what is live."""
        self._left = left_by_others(self.customer.objects.merge(f"{self.relay.path}?fieldManager={by}", patch))

    def finalize(self, *others: str) -> None:
        """Others have these finalizers on it, and ours stays."""
        ours = [each for each in self.live()["metadata"].get("finalizers", []) if each == OWN_FINALIZER]
        self.change({"metadata": {"finalizers": [*others, *ours]}})

    def delete(self) -> None:
        """Foreground deletion, as Argo CD prunes."""
        self.customer.objects.delete(self.relay.path, "Foreground")

    # What is to hold

    def wrong(self, argo: GitopsCheck) -> list[str]:
        """What the operator changed beside its status and its finalizer, and where Argo CD sees a difference.

        A server-side diff asks the API server what it would have: that is compared with what was live only where
        nothing was written between the two.
        """
        while True:
            live = self.live()
            found = [*trespasses(live), *self._lost(live)]
            for diff in DIFFS[self.how]:
                if (difference := argo.diff(self.git, live, diff)) is not None:
                    found.append(f"{diff}: {' and '.join(differing(*difference))}")
            if self.live()["metadata"]["resourceVersion"] == live["metadata"]["resourceVersion"]:
                return found

    def _lost(self, live: Mapping[str, Any]) -> Iterator[str]:
        if (now := left_by_others(live)) != self._left:
            yield f"{self._left} was left, and it is {now}"

    def is_adopted(self) -> None:
        """Wait until our finalizer is on it."""
        wait_for(lambda: OWN_FINALIZER in self.live()["metadata"].get("finalizers", []), "the finalizer", within_s=10)

    def is_let_go(self) -> None:
        """Wait until our finalizer is off it, or it is gone."""

        def is_off() -> bool:
            body = self.relay.body()
            return body is None or OWN_FINALIZER not in body["metadata"].get("finalizers", [])

        wait_for(is_off, "our finalizer to be off", within_s=10)


def left_by_others(body: Mapping[str, Any]) -> dict[str, Any]:
    """All of an object that is none of the operator's business, byte for byte."""
    meta = body["metadata"]
    return {
        "spec": json.dumps(body["spec"], sort_keys=True),
        "labels": json.dumps(meta.get("labels"), sort_keys=True),
        "annotations": json.dumps(meta.get("annotations"), sort_keys=True),
        "owners": json.dumps(meta.get("ownerReferences")),
        "finalizers": [each for each in meta.get("finalizers", []) if each != OWN_FINALIZER],
        "generation": meta["generation"],
    }


def differing(live: Any, predicted: Any, path: str = "") -> Iterator[str]:
    """Where two objects differ."""
    if isinstance(live, dict) and isinstance(predicted, dict):
        for name in sorted(live.keys() | predicted.keys()):
            yield from differing(live.get(name), predicted.get(name), f"{path}.{name}")
    elif live != predicted:
        yield f"{path} is {live!r} and would be {predicted!r}"
