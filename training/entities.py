"""Names, places, firms and addresses of many countries, to put in the place of those that a marked text has.

Lists of Debian's `faker`, in Latin script, beside those of training/data/names.py. What a list says of a place or a name is all
that is taken; the combinations are random and mean nobody.
"""
import importlib
import re
import sys
import pathlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "data"))
import names  # noqa: E402
import pii as made  # noqa: E402

LATIN = ("en_US en_US en_US en_GB en_GB en_AU en_CA en_NZ en_IE es_ES es_MX cs_CZ de_DE de_AT de_CH dk_DK et_EE fi_FI fr_FR fr_CH hr_HR hu_HU id_ID "
         "it_IT lt_LT lv_LV nl_NL nl_BE no_NO pl_PL pt_BR pt_PT ro_RO sk_SK sl_SI sv_SE tr_TR").split()
BREAKS = (", ", ", ", "\n", "\n", " ", "\n ", ",\n")


class Locale:
    """What one country's lists say; whatever it has not comes from the English ones."""

    def __init__(self, code):
        self.first, self.last = self.listed("person", code, "first_names"), self.listed("person", code, "last_names")
        self.code = code
        from faker import Faker

        self.made = Faker(code)

    @staticmethod
    def listed(kind, code, name):
        try:
            provider = importlib.import_module(f"faker.providers.{kind}.{code}").Provider
        except ImportError:
            return []
        found = getattr(provider, name, None) or [x for part in ("male", "female") for x in
                                                  getattr(provider, name.replace("_", f"_{part}_", 1), None) or
                                                  getattr(provider, f"{name}_{part}", None) or ()]
        return sorted({re.sub(r"\s+", " ", x) for x in found if isinstance(x, str) and x.strip()})


class Entities:
    def __init__(self, random):
        self.random = random
        self.locales = [Locale(c) for c in dict.fromkeys(LATIN)]
        self.by = {l.code: l for l in self.locales}
        self.named = [l for l in self.locales if len(l.first) > 20 and len(l.last) > 20]
        for l in self.locales:
            l.made.random.seed(random.random())

    def locale(self):
        return self.by[self.random.choice(LATIN)]

    def first(self):
        r = self.random
        return r.choice(r.choice(self.named).first) if r.random() < 0.8 else made.first(r)

    def last(self):
        r = self.random
        return r.choice(r.choice(self.named).last) if r.random() < 0.8 else made.last(r)

    def person(self):
        r = self.random
        if r.random() < 0.25:
            return made.person(r)
        l = r.choice(self.named)
        first, last = r.choice(l.first), r.choice(l.last)
        x = r.random()
        if x < 0.08:
            return f"{first} {r.choice('ABCDEFGHJKLMNPRSTVW')}. {last}"
        if x < 0.11:
            return f"{first} {r.choice('ABCDEFGHJKLMNPRSTVW')} {last}"
        if x < 0.15:
            return f"{first} {last} {r.choice(l.last)}"
        if x < 0.18:
            return f"{last} {first}"
        if x < 0.20:
            return f"{first} {r.choice(['van', 'de', 'von', 'ten', 'di', 'del', 'da', 'van der', 'El', 'bin', 'O'])} {last}"
        return f"{first} {last}"

    def single(self):
        return self.first() if self.random.random() < 0.7 else self.last()

    def city(self):
        r = self.random
        if r.random() < 0.3:
            return made.city(r)
        return self.locale().made.city()

    def place(self, like):
        r = self.random
        if like in names.COUNTRIES or r.random() < 0.15:
            return r.choice([lambda: made.country(r), lambda: self.by["en_US"].made.country(), lambda: made.state(r)])()
        return self.city()

    def firm(self):
        r = self.random
        return made.org(r) if r.random() < 0.7 else self.locale().made.company()

    def address(self, whole):
        """`whole`: with the town; else the line with the street."""
        r = self.random
        l = self.locale().made
        street = l.street_address() if r.random() < 0.7 else made.line(r)
        if r.random() < 0.25:
            street = f"{r.randint(1, 99999)} {street}"
        if r.random() < 0.25:
            street += r.choice([" ", ", ", "\n", "\n "]) + r.choice(["Apt. ", "Suite ", "Apt ", "#", "Unit ", "Flat ", "Floor "]) + str(r.randint(1, 999))
        if r.random() < 0.05:
            street = r.choice([f"Unit {r.randint(100, 9999)} Box {r.randint(10, 9999)}", f"PSC {r.randint(100, 9999)}, Box {r.randint(10, 9999)}",
                               f"USNS {self.last()}", f"P.O. Box {r.randint(10, 9999)}", f"PO Box {r.randint(10, 99999)}"])
            if whole:
                return f"{street}\n{r.choice(['APO', 'FPO', 'DPO'])} {r.choice(['AA', 'AE', 'AP'])} {r.randint(1000, 99999):05d}"
        if not whole:
            return street
        if r.random() < 0.25:
            return l.address()
        gap, gap2 = r.choice(BREAKS), r.choice(BREAKS)
        town, code = self.city(), l.postcode()
        tail = r.choice([f"{town}{gap2}{code}", f"{code} {town}", f"{town}, {made.stateabbr(r)} {code}", town, f"{town}{gap2}{made.country(r)} {code}",
                         f"{town}{gap2}{made.country(r)}", f"{code} {town}{gap2}{made.country(r)}", f"{town}\n, {made.stateabbr(r)}\n {code}"])
        return f"{street}{gap}{tail}"

    def other(self, kind, old):
        """Another text of that kind, in the style of the old one; None: leave it."""
        r = self.random
        new = None
        if kind == "PERSON":
            new = self.single() if " " not in old.strip() else self.person()
        elif kind == "GPE":
            new = self.place(old)
        elif kind == "ORGANIZATION":
            new = self.firm()
        elif kind == "STREET_ADDRESS":
            new = self.address(len(old.split()) > 4 or "\n" in old or "," in old)
        elif kind == "NRP":
            new = made.nrp(r)
        elif kind == "PHONE_NUMBER":
            new = made.phone(r)
        elif kind == "TITLE":
            new = r.choice(names.PREFIXES) if len(old) < 6 else self.by["en_US"].made.job() if r.random() < 0.5 else made.job(r)
        elif kind == "DATE_TIME" and any(c.isdigit() for c in old):
            new = made.date(r) if r.random() < 0.5 else None
        elif kind == "ZIP_CODE":
            new = self.locale().made.postcode() if r.random() < 0.6 else made.zipcode(r)
        elif kind in ("US_SSN", "CREDIT_CARD", "IBAN_CODE", "EMAIL_ADDRESS", "US_DRIVER_LICENSE", "IP_ADDRESS", "AGE"):
            new = made.FILL[{"US_SSN": "ssn", "CREDIT_CARD": "card", "IBAN_CODE": "iban", "EMAIL_ADDRESS": "email",
                             "US_DRIVER_LICENSE": "licence", "IP_ADDRESS": "ip", "AGE": "age"}[kind]](r)
        if new and any(c.isalpha() for c in old) and kind in ("PERSON", "GPE", "ORGANIZATION", "STREET_ADDRESS", "NRP", "TITLE"):
            new = new.lower() if old == old.lower() else new.upper() if old == old.upper() and len(old) > 3 else new
        return new

    def swapped(self, text, spans, share=0.85):
        """(text, spans) with other entities; of scripts that the lists have not, nothing is changed."""
        out, found, at = "", [], 0
        for s, e, kind in sorted(spans):
            if s < at:
                continue
            old = text[s:e]
            new = self.other(kind, old) if self.random.random() < share and old.isprintable() | ("\n" in old) and max(old) < "\u0400" else None
            out += text[at:s]
            begin = len(out)
            out += new or old
            found.append((begin, len(out), kind))
            at = e
        return out + text[at:], found
