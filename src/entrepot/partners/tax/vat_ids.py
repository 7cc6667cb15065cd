"""VAT ids by their form and check digits. Whether one is registered today only its authority knows (VIES, HMRC)."""

from stdnum.ch import vat as swiss
from stdnum.eu import vat as european
from stdnum.exceptions import InvalidChecksum, InvalidComponent, InvalidFormat, InvalidLength, ValidationError
from stdnum.gb import vat as british
from stdnum.no import mva as norwegian

from entrepot.base.errors import VatIdRefusedError

VAT_ID_CHARS_MAX = 20

_BEYOND_EU = {"GB": british, "CH": swiss, "NO": norwegian}
_WHY: dict[type[Exception], str] = {
    InvalidChecksum: "its check digits do not fit",
    InvalidComponent: "it does not begin with a country that has them",
    InvalidFormat: "its form is another country's or none",
    InvalidLength: "it has too many or too few characters",
}


def country_of(vat_id: str) -> str:
    """Return the country (ISO 3166-1) of a VAT id, written with its prefix; one that cannot be is refused with the reason."""
    compact = vat_id.replace(" ", "").replace(".", "").replace("-", "").upper()
    prefix = compact[:2]
    if len(compact) > VAT_ID_CHARS_MAX or not compact.isalnum() or not prefix.isalpha():
        raise VatIdRefusedError(vat_id[:VAT_ID_CHARS_MAX], "it begins with two letters for the country, then its number")
    try:
        if prefix in _BEYOND_EU:
            _BEYOND_EU[prefix].validate(compact)
        else:
            european.validate(compact)
    except ValidationError as error:
        raise VatIdRefusedError(vat_id, _WHY.get(type(error), "its form does not fit")) from error
    return "GR" if prefix == "EL" else prefix  # Greece's VAT ids begin with EL
