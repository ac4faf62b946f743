/* Personal data by its form. What is found is written as the text with brackets: "mail [EMAIL_ADDRESS a@b.de]". */
#include "signal/pii_find.h"

#include "test.h"

#include "core/arena.h"
#include "core/buf.h"
#include "signal/pii_check.h"

static void mark_all(struct arena *arena, vsr_str text, struct buf *out) {
    struct pii_find_span *spans;
    size_t n, at = 0;
    buf_reset(out);
    CHECK_INT(pii_find(arena, text, &spans, &n, NULL), 0, "memory");
    for (size_t i = 0; i < n; i++) {
        CHECK(spans[i].start >= at && spans[i].end > spans[i].start && spans[i].end <= text.len, "in order");
        buf_printf(out, "%.*s[%s %.*s]", VSR_FMT(str_sub(text, at, spans[i].start)), pii_form_type(spans[i].form),
                   VSR_FMT(str_sub(text, spans[i].start, spans[i].end)));
        at = spans[i].end;
    }
    buf_append(out, str_sub(text, at, text.len));
}

static void check_marks(const char *text, const char *want) {
    struct arena *arena = arena_new(0, 0);
    struct buf out;
    buf_init(&out, 1 << 20);
    mark_all(arena, str_from_c(text), &out);
    CHECK_STR(buf_str(&out), want, text);
    buf_done(&out);
    arena_free(arena);
}

/* ---- found: what is between < and > must be, and nothing else */

static const struct {
    const char *type, *text;
} found[] = {
    { "EMAIL_ADDRESS", "<john.doe@example.com>" },
    { "EMAIL_ADDRESS", "Write to <a_b+tag%x@mail.example.co.uk>, please." },
    { "EMAIL_ADDRESS", "\u90AE\u7BB1\u662F<zhang@163.com>\u8C22\u8C22" },
    { "EMAIL_ADDRESS", "(<x@y.museum>)" },
    { "EMAIL_ADDRESS", "mailto:<x@y.org>?subject=z" },
    { "EMAIL_ADDRESS", "/reset?mail=<x@y.org>&a=b" },
    { "EMAIL_ADDRESS", "..<doe@x.de>." },
    { "EMAIL_ADDRESS", "<j@xn--mnchen-3ya.xn--p1ai>" },
    { "EMAIL_ADDRESS", "<J.D@EXAMPLE.COM>" },
    { "IP_ADDRESS", "from <203.0.113.77>:8080 today" },
    { "IP_ADDRESS", "<192.168.178.1>/24" },
    { "IP_ADDRESS", "It is <10.0.0.5>." },
    { "IP_ADDRESS", "my ip is <1.2.3.4>" },
    { "IP_ADDRESS", "<2001:db8::8a2e:370:7334>" },
    { "IP_ADDRESS", "[<fe80::1>]" },
    { "IP_ADDRESS", "<2001:0db8:85a3:0000:0000:8a2e:0370:7334>" },
    { "IP_ADDRESS", "<64:ff9b::192.0.2.33>" },
    { "IP_ADDRESS", "IP<134.101.217.44>\u8FDE\u4E0D\u4E0A" },
    { "IP_ADDRESS", "trace <2001:db8:82f0::3ec8>." },
    { "IBAN_CODE", "IBAN: <DE89370400440532013000>." },
    { "IBAN_CODE", "<GB82 WEST 1234 5698 7654 32>" },
    { "IBAN_CODE", "<gb82west12345698765432>" },
    { "IBAN_CODE", "<FR14 2004 1010 0505 0001 3M02 606>, Paris" },
    { "IBAN_CODE", "\u8D26\u6237<NO9386011117947>\u3002" },
    { "CREDIT_CARD", "<4111 1111 1111 1111> exp 12/27" },
    { "CREDIT_CARD", "<4111-1111-1111-1111>" },
    { "CREDIT_CARD", "<5500000000000004>" },
    { "CREDIT_CARD", "amex <3782 822463 10005>," },
    { "CREDIT_CARD", "\u5361\u53F7<6212345678901232>\uFF0C\u8C22\u8C22" },
    { "CREDIT_CARD", "<4111\u00A01111\u00A01111\u00A01111>" },
    { "CREDIT_CARD", "card number 12 <4111 1111 1111 1111> 05 27" },
    { "CREDIT_CARD", "my visa: <4222222222222>" },
    { "US_SSN", "<123-45-6789>" },
    { "US_SSN", "SSN=<123-45-6789>." },
    { "US_SSN", "social security number is <123 45 6789>" },
    { "US_SSN", "ssn <123456789>" },
    { "US_SSN", "<123\u201145\u20116789>" },
    { "PHONE_NUMBER", "<+49 30 901820>" },
    { "PHONE_NUMBER", "<+1 (415) 555-2671>" },
    { "PHONE_NUMBER", "<+1-123-456-7890>" },
    { "PHONE_NUMBER", "<+442079460958>" },
    { "PHONE_NUMBER", "<+44 (0)20 7946 0958>." },
    { "PHONE_NUMBER", "<(415) 555-2671>" },
    { "PHONE_NUMBER", "<415-555-2671>" },
    { "PHONE_NUMBER", "<415.555.2671>" },
    { "PHONE_NUMBER", "<1-800-555-0199>" },
    { "PHONE_NUMBER", "call me at <123-456-7890>" },
    { "PHONE_NUMBER", "Tel.: <030 1234567>" },
    { "PHONE_NUMBER", "phone <5551234>" },
    { "PHONE_NUMBER", "\u624B\u673A\u53F7<13812345678>" },
    { "PHONE_NUMBER", "<138-1234-5678>" },
    { "PHONE_NUMBER", "t\u00E9l\u00E9phone <01 23 45 67 89>" },
    { "PHONE_NUMBER", "<+254 762 278869>,Florence" },
    { "PHONE_NUMBER", "<+47 957 22 269>-Office" },
    { "PHONE_NUMBER", "telefon <030/2754684>, mail" },
    { "PHONE_NUMBER", "order 3812345, or <415-555-2671>" },
    { "DOMAIN_NAME", "whois <north-realty.io>" },
    { "DOMAIN_NAME", "reach <keystone.com.br> now" },
    { "DOMAIN_NAME", "see https://<intranet.example.dev>/a/b.html" },
    { "DOMAIN_NAME", "<www.example.shop>" },
    { "DOMAIN_NAME", "ask at <example.com>." },
    { "DOMAIN_NAME", "<bbc.co.uk>" },
    { "DOMAIN_NAME", "<EXAMPLE.ORG>" },
};

TEST(what_has_a_form_is_found) {
    for (size_t i = 0; i < VSR_COUNT(found); i++) {
        struct buf text, want;
        buf_init(&text, 1 << 10);
        buf_init(&want, 1 << 10);
        for (const char *c = found[i].text; *c; c++) {
            if (*c == '<')
                buf_printf(&want, "[%s ", found[i].type);
            else
                buf_printf(&want, "%c", *c == '>' ? ']' : *c);
            if (*c != '<' && *c != '>')
                buf_printf(&text, "%c", *c);
        }
        buf_append(&text, str_make("", 1));
        buf_append(&want, str_make("", 1));
        check_marks(text.ptr, want.ptr);
        buf_done(&text);
        buf_done(&want);
    }
}

/* ---- left alone */

static const char *const left_alone[] = {
    "",
    "@",
    "@@@@@@@@",
    "user@host",
    "left@1.2.3",
    "npm i react@18.2.0 vue@3.4.beta-1",
    "@property def x(self): pass",
    "git@github.com",
    "git clone git@github.com:vsr/vsr.git",
    "postgres://admin:secret@db.internal.example:5432/x",
    "version 1.2.3.4 of it",
    "firmware v10.1.22.3",
    "see 2.1.3.4 below",
    "phone 55512, error 5062594: timeout",
    "\u624B\u673A\u89811159548\u5143",
    "Xip12.30.40.50",
    "telefon 12/05/2024",
    "127.0.0.1 and 0.0.0.0, mask 255.255.255.0",
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "01.02.03.04",
    "1.2.3.4-beta",
    "12:30:45",
    "std::vector<int> a::b",
    "00:1a:2b:3c:4d:5e",
    "::1",
    "dead::beef",
    "aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99",
    "DE88370400440532013000",
    "DE8937040044053201300",
    "XX89370400440532013000",
    "DE89 37040044053201 3000",
    "4111 1111 1111 1112",
    "4111 1111 1111 11111",
    "1234567890123456",
    "order 4111111111111111",
    "$4111111111111111",
    "4111111111111111.50",
    "0.4111111111111111",
    "a4111111111111111",
    "1700000000000",
    "12-4111-1111-1111-1111",
    "000-12-3456",
    "666-12-3456",
    "900-12-3456",
    "123-00-4567",
    "123-45-0000",
    "078-05-1120",
    "123 45 6789",
    "123456789",
    "part 123-45-6789-1",
    "part no. 123-45-6789",
    "2024-01-15",
    "2024-01-15 10:30:00",
    "15.01.2024",
    "call me on 15.01.2024",
    "call me on 2024-01-15",
    "phones of 2019-2024",
    "call me at 10:30",
    "3.1415926535",
    "1,234,567,890",
    "1 234 567 890",
    "ISBN 978-0-306-40615-7",
    "ISBN 0-306-40615-2",
    "order 415-555-2671",
    "ticket #4155552671",
    "4155552671",
    "123-456-7890",
    "13812345678",
    "\u8BA2\u5355138-1234-5678",
    "192-168-1000",
    "a+12345678",
    "x = 1+23456789",
    "+0123456789",
    "+12",
    "+289999999999",
    "C++ 11 22 33",
    "10 20 30 4000",
    "555 123 4567",
    "2,500-3,000",
    "550e8400-e29b-41d4-a716-446655440000",
    "0x4111111111111111",
    "1e10",
    "v2.0.0-rc.1",
    "node.js",
    "main.py",
    "README.md",
    "a.out",
    "e.g. this",
    "System.out.println(x)",
    "self.net = Net()",
    "policy.net(x)",
    "ASP.NET and asp.net",
    "end.It was",
    "log.info(x)",
    "/etc/foo.com",
    "x.com_y",
    "foo.bar",
    "com.example.Foo",
    "example..com",
    "-example.com-",
    "data.frame$x.de",
};

TEST(what_has_none_is_left_alone) {
    for (size_t i = 0; i < VSR_COUNT(left_alone); i++)
        check_marks(left_alone[i], left_alone[i]);
}

/* ---- check digits */

static uint64_t rng = 88172645463325252ULL;

static unsigned dice(unsigned n) {
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (unsigned)(rng >> 33) % n;
}

/* `len` digits that begin with `begin` and pass Luhn's check, computed from the left, not as the checker does. */
static void make_card(const char *begin, size_t len, char *out) {
    unsigned sum = 0;
    size_t n = strlen(begin);
    memcpy(out, begin, n);
    for (; n < len - 1; n++)
        out[n] = (char)('0' + dice(10));
    for (size_t i = 0; i < len - 1; i++) {
        unsigned d = (unsigned)(out[i] - '0') * (((len - i) % 2) ? 1 : 2);
        sum += d / 10 + d % 10;
    }
    out[len - 1] = (char)('0' + (10 - sum % 10) % 10);
    out[len] = 0;
}

static bool finds(const char *text, enum pii_form form) {
    struct arena *arena = arena_new(0, 0);
    struct pii_find_span *spans;
    size_t n, n_found = 0;
    CHECK_INT(pii_find(arena, str_from_c(text), &spans, &n, NULL), 0, text);
    for (size_t i = 0; i < n; i++)
        n_found += spans[i].form == form;
    arena_free(arena);
    return n_found == 1;
}

TEST(cards_have_the_right_digit) {
    static const struct {
        const char *begin;
        size_t len;
    } issuers[] = { { "4", 16 },  { "51", 16 },   { "2221", 16 }, { "34", 15 }, { "6011", 16 },
                    { "62", 19 }, { "3528", 16 }, { "36", 14 },   { "65", 16 } };
    for (int round = 0; round < 300; round++) {
        char card[20];
        size_t kind = dice(VSR_COUNT(issuers)), at;
        make_card(issuers[kind].begin, issuers[kind].len, card);
        CHECK_MSG(finds(card, PII_CARD), "%s is not found", card);
        at = dice((unsigned)issuers[kind].len);
        card[at] = (char)('0' + (card[at] - '0' + 1 + (int)dice(9)) % 10);
        CHECK_MSG(!finds(card, PII_CARD), "%s is found, with a wrong digit", card);
    }
}

/* The two check digits by long division over the whole number as text. */
static void make_iban(const char *country, size_t len, char *out) {
    char digits[80];
    unsigned rest = 0;
    size_t n = 0;
    snprintf(out, 5, "%s00", country);
    for (size_t i = 4; i < len; i++)
        out[i] = (char)(dice(4) ? '0' + dice(10) : 'A' + dice(26));
    out[len] = 0;
    for (size_t i = 0; i < len; i++) {
        char c = out[(i + 4) % len];
        n += (size_t)snprintf(digits + n, sizeof(digits) - n, "%d", c >= 'A' ? c - 'A' + 10 : c - '0');
    }
    for (size_t i = 0; i < n; i++)
        rest = (rest * 10 + (unsigned)(digits[i] - '0')) % 97;
    out[2] = (char)('0' + (98 - rest) / 10);
    out[3] = (char)('0' + (98 - rest) % 10);
}

TEST(accounts_have_the_right_digits) {
    static const struct {
        const char *country;
        size_t len;
    } countries[] = { { "DE", 22 }, { "NO", 15 }, { "MT", 31 }, { "GB", 22 }, { "RU", 33 } };
    for (int round = 0; round < 300; round++) {
        char iban[40];
        size_t kind = dice(VSR_COUNT(countries)), at;
        make_iban(countries[kind].country, countries[kind].len, iban);
        CHECK_MSG(finds(iban, PII_IBAN), "%s is not found", iban);
        at = 4 + dice((unsigned)countries[kind].len - 4);
        iban[at] = iban[at] >= 'A' ? (char)('A' + (iban[at] - 'A' + 1 + (int)dice(25)) % 26)
                                   : (char)('0' + (iban[at] - '0' + 1 + (int)dice(9)) % 10);
        CHECK_MSG(!finds(iban, PII_IBAN), "%s is found, with something else in it", iban);
    }
}

/* ---- what others found */

TEST(tagged_numbers_are_checked) {
    static const struct {
        const char *type, *text;
        enum pii_verdict want;
    } cases[] = {
        { "CREDIT_CARD", "4111 1111 1111 1111", PII_CONFIRMED },
        { "CREDIT_CARD", "4111 1111 1111 1112", PII_REFUTED },
        { "credit_card", "4111.1111.1111.1112", PII_REFUTED },
        { "CREDIT_CARD", "**** 1234", PII_UNDECIDED },
        { "CREDIT_CARD", "visa 4111", PII_UNDECIDED },
        { "US_SSN", "123-45-6789", PII_CONFIRMED },
        { "US_SSN", "900-45-6789", PII_REFUTED },
        { "US_SSN", "6789", PII_UNDECIDED },
        { "IBAN_CODE", "GB82 WEST 1234 5698 7654 32", PII_CONFIRMED },
        { "IBAN_CODE", "GB83 WEST 1234 5698 7654 32", PII_REFUTED },
        { "IBAN_CODE", "GB82 WEST", PII_UNDECIDED },
        { "EMAIL_ADDRESS", "john", PII_REFUTED },
        { "EMAIL_ADDRESS", "john at x", PII_REFUTED },
        { "EMAIL_ADDRESS", "j@m\u00FCnchen.de", PII_UNDECIDED },
        { "PHONE_NUMBER", "911", PII_REFUTED },
        { "PHONE_NUMBER", "555 1234 x12", PII_UNDECIDED },
        { "PERSON", "4111 1111 1111 1112", PII_UNDECIDED },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++)
        CHECK_INT(pii_check(str_from_c(cases[i].type), str_from_c(cases[i].text)), cases[i].want, cases[i].text);
}

/* ---- any text */

/* What is found at the end of a long text is found where nothing is before it, and repetition does not run away. */
TEST(long_texts) {
    static const char *const parts[] = { "a.", "1 ",  "1.", "a@",   "1-",       "f:",
                                         "(1", "+1 ", "DE", "www.", "41111111", "\xE4" };
    struct arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < VSR_COUNT(parts); i++) {
        struct pii_find_span *spans;
        struct buf text;
        size_t n;
        buf_init(&text, 1 << 20);
        while (text.len < 200000)
            buf_append_c(&text, parts[i]);
        buf_append_c(&text, " , x@example.org");
        CHECK_INT(pii_find(arena, buf_str(&text), &spans, &n, NULL), 0, parts[i]);
        CHECK_MSG(n > 0 && spans[n - 1].form == PII_EMAIL && spans[n - 1].end == text.len, "behind many \"%s\"",
                  parts[i]);
        buf_done(&text);
    }
    arena_free(arena);
}

RUN_TESTS(T(what_has_a_form_is_found), T(what_has_none_is_left_alone), T(cards_have_the_right_digit),
          T(accounts_have_the_right_digits), T(tagged_numbers_are_checked), T(long_texts))
