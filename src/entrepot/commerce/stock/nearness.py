"""How near two countries are, as far as parcels care: the same, without customs between them, on one continent, or beyond."""

_COUNTRIES = """
AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME MK MT NL NO PL PT RO
RS RU SE SI SJ SK SM UA VA XK

AE AF AM AZ BD BH BN BT CN GE HK ID IL IN IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO MV MY NP OM PH PK PS QA SA SG SY TH TJ
TL TM TR TW UZ VN YE

AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM PR SV SX TC TT US VC VG VI

AR BO BR CL CO EC FK GF GY PE PY SR UY VE

AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW IO KE KM LR LS LY MA MG ML MR MU MW MZ NA NE NG RE RW SC SD
SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW

AS AU CC CK CX FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TO TV UM VU WF WS
"""
"""ISO 3166-1 alpha-2, a paragraph a continent (the Americas are two)."""

_CUSTOMS_UNION = """
AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MC MT NL PL PT RO SE SI SK
"""
"""The customs union of the EU, with Monaco, which belongs to it."""

_CONTINENT_OF = {country: place for place, part in enumerate(_COUNTRIES.split("\n\n")) for country in part.split()}
_WITHOUT_CUSTOMS = frozenset(_CUSTOMS_UNION.split())


def steps_apart(country: str, other: str) -> int:
    """Return 0 for the same country, 1 without customs between them, 2 on one continent, 3 for all else (or not known)."""
    if country == other and country:
        return 0
    if country in _WITHOUT_CUSTOMS and other in _WITHOUT_CUSTOMS:
        return 1
    continent = _CONTINENT_OF.get(country)
    return 2 if continent is not None and continent == _CONTINENT_OF.get(other) else 3
