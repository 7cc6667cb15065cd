"""A provider of identities that we did not write, as a process: django-oauth-toolkit on Django, until its input ends.

It reads one line, what there is to be (``back``: our client's way back, ``secret``: the client's, ``people``: accounts by
name), and answers one: its ``issuer`` and the ``client``.
"""

import os
import sys
from threading import Thread
from typing import Any

import django  # type: ignore[import-untyped]  # it ships no types
import msgspec
from django.apps import apps  # type: ignore[import-untyped]  # it ships no types
from django.contrib.auth import get_user_model  # type: ignore[import-untyped]  # it ships no types
from django.core.management import call_command  # type: ignore[import-untyped]  # it ships no types
from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer  # type: ignore[import-untyped]  # it ships no types
from django.core.wsgi import get_wsgi_application  # type: ignore[import-untyped]  # it ships no types


def fill(wanted: dict[str, Any]) -> str:
    """Make the tables, the accounts and our client; returns the client's id."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    verified = apps.get_model("auth.Group").objects.create(name="verified")
    for name, one in wanted["people"].items():
        user = get_user_model().objects.create_user(name, one["email"], one["password"])
        user.groups.set([verified] if one["verified"] else [])
    client = apps.get_model("oauth2_provider.Application").objects.create(
        name="Entrepôt",
        redirect_uris=wanted["back"],
        client_secret=wanted["secret"],
        client_type="confidential",
        authorization_grant_type="authorization-code",
        algorithm="RS256",
    )
    return str(client.client_id)


def main() -> None:
    """Serve until the standard input ends, as it does when the test ends, however it ends."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.flows.django_provider.settings"
    django.setup()
    client = fill(msgspec.json.decode(sys.stdin.readline()))
    server = WSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
    server.set_app(get_wsgi_application())
    said = {"issuer": f"http://127.0.0.1:{server.server_port}/o", "client": client}
    print(msgspec.json.encode(said).decode(), flush=True)  # noqa: T201  # to who started it

    def watch() -> None:
        sys.stdin.read()
        server.shutdown()

    Thread(target=watch, daemon=True).start()
    server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main()
