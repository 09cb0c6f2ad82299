"""What is to be followed, as it is typed: what cannot be meant is said in one line before anything starts."""

from __future__ import annotations

import pytest

from livetask_operator.kube.scope import EVERYTHING, BadScope, Scope, read_lease_name
from tests.controlplane import ControlPlane

LONG = "a" * 64

GOOD_SELECTORS = [
    "shard=a",
    "shard==a",
    "shard!=a",
    "shard=",
    "shard",
    "!shard",
    "! shard",
    " shard = a ",
    "shard in (a)",
    "shard in (a, b)",
    "shard notin (a,b)",
    "shard  notin( a , b )",
    "livetask.dev/shard notin (b),stage=live",
    "a=b,c!=d,e in (f,g),h,!i",
    "in in (in)",
    "notin=in",
    "UPPER.lower_1-x=V.a_l-1",
    f"{'a' * 63}={'b' * 63}",
    "x" * 50 + ".example.com/name=1",
]
BAD_SELECTORS = [
    ",",
    "shard=a,",
    ",shard=a",
    "shard=a,,stage=b",
    "shard=a b",
    "shard a",
    "shard=a=b",
    "shard in a",
    "shard in (a",
    "shard in a)",
    "shard in (a b)",
    "shard in (a=b)",
    "shard with (a)",
    "=a",
    "!",
    "!shard=a",
    "-shard=a",
    "shard=a-",
    "shard=ü",
    "shard=a/b",
    "a/b/c=d",
    "/shard=a",
    "Example.com/shard=a",
    "livetask.dev/=a",
    "shard in (a),(b)",
    "(shard=a)",
    f"{LONG}=a",
    f"a={LONG}",
    f"a in (b, {LONG})",
]
NONSENSE = ["shard in ()", "shard in (,a)", "shard in (a,)", "shard > 1", "", "  "]
"""What the API server takes, and nobody means: an empty value, an order of numbers, no condition at all."""


@pytest.mark.parametrize("selector", GOOD_SELECTORS)
def test_labels_are_written_as_kubectl_takes_them(selector: str) -> None:
    assert Scope.read([], selector).selector == selector.strip()


@pytest.mark.parametrize("selector", [*BAD_SELECTORS, *NONSENSE])
def test_what_is_no_selector_is_refused_with_its_own_words_and_an_example(selector: str) -> None:
    with pytest.raises(BadScope, match=r"^--selector .*; write labels as kubectl -l takes them") as refusal:
        Scope.read([], selector)

    assert len(str(refusal.value).splitlines()) == 1
    assert repr(selector) in str(refusal.value) or not selector.strip()


def test_the_api_server_takes_and_refuses_the_same_selectors(crds: ControlPlane) -> None:
    def is_taken(selector: str) -> bool:
        return crds.kubectl("get", "rlt", "-A", "-l", selector, check=False).returncode == 0

    assert [selector for selector in GOOD_SELECTORS if not is_taken(selector)] == []
    assert [selector for selector in BAD_SELECTORS if is_taken(selector)] == []
    assert [selector for selector in NONSENSE if not is_taken(selector)] == []


@pytest.mark.parametrize(
    ("namespace", "says"),
    [
        ("", "--namespace is empty"),
        ("a,b", "repeat it for each"),
        ("a b", "repeat it for each"),
        ("team-*", "not a pattern"),
        ("!team", "not a pattern"),
        ("Team", "lower-case letters"),
        ("-team", "begins and ends with a letter"),
        ("team.a", "is no name of a namespace"),
        ("team/a", "is no name of a namespace"),
        ("tëam", "is no name of a namespace"),
        ("team\n", "is no name of a namespace"),
        (LONG, "63 at most"),
    ],
)
def test_what_is_no_namespace_is_refused(namespace: str, says: str) -> None:
    with pytest.raises(BadScope, match=r"^--namespace is ") as refusal:
        Scope.read(["sports", namespace], None)

    assert says in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1


def test_a_namespace_that_is_named_twice_counts_once() -> None:
    assert Scope.read(["sports", "news", "sports"], None) == Scope(("sports", "news"))


def test_nothing_said_is_everything() -> None:
    assert Scope.read([], None) == EVERYTHING


@pytest.mark.parametrize("name", ["", "Shard", "a..b", "-a", "a/b", "a" * 254])
def test_what_is_no_name_of_a_lease_is_refused(name: str) -> None:
    with pytest.raises(BadScope, match=r"^--lease-name is .*, for example livetask-operator-b$"):
        read_lease_name(name)


@pytest.mark.parametrize("name", ["livetask-operator", "shard.b", "a", "a" * 253])
def test_a_lease_is_named_as_objects_are(name: str) -> None:
    assert read_lease_name(name) == name
