"""All the simulated clouds together: what the server serves, the admin API changes and a script fills.

Apart from the server, so that a test can fill a world and look into it without HTTP.
"""

from livetask_simulator.accounts import UnknownAccountError
from livetask_simulator.alibaba.gateway import AlibabaCloud
from livetask_simulator.clock import Clock, SystemClock
from livetask_simulator.exchange import Received, Vendor
from livetask_simulator.faults import Faults
from livetask_simulator.huawei.gateway import HuaweiCloud
from livetask_simulator.ledger import Ledger
from livetask_simulator.tencent.gateway import TencentCloud


class World:
    """The clouds, the faults that are set, and the ledger."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or SystemClock()
        self.ledger = Ledger(self.clock)
        self.faults = Faults()
        self.alibaba = AlibabaCloud(self.clock)
        self.tencent = TencentCloud(self.clock)
        self.huawei = HuaweiCloud(self.clock)
        # Asked in this order; the last one claims everything.
        self.vendors: tuple[Vendor, ...] = (self.tencent, self.huawei, self.alibaba)

    def vendor_of(self, received: Received) -> Vendor:
        """The vendor whose protocol a request speaks."""
        return next(vendor for vendor in self.vendors if vendor.claims(received))

    def require_account(self, name: str) -> str:
        """The name, if any cloud has such an account; raises UnknownAccountError otherwise."""
        if not any(vendor.accounts.has(name) for vendor in self.vendors):
            raise UnknownAccountError(name)
        return name

    def reset(self, account: str | None = None) -> None:
        """One account, or all: tasks, settings, quotas, faults and calls go; accounts and keys stay."""
        for vendor in self.vendors:
            if account is None or vendor.accounts.has(account):
                vendor.reset(account)
        self.faults.clear(account=account)
        self.ledger.forget(account)
