"""A real Kafka broker with password and TLS, from its jars on Maven Central. It runs on any JDK from 17 on."""

import base64
import hashlib
import subprocess
from pathlib import Path
from typing import ClassVar

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from entrepot.engines.stream.kafka import KafkaStream
from entrepot.local.place import Place
from tests.engines import cache
from tests.engines.server import QUICK, Server, certificates, tethered

VERSION = "4.3.1"
SHA256 = "2581191126bf639fbddfce7119b4aea54fee24d1500eb7810aade9e870178c83"
# What it logs through; without it, it says nothing.
LOGGING_VERSION = "1.7.36"
LOGGING_SHA256 = "d92920e4eeefb356418fcb9b0f21799903f550f4f6b350566afe6a48502d0d90"

USER = "entrepot"


class Kafka(Server):
    """One broker, its own controller; resident 0.25 to 0.45 GB with a heap of 512 MB."""

    role = "stream"
    product = "Kafka"
    ports = 2
    heap: ClassVar[str] = "512m"

    @classmethod
    def fetch(cls) -> None:
        """Have its files, and what runs them."""
        _java()

    def prepare(self, place: Place) -> None:
        """Write the configuration anew, and lay out the storage, with the user in it, before the first start."""
        super().prepare(place)
        made = certificates(place)
        store = place.data / "tls" / "store.pem"
        store.touch(mode=0o600)
        key = load_pem_private_key(made.key.read_bytes(), None)  # Java reads keys in PKCS 8 only
        store.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.certificate.read_bytes())
        properties = place.data / "server.properties"
        properties.write_text("".join(f"{name}={value}\n" for name, value in _settings(place, store).items()))
        if not (place.data / "data" / "meta.properties").exists():
            identity = base64.urlsafe_b64encode(hashlib.sha256(str(place.data).encode()).digest()[:16]).decode().rstrip("=")
            user = f"SCRAM-SHA-512=[name={USER},password={place.secret}]"
            tool = [*_java(), "kafka.tools.StorageTool", "format", f"--cluster-id={identity}", f"--config={properties}"]
            subprocess.run([*tool, f"--add-scram={user}"], check=True, stdout=subprocess.DEVNULL)

    def command(self, place: Place) -> list[str]:
        """Return the server's main class."""
        java = [*_java(), *QUICK, f"-Xms{self.heap}", f"-Xmx{self.heap}", "-XX:+ExitOnOutOfMemoryError"]
        return tethered(
            *java, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "kafka.Kafka", f"{place.data}/server.properties"
        )

    def urls(self, place: Place) -> dict[str, str]:
        """Return the address with its user, its password and the authority to trust."""
        address = f"{USER}:{place.secret}@127.0.0.1:{place.ports[0]}"
        return {"stream": f"kafkas://{address}?ca={certificates(place).authority}&partitions=4&replication=1"}

    async def settle(self, place: Place) -> None:
        """Wait until it answers a question."""
        stream = KafkaStream(self.urls(place)["stream"])
        await stream.check()


def _settings(place: Place, store: Path) -> dict[str, object]:
    clients, controller = place.ports
    login = "org.apache.kafka.common.security.scram.ScramLoginModule required"
    return {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"CLIENT://127.0.0.1:{clients},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"CLIENT://127.0.0.1:{clients}",
        "listener.security.protocol.map": "CLIENT:SASL_SSL,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "CLIENT",
        "log.dirs": place.data / "data",
        "auto.create.topics.enable": "false",
        **dict.fromkeys(("offsets.topic.num.partitions", "transaction.state.log.num.partitions"), 4),
        **dict.fromkeys(("offsets.topic.replication.factor", "transaction.state.log.replication.factor"), 1),
        "transaction.state.log.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        # After a kill -9 the controller waits this long for the dead one.
        "broker.heartbeat.interval.ms": 1_000,
        "broker.session.timeout.ms": 4_000,
        "log.cleaner.dedupe.buffer.size": 16 << 20,
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": store,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": certificates(place).authority,
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
        "listener.name.client.scram-sha-512.sasl.jaas.config": f'{login} username="{USER}" password="{place.secret}";',
    }


def _java() -> list[str]:
    kafka = cache.kept(
        f"kafka-{VERSION}", lambda aside: cache.maven_jars(aside, f"org.apache.kafka:kafka_2.13:{VERSION}", SHA256)
    )
    logging = cache.kept(
        f"slf4j-{LOGGING_VERSION}",
        lambda aside: cache.maven_jars(aside, f"org.slf4j:slf4j-simple:{LOGGING_VERSION}", LOGGING_SHA256),
    )
    return [
        str(cache.jdk(17, "Kafka") / "bin" / "java"),
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-cp",
        f"{kafka}/*:{logging}/*",
    ]
