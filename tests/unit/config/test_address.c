/* Addresses of endpoints. */
#include "test.h"

#include "config/address.h"
#include "core/arena.h"

static const struct {
    const char *text;
    bool https; /* scheme when none is written */
    const char *host, *path, *authority;
    int port, tls;
} good[] = {
    { "host", false, "host", "", "host", 80, 0 },
    { "host", true, "host", "", "host", 443, 1 },
    { "host:8000", false, "host", "", "host:8000", 8000, 0 },
    { "  host:8000\t", false, "host", "", "host:8000", 8000, 0 },
    { "HOST.Example.com:1", false, "host.example.com", "", "host.example.com:1", 1, 0 },
    { "10.0.0.1:65535", false, "10.0.0.1", "", "10.0.0.1:65535", 65535, 0 },
    { "host:80", false, "host", "", "host", 80, 0 },
    { "host:443", false, "host", "", "host:443", 443, 0 },
    { "host:443", true, "host", "", "host", 443, 1 },
    { "http://host", true, "host", "", "host", 80, 0 },
    { "https://host", false, "host", "", "host", 443, 1 },
    { "HTTPS://host:80", false, "host", "", "host:80", 80, 1 },
    { "host/v1", false, "host", "/v1", "host", 80, 0 },
    { "host:1/v1/", false, "host", "/v1", "host:1", 1, 0 },
    { "host/", false, "host", "", "host", 80, 0 },
    { "host///", false, "host", "", "host", 80, 0 },
    { "host/a//b//", false, "host", "/a//b", "host", 80, 0 },
    { "https://api.openai.com/v1", false, "api.openai.com", "/v1", "api.openai.com", 443, 1 },
    { "::1", false, "::1", "", "[::1]", 80, 0 },
    { "fe80::1:2", false, "fe80::1:2", "", "[fe80::1:2]", 80, 0 },
    { "[::1]", false, "::1", "", "[::1]", 80, 0 },
    { "[::1]:8000", false, "::1", "", "[::1]:8000", 8000, 0 },
    { "https://[2001:DB8::1]:8443/x", false, "2001:db8::1", "/x", "[2001:db8::1]:8443", 8443, 1 },
    { "http://::1/p", false, "::1", "/p", "[::1]", 80, 0 },
    { "my_host-1", false, "my_host-1", "", "my_host-1", 80, 0 },
};

static const char *const bad[] = {
    "",
    " ",
    "host:",
    "host:x",
    "host:0",
    "host:65536",
    "host:-1",
    "host:99999999999999999999",
    ":80",
    "http://",
    "http:///v1",
    "ftp://host",
    "://host",
    "[",
    "[::1",
    "[::1]80",
    "[::1]:",
    "[]",
    "[host]",
    "[::1]:x",
    "1:2:3",
    "::g",
    "a b",
    "user@host",
    "host?x=1",
    "host/a?b",
    "host/a#b",
    "host/a b",
    "h\xC3\xB6st",
    "host/\x01",
    "ho\nst",
    "host:80:80",
    "http://http://host",
    "host:+80",
    "host: 80",
    "[::1%eth0]",
};

TEST(accepted) {
    for (size_t i = 0; i < VSR_COUNT(good); i++) {
        struct arena *arena = arena_new(0, 0);
        struct address address;
        const char *wrong = address_parse(str_from_c(good[i].text), good[i].https, arena, &address);
        CHECK_MSG(!wrong, "case \"%s\": %s", good[i].text, wrong);
        CHECK_STR(address.host, good[i].host, good[i].text);
        CHECK_STR(address.path, good[i].path, good[i].text);
        CHECK_STR(address_authority(&address, arena), good[i].authority, good[i].text);
        CHECK_INT(address.port, good[i].port, good[i].text);
        CHECK_INT(address.tls, good[i].tls, good[i].text);
        arena_free(arena);
    }
}

TEST(refused) {
    for (size_t i = 0; i < VSR_COUNT(bad); i++) {
        struct arena *arena = arena_new(0, 0);
        struct address address;
        CHECK(address_parse(str_from_c(bad[i]), false, arena, &address) != NULL, bad[i]);
        CHECK(address_parse(str_make("a\0b", 3), false, arena, &address) != NULL, "NUL");
        arena_free(arena);
    }
}

RUN_TESTS(T(accepted), T(refused))
