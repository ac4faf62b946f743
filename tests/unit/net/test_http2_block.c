#include "net/http2_block.h"

#include "core/mem.h"
#include "test.h"

enum { PAIRS_MAX = 12 };

struct pair {
    const char *name, *value;
};

#define GET \
    { ":method", "GET" }, { ":scheme", "http" }, { \
        ":path", "/a" \
    }

static const struct {
    const char *name;
    struct pair pairs[PAIRS_MAX];
    int want; /* what http2_block_head() returns */
    const char *fields;
} cases[] = {
    { "least", { GET, { ":authority", "h" } }, 0, "host=h;" },
    { "port and case", { GET, { ":authority", "H.example:80" } }, 0, "host=H.example:80;" },
    { "host alone", { GET, { "x", "1" }, { "host", "h" } }, 0, "host=h;x=1;" },
    { "both the same", { GET, { ":authority", "h" }, { "host", "H" }, { "x", "1" } }, 0, "host=h;x=1;" },
    { "both, different", { GET, { ":authority", "h" }, { "host", "g" } }, -1, NULL },
    { "two hosts", { GET, { "host", "h" }, { "host", "h" } }, -1, NULL },
    { "no authority at all", { GET }, 0, "" },
    { "cookies",
      { GET, { ":authority", "h" }, { "cookie", "a=1" }, { "x", "1" }, { "cookie", "b=2" }, { "cookie", "c" } },
      0,
      "host=h;cookie=a=1; b=2; c;x=1;" },
    { "fields twice", { GET, { ":authority", "h" }, { "x", "1" }, { "x", "" } }, 0, "host=h;x=1;x=;" },
    { "user in the authority", { GET, { ":authority", "u@h" } }, 400, NULL },
    { "two authorities in one", { GET, { ":authority", "h, g" } }, 400, NULL },
    { "fragment", { { ":method", "GET" }, { ":path", "/a#b" }, { ":authority", "h" } }, 400, NULL },
    { "space", { { ":method", "GET" }, { ":path", "/a b" }, { ":authority", "h" } }, 400, NULL },
    { "connect", { { ":method", "CONNECT" }, { ":authority", "h:1" } }, 501, NULL },
    { "line end in a value", { GET, { ":authority", "h" }, { "x", "1\r\ny: 2" } }, -1, NULL },
    { "nul in a value", { GET, { ":authority", "h" }, { "x", "\x01" } }, -1, NULL },
    { "colon in a name", { GET, { ":authority", "h" }, { "x:y", "1" } }, -1, NULL },
    { "no name", { GET, { ":authority", "h" }, { "", "1" } }, -1, NULL },
    { "length", { GET, { ":authority", "h" }, { "content-length", "12" } }, 0, "host=h;content-length=12;" },
    { "negative length", { GET, { ":authority", "h" }, { "content-length", "-1" } }, -1, NULL },
    { "length past all numbers",
      { GET, { ":authority", "h" }, { "content-length", "9223372036854775808" } },
      -1,
      NULL },
    { "expectation", { GET, { ":authority", "h" }, { "expect", "100-Continue" } }, 0, "host=h;expect=100-Continue;" },
    { "other expectation", { GET, { ":authority", "h" }, { "expect", "tea" } }, 417, NULL },
};

static void print(struct buf *out, const struct http1_field *fields, size_t n) {
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%.*s=%.*s;", VSR_FMT(fields[i].name), VSR_FMT(fields[i].value));
}

TEST(heads) {
    struct http2_block block;
    http2_block_init(&block);
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct http1_head head = { .n_fields = 0 };
        struct buf text;
        void *memory = NULL;
        const char *why = NULL;
        int status;
        buf_init(&text, 4096);
        http2_block_begin(&block, 1, 0);
        for (size_t j = 0; j < PAIRS_MAX && cases[i].pairs[j].name; j++)
            CHECK(http2_block_add(&block, str_from_c(cases[i].pairs[j].name), str_from_c(cases[i].pairs[j].value)),
                  cases[i].name);
        status = http2_block_head(&block, &head, &memory, &why);
        http2_block_end(&block);
        CHECK_INT(status, cases[i].want, cases[i].name);
        CHECK((status > 0) == (why != NULL), cases[i].name);
        print(&text, head.fields, head.n_fields);
        if (cases[i].fields) {
            CHECK_STR(buf_str(&text), cases[i].fields, cases[i].name);
            CHECK_STR(head.method, "GET", cases[i].name);
            CHECK_STR(head.target, "/a", cases[i].name);
            CHECK(head.keep_alive && head.minor_version == 1, cases[i].name);
        }
        buf_done(&text);
        mem_free(memory);
    }
    http2_block_done(&block);
}

/* At each limit, and one past it. */
TEST(limits) {
    static char long_value[HTTP2_LIST_LEN_MAX + 1];
    static const struct {
        const char *name;
        size_t n_fields, value_len;
        int want;
    } limits[] = {
        { "most fields", HTTP1_FIELDS_MAX, 1, 0 },
        { "one more", HTTP1_FIELDS_MAX + 1, 1, 431 },
        { "longest list", 1, HTTP2_LIST_LEN_MAX - 157, 0 },
        { "one byte more", 1, HTTP2_LIST_LEN_MAX - 156, 431 },
    };
    struct http2_block block;
    memset(long_value, 'v', sizeof(long_value));
    http2_block_init(&block);
    for (size_t i = 0; i < VSR_COUNT(limits); i++) {
        struct http1_head head;
        void *memory = NULL;
        const char *why = NULL;
        http2_block_begin(&block, 1, 0);
        CHECK(http2_block_add(&block, VSR_STR(":method"), VSR_STR("GET")), limits[i].name);
        CHECK(http2_block_add(&block, VSR_STR(":path"), VSR_STR("/a")), limits[i].name);
        CHECK(http2_block_add(&block, VSR_STR(":authority"), VSR_STR("h")), limits[i].name);
        for (size_t j = 0; j < limits[i].n_fields; j++)
            CHECK(http2_block_add(&block, VSR_STR("f"), str_make(long_value, limits[i].value_len)), limits[i].name);
        CHECK_INT(block.list_len, 7 + 3 + 5 + 2 + 10 + 1 + 3 * 32 + limits[i].n_fields * (33 + limits[i].value_len),
                  limits[i].name);
        CHECK_INT(http2_block_head(&block, &head, &memory, &why), limits[i].want, limits[i].name);
        http2_block_end(&block);
        mem_free(memory);
    }
    http2_block_done(&block);
}

TEST(a_bomb_is_not_kept) {
    static char value[4000];
    struct http2_block block;
    size_t n = 0;
    memset(value, 'v', sizeof(value));
    http2_block_init(&block);
    http2_block_begin(&block, 1, 0);
    while (http2_block_add(&block, VSR_STR("f"), str_make(value, sizeof(value))))
        CHECK(n++ < 1000, "it ends");
    CHECK(block.bytes.cap <= HTTP2_LIST_LEN_MAX && block.too_large, "bounded");
    http2_block_end(&block);
    CHECK_INT(block.bytes.cap, 0, "given back");
    http2_block_done(&block);
}

TEST(trailers) {
    struct http2_block block;
    http2_block_init(&block);
    http2_block_begin(&block, 1, 0);
    CHECK(http2_block_add(&block, VSR_STR("grpc-status"), VSR_STR("0")), "add");
    CHECK(!block.bad, "well-formed");
    CHECK(http2_block_add(&block, VSR_STR("X"), VSR_STR("\n")), "add");
    CHECK(block.bad, "malformed");
    http2_block_done(&block);
}

RUN_TESTS(T(heads), T(limits), T(a_bomb_is_not_kept), T(trailers))
