"""What was read a moment ago, for whoever may see it so old: a bounded number of values, each for a bounded time."""

from typing import Generic, TypeVar

from entrepot.base.time import Clock

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Values by key, each for so many seconds after it was set; beyond ``most`` of them the first set goes first."""

    def __init__(self, clock: Clock, seconds: float, most: int) -> None:
        self._clock, self._millis, self._most = clock, seconds * 1000, most
        self._values: dict[Key, tuple[int, Value]] = {}

    def get(self, key: Key) -> Value | None:
        """Return the value, unless it is too old, or was never set."""
        at, value = self._values.get(key, (0, None))
        return value if 0 <= self._clock.millis() - at < self._millis else None

    def __setitem__(self, key: Key, value: Value) -> None:
        """Set the value of a key as of now."""
        self._values.pop(key, None)
        if len(self._values) >= self._most:
            del self._values[next(iter(self._values))]
        self._values[key] = (self._clock.millis(), value)

    def forget(self) -> None:
        """Forget everything."""
        self._values.clear()
