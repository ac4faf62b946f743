/* Addresses: of mail, of machines, and names of domains. */
#include "signal/pii_find_parts.h"

enum { LOCAL_MAX = 64, HOST_MAX = 253, LABEL_MAX = 63, TOP_MAX = 24, URL_BACK = 128, WORDS_BEFORE = 32 };

/* ---- names of hosts */

struct host {
    size_t end;  /* behind the last label that can be a top level; 0: there is none */
    size_t top;  /* where that label begins */
    size_t last; /* where the label before it begins */
    size_t n;    /* labels */
};

static bool is_top(vsr_str label) {
    if (label.len < 2 || label.len > TOP_MAX)
        return false;
    if (label.len > 4 && str_eq_nocase(str_sub(label, 0, 4), VSR_STR("xn--")))
        return true;
    for (size_t i = 0; i < label.len; i++)
        if (!pii_is_letter(label.ptr[i]))
            return false;
    return true;
}

/* Where the label that begins at `pos` ends: letters, digits and hyphens between them. */
static size_t label_end(vsr_str text, size_t pos) {
    size_t end = pos;
    while (end < text.len && end - pos <= LABEL_MAX && (pii_is_alnum(text.ptr[end]) || text.ptr[end] == '-'))
        end++;
    while (end > pos && text.ptr[end - 1] == '-')
        end--;
    return end - pos > LABEL_MAX || pii_byte(text, pos) == '-' ? pos : end;
}

static struct host read_host(vsr_str text, size_t pos) {
    struct host host = { 0 };
    size_t at = pos, before = pos, n = 0;
    for (;;) {
        size_t end = label_end(text, at);
        if (end == at || end - pos > HOST_MAX)
            return host;
        n++;
        if (n > 1 && is_top(str_sub(text, at, end)))
            host = (struct host){ end, at, before, n };
        if (pii_byte(text, end) != '.')
            return host;
        before = at;
        at = end + 1;
    }
}

/* ---- mail */

static bool is_local(char c) {
    return pii_is_word(c) || c == '.' || c == '%' || c == '+' || c == '-';
}

/* Where the `@` stands; 0: there is none. */
static size_t local_end(vsr_str text, size_t pos) {
    for (size_t at = pos; at < text.len && at - pos <= LOCAL_MAX; at++) {
        if (text.ptr[at] == '@')
            return at > pos && text.ptr[at - 1] != '.' ? at : 0;
        if (!is_local(text.ptr[at]) || (text.ptr[at] == '.' && pii_byte(text, at + 1) == '.'))
            return 0;
    }
    return 0;
}

/* Between `//` and the first slash behind it: a user and a password. */
static bool is_in_authority(vsr_str text, size_t pos) {
    size_t least = pos > URL_BACK ? pos - URL_BACK : 0;
    for (size_t at = pos; at > least; at--) {
        char c = text.ptr[at - 1];
        if (c == '/')
            return at > 1 && text.ptr[at - 2] == '/';
        if (!is_local(c) && c != ':' && c != '~')
            return false;
    }
    return false;
}

size_t pii_find_email(vsr_str text, size_t pos) {
    size_t at = local_end(text, pos);
    struct host host;
    if (at == 0 || str_eq_c(str_sub(text, pos, at), "git"))
        return 0;
    host = read_host(text, at + 1);
    return host.end && !is_in_authority(text, pos) ? host.end : 0;
}

/* ---- domains */

/* Whether `name` is one of the words, which stand between blanks. */
static bool is_listed(vsr_str name, const char *words) {
    for (vsr_str rest = str_from_c(words); rest.len > 0;)
        if (str_eq_nocase(str_split(&rest, ' '), name))
            return true;
    return false;
}

static bool has_lower(vsr_str text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= 'a' && text.ptr[i] <= 'z')
            return true;
    return false;
}

static bool has_upper(vsr_str text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= 'A' && text.ptr[i] <= 'Z')
            return true;
    return false;
}

static bool is_usual_top(vsr_str text, const struct host *host) {
    static const char tops[] = "com org net edu gov mil biz eu de fr uk nl ch se dk fi jp kr cn ru au ca";
    static const char seconds[] = "com co org net gov edu ac"; /* under those of countries */
    vsr_str top = str_sub(text, host->top, host->end), last = str_sub(text, host->last, host->top - 1);
    return is_listed(top, tops) || (host->n > 2 && top.len == 2 && is_listed(last, seconds));
}

/* By those who look at hosts. */
static const char *const host_words[] = { "whois",   "dig",     "ping",     "nslookup",     "traceroute",   "domain",
                                          "website", "webpage", "homepage", "\u57DF\u540D", "\u7F51\u7AD9", NULL };

/*
 * Without `www.` or a scheme before it, a name with dots may be a file, a member of an object, or two sentences with no
 * blank between them. So the top level must be one of the usual that are none of these, or a word before it speak of
 * hosts; and it must be written in one case.
 */
static bool is_bare_domain(vsr_str text, size_t pos, const struct host *host) {
    static const char members[] = "self this asp ado vb ml system java javax std cls obj"; /* asp.net, self.net */
    vsr_str top = str_sub(text, host->top, host->end), last = str_sub(text, host->last, host->top - 1);
    char next = pii_byte(text, host->end);
    if (is_listed(last, members) || next == '(' || next == '=' || next == '[' ||
        (!is_usual_top(text, host) && !pii_preceded_by(text, pos, WORDS_BEFORE, host_words)))
        return false;
    return !has_upper(top) || !has_lower(str_sub(text, pos, host->end));
}

size_t pii_find_domain(vsr_str text, size_t pos) {
    bool url = pos >= 3 && memcmp(text.ptr + pos - 3, "://", 3) == 0;
    char before = pii_byte_before(text, pos), next;
    struct host host;
    if (!url && pii_is_one_of(before, "@.-/\\$"))
        return 0;
    host = read_host(text, pos);
    next = host.end ? pii_byte(text, host.end) : ' ';
    if (host.end == 0 || next == '@' || next == '_' || next == '-')
        return 0;
    if (url || (host.n > 2 && str_eq_nocase(str_sub(text, pos, pos + 4), VSR_STR("www."))) ||
        is_bare_domain(text, pos, &host))
        return host.end;
    return 0;
}

/* ---- machines */

static const char *const address_words[] = { "ip",     "ipv4",    "address", "addr",         "host",
                                             "server", "gateway", "router",  "dns",          "ping",
                                             "subnet", "ssh",     "client",  "\u5730\u5740", NULL };
static const char *const version_words[] = { "v",      "ver",      "version", "versions",     "release",
                                             "build",  "firmware", "section", "chapter",      "clause",
                                             "kernel", "upgrade",  "update",  "\u7248\u672C", NULL };

/* 0 to 255, without leading zeros. Returns where it ends. */
static size_t read_octet(vsr_str text, size_t pos, unsigned *ret) {
    size_t at = pos;
    unsigned number = 0;
    for (; at < text.len && at - pos < 3 && ascii_is_digit(text.ptr[at]); at++)
        number = number * 10 + (unsigned)(text.ptr[at] - '0');
    if (at == pos || number > 255 || (at - pos > 1 && text.ptr[pos] == '0') || ascii_is_digit(pii_byte(text, at)))
        return 0;
    *ret = number;
    return at;
}

/* Four of them. Returns where the last ends, 0 when they are none. */
static size_t read_octets(vsr_str text, size_t pos, unsigned ret[static 4]) {
    size_t at = pos;
    for (int i = 0; i < 4; i++) {
        if (i > 0 && pii_byte(text, at++) != '.')
            return 0;
        at = read_octet(text, at, &ret[i]);
        if (at == 0)
            return 0;
    }
    return at;
}

static bool is_foreign(const unsigned octets[static 4]) {
    return octets[0] != 0 && !(octets[0] == 127 && octets[1] == 0) && !(octets[0] == 255 && octets[1] == 255);
}

/* Four small numbers may be a section or a version. */
static bool is_small(const unsigned octets[static 4]) {
    return octets[0] != 10 && octets[0] < 20 && octets[1] < 20 && octets[2] < 20 && octets[3] < 20;
}

size_t pii_find_ipv4(vsr_str text, size_t pos) {
    unsigned octets[4];
    size_t end;
    char next;
    if (pii_is_one_of(pii_byte_before(text, pos), ".-"))
        return 0;
    end = read_octets(text, pos, octets);
    next = pii_byte(text, end);
    if (end == 0 || pii_is_word(next) || (next == '.' && ascii_is_digit(pii_byte(text, end + 1))) ||
        (next == '-' && pii_is_letter(pii_byte(text, end + 1))) || !is_foreign(octets))
        return 0;
    if (pii_preceded_by(text, pos, WORDS_BEFORE, address_words))
        return end;
    return is_small(octets) || pii_preceded_by(text, pos, WORDS_BEFORE, version_words) ? 0 : end;
}

static bool is_hex(char c) {
    char lower = ascii_lower(c);
    return ascii_is_digit(c) || (lower >= 'a' && lower <= 'f');
}

struct groups {
    size_t n, longest, first;
    bool gap, digit;
};

/* The group at `pos`: up to four hexadecimal digits. Returns where it ends; `pos` when there is none. */
static size_t read_group(vsr_str text, size_t pos, struct groups *g) {
    size_t at = pos;
    for (; at < text.len && is_hex(text.ptr[at]) && at - pos < 4; at++)
        g->digit |= ascii_is_digit(text.ptr[at]);
    if (at == pos)
        return pos;
    g->first = g->n == 0 ? at - pos : g->first;
    g->longest = at - pos > g->longest ? at - pos : g->longest;
    g->n++;
    return at;
}

/* Groups between colons, one `::` among them, at the end four bytes in decimals. Returns where they end, or 0. */
static size_t read_groups(vsr_str text, size_t pos, struct groups *g) {
    unsigned octets[4];
    size_t at = pos;
    while (g->n < 8) {
        size_t end = read_group(text, at, g);
        if (end == at)
            return at;
        if (pii_byte(text, end) == '.' && ascii_is_digit(pii_byte(text, end + 1)) && g->n > 1) {
            g->n++; /* two groups */
            return read_octets(text, at, octets);
        }
        if (pii_byte(text, end) != ':')
            return end;
        if (pii_byte(text, end + 1) == ':') {
            if (g->gap)
                return 0;
            g->gap = true;
            at = end + 2;
        } else if (is_hex(pii_byte(text, end + 1)) && g->n < 8)
            at = end + 1;
        else
            return end;
    }
    return at;
}

/* `std::vector` and times of day are none; nor is `a::b`. */
size_t pii_find_ipv6(vsr_str text, size_t pos) {
    struct groups g = { 0 };
    size_t end;
    char next;
    if (!is_hex(text.ptr[pos]) || pii_is_one_of(pii_byte_before(text, pos), ":.-"))
        return 0;
    end = read_groups(text, pos, &g);
    next = pii_byte(text, end);
    if (end == 0 || pii_is_word(next) || (next == ':' && pii_is_word(pii_byte(text, end + 1))) || !g.digit)
        return 0;
    if (g.gap ? g.n < 2 || g.n > 7 || (g.first < 3 && g.longest < 4) : g.n != 8 || g.longest < 3)
        return 0;
    return end;
}
