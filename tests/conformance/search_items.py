"""What every search engine is filled with: titles in many languages, and things that can be counted by hand."""

import json

from entrepot.base.projection import Item, Shape

SHAPE = Shape(
    json.dumps(
        {
            "fields": {
                "title": {"type": "text", "localized": True},
                "words": {"type": "text", "listed": True},
                "codes": {"type": "text"},
                "tags": {"type": "keyword"},
                "rank": {"type": "integer"},
                "facts": {"type": "keyword_map"},
                "price": {"type": "number_map"},
                "sizes": {"type": "number_map"},
                "labels": {"type": "keyword_map", "sparse": True},
                "lengths": {"type": "number_map", "sparse": True},
            }
        }
    )
)

# A stored title and what is typed: another number, case, letter form or script form, or a part of a text without spaces.
SPOKEN = [
    ("ar", "الهاتف المحمول", "هاتف"),
    ("da", "Trådløse hovedtelefoner", "hovedtelefon"),
    ("nl", "Draadloze telefoons", "telefoon"),
    ("en", "Wireless Phones", "phone"),
    ("en-GB", "Rechargeable batteries", "battery"),
    ("fi", "Mustat näppäimistöt", "näppäimistö"),
    ("fr", "Écouteurs sans fil", "ecouteur"),
    ("de", "Große Kühlschränke", "Kühlschrank"),
    ("el", "Ασύρματα τηλέφωνα", "τηλεφωνο"),
    ("hu", "Fekete kábelek", "kábel"),
    ("it", "Schermi piatti", "schermo"),
    ("nb", "Store skjermer", "skjerm"),
    ("pt", "Cabos de rede", "cabo"),
    ("ro", "Imprimante color", "imprimantă"),
    ("ru", "С беспроводными наушниками", "наушники"),  # noqa: RUF001  # it is Cyrillic
    ("es", "Ratones inalámbricos", "raton inalambrico"),
    ("sv", "Trådlösa hörlurar", "hörlur"),
    ("ta", "புத்தகங்கள்", "புத்தகம்"),
    ("tr", "Siyah kulaklıklar", "KULAKLIK"),  # noqa: RUF001  # Turkish has it
    ("pl", "Słuchawki bezprzewodowe", "sluchawki"),
    ("cs", "Bezdrátová sluchátka", "sluchatka"),
    ("vi", "Tai nghe không dây", "khong day"),
    ("ja", "ワイヤレスマウス 黒", "マウス"),
    ("ja", "ﾜｲﾔﾚｽキーボード", "ワイヤレス"),
    ("zh-Hans", "无线鼠标", "鼠标"),
    ("zh-TW", "無線滑鼠", "滑鼠"),
    ("ko", "무선 마우스를 위한 패드", "마우스"),
    ("th", "เมาส์ไร้สาย", "ไร้สาย"),
]


def _spoken(number: int, locale: str, title: str) -> Item:
    return Item(f"spoken/{number:02}", 1, {"title": {locale: title}, "words": title})


def _counted(number: int) -> Item:
    body: dict[str, object] = {
        "title": {"en": f"counted thing {'odd' if number % 2 else 'even'}"},
        "words": ["counted", "odd" if number % 2 else "even", f"n{number}"],
        "tags": [f"t{number % 3}", "all"],
        "rank": number * 7 % 10,
        "facts": {"colour": ("red", "green", "blue")[number % 3], "a.b c-d": str(number % 2)},
        "price": {"GB": number * 100} if number % 4 else {},
        "sizes": {"whole": number % 5 - 2, "real": float(number % 5 - 2), "half": number % 9 / 2 - 2} if number % 3 else {},
    }
    if number % 13 == 0:
        body["codes"] = f"c{number}"
    # The same once more, as a sparse map has it.
    return Item(f"counted/{number:02}", 1, body | {"labels": body["facts"], "lengths": body["sizes"]})


COUNTED = [_counted(number) for number in range(40)]
ITEMS = [*COUNTED, *(_spoken(number, locale, title) for number, (locale, title, _) in enumerate(SPOKEN))]
