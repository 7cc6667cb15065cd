"""mongo-java-server, a test double of MongoDB in memory, from Maven Central: what FerretDB lacks it has, and the other way.

Updates of one document are atomic here, and the errors of a bulk are MongoDB's. It knows no login and no TLS, keeps nothing on
disk, and orders texts by UTF-16. It calls itself older than our client takes, so a few lines of Java start it as MongoDB 4.4.
"""

from pathlib import Path

from entrepot.engines.documents.mongodb import MongodbDocuments
from entrepot.local.place import Place
from tests.engines import cache
from tests.engines.server import Server, tethered

VERSION = "1.47.0"
SHA256 = "5cc6154fc205744cb012a07504fe5da8f285fd075d2202c811d6369dc603273e"

_MAIN = """
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.util.List;

public class Main {
    static class Newer implements MongoVersion {
        public List<Integer> getVersionArray() { return List.of(4, 4, 0); }
        public int getWireVersion() { return 9; }
    }

    public static void main(String[] arguments) {
        new MongoServer(new MemoryBackend().version(new Newer())).bind("127.0.0.1", Integer.parseInt(arguments[0]));
    }
}
"""


class MongoJava(Server):
    """One server, about 100 MB."""

    role = "documents"
    product = "mongo-java-server"
    ports = 1

    @classmethod
    def fetch(cls) -> None:
        """Have its files, and what runs them."""
        cache.jdk(17, "mongo-java-server")
        _jars()

    def prepare(self, place: Place) -> None:
        """Write what starts it."""
        super().prepare(place)
        (place.data / "Main.java").write_text(_MAIN)

    def command(self, place: Place) -> list[str]:
        """Return Java, which compiles those lines by itself."""
        java = str(cache.jdk(17, "mongo-java-server") / "bin" / "java")
        return tethered(java, "-Xmx512m", "-cp", f"{_jars()}/*", str(place.data / "Main.java"), str(place.ports[0]))

    def urls(self, place: Place) -> dict[str, str]:
        """Return the address, where everybody may do everything."""
        return {"documents": f"mongodb://127.0.0.1:{place.ports[0]}/entrepot?retryWrites=false"}

    async def settle(self, place: Place) -> None:
        """Wait until it answers a question."""
        store = MongodbDocuments(self.urls(place)["documents"])
        try:
            await store.open()
        finally:
            await store.close()


def _jars() -> Path:
    coordinates = f"de.bwaldvogel:mongo-java-server:{VERSION}"
    return cache.kept(f"mongo-java-server-{VERSION}", lambda aside: cache.maven_jars(aside, coordinates, SHA256))
