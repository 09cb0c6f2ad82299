"""Accounts of a simulated cloud and their access keys.

Apart, because every vendor has accounts and keys; what else an account can be set to do is the vendor's own room.
"""

from dataclasses import dataclass, field


class UnknownAccountError(LookupError):
    """An account was named that was never added."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no account {name}; add it first.")


class KeyTakenError(ValueError):
    """A key id was to be added that another account has."""

    def __init__(self, key_id: str, owner: str) -> None:
        super().__init__(
            f"Key {key_id} belongs to account {owner}; key ids are unique across accounts, choose another."
        )


@dataclass(kw_only=True)
class Key:
    """An access key. One with a token is temporary (STS): it is refused without the token."""

    key_id: str
    account: str
    secret: str
    token: str | None = None
    token_expired: bool = False
    active: bool = True
    revoked: bool = False
    """Kept after it was revoked, so that the ledger still tells whose it was."""
    allow: frozenset[str] | None = None
    """The operations that this key may call; None: all."""
    denial: str = "Forbidden.RAM"
    """The error code for an operation that it may not call."""
    nonces: dict[str, float] = field(default_factory=dict)
    """Nonces seen lately and when (monotonic seconds), oldest first."""


class Accounts:
    """All accounts of one vendor, by name, and all keys, by id."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._keys: dict[str, Key] = {}

    def add(self, name: str) -> None:
        """Add an account; adding it again changes nothing."""
        self._names.add(name)

    def has(self, name: str) -> bool:
        """Whether there is such an account."""
        return name in self._names

    def require(self, name: str) -> str:
        """The name, if there is such an account; raises UnknownAccountError otherwise."""
        if name not in self._names:
            raise UnknownAccountError(name)
        return name

    def names(self) -> list[str]:
        """All accounts, sorted."""
        return sorted(self._names)

    def remove(self, name: str) -> None:
        """Forget an account and its keys."""
        self._names.discard(self.require(name))
        self._keys = {key_id: key for key_id, key in self._keys.items() if key.account != name}

    def put_key(self, key: Key) -> None:
        """Add a key or replace the account's own key of that id; raises KeyTakenError where another account has it."""
        self.require(key.account)
        owner = self._keys.get(key.key_id)
        if owner is not None and owner.account != key.account:
            raise KeyTakenError(key.key_id, owner.account)
        if owner is not None:
            key.nonces = owner.nonces
        self._keys[key.key_id] = key

    def key(self, key_id: str) -> Key | None:
        """The key of that id, revoked ones included."""
        return self._keys.get(key_id)

    def keys_of(self, account: str) -> list[Key]:
        """An account's keys, revoked ones included."""
        return [key for key in self._keys.values() if key.account == self.require(account)]
