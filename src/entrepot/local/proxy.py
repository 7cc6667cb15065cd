"""Keeps a proxy that the environment names out of the way to our own servers; every HTTP client here would else ask it."""

from collections.abc import MutableMapping

LOOPBACK = "127.0.0.1"


def reach_loopback_directly(environ: MutableMapping[str, str]) -> None:
    """Add the loopback address to the hosts that are reached without a proxy, under both names clients look for."""
    hosts = [host for host in (environ.get("no_proxy") or environ.get("NO_PROXY") or "").split(",") if host]
    if LOOPBACK not in hosts and "*" not in hosts:
        environ["no_proxy"] = environ["NO_PROXY"] = ",".join([*hosts, LOOPBACK])
