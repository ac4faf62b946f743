/* What may be shown of a URL. */
#include "core/url.h"

#include "core/arena.h"
#include "test.h"

static const struct {
    const char *url, *want;
} cases[] = {
    { "", "" },
    { "http://host", "http://host" },
    { "http://host:8000/v1/embeddings", "http://host:8000/v1/embeddings" },
    { "https://[::1]:8443/x", "https://[::1]:8443/x" },
    { "host:80/a@b", "[REDACTED]@b" },
    { "host:80/a", "host:80/a" },
    { "https:/user:pw@host/v1", "[REDACTED]@host/v1" },
    { "https//user:pw@host", "[REDACTED]@host" },
    { "https:user:pw@host/v1", "[REDACTED]@host/v1" },
    { "https:///user:pw@host", "https://[REDACTED]@host" },
    { "https://https://user:pw@host", "https://[REDACTED]@host" },
    { "https://https//user:pw@host", "https://[REDACTED]@host" },
    { "https://user:p?w@host", "https://[REDACTED]" },
    { "https://user:p#w@host/v1", "https://[REDACTED]" },
    { "https://user:12?w@host", "https://[REDACTED]" },
    { "https://user:p/a?w@host", "https://[REDACTED]" },
    { "https:/user:p?w@host", "[REDACTED]" },
    { "https://user:p@s?w@host", "https://[REDACTED]" },
    { "https://host/@org/server/mcp", "https://host/@org/server/mcp" },
    { "https://[::1]/@org", "https://[::1]/@org" },
    { "http://user:pass@host/v1", "http://[REDACTED]@host/v1" },
    { "http://token@host", "http://[REDACTED]@host" },
    { "http://user:p@ss@host/x", "http://[REDACTED]@host/x" },
    { "http://user:pa/ss@host/x", "http://[REDACTED]@host/x" },
    { "http://user:@host", "http://[REDACTED]@host" },
    { "http://@host", "http://@host" },
    { "user:pass@host:80", "[REDACTED]@host:80" },
    { "http://host/mcp?key=secret", "http://host/mcp?[REDACTED]" },
    { "http://host?key=a@b", "http://[REDACTED]" },
    { "http://host:80/mcp?key=a@b", "http://host:80/mcp?[REDACTED]" },
    { "https://https//user:p?w@host", "https://[REDACTED]" },
    { "http://host/mcp#secret?x", "http://host/mcp#[REDACTED]" },
    { "http://host/mcp?", "http://host/mcp?[REDACTED]" },
    { "http://user:pass@host/mcp?key=secret", "http://[REDACTED]@host/mcp?[REDACTED]" },
    { "://user:pass@host", "[REDACTED]@host" },
};

TEST(secrets_are_not_shown) {
    struct arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < VSR_COUNT(cases); i++)
        CHECK_STR(url_shown(arena, str_from_c(cases[i].url)), cases[i].want, cases[i].url);
    arena_free(arena);
}

RUN_TESTS(T(secrets_are_not_shown))
