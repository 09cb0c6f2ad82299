"""A cluster in the middle of an evening: tasks in every state, and the usual troubles, for who wants to look at it.

Each method brings a part of it about and waits until the operator has told it; nothing here judges.
"""

from __future__ import annotations

from livetask_simulator.client import Simulator
from tests.stage.objects import Objects, wait_for
from tests.stage.tenant import Relay
from tests.stage.vendors import Alibaba, Customer, Huawei, Tencent

TOLD_WITHIN_S = 30.0
CONFIG = {"statusWords": {"huaweiCloud": {"suspend": "Paused"}}}
NAMESPACES = ("sports", "news", "archive")


class Evening:
    """The sports desk at all three vendors, the news desk with an account in trouble, an archive with a wrong key."""

    def __init__(self, objects: Objects, cloud: Simulator) -> None:
        for namespace in NAMESPACES:
            objects.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
        self.sports = Customer("sports", objects, cloud, Alibaba)
        self.arena = Customer("sports", objects, cloud, Tencent)
        self.stadium = Customer("sports", objects, cloud, Huawei)
        self.news = Customer("news", objects, cloud, Alibaba)
        self.archive = Customer("archive", objects, cloud, Alibaba)
        self.relays: dict[str, Relay] = {}

    def states(self) -> None:
        """A task in each state, at the vendors that have it."""
        for name, status in (("cup-final", 1), ("press-conference", 0), ("concert", 6), ("rehearsal", 2)):
            self.sports.starts(name, status)
            self.relays[name] = self.sports.relay(name)
        self.arena.at.start("interview")
        self.relays["interview"] = self.arena.relay("interview")
        for name, word in (("stadium-feed", "running"), ("half-time-show", "suspend"), ("drone-camera", "warming-up")):
            self.stadium.at.start(name)
            self.stadium.at.say(name, word)
            self.relays[name] = self.stadium.relay(name)
        self.relays["charity-gala"] = self.sports.relay("charity-gala")
        self.sports.starts("friendly-match")
        self.relays["friendly-match"] = self.sports.relay("friendly-match", suspend=True)
        for name, state in (
            ("cup-final", "Running"),
            ("press-conference", "Pending"),
            ("concert", "Failed"),
            ("rehearsal", "Stopped"),
            ("interview", "Running"),
            ("stadium-feed", "Running"),
            ("half-time-show", "Paused"),
            ("drone-camera", "Unknown"),
            ("charity-gala", "NotFound"),
        ):
            self.relays[name].reaches(state=state, within_s=TOLD_WITHIN_S)
        self.relays["friendly-match"].reaches(reason="Suspended", within_s=TOLD_WITHIN_S)

    def preloads(self) -> None:
        """Preloads on their way, done, failed, and unknown."""
        self.sports.preloads("warm-1", process=62)
        self.sports.preloads("warm-2")
        self.sports.preloads("warm-3", process=0, status="Failed")
        edges = {
            "cup-final-edge": (["warm-1", "warm-2"], "Preloading"),
            "opening-edge": (["warm-2"], "Succeeded"),
            "concert-edge": (["warm-2", "warm-3"], "Failed"),
            "gala-edge": (["warm-4"], "NotFound"),
        }
        made = {name: self.sports.preload(name, tasks=tasks) for name, (tasks, _) in edges.items()}
        for name, (_, state) in edges.items():
            made[name].reaches(state=state, within_s=TOLD_WITHIN_S)

    def troubles(self) -> None:
        """Keys that are wrong or missing, and a vendor that is away."""
        for name in ("morning-show", "evening-news"):
            self.news.starts(name)
            self.relays[name] = self.news.relay(name)
            self.relays[name].reaches(state="Running", within_s=TOLD_WITHIN_S)
        self.archive.at.take_key_for_wrong()
        self.archive.starts("jubilee")
        self.relays["jubilee"] = self.archive.relay("jubilee")
        self.archive.starts("documentary")
        self.relays["documentary"] = self.archive.relay("documentary", credentialsSecretRef={"name": "vault"})
        self.relays["jubilee"].reaches(reason="CredentialsRejected", within_s=TOLD_WITHIN_S)
        self.relays["documentary"].reaches(reason="SecretNotFound", within_s=TOLD_WITHIN_S)
        self.news.fault("answer", status=503)
        self.relays["morning-show"].reaches(reason="VendorUnavailable", within_s=2 * TOLD_WITHIN_S)

    def deletions(self) -> None:
        """One whose delay runs, one that a key holds up, and one whose stop the vendor does not carry out."""
        self.sports.starts("qualifying")
        self.relays["qualifying"] = self.sports.relay("qualifying", stopDelaySeconds=1800)
        self.sports.starts("fan-mile", ignore_stops=99)
        self.relays["fan-mile"] = self.sports.relay("fan-mile")
        for name in ("qualifying", "fan-mile"):
            self.relays[name].reaches(state="Running", within_s=TOLD_WITHIN_S)
        for name in ("qualifying", "fan-mile", "documentary"):
            self.relays[name].delete()
        self.relays["qualifying"].reaches(reason="StopPending", within_s=TOLD_WITHIN_S)
        self.relays["fan-mile"].reaches(reason="StopNotConfirmed", within_s=TOLD_WITHIN_S)
        held = self.relays["documentary"]
        wait_for(lambda: held.condition("Stalled").get("message", "").startswith("Not"), "it is held", TOLD_WITHIN_S)
