#!/usr/bin/env python3
"""Personal data in prompts, mails, chats, forms, tickets, JSON, CSV and logs, with the byte range and the type of each piece; and texts with numbers and
names of things that are none. All of it is made up.

What a span covers: PERSON a name without its title; TITLE a form of address before a name, or a job; AGE the number; STREET_ADDRESS an address in one
piece, with its city and postcode when they stand in it; GPE a city, state or country on its own; NRP a nationality, religion or party; DATE_TIME a date, a
time, a weekday, a year in a narrative; DOMAIN_NAME a host name or the whole URL; ZIP_CODE a postcode on its own.

Usage: pii.py OUT.jsonl [presidio_templates.jsonl.gz presidio_research.jsonl.gz]: with these two, their templates are filled as well (src presidio-templates).
"""

import gzip
import json
import os
import re
import sys

import names as N
from grammar import Rows, count, digest, draw, expand, lines, parsed, seeded, split_of, tidy, typo

TYPE = {}
FILL = {}


def slot(kind, *slots):
    def keep(make):
        for name in slots or (make.__name__,):
            TYPE[name], FILL[name] = kind, make
        return make

    return keep


CULTURES = sorted(N.FIRST)
WEIGHTS = [8 if c == "english" else 3 if c in ("spanish", "german", "french", "indian", "chinese", "arabic") else 2 for c in CULTURES]


@slot("PERSON", "person", "person2")
def person(rng):
    c = rng.choices(CULTURES, WEIGHTS)[0]
    first, last = rng.choice(N.FIRST[c].split()), rng.choice(N.LAST[c].split())
    x = rng.random()
    if x < 0.08:
        return f"{first} {rng.choice('ABCDEFGHJKLMRST')}. {last}"
    if x < 0.13:
        return f"{first}-{rng.choice(N.FIRST[c].split())} {last}"
    if x < 0.17:
        return f"{first} {last}-{rng.choice(N.LAST[c].split())}"
    if x < 0.2 and c in ("spanish", "portuguese"):
        return f"{first} {last} {rng.choice(N.LAST[c].split())}"
    if x < 0.22:
        return f"{first} {rng.choice(['van der Berg', 'de la Cruz', 'von Thal', 'al-Rashid', 'bin Saleh', 'van Dijk', 'De Luca', 'da Costa'])}"
    return f"{first} {last}"


@slot("PERSON", "lastfirst")
def lastfirst(rng):
    c = rng.choices(CULTURES, WEIGHTS)[0]
    return f"{rng.choice(N.LAST[c].split())}, {rng.choice(N.FIRST[c].split())}"


@slot("PERSON", "first", "first2")
def first(rng):
    return rng.choice(N.FIRST[rng.choices(CULTURES, WEIGHTS)[0]].split())


@slot("PERSON", "last", "last2")
def last(rng):
    return rng.choice(N.LAST[rng.choices(CULTURES, WEIGHTS)[0]].split())


@slot("PERSON")
def zperson(rng):
    return rng.choice(N.ZH_LAST) + rng.choice(N.ZH_FIRST)


@slot("PERSON")
def zlast(rng):
    return rng.choice(N.ZH_LAST)


@slot("TITLE", "prefix", "prefix2")
def prefix(rng):
    return rng.choice(N.PREFIXES)


@slot("TITLE")
def herr(rng):
    return rng.choice(["Herr", "Frau", "Dr.", "Herr Dr.", "Frau Dr.", "Prof."])


@slot("TITLE")
def monsieur(rng):
    return rng.choice(["Monsieur", "Madame", "M.", "Mme", "Dr", "Maître"])


@slot("TITLE")
def senor(rng):
    return rng.choice(["señor", "señora", "Sr.", "Sra.", "Dr.", "Dra.", "don", "doña"])


@slot("TITLE")
def job(rng):
    return rng.choice(N.JOBS)


@slot("TITLE")
def ztitle(rng):
    return rng.choice(N.ZH_TITLES)


@slot("ORGANIZATION", "org", "org2")
def org(rng):
    x = rng.random()
    one, two = (rng.choice(N.LAST[rng.choices(CULTURES, WEIGHTS)[0]].split()) for _ in range(2))
    if x < 0.35:
        return rng.choice(N.ORG_WORDS) + " " + rng.choice(N.ORG_KINDS) + rng.choice(N.ORG_ENDS)
    if x < 0.5:
        return f"{one} {rng.choice(N.ORG_KINDS)}{rng.choice(N.ORG_ENDS)}"
    if x < 0.58:
        return rng.choice([f"{one} & {two}", f"{one}, {two} and {rng.choice(N.LAST['english'].split())}", f"{one}-{two}", f"{one} and Sons"])
    if x < 0.66:
        return rng.choice(["University of {}", "{} General Hospital", "{} City Council", "{} School District", "First Bank of {}", "{} Medical Center", "{} Public Library"]).format(rng.choice(N.CITIES))
    if x < 0.72:
        return rng.choice(["St. {} Hospital", "St. {}'s College", "{} Foundation", "{} High School"]).format(rng.choice(N.FIRST["english"].split()))
    if x < 0.84:
        return rng.choice("Ver Lum Zan Qui Ori Tel Sol Cor Mex Del Bri Fen Kal Nex Pra".split()) + rng.choice("ix ara ovo ium essa ent ora ity aya onic era isto".split()) + rng.choice(N.ORG_ENDS)
    if x < 0.9:
        return rng.choice(N.ORG_WORDS) + rng.choice("soft tech works bank pay care hub data line cloud".split()) + rng.choice(N.ORG_ENDS)
    return rng.choice("Microsoft|Google|Amazon|Siemens|Toyota|Samsung|Deutsche Bank|Lufthansa|Nestlé|IKEA|Walmart|Pfizer|Shell|Volkswagen|Vodafone|UNICEF|Red Cross|NHS|FedEx|DHL|Citibank|HSBC|Barclays|Netflix|PayPal|Intel|Boeing|Airbus|Bosch|Sony".split("|"))


@slot("ORGANIZATION")
def zorg(rng):
    return rng.choice([rng.choice(N.ZH_CITIES), ""]) + rng.choice(N.ZH_ORGS) + rng.choice(N.ZH_ORG_KINDS)


@slot("GPE", "city", "city2")
def city(rng):
    return rng.choice(N.CITIES)


@slot("GPE", "country", "country2")
def country(rng):
    return rng.choice(N.COUNTRIES).replace("the ", "", 1)


@slot("GPE")
def state(rng):
    return rng.choice(N.STATES).rsplit(" ", 1)[0]


@slot("GPE")
def stateabbr(rng):
    return rng.choice(N.STATES).rsplit(" ", 1)[1]


@slot("GPE")
def place(rng):
    return rng.choice([city, city, city, country, state])(rng)


@slot("GPE", "zcity", "zcity2")
def zcity(rng):
    return rng.choice(N.ZH_CITIES)


@slot("GPE")
def zplace(rng):
    return rng.choice(N.ZH_CITIES + N.ZH_REGIONS)


@slot("NRP")
def nation(rng):
    return rng.choice(N.NATIONS)


@slot("NRP")
def nrp(rng):
    return rng.choice(rng.choice([N.NATIONS, N.NATIONS, N.FAITHS, N.PARTIES]))


@slot("NRP")
def faith(rng):
    return rng.choice(N.FAITHS)


@slot("NRP")
def party(rng):
    return rng.choice(N.PARTIES)


@slot("NRP")
def znrp(rng):
    return rng.choice(N.ZH_NRP)


@slot("AGE", "age", "zage")
def age(rng):
    return str(rng.choice([rng.randint(1, 99), rng.randint(18, 80), rng.randint(18, 80)]))


@slot("DATE_TIME")
def date(rng):
    return N.date(rng)


@slot("DATE_TIME")
def dob(rng):
    return N.date(rng, True)


@slot("DATE_TIME")
def clock(rng):
    return N.clock(rng)


@slot("DATE_TIME")
def stamp(rng):
    return N.stamp(rng)


@slot("DATE_TIME")
def weekday(rng):
    return rng.choice("Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split())


@slot("DATE_TIME")
def year(rng):
    return str(rng.randint(1925, 2026))


@slot("DATE_TIME")
def month(rng):
    return rng.choice(N.MONTHS) + rng.choice(["", "", f" {rng.randint(1990, 2026)}"])


@slot("DATE_TIME")
def zdate(rng):
    y, m, d = rng.randint(1960, 2026), rng.randint(1, 12), rng.randint(1, 28)
    return rng.choice([f"{y}年{m}月{d}日", f"{m}月{d}日", f"{y}-{m:02d}-{d:02d}", f"{y}/{m}/{d}", f"{y}年{m}月"])


@slot("DATE_TIME")
def zclock(rng):
    return rng.choice(["上午", "下午", "晚上", ""]) + rng.choice([f"{rng.randint(1, 12)}点", f"{rng.randint(1, 12)}点半", f"{rng.randint(1, 12)}:{rng.choice(['00', '30', '15'])}"])


def ascii_name(text):
    table = str.maketrans("áàâäãåçéèêëíìîïñóòôöõøúùûüýžščřđłńśźżąęőűğışćěůťďňÁÉÖÜŠŽČØŁŚŞİÇÓÑÅ", "aaaaaaceeeeiiiinoooooouuuuyzscrdlnszzaeougisceutdnAEOUSZCOLSSICONA")
    return re.sub(r"[^A-Za-z]", "", text.translate(table)) or "user"


@slot("EMAIL_ADDRESS", "email", "email2")
def email(rng):
    c = rng.choices(CULTURES, WEIGHTS)[0]
    a, b = ascii_name(rng.choice(N.FIRST[c].split())).lower(), ascii_name(rng.choice(N.LAST[c].split())).lower()
    user = rng.choice([f"{a}.{b}", f"{a}{b}", f"{a[0]}{b}", f"{a}_{b}{rng.randint(1, 99)}", f"{a}{rng.randint(1, 2010)}", f"{b}.{a}", f"{a}-{b}", f"{a[0]}.{b}", f"{a}.{b}+{rng.choice(['news', 'shop', 'work'])}", f"{rng.choice(['info', 'sales', 'support', 'office', 'hr', 'billing'])}"])
    host = rng.choice(N.MAIL_HOSTS) if rng.random() < 0.5 else bare(rng)
    if rng.random() < 0.1:
        user = user.title()
    return f"{user}@{host}"


def bare(rng):
    name = rng.choice([rng.choice(N.ORG_WORDS).lower() + rng.choice(N.ORG_KINDS).lower(), rng.choice(N.ORG_WORDS).lower() + "-" + rng.choice(N.ORG_KINDS).lower(), ascii_name(rng.choice(N.LAST["english"].split())).lower() + rng.choice(["law", "dental", "photo", "shop", "family", "tech"]), rng.choice("mail docs portal crm shop blog my api dev".split()) + "." + rng.choice(N.ORG_WORDS).lower() + rng.choice(["bank", "care", "hub", ""])])
    return name + "." + rng.choice(N.TLDS)


@slot("DOMAIN_NAME", "domain")
def domain(rng):
    return rng.choice(["", "", "www."]) + bare(rng)


@slot("DOMAIN_NAME", "url")
def url(rng):
    return rng.choice(["https://", "http://", "https://www.", "http://www.", "www."]) + bare(rng) + rng.choice(["", "/", "/login", "/profile/" + str(rng.randint(10, 99999)), "/docs/index.html", "/u/" + ascii_name(first(rng)).lower(), "/?ref=" + str(rng.randint(1, 999))])


@slot("PHONE_NUMBER", "phone", "phone2")
def phone(rng):
    return N.digits(rng, rng.choice(N.PHONES))


@slot("PHONE_NUMBER")
def zphone(rng):
    return N.digits(rng, rng.choice(["13#########", "15#########", "18#########", "17########5", "138 #### ####", "186-####-####", "+86 139########", "010-########", "021-########", "0755-########", "400-###-####"]))


@slot("CREDIT_CARD", "card")
def card(rng):
    return N.luhn(rng)


@slot("IBAN_CODE")
def iban(rng):
    return N.iban(rng)


@slot("US_SSN")
def ssn(rng):
    return N.ssn(rng)


@slot("US_DRIVER_LICENSE", "licence")
def licence(rng):
    return N.licence(rng)


@slot("IP_ADDRESS", "ip", "ip2")
def ip(rng):
    return N.ip(rng)


@slot("ZIP_CODE", "zip")
def zipcode(rng):
    return rng.choice([f"{rng.randint(501, 99950):05d}"] * 5 + [f"{rng.randint(501, 99950):05d}-{rng.randint(1, 9999):04d}", rng.choice(["SW1A 2AA", "M1 4BT", "EH3 9QN", "CF10 1EP", "LS2 7HY", "B15 2TT"])[:-3] + rng.choice("123456789") + rng.choice("ABDEFGH") + rng.choice("JLNPQRS"), rng.choice("ABCEGHJKLMNPRSTVXY") + str(rng.randint(1, 9)) + rng.choice("ABCEGHJKL") + " " + str(rng.randint(1, 9)) + rng.choice("ABCEGHJKL") + str(rng.randint(1, 9)), f"{rng.randint(1000, 9999)}", f"{rng.randint(1000, 9999)} {rng.choice('ABCDEFGH')}{rng.choice('KLMNPRST')}", f"{rng.randint(10, 99)}-{rng.randint(100, 999)}"])


def line(rng):
    """The line with the street."""
    n = rng.randint(1, 9999) if rng.random() < 0.5 else rng.randint(1, 199)
    x = rng.random()
    if x < 0.62:
        name = rng.choice(N.STREETS) if rng.random() < 0.8 else rng.choice(["1st", "2nd", "3rd", "5th", "7th", "12th", "21st", "42nd"])
        text = f"{n} {rng.choice(['', '', '', 'N ', 'S. ', 'West ', 'E '])}{name} {rng.choice(N.STREET_KINDS)}"
        if rng.random() < 0.3:
            text += rng.choice([", Apt ", " Apt. ", ", Suite ", " #", ", Unit ", ", Flat ", ", Floor "]) + rng.choice([str(rng.randint(1, 40)), str(rng.randint(1, 12)) + rng.choice("ABCD")])
        return text
    if x < 0.74:
        return f"{rng.choice(N.DE_STREETS)} {n % 150 + 1}{rng.choice(['', '', '', 'a', 'b'])}"
    if x < 0.83:
        return f"{n % 120 + 1}{rng.choice(['', ' bis', ','])} {rng.choice(N.FR_STREETS)}"
    if x < 0.92:
        return f"{rng.choice(N.ES_STREETS)} {rng.choice(['', 'nº '])}{n % 200 + 1}{rng.choice(['', ', 2º B', ', 4-1', ', piso 3'])}"
    if x < 0.97:
        return f"{rng.choice(N.IT_STREETS)}{rng.choice([' ', ', '])}{n % 150 + 1}"
    return f"P.O. Box {n}"


@slot("STREET_ADDRESS", "street")
def street(rng):
    return line(rng)


@slot("STREET_ADDRESS", "address", "address2")
def address(rng):
    where, state_name = rng.choice(N.CITIES), rng.choice(N.STATES).rsplit(" ", 1)
    return line(rng) + rng.choice([
        f", {where}, {state_name[1]} {rng.randint(501, 99950):05d}", f", {where} {state_name[1]} {rng.randint(501, 99950):05d}", f", {where}", f", {rng.randint(10000, 99999)} {where}", f"\n{where}, {state_name[1]} {rng.randint(501, 99950):05d}", f", {where}, {rng.choice(N.COUNTRIES)}", f", {rng.randint(1000, 9999)} {where}", "", ""])


@slot("STREET_ADDRESS")
def zaddress(rng):
    return rng.choice(["", rng.choice(N.ZH_CITIES[:30]) + "市"]) + rng.choice(["", rng.choice(N.ZH_DISTRICTS)]) + rng.choice(N.ZH_ROADS) + f"{rng.randint(1, 999)}号" + rng.choice(["", f"{rng.randint(1, 30)}栋{rng.randint(101, 2805)}室", f"{rng.randint(1, 20)}号楼{rng.randint(1, 6)}单元{rng.randint(101, 1802)}", "大厦" + str(rng.randint(2, 30)) + "层"])


# Things with digits or capitals that are nobody's data.


@slot(None)
def version(rng):
    return rng.choice([f"{rng.randint(0, 20)}.{rng.randint(0, 30)}.{rng.randint(0, 99)}", f"v{rng.randint(1, 9)}.{rng.randint(0, 20)}", f"{rng.randint(1, 30)}.{rng.randint(0, 12)}", f"{rng.randint(1, 9)}.{rng.randint(0, 9)}.{rng.randint(0, 9)}-rc{rng.randint(1, 4)}"])


@slot(None, "order", "order2")
def order(rng):
    return rng.choice(["#", "ORD-", "INV-", "A", "PO ", "T-", "SO", "#", "RMA"]) + str(rng.randint(1000, 99999999))


@slot(None)
def price(rng):
    n = rng.choice([f"{rng.randint(1, 999)}", f"{rng.randint(1, 99)}.{rng.randint(0, 99):02d}", f"{rng.randint(1, 99)},{rng.randint(0, 999):03d}"])
    return rng.choice([f"${n}", f"€{n}", f"{n} EUR", f"{n} dollars", f"£{n}", f"{n}€", f"{n} USD"])


@slot(None, "num", "num2", "num3")
def num(rng):
    return str(rng.choice([rng.randint(2, 99), rng.randint(100, 9999), rng.randint(10000, 9999999)]))


@slot(None, "small", "small2")
def small(rng):
    return str(rng.randint(2, 40))


@slot(None)
def sha(rng):
    return "".join(rng.choice("0123456789abcdef") for _ in range(rng.choice([7, 12, 40])))


@slot(None)
def uuid(rng):
    h = "".join(rng.choice("0123456789abcdef") for _ in range(32))
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"


@slot(None)
def isbn(rng):
    return f"978-{rng.randint(0, 9)}-{rng.randint(100, 9999)}-{rng.randint(100, 9999)}-{rng.randint(0, 9)}"


@slot(None)
def longnumber(rng):
    return N.not_luhn(rng)


@slot(None)
def product(rng):
    return rng.choice("iPhone|Galaxy|ThinkPad|Model|Canon EOS|Ryzen|RTX|Boeing|Airbus|PlayStation|Pixel|Bosch GSR|HP LaserJet|Core|Kindle".split("|")) + " " + rng.choice(["15", "4070", "737", "A380", "5", "X1", "9 Pro", "i7-13700", "T14", "M404", "R6", "18V-55"])


@slot(None)
def month_amount(rng):
    return rng.choice(["two weeks", "six months", "three days", "ten years", "half an hour", "45 minutes", "90 seconds", "a week"])


@slot(None)
def histyear(rng):
    return str(rng.choice([476, 1066, 1215, 1492, 1517, 1648, 1776, 1789, 1812, 1848, 1865, 1871, 1914, 1917, 1918, 1929, 1945, 1969, 1989, 1991]))


@slot(None)
def thing(rng):
    return rng.choice("toaster|washing machine|desk|bike|coat|tent|phone case|monitor|kettle|printer|lamp|mattress|drill|router".split("|"))


PROMPTS = """
My name is {person} and I (need help with my account|have a question about my bill|can't log in|want to change my plan|would like a refund).
(Hi|Hello|Hey), (I'm|I am|this is) {person}(, {age} years old|)(, from {city}|)(.|,) (can you help me write a cv?|what should I do?|I need advice about my rent.|please call me back at {phone}.)
(I|we) live (at|in) {address}(.|, how do I register to vote?|. Which school district is that?)
(My|Our) (new |old |)address is {address}(.|, please update it.|)
(I live|I grew up|I was born|My family lives|We're moving) (in|to) {city}(.|, {state}.|, {country}.| but work in {city2}.)
please (send|mail|deliver) (it|the parcel|the {thing}) to {person}, {address}(.|)
(call|text|ring|reach) me (at|on|under) {phone}(.| after {clock}.| or {phone2}.| or write to {email}.)
my (phone|mobile|cell|number|telephone) (number |)is {phone}(.|, my e-mail is {email}.|)
(email|write to|contact) (me|us|{first}|{person}) at {email}(.| or {email2}.| by {weekday}.)
my email (address |)is {email}(.|, can you find my order {order}?|)
my (social|ssn|social security number) is {ssn}(.|, is that enough to apply?|)
(SSN|Social Security)(:| -|) {ssn}
my card (number |)is {card}(.|, exp {small}/{small2}.| and it was declined.|, why was I charged {price}?)
(please |)charge (the|my) (card|visa|mastercard|amex) {card}(.| for {price}.|)
(transfer|send|wire|pay) {price} to {iban}(.|, {person}.| for invoice {order}.|)
(my|the|our) (iban|account|bank account) is {iban}(.| at {org}.|)
(my|her|his) (driver's license|driver license|driving licence|DL|licence number) (number |)(is|:) {licence}(.|, issued in {state}.|)
(block|ban|trace|whitelist) (the address|the ip|) {ip}(.| please| at the firewall|, it hits us every {small} seconds)
(my|the server's|his) (ip|ip address|public ip) is {ip}(.| and the gateway is {ip2}.|)
I'm {age}(, | and |/){nation}(,| and) (want to know if I can retire early|looking for a job in {city}|what vaccines do I need for {country})?
I am (a|an) {age} year old (woman|man|student|nurse) (from|in|living in) {city}(.| with chest pain since {weekday}.| and I feel tired all the time.)
(my|our) (son|daughter|mother|father|husband|wife|brother|boss) {first} (is {age}|turned {age} on {date}|was born on {dob}|lives in {city}|works at {org})(.| and has a fever.| and needs a visa for {country}.|)
(I was|she was|he was) born (on|) {dob} in {city}(.|, {country}.|)
(date of birth|DOB|born|birthday)(:|) {dob}
(write|draft) (a letter|an email|a message) to {prefix} {last} (at|of|from) {org} (about|regarding) (the delay|my application|the invoice {order})(.|)
(write|draft) (a|an) (reference|recommendation|complaint) for {person}, (who worked as {job}|our {job}|my former {job}) at {org}(.| from {year} to {year}.|)
{prefix} {person} (will see you|is your doctor|called|left a message) (on {weekday} at {clock}|on {date}|at {clock})(.|)
{person} (works|worked|has been working) (as a|as) {job} (at|for) {org}(.| in {city}.| since {year}.)
(I work|I used to work|I'm employed|my wife works) (at|for) {org} (as a|as) {job}(.|, how do I ask for a raise?|. Is my NDA valid?)
{org} (hired|fired|promoted|sued|acquired) (its {job} {person}|{org2}|{person}|{person}, {age},) (in {month}|on {date}|last week)(.|)
(my|our) (landlord|neighbour|dentist|lawyer|teacher) {prefix} {last} (lives at {address}|can be reached at {phone}|refuses to answer|moved to {city})(.|)
{first} and {first2} (met|got married|moved|had dinner) (in {city}|on {date}|in {year}|at {clock})(.|)
(is|was) {person} (still|) (the {job} of {org}|living in {city}|married to {person2}|a {nation} citizen)?
(he|she|my colleague) is {nrp}(.| and comes from {city}.| and doesn't eat pork.|, what holidays should we respect?)
(my wife is|my neighbours are|he has a) {nation}( passport|)(.|, do we need a visa for {country}?| and we live in {city}.)
(book|reserve) a (flight|train|hotel) (from {city} to {city2}|in {city}|to {country}) for {person} (on {date}|leaving {weekday}|at {clock})(.|)
(remind|tell|ask) {first} (to call {phone}|about {weekday}|that we meet at {clock}|to email {email})(.|)
meet (me|us) at {street} (at {clock}|on {weekday})(.|)
(the|our) (office|shop|clinic|branch) (is|moved to|opens) at {address}(.| on {date}.|)
(send|ship) to zip (code |){zip}(.|?|, how long does it take?)
(what's the weather|any plumber|delivery|restaurants) (in|near|to) {zip}?
my (zip|postal code|postcode|zip code) is {zip}(.|)
(see|visit|check|open) {url} (for|and) (details|my portfolio|log in|the photos)(.|)
(my|our|the) (website|site|blog|shop|domain) (is|runs on|:) {domain}(.| and it's down since {clock}.|)
(is|was) {domain} (hacked|safe|down|blacklisted)?
(patient|client|claimant|tenant|applicant)(:|) {person}, {age}, (of|living at) {address}(.|, phone {phone}.|, SSN {ssn}.)
(Dear|Hi|Hello) {prefix} {last},\\n\\n(thank you for your letter of {date}|I'm writing about invoice {order}|your appointment is on {date} at {clock})(.|). (Please call {phone}.|We look forward to seeing you in {city}.|)\\n\\n(Best regards|Sincerely|Yours),\\n{person}\\n{job}, {org}
Hi {first},\\n\\n(can you forward this to {email}?|{person} from {org} asked for the contract.|the keys are at {address}.) (Let's talk on {weekday}.|My new number is {phone}.|)\\n\\n(Thanks|Cheers|Best),\\n{first2}
From: {person} <{email}>\\nTo: {person2} <{email2}>\\nDate: {date}\\nSubject: (Invoice {order}|Meeting|Your order|Lunch)\\n\\n(Hi {first},|Hello,|) (the payment to {iban} went out on {date}.|please find the report attached.|call me at {phone}.)
{person}\\n{job}\\n{org}\\n{address}\\n(T|Tel|Phone|M|P): {phone}\\n{email}\\n{url}
{person} | {job} | {org} | {phone} | {email}
{person}\\n{street}\\n{city}, {stateabbr} {zip}
Name: {person}\\nAge: {age}\\nPhone: {phone}\\nEmail: {email}
Name: {person}\\nAddress: {street}\\nCity: {city}\\nState: {stateabbr}\\nZIP: {zip}\\nCountry: {country}
Full name: {person}\\nDate of birth: {dob}\\nSSN: {ssn}\\nDriver license: {licence}\\nNationality: {nation}
First name: {first}\\nLast name: {last}\\nTitle: {prefix}\\nEmployer: {org}\\nPosition: {job}
Billing: {person}, {address}\\nCard: {card}\\nAmount: {price}
Beneficiary: {person}\\nIBAN: {iban}\\nBank: {org}\\nReference: {order}
Patient: {lastfirst}\\nDOB: {dob}\\nMRN: {num}\\nAdmitted: {date} {clock}\\nDoctor: {prefix} {last}
Passenger {person}, flight LH {small}{small2}, {city} - {city2}, {date}, seat {small}A
(Ticket|Case|Incident) {order}: (user|customer) {person} ({email}) (reports|says) that (the login|payment|export) fails since {stamp}. (Callback: {phone}.|IP {ip}.|)
Ticket {order}\\nReporter: {email}\\nAssignee: {first}\\nPriority: {small}\\n(Customer|Client) {org} in {city} cannot reach {domain} from {ip}.
[{stamp}] (INFO|WARN|ERROR) (login|auth|session) (failed|ok|expired) user={email} ip={ip} (attempt={small}|req={uuid}|)
{stamp} {ip} GET /users/{num} 200 {num2}ms
{ip} - - [{stamp}] "POST /login HTTP/1.1" 401 {num} "{url}"
{stamp} payment declined card={card} amount={price} customer="{person}"
{stamp} sshd[{num}]: Accepted password for {first} from {ip} port {num2}
{"name": "{person}", "email": "{email}", "age": {age}, "city": "{city}"}
{"id": {num}, "customer": {"first": "{first}", "last": "{last}", "phone": "{phone}"}, "total": "{price}"}
{"user":"{email}","ip":"{ip}","ts":"{stamp}","agent":"curl/{version}"}
{"iban":"{iban}","holder":"{person}","bank":"{org}","country":"{country}"}
{"ssn":"{ssn}","dob":"{dob}","license":"{licence}","zip":"{zip}"}
name,email,phone,city\\n{person},{email},{phone},{city}\\n{person2},{email2},{phone2},{city2}
id;name;dob;ssn\\n{num};{lastfirst};{dob};{ssn}
first,last,company,title\\n{first},{last},{org},{job}\\n{first2},{last2},{org2},{job}
| name | age | city |\\n|---|---|---|\\n| {person} | {age} | {city} |\\n| {person2} | {age} | {city2} |
INSERT INTO users (name, email, phone) VALUES ('{person}', '{email}', '{phone}');
SELECT * FROM orders WHERE email = '{email}' AND created > '{date}';
user: (hi|hello), I'm {first}\\nbot: Hello {first}, what is your (order number|e-mail)?\\nuser: ({order}|{email})
Agent: May I have your (full name|name)?\\nCustomer: {person}\\nAgent: And your (date of birth|phone number|address)?\\nCustomer: ({dob}|{phone}|{address})
{first}: where are you?\\n{first2}: in {city}, back on {weekday}\\n{first}: ok call me {phone}
{first}: did you pay {last}?\\n{first2}: yes, {price} to {iban}
(summarise|shorten|translate) this: "{person}, {age}, of {city}, was (arrested|elected|honoured|injured) on {weekday}. (A spokesman for {org} said it was a surprise.|He joined {org} in {year}.|)"
(rewrite|proofread): "Dear {first}, I will arrive in {city} on {date} at {clock}. My number is {phone}. {first2}"
(extract|find) (the|all) (names|entities|contact details) (from|in): {person} met {person2} of {org} in {city} on {date}.
(can you check if|look up whether) {person} (of|from) {city} (owes taxes|has a criminal record|owns {org})
add {person} ({email}, {phone}) to the (list|crm|meeting on {weekday})
update the record: {lastfirst}, (new phone {phone}|moved to {address}|now {job} at {org})
who called me from {phone} (on {weekday}|at {clock}|)?
someone used my card {card} in {city} on {date}, (block it|what do I do|I want my money back)
my (license|licence) {licence} and ssn {ssn} were (stolen|leaked|in the bag) (in {city}|on {date}|)(, what now?|)
I forgot my password, user {email}, (born {dob}|phone {phone}|zip {zip})
the (contract|lease|will) between {person} and {org}, signed on {date} in {city}
{org}, {address}, {phone}
{org} was founded in {year} in {city} by {person} and {person2}.
In {year} {person} moved from {city} to {city2} and became {job} at {org}.
On {date}, {org} opened an office in {city}, {country}.
The {nation} {job} {person} won the prize in {year}.
{person} grew up in a {faith} family in {city}.
{party} candidate {person} spoke in {city} on {weekday}.
{prefix} {last}'s appointment is on {weekday}, {date}, at {clock}.
{prefix} and {prefix2} {last} will travel to {country} in {month}.
my boss {first} {last} at {org} in {city} (is harassing me|won't pay overtime|fired me on {date})
write a birthday poem for {first} who turns {age} on {weekday}
plan a trip for {first} and {first2} to {city} in {month}
translate to Spanish: I was born in {city} on {dob} and my name is {person}
our intern {first} sent the payroll of {org} to {email} by mistake, what does GDPR say?
is {ip} the same network as {ip2}?
whois {domain}
ping {domain} -> {ip}
dig {domain} gives {ip} but the browser shows {ip2}
dear sir my name is {person} i am {nation} {job} i want job in {country}
yo its {first}, hmu {phone}
this is {first} from {org}, u there?
hey {first} can u send {price} to my iban {iban} thx {first2}
lost my wallet in {city}: card {card}, licence {licence}. call {phone}!!
"""

PROMPTS_ZH = """
(我叫|我是|我的名字是){zperson}(，今年{zage}岁|)(，住在{zcity}|)(，想咨询一下|，请帮我写简历|。)
(我的|)(手机号|电话|联系方式)(是|：){zphone}(，请回电|。|)
请(把|将)(快递|发票|合同)寄到{zaddress}，收件人{zperson}，电话{zphone}(。|)
(我家|公司|收货)地址(是|：){zaddress}(。|)
(我在|我就职于|我老公在){zorg}(上班|工作)(，职位是{ztitle}|)(，老板拖欠工资怎么办|。)
{zlast}{ztitle}(您好|你好)，(我是{zperson}|上次的报告收到了|{zdate}方便见面吗)(。|？|)
{zperson}(于|在){zdate}(出生|入职|离开)(于|){zcity}(。|)
(邮箱|邮件|Email)(是|：){email}(，请发到这里|。|)
(姓名|客户|患者)：{zperson}\\n(年龄)：{zage}\\n(电话)：{zphone}\\n(地址)：{zaddress}
姓名：{zperson}\\n出生日期：{zdate}\\n民族：{znrp}\\n工作单位：{zorg}\\n邮箱：{email}
(我的信用卡|卡号|我的卡){card}(被盗刷了|怎么挂失|丢了)(，在{zcity}|)
(服务器|IP|地址){ip}(连不上|被攻击了|访问异常)(，域名是{domain}|)
(帮我|请)(预订|订){zdate}(从{zcity}到{zcity2}|去{zcity})的(机票|火车票)，乘客{zperson}(。|)
(我儿子|我女儿|我妈妈)今年{zage}岁，(住在{zcity}|在{zorg}上学|发烧了)(。|怎么办)
(他|她|我室友)是{znrp}，(来自{zplace}|饮食上要注意什么|信奉什么)(。|？)
{zclock}在{zaddress}(见面|集合|等我)(。|，{zperson}也来|)
(会议|面试)时间：{zdate}{zclock}，地点：{zaddress}，联系人：{zlast}{ztitle} {zphone}
发件人：{zperson} <{email}>\\n日期：{zdate}\\n\\n{zlast}{ztitle}，您好，(合同已经寄到{zaddress}|请联系{zphone}|款项已转)。
客服：请问您(贵姓|怎么称呼)？\\n用户：{zperson}\\n客服：请留一下电话。\\n用户：{zphone}
{"姓名":"{zperson}","手机":"{zphone}","城市":"{zcity}"}
(请转账到|收款账户){iban}，户名{zperson}(。|)
{zperson}和{zperson}(昨天|)在{zcity}(结婚了|开会|见面)(。|)
(写一封|帮我写)给{zorg}{zlast}{ztitle}的(道歉信|求职信|感谢信)(。|)
(我想|打算)(从{zcity}搬到{zcity2}|去{zplace}旅游|在{zcity}买房)(，有什么建议？|。)
(网址|网站|官网)(是|：){url}(。|，打不开了)
"""

PROMPTS_OTHER = [
    ("de", """
(Mein Name ist|Ich heiße|Ich bin) {person}(, ich bin {age} Jahre alt|)( und wohne in {city}|)(.|)
(Meine Adresse ist|Ich wohne in der|Bitte liefern Sie an:) {address}(.|)
(Meine Telefonnummer ist|Rufen Sie mich an unter|Tel.:) {phone}(.|)
(Überweisen Sie|Bitte überweise) {price} auf {iban}(.|, Empfänger {person}.)
(Sehr geehrte|Sehr geehrter|Guten Tag,) {herr} {last}, (mein Geburtsdatum ist der {dob}|bitte schreiben Sie an {email}|ich arbeite bei {org})(.|)
(meine Karte|Kreditkarte) {card} (wurde gesperrt|ist weg)(.|)
"""),
    ("fr", """
(Je m'appelle|Mon nom est|Je suis) {person}(, j'ai {age} ans|)( et j'habite à {city}|)(.|)
(Mon adresse est|J'habite au|Merci de livrer au) {address}(.|)
(Mon numéro est le|Appelez-moi au|Tél. :) {phone}(.|)
(Virement de {price} sur|Mon IBAN est) {iban}(.|)
(Bonjour|Cher|Chère) {monsieur} {last}, (je suis né le {dob}|écrivez-moi à {email}|je travaille chez {org})(.|)
"""),
    ("es", """
(Me llamo|Mi nombre es|Soy) {person}(, tengo {age} años|)( y vivo en {city}|)(.|)
(Mi dirección es|Vivo en|Envíenlo a) {address}(.|)
(Mi teléfono es|Llámame al|Tel.:) {phone}(.|)
(Transfiere {price} a|Mi IBAN es) {iban}(.|)
(Estimado|Estimada) {senor} {last}, (nací el {dob}|mi correo es {email}|trabajo en {org})(.|)
"""),
    ("it", """
(Mi chiamo|Sono) {person}(, ho {age} anni|)( e vivo a {city}|)(.|)
(Il mio indirizzo è|Abito in) {address}(.|)
(Il mio numero è|Chiamami al) {phone}(.|)
"""),
]

# Short messages as people post them; handles and hashtags are none of the types.
POSTS = """
(omg|wow|ok|lol|ugh|yay)(!|,| -) (just|finally|totally) (saw|met|missed|talked to) {person} (at|in|outside) (the airport|{city}|{org}|the gym) (!!|😂|#{small}|today|)
can't wait for {weekday}(!|...|!!!) {first} (is coming to|flies to|moves to|plays in) {city} (again|❤️|#excited|with {first2}|)
RT @user{small}: {person} (leaves|joins|sues|rejoins) {org} (in shock move|after {month_amount}|- sources|) {url}
@friend{small} (are you|r u) (in {city}|at {org}|coming on {weekday}|with {first}) (?|??| or what?| tonight?)
(happy birthday|hbd|congrats|get well soon|rip) {first}(!|!!| 🎂| - {age} today!| from all of us in {city}!)
(traffic|rain|snow|heat|power cut) in {city} is (crazy|insane|back|unreal) (today|again|#help|since {clock})
(why is|since when is|who says) {org} (closed on {weekday}|so slow|hiring in {city}|trending)(?|??)
(dinner|drinks|coffee|brunch) with {first} and {first2} (at|in) ({city}|the new place|{org}) (was fun|tomorrow at {clock}|🍷|)
(I|we) (love|hate|miss|need) {city} (so much|in {month}|without {first}|#travel)
my (sister|bro|cousin|roomie) {first} (got a job at {org}|is stuck in {city}|turned {age}|lost her phone, text {phone}) (lol|😭|!|)
(anyone|somebody) (in|near|from) {city} (know a good dentist|selling tickets for {weekday}|awake|)(?|??)
(watching|listening to|reading) {person} (talk about {country}|on repeat|live from {city}|again) (and|,) (I'm crying|it's so good|meh)
{person} (>|is better than|vs) {person2} (every day|fight me|any {weekday}|)
{first} {last} (for president|is a legend|deserves better|blocked me 😂|scored twice against {country}!)
(so|well|ok) {org} (just|) (raised prices again|lost my parcel {order}|fired {first}|replied after {small} days), (thanks for nothing|unbelievable|I'm done)
(throwback|tbt) to {city} {year} with {first}(!|...| 📸| and the {nation} guys)
(flight|train|bus) (from {city} to {city2}|to {country}) (cancelled|delayed {small} min|at {clock}) (thanks {org}|#fail|ffs|)
dm me or mail {email} (for tickets|if you find a black dog in {city}|to join|)
(new blog post|new video|new song|podcast with {person}): {url}
(good luck|go|come on) {country}(!|!!| tonight at {clock}!| against {country2}!)
{city} -> {city2} -> {city} in one {weekday}, (help|never again|who's in?)
"""

# Prose: news, minutes, biographies, diaries.
PROSE = """
{person}, {job} at {org}, (said|told reporters|confirmed) on {weekday} that the plant in {city} (will close|stays open|needs {small} more workers).
(Police|Firefighters|Doctors) in {city} (searched|rescued|treated) {small} people after a (fire|crash|storm) (on {date}|near {city2}|at {clock}).
The (mayor|governor|minister) of {city}, {person}, (met|criticised|welcomed) {prefix} {last} of {org} (on {date}|in {city2}|).
{org} (shares fell|said it would buy {org2}|opened {small} stores|recalled {num} cars) (in {country}|on {weekday}|in {year}|after {person} resigned).
{person} was born in {city} in {year}, (the son of a {nation} {job}|the youngest of {small} children), and (studied in {city2}|moved to {country} at the age of {age}).
(Last night|This morning|Yesterday) {first} (called|came home|wrote) and (said that {first2} is in {city}|cried|asked about grandma), (so I took the train|and I didn't know what to say|which was odd).
{first} (looked at|turned to|smiled at|ignored) {first2} and (said nothing|walked out|asked for the keys).
"(Where were you|Who told you|What happened) in {city}?" (asked|whispered) {first}. "(With {first2}|Nothing, {first2}|{last} told me)," (she|he) (answered|said).
In (attendance|the meeting): {person}, {person2}, {first} {last}. (Apologies|Absent): {lastfirst}. (Next meeting|Next): {date}, {clock}.
The (court|judge|jury) in {city} (found|ruled) that {person} (owes {org} {price}|must leave {country}|is not liable) (, the {job} said|).
(Researchers|A team) (at|from) {org} led by {person} (found|reported) that (sleep|coffee|noise) (affects|has no effect on) memory in {num} adults.
Our trip (began|ended) in {city}, where {first} (lost the tickets|fell ill|met a {nation} family), and went on to {city2} (by bus|on {weekday}|).
(The late|The young|Old) {prefix} {last} (owned|sold|painted) the house (on {street}|in {city}) (until {year}|for {small} years|).
(Thanks|Special thanks) to {first}, {first2} and (everybody|all) at {org} (for the warm welcome in {city}|for {small} great years|).
{nation} (officials|fans|farmers|tourists) (protested|gathered|celebrated) in {city} (on {weekday}|against {org}|after the {small}-{small2} win).
The {party} (senator|leader|candidate) {person} (won|lost) {state} by {small} points in {year}.
{faith} (leaders|families|schools) in {country} (asked|thanked|met) {person} (for help|on {date}|).
(Grandma|Grandpa|Aunt|Uncle) {first} (came from|never left|died in) {city}, {country}, in {year}.
The keynote (by|of) {person} ({org}) (starts at {clock}|was moved to {weekday}|is on video at {url}).
(I|She|He) (interviewed at|applied to|left) {org} in {month} and (heard back from {first}|got a mail from {email}|never heard again).
(between us|honestly), {first} from (accounting|the {city} office|{org}) (makes {price} a month|is pregnant|was at {prefix} {last}'s clinic)
my therapist {prefix} {last} says (I should call {first}|that I am fine|{first} is toxic)
"""

NEGATIVE = """
(upgrade|update|downgrade) (node|python|postgres|the driver|firefox) to (version |){version}(.| please| - any breaking changes?)
(what's new|what changed|is there a bug) in (react|django|kubernetes|ios|ubuntu) {version}?
where is (my order|order|parcel|invoice) {order}?
(order|invoice|ticket|case) {order} (is late|was cancelled|needs a reply|has been paid)(.|)
(the|this|my) {thing} (costs|cost|was) {price}(.|, is that a good deal?|, can you find it cheaper?)
(is|are) {price} (too much|a fair price|enough) for (a {thing}|a used {thing}|two tickets|the rent)?
(what is|calculate|compute) {num} (times|plus|minus|divided by|modulo) {num2}(?|)
{num} + {num2} * {small} = ?
(convert|change) {num} (miles|kg|pounds|feet|litres|mb) to (km|lb|grams|metres|gallons|gb)
(solve|factor|simplify) {small}x^2 + {small2}x - {num} = 0
(the|a) (result|answer|total|sum|mean) (is|was) {num}, (not {num2}|is that right?|rounded to {small} digits)
(what happened|why did the war start|who ruled|which treaty was signed) in {histyear}?
(explain|describe|summarise) the (revolution|war|treaty|crisis) of {histyear}(.|)
(was|were) the (borders|elections|reforms) of {histyear} (important|fair|successful)?
(between|from) {histyear} (and|to) {histyear}, (how did prices develop|what did farmers earn|how many wars were there)?
(how good is|compare|review|buy) the {product}(?| or wait?| with its successor)
my {product} (won't start|is slow|overheats|shows error {num})(.|, what can I do?)
git (checkout|revert|show|cherry-pick) {sha}
commit {sha} broke the build, (revert it|what changed|who can fix it)?
request id {uuid} returned {num}
docker run -p {num}:{num2} app:{version}
error {num}: (timeout after {small} seconds|line {num2}, column {small}|code {small})
(isbn|book) {isbn}
(serial|tracking|part|model) (number|no.) (is |){longnumber}(.|)
the checksum {longnumber} does not match
for i in range({num}): print(i * {small})
int a[{num}] = { 0 }; a[{small}] = {num2};
const timeout = {num}; // ms
SELECT count(*) FROM t WHERE id > {num} LIMIT {small}
{"status": {num}, "items": {small}, "price": {num2}, "ok": true}
{"version":"{version}","build":{num},"hash":"{sha}"}
level={small} score={num} lives={small2}
sku,qty,price\\nA{num},{small},{num2}\\nB{num2},{small2},{num}
Chapter {small}, page {num}, section {version}
(take|use|mix) {small} (grams|cups|drops|ml) (and|with) {small2} (spoons|g|litres) for {month_amount}
(bake|roast|cook) (it|the bread|the chicken) at {num} degrees for {small} minutes
(the|my) (team|squad) won {small} to {small2}(.|, how does the table look?)
room {num}, floor {small}, row {small2}
(bus|line|gate|platform|channel|highway) {num}
(run|walk|cycle|swim) {small} km in {small2} minutes
(there are|we have|I counted) {num} (users|pages|files|apples|trees) (in the system|in total|left)(.|)
(raise|cut|increase) the (limit|budget|price) (by {small} percent|to {price}|from {num} to {num2})(.|)
(how many|how much) (calories|protein|sugar) (are|is) in {num} g of (rice|cheese|bread)?
resistor of {num} ohm, capacitor of {small} nF, {small2} volts
f(x) = {small}x + {num}, find f({small2})
(my|the) (gpu|cpu|disk) (runs at|has|shows) {num} (degrees|gb|percent|mhz)
(win|lose|save) {small} (points|kilos|percent|dollars) in {month_amount}
(the|a) ratio of {small}:{small2} (is|means|gives) {num} percent
ASCII table: {small} is what letter?
hex 0x{sha} in decimal
port {num} is already in use
HTTP {num} what does it mean
RFC {num} section {version}
ISO {num}:{histyear}
Article {small} of the (constitution|treaty|directive|regulation)
§ {num} of the civil code
vitamin B{small}, omega {small2}
my cat weighs {small} pounds and eats {num} grams
play track {small} (again|next|of the album)
set a timer for {small} minutes
give me {small} ideas for a {thing}
write a {num} word essay about (bees|tides|recycling)
top {small} (films|books|songs) (about trains|for rainy days|without violence)
explain (quantum entanglement|recursion|inflation|photosynthesis) in {small} sentences
(write|draft) (a poem|an email|a story) about (a dog|the sea|a lost key)(.|)
(fix|debug|explain) this (function|query|error)(.|: index {num} is out of range|)
(translate|say) (this|the sentence) in (one word|short)(.|)
(what is|explain|define) (a mortgage|the p-value|an IP address|a zip code|an IBAN|social security|a credit card limit|phone etiquette|two factor login)(?|.|)
how (do|does) (credit cards|zip codes|email addresses|phone numbers|IBANs|driver licenses|domain names|passports) work?
write a regex (that matches|for) (email addresses|phone numbers|dates|IP addresses|zip codes|credit card numbers|IBANs)
what format does (an ssn|an iban|a german phone number|a us zip code|ipv6) have?
(how old|what age) do you have to be to (drive|vote|rent a car|drink)?
validate (a credit card|an email|an iban) in (python|javascript|sql)
should I (store|hash|mask) (names|birthdays|card numbers) in (the database|logs)?
which columns of a customer table are personal data?
hello, how are you today?
the (quick brown fox|old man|whole team) (jumps over the lazy dog|went home|was tired)
I feel (tired|great|lonely) today
what should I eat tonight?
Tell me (a joke|something nice|a fun fact)
(May|March|August|Will|Mark|Grace|Rose|Bill) (I|we|the|is|your|that)(| be| have| go) (ask you something|your words|a nice word|the bill, please|begins|pay)
turkey (sandwich|soup) and (china plates|a jersey|cologne|java code|a hamburger|champagne)
apple (pie|juice|tree) or (amazon river fish|orange|shell script|a windows update)
(black|white|blue|green) (friday sale|house paint|ocean|river bank)
"""

NEGATIVE_ZH = """
(升级到|安装)(Python|系统|安卓){version}(有什么变化|怎么操作)？
订单{order}(什么时候发货|怎么还没到|已取消)
(这个|一台)(手机|洗衣机|自行车)要{num}元，(贵吗|值得买吗)？
(计算|算一下){num}(加|减|乘以|除以){num2}(等于多少|)
{histyear}年(发生了什么|的战争为什么爆发|签订了什么条约)？
错误代码{num}(是什么意思|怎么解决)
(烤|煮){small}分钟，温度{num}度
(有|一共){num}个(用户|文件|苹果)
解方程{small}x+{small2}={num}
(什么是|解释一下)(身份证号的编码规则|邮政编码|IP地址|信用卡额度|手机号归属地)(？|)
写一个匹配(邮箱|手机号|日期)的正则表达式
第{small}章第{num}页讲了什么？
(写一首|写一篇)关于(春天|大海|小狗)的(诗|作文)
今天心情不好，怎么办
(提高|降低)百分之{small}
请用{small}句话解释(递归|通货膨胀|光合作用)
跑{small}公里需要多长时间？
"""

QUESTIONS = """
what is the (capital|population|currency|climate|history) of {country}?
(is|how is) {city} (safe|expensive|worth a visit|bigger than {city2})?
how far is (it from|) {city} (from|to) {city2}?
best (time to visit|food in|museums in) {city}
do I need a visa for {country}?
which languages are spoken in {country}?
(plan|suggest) (three days|a weekend) in {city}(.|)
(moving|train|flight) from {city} to {country}
{nation} (food|recipes|cinema|grammar) (for beginners|at home|explained)
how do you make {nation} bread?
what do {faith} (families|people) eat at (easter|weddings|home)?
what does the {party} party want?
is it (cold|hot|rainy) in {city} in {month}?
what time is {clock} in {city} (in|for someone in) {city2}?
what day of the week is {date}?
how many days until {date}?
is (the store|the museum|the bank) open on {weekday}?
"""
QUESTIONS_ZH = """
{zplace}的(气候|人口|历史|特产)怎么样？
{zcity}到{zcity2}(有多远|坐高铁多久)？
去{zplace}(旅游|留学|工作)需要(签证|多少钱|准备什么)？
{zdate}是星期几？
"""

rows = Rows("pii", {k: v for k, v in FILL.items()})


def fill(template, rng):
    """Text and spans of a template; what is between the slots may have slips."""
    out = []
    expand(parsed(template), rows.words, rng, out)
    noise = rng.random()
    if rng.random() < 0.06:
        places = [i for i, (t, s) in enumerate(out) if s is None and len(t) > 8]
        if places:
            i = rng.choice(places)
            out[i] = (typo(out[i][0], rng), None)
    text, spans, at = [], [], 0
    for piece, name in out:
        if noise < 0.2:
            piece = piece.lower()
        elif noise < 0.23:
            piece = piece.upper()
        start = at
        text.append(piece)
        at += len(piece.encode())
        if name and TYPE[name]:
            spans.append([start, at, TYPE[name]])
    return "".join(text), spans


def clean(text, spans):
    """Two spaces become one, and the ends are trimmed, with the spans."""
    data, keep, shift = text.encode(), [], [0] * (len(text.encode()) + 1)
    n = 0
    lead = True
    for i, b in enumerate(data):
        shift[i] = n
        drop = b == 32 and (lead or (keep and keep[-1] == 32))
        if not drop:
            keep.append(b)
            n += 1
        lead = lead and b == 32
    shift[len(data)] = n
    return bytes(keep).decode().rstrip(), [[shift[a], shift[b], t] for a, b, t in spans]


def add(block, lang, most, src=None):
    for template in lines(block):
        gid = digest(template)[:10]
        rng = seeded("pii", template)
        want = min(most, max(1, count(parsed(template), rows.words)))
        made = tries = 0
        while made < want and tries < 3 * want:
            tries += 1
            text, spans = clean(*fill(template, rng))
            made += rows.row(None, lang, gid, text=text, spans=spans)
            if src:
                rows.rows[-1]["src"] = src


add(PROMPTS, "en", 44)
add(POSTS, "en", 40)
add(PROSE, "en", 44)
add(PROMPTS_ZH, "zh", 50)
for code, block in PROMPTS_OTHER:
    add(block, code, 30)
add(NEGATIVE, "en", 42)
add(NEGATIVE_ZH, "zh", 36)
add(QUESTIONS, "en", 26)
add(QUESTIONS_ZH, "zh", 24)

# Longer texts: several pieces of one split after the other, as in a pasted thread; innocent sentences between them.


plain = [r for r in rows.rows if "\n" not in r["text"] and len(r["text"]) < 240]
for split in ("train", "dev"):
    for lang in ("en", "zh"):
        have = [r for r in plain if r["split"] == split and r["lang"] == lang]
        rng = seeded("pii long", split, lang)
        for _ in range({"train": 900, "dev": 110}[split] // (1 if lang == "en" else 4)):
            text, spans = "", []
            for row in rng.sample(have, rng.randint(2, 5)):
                lead = rng.choice([" ", " ", "\n", "\n\n"]) if text else ""
                if rng.random() < 0.3:
                    lead += rng.choice(["I think it is fine.", "See below.", "Not urgent.", "Thanks in advance!", "That is all for now.", "More details follow.", "Please keep this short."] if lang == "en" else ["详情如下。", "谢谢。", "请尽快处理。"]) + rng.choice([" ", "\n"])
                base = len((text + lead).encode())
                text += lead + row["text"]
                spans += [[a + base, b + base, t] for a, b, t in row["spans"]]
                if text[-1] not in ".!?。？！" and rng.random() < 0.7:
                    text += "。" if lang == "zh" else "."
            if rows.row(None, lang, "long" + split, text=text, spans=spans):
                rows.rows[-1]["split"] = split

# The open templates of presidio-research, filled with our names.
SLOTS = {
    "address": "address", "iban": "iban", "credit_card_number": "card", "person": "person", "name": "person", "name_male": "person", "name_female": "person", "prefix": "prefix", "prefix_male": "prefix", "prefix_female": "prefix",
    "country": "country", "city": "city", "email": "email", "phone_number": "phone", "first_name": "first", "first_name_male": "first", "first_name_female": "first", "first_name_nonbinary": "first", "last_name": "last", "last_name_male": "last",
    "ip_address": "ip", "date_of_birth": "dob", "nationality": "nation", "nation_woman": "nation", "url": "url", "organization": "org", "ssn": "ssn", "age": "age", "year": "year", "date_time": "stamp", "us_driver_license": "licence",
    "state_abbr": "stateabbr", "zipcode": "zip", "postcode": "zip", "job": "job", "day_of_week": "weekday",
}


def presidio(templates, research):
    dev = {json.loads(line)["gid"] for line in gzip.open(research, "rt", encoding="utf-8") if json.loads(line)["split"] == "dev"}
    for line_ in gzip.open(templates, "rt", encoding="utf-8"):
        template = json.loads(line_)["text"]
        gid = re.sub(r"\s+", " ", re.sub(r"[^\w\s]|\d", " ", re.sub(r"\{\{\w+\}\}", " ", template).lower())).strip()
        bare_gid = re.sub(r"[^\w]+", " ", re.sub(r"\{\{\w+\}\}", " ", template.replace("\\n", " ")).lower()).strip()
        names = re.findall(r"\{\{(\w+)\}\}", template)
        if not names and len(template) < 12:
            continue
        rng = seeded("pii presidio", template)
        for _ in range(18 if names else 1):
            text, spans, at = "", [], 0
            for piece in re.split(r"(\{\{\w+\}\})", template.replace("\\n", "\n").replace("\\,", ",")):
                m = re.fullmatch(r"\{\{(\w+)\}\}", piece)
                if not m:
                    text += piece
                    continue
                name = m.group(1)
                if name == "building_number":
                    value, kind = str(rng.randint(1, 999)), "STREET_ADDRESS"
                elif name == "street_name":
                    value, kind = rng.choice([rng.choice(N.STREETS) + " " + rng.choice(N.STREET_KINDS), rng.choice(N.DE_STREETS), rng.choice(N.FR_STREETS)]), "STREET_ADDRESS"
                elif name == "secondary_address":
                    value, kind = rng.choice(["Apt. ", "Suite "]) + str(rng.randint(1, 999)), "STREET_ADDRESS"
                else:
                    value, kind = FILL[SLOTS[name]](rng), TYPE[SLOTS[name]]
                start = len(text.encode())
                text += value
                spans.append([start, len(text.encode()), kind])
            merged = []
            for span in spans:
                if merged and span[2] == merged[-1][2] == "STREET_ADDRESS" and not text.encode()[merged[-1][1] : span[0]].strip():
                    merged[-1][1] = span[1]
                else:
                    merged.append(span)
            if rng.random() < 0.2:
                low = text.lower()
                text = low if len(low.encode()) == len(text.encode()) else text
            if rows.row(None, "en", bare_gid or gid, text=text, spans=merged):
                rows.rows[-1]["src"] = "presidio-templates"
                rows.rows[-1]["split"] = "dev" if bare_gid in dev else "train"


if __name__ == "__main__":
    if len(sys.argv) == 4 and os.path.exists(sys.argv[2]):
        presidio(sys.argv[2], sys.argv[3])
    elif len(sys.argv) not in (2, 4):
        sys.exit(f"usage: {sys.argv[0]} OUTPUT.jsonl [presidio_templates.jsonl.gz presidio_research.jsonl.gz]")
    rows.write(sys.argv[1])
