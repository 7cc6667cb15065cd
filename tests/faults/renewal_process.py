"""The renewal job as a process of its own, to be killed: arguments are the record, the gateway, and how many days have passed.

With ``stop`` it says "charged" when the gateway has charged, and never comes to place the order.
"""

import asyncio
import sys

from entrepot.base.time import FixedClock, SystemClock
from entrepot.commerce.checkout.quoting import Quoting
from entrepot.commerce.checkout.saga import Checkouts
from entrepot.commerce.subscription.renewing import Renewals
from entrepot.jobs.renewals import renew_due
from entrepot.partners.payment.port import Answer, Authorize
from entrepot.partners.payment.sandbox import SandboxGateway
from entrepot.partners.tax.regional import RegionalTax
from tests.keys import sealed_record
from tests.subscribers import DAY_MILLIS
from tests.trade import CELL


class StoppingGateway(SandboxGateway):
    """A gateway whose answer never reaches us: the moment in which a kill hurts most."""

    async def authorize(self, request: Authorize) -> Answer:
        """Charge, say so, and stand still."""
        await super().authorize(request)
        print("charged", flush=True)  # noqa: T201  # the test waits for this line
        never: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        return await never


async def main(record_url: str, keys_url: str, gateway_url: str, days: int) -> None:
    """Renew what is due until killed."""
    async with sealed_record(record_url, keys_url) as record:
        gateway = StoppingGateway(gateway_url)
        checkouts = Checkouts(record, CELL, gateway, Quoting(RegionalTax(), SystemClock()))
        clock = FixedClock(SystemClock().millis() + days * DAY_MILLIS)
        await renew_due(record, CELL, Renewals(record, CELL, checkouts), clock)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
