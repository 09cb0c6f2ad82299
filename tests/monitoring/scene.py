"""An evening on which things go wrong: a real operator at simulated clouds, and a real Prometheus that scrapes it.

Four teams have relays; then two relays go down, one is forgotten, a key is refused, a vendor does not answer, two
deletions cannot be carried out, a word comes that nobody knows, and one account has more tasks than its quota serves.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.monitoring.made import FOLDER, RULES
from tests.monitoring.servers import Prometheus
from tests.stage.objects import Objects, wait_for
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Preload, Relay
from tests.stage.vendors import Alibaba, Customer, Huawei, Tencent

STAGE = "monitoring"
SAMPLE = FOLDER / "prometheus.yaml"
CROWD = 12
CROWDS_QUOTA_PER_S = 1
"""Twelve tasks that wish to be asked every 5 seconds: more than twice as much as that."""
SHOWN_WITHIN_S = 40.0


class Scene:
    """Whose relays there are, and what happens to them. `prefix` sets its namespaces apart from others'."""

    def __init__(self, objects: Objects, cloud: Cloud, prefix: str = "") -> None:
        def moves_in(name: str, side: type[Alibaba | Tencent | Huawei]) -> Customer:
            return Customer.moves_in(f"{prefix}{name}", objects, cloud.admin, side, stage=STAGE)

        self.cloud = cloud.admin
        self.sports = moves_in("sports", Alibaba)
        self.news = moves_in("news", Tencent)
        self.music = moves_in("music", Huawei)
        self.crowd = moves_in("arcade", Alibaba)
        self.relays: dict[str, Relay] = {}
        self.preloads: dict[str, Preload] = {}

    @property
    def config(self) -> Mapping[str, Any]:
        """The operator's configuration: each team's account by its name."""

        def account(name: str, vendor: str, key: str, **more: object) -> dict[str, object]:
            return {"name": name, "vendor": vendor, "keyIds": [key], **more}

        crowds = {"GetMPUTaskStatus": CROWDS_QUOTA_PER_S}
        return {
            "accounts": [
                account("sports", "alibabaCloud", self.sports.at.key["accessKeyId"]),
                account("news", "tencentCloud", self.news.at.key["secretId"]),
                account("music", "huaweiCloud", f"project-{self.music.namespace}"),
                account("arcade", "alibabaCloud", self.crowd.at.key["accessKeyId"], quotas=crowds),
            ]
        }

    def opens(self) -> None:
        """All is well, and the operator follows it."""
        for task in ("cup-final", "concert", "gala", "encore", "opening", "rehearsal", "replay"):
            self._relay(self.sports, task)
        self._relay(self.sports, "kick-off", status=0)
        for task in ("headlines", "interview", "weather"):
            self._relay(self.news, task)
        for task in ("festival", "backstage"):
            self._relay(self.music, task)
        for number in range(CROWD):
            self._relay(self.crowd, f"table-{number + 1:02}")
        for name, progress in (("warm-up", 60), ("final", 100)):
            self.sports.preloads(f"{name}-1", stream=name, process=progress)
            self.preloads[name] = self.sports.preload(name, streams=[name])
        for relay in self.relays.values():
            relay.reaches(reason="Pending" if relay.name == "kick-off" else "Running", within_s=SHOWN_WITHIN_S)

    def goes_wrong(self) -> None:
        """All at once."""
        account, app = self.sports.account, self.sports.app
        self.cloud.set_task(account, app, "concert", status=6)
        self.cloud.forget_task(account, app, "gala")
        self.cloud.set_task(account, app, "replay", raw_status=99)
        self.cloud.set_task(account, app, "encore", ignore_stops=1000)
        self.cloud.fault("error", account=account, operation="StopLiveMPUTask", task_id="opening", status=503)
        self.sports.preloads("warm-up-2", stream="warm-up", status="Failed", process=60)
        self.news.at.take_key_for_wrong()
        self.cloud.fault("error", account=self.music.account, vendor="huawei", status=503, code="LIVE.100000001")
        for task in ("encore", "opening", "rehearsal"):
            self.relays[task].delete()

    def shows(self) -> None:
        """Wait until the operator's statuses say so."""
        self.relays["concert"].reaches("Failed", "TaskFailed", SHOWN_WITHIN_S)
        self.relays["gala"].reaches("NotFound", "TaskNotFound", SHOWN_WITHIN_S)
        self.relays["replay"].reaches("Unknown", "UnknownVendorStatus", SHOWN_WITHIN_S)
        self.relays["encore"].reaches(reason="StopNotConfirmed", within_s=SHOWN_WITHIN_S)
        self.relays["opening"].reaches(reason="VendorUnavailable", within_s=SHOWN_WITHIN_S)
        self.relays["rehearsal"].is_gone(SHOWN_WITHIN_S)
        self.preloads["warm-up"].reaches("Failed", "PreloadFailed", SHOWN_WITHIN_S)
        for name in ("headlines", "interview", "weather"):
            self.relays[name].reaches(reason="CredentialsRejected", within_s=SHOWN_WITHIN_S)
        for name in ("festival", "backstage"):
            self.relays[name].reaches(reason="VendorUnavailable", within_s=SHOWN_WITHIN_S)

    def leaves(self) -> None:
        """Nothing stays that would hold a namespace up."""
        self.cloud.clear_faults()
        for relay in self.relays.values():
            if relay.body() is not None:
                relay.edit(deletionPolicy="Orphan")
                relay.delete()
        wait_for(lambda: all(relay.body() is None for relay in self.relays.values()), "all gone", SHOWN_WITHIN_S)

    def _relay(self, customer: Customer, task: str, status: int = 1) -> None:
        customer.at.start(task)
        if status != 1:
            self.cloud.set_task(customer.account, f"app-{customer.namespace}", task, status=status)
        self.relays[task] = customer.relay(task)


def follow(scene: Scene, kubeconfig: Path, cloud: Cloud, folder: Path) -> Operator:
    """An operator that follows the scene alone, with the real Lease."""
    arguments = ("--selector", f"stage={STAGE}", "--lease-namespace", "livetask-system")
    return Operator(kubeconfig, cloud.url, folder, config=scene.config, arguments=arguments)


def watch(program: Path, operator: Operator, folder: Path, *, scrape_s: int | None = None) -> Prometheus:
    """A Prometheus that scrapes an operator as in the sample, or as often as this says; here it is told of the Pod."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "prometheus.yaml"
    body = yaml.safe_load(SAMPLE.read_text())
    body["rule_files"] = [str(RULES)]
    del body["alerting"]
    (scrape,) = body["scrape_configs"]
    del scrape["kubernetes_sd_configs"]
    pod = {
        "__meta_kubernetes_pod_label_app_kubernetes_io_name": "livetask-operator",
        "__meta_kubernetes_pod_container_port_name": "http",
        "__meta_kubernetes_namespace": "livetask-system",
        "__meta_kubernetes_pod_name": "livetask-operator-0",
    }
    scrape["static_configs"] = [{"targets": [f"127.0.0.1:{operator.port}"], "labels": pod}]
    if scrape_s is not None:
        scrape |= {"scrape_interval": f"{scrape_s}s", "scrape_timeout": f"{scrape_s}s"}
    config.write_text(yaml.safe_dump(body))
    return Prometheus(program, config, folder)
