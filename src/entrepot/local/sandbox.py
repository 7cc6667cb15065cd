"""The sandbox gateway (``entrepot.local.gateway``), in a process of its own."""

from entrepot.local.place import Place
from entrepot.local.served import ServedModule


class SandboxGateway(ServedModule):
    """The payment gateway of machines that have no account with a real one; its secret is the merchant's key."""

    role = "gateway"
    product = "Sandbox gateway"
    module = "entrepot.local.gateway"
    kept_as = "key"
    pong = b"version"

    def urls(self, place: Place) -> dict[str, str]:
        """Return the address with the merchant's key."""
        return {"gateway": f"sandbox://{place.secret}@127.0.0.1:{place.ports[0]}"}
