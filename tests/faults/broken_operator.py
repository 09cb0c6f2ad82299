"""`livetask-operator` with a bug: whatever has to do with a task that is named `breaks…` fails with all that it holds.

So the tests see what a fault of the operator's own writes, with its traceback; it cannot be brought about from outside.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from livetask_operator.cli import main
from livetask_operator.vendors.alibaba.relay import AlibabaRelay


def breaking(method: Callable[..., Any]) -> Callable[..., Any]:
    async def broken(self: AlibabaRelay, credential: Any, tasks: Any, *rest: Any) -> Any:
        if "breaks" in repr(tasks):
            cause = ValueError(credential, repr(credential), str(credential))
            raise RuntimeError(f"a bug with {tasks!r}, {credential!r}, {rest!r}") from cause
        return await method(self, credential, tasks, *rest)

    return broken


if __name__ == "__main__":
    for name in ("look", "stop"):
        setattr(AlibabaRelay, name, breaking(getattr(AlibabaRelay, name)))
    sys.exit(main())
