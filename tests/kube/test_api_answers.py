"""What the API server's answers mean: an object is taken for gone only where the answer says that it is."""

from __future__ import annotations

import pytest

from livetask_operator.kube.api import Conflict, KubeError, ObjectGone, Refused, Unavailable, translated
from tests.kube.small_world import refusal

MODIFIED = 'Operation cannot be fulfilled on relaytasks.livetask.dev "{}": the object has been modified'
ANOTHER = (
    'Operation cannot be fulfilled on relaytasks.livetask.dev "cup-final": Precondition failed: '
    "UID in precondition: 1, UID in object meta: 2"
)


@pytest.mark.parametrize(
    ("status", "reason", "said", "error"),
    [
        pytest.param(404, "NotFound", 'relaytasks.livetask.dev "cup-final" not found', ObjectGone, id="gone"),
        pytest.param(404, "", "404 page not found", Unavailable, id="the kind is not served"),
        pytest.param(409, "Conflict", MODIFIED.format("cup-final"), Conflict, id="modified"),
        pytest.param(409, "Conflict", MODIFIED.format("liquid"), Conflict, id="modified, and a name with uid in it"),
        pytest.param(409, "Conflict", ANOTHER, ObjectGone, id="another object of the same name"),
        pytest.param(401, "Unauthorized", "Unauthorized", Unavailable, id="a token that is being renewed"),
        pytest.param(403, "Forbidden", "may not", Refused, id="no right"),
        pytest.param(422, "Invalid", "status.state: Invalid value", Refused, id="schema"),
        pytest.param(429, "TooManyRequests", "later", Unavailable, id="busy"),
        pytest.param(500, "InternalError", "unable to decrypt", Unavailable, id="trouble"),
    ],
)
def test_each_answer_is_the_error_that_it_is(status: int, reason: str, said: str, error: type[KubeError]) -> None:
    with pytest.raises(error), translated("patch the status of guide/liquid"):
        raise refusal(status, reason, said) if reason else _plain(status, said)


def _plain(status: int, said: str) -> Exception:
    answer = refusal(status, "", said)
    answer.body = said
    return answer
