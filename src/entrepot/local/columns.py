"""ClickHouse: chDB behind ClickHouse's own HTTP protocol (``entrepot.local.clickhouse``), in a process of its own."""

from entrepot.local.place import Place
from entrepot.local.served import ServedModule


class ClickHouse(ServedModule):
    """The process that holds the chDB folder open: one folder can be open in one process only."""

    role = "columns"
    product = "ClickHouse (chDB)"
    module = "entrepot.local.clickhouse"
    kept_as = "password"
    pong = b"Ok."

    def urls(self, place: Place) -> dict[str, str]:
        """Return the HTTP address with its user and password."""
        return {"columns": f"clickhouse://default:{place.secret}@127.0.0.1:{place.ports[0]}/default"}
