"""What looks like a card number, as something to be searched for; says where one is, never which."""

from entrepot.base.cards import CARD_BYTES, where_cards_are
from entrepot.privacy.scan.needles import Match, Needles

CARD_FORM = "card number"


class CardNumbers(Needles):
    """Every card number that there is, in place of values that are known."""

    # Numbers of 64 bits have as many digits as a card's, and one in a hundred its first and its last: only text is looked at.
    text_only = True

    def __init__(self) -> None:
        super().__init__(())
        self.longest = CARD_BYTES

    def look(self, data: bytes) -> set[Match]:
        """Return one match where something looks like a card number."""
        return {Match(0, CARD_FORM)} if any(True for _ in where_cards_are(data)) else set()
