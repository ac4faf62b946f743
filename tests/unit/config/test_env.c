/* Environment references: every form, where they are replaced and where not. */
#include "test.h"

#include "config/env.h"
#include "config/load.h"
#include "core/arena.h"
#include "fake_families.h"

struct probe {
    struct config_at at;
    vsr_str text, opaque;
};

static const struct field probe_fields[] = {
    { "text", FIELD_STRING, offsetof(struct probe, text) },
    { "opaque", FIELD_STRING, offsetof(struct probe, opaque), .flags = FIELD_VERBATIM },
};
static const struct schema probe_schema = SCHEMA("probe", struct probe, probe_fields);

/* Environment: KEY=sk-hidden-1, EMPTY=, HOST=10.1.2.3, 1=one, W=a$b */
static const struct {
    const char *text, *want;
    size_t unset;
} cases[] = {
    { "plain", "plain", 0 },
    { "${HOST}", "10.1.2.3", 0 },
    { "$HOST", "10.1.2.3", 0 },
    { "http://$HOST:80/${1}", "http://10.1.2.3:80/one", 0 },
    { "$1", "one", 0 },
    { "$HOSTS", "", 1 },
    { "${HOST}S", "10.1.2.3S", 0 },
    { "${NONE}", "", 1 },
    { "a${NONE}b", "ab", 1 },
    { "$NONE$NONE", "", 2 },
    { "${NONE:-text}", "text", 0 },
    { "${NONE-text}", "text", 0 },
    { "${EMPTY:-text}", "text", 0 },
    { "${EMPTY-text}", "", 0 },
    { "${EMPTY}", "", 0 },
    { "${HOST:-text}", "10.1.2.3", 0 },
    { "${NONE:-}", "", 0 },
    { "${NONE-}", "", 0 },
    { "${NONE:-a-b:-c}", "a-b:-c", 0 },
    { "${NONE-a:-b}", "b", 0 },           /* `:-` is searched first: the name is `NONE-a` */
    { "${NONE:-${HOST}}", "${HOST}", 0 }, /* no nesting: the first brace ends it */
    { "${NONE:-$HOST}", "$HOST", 0 },     /* defaults are literal */
    { "${:-x}", "x", 0 },                 /* the operator must not come first, so the name is `:` */
    { "${-x}", "", 1 },
    { "${NONE:?x}", "", 1 },
    { "${NONE:+x}", "", 1 },
    { "$$", "$", 0 },
    { "$$HOST", "$HOST", 0 },
    { "$$$HOST", "$10.1.2.3", 0 },
    { "$$$$", "$$", 0 },
    { "${}", "", 0 },
    { "a${}b", "ab", 0 },
    { "${HOST", "${HOST", 0 },
    { "${HOST $HOST", "${HOST 10.1.2.3", 0 },
    { "$", "$", 0 },
    { "a$", "a$", 0 },
    { "$ x", "$ x", 0 },
    { "$-", "$-", 0 },
    { "5$/m", "5$/m", 0 },
    { "$W", "a$b", 0 }, /* once: what comes out is not read again */
    { "$HOST\xC3\xA9", "10.1.2.3\xC3\xA9", 0 },
    { "$\xC3\xA9", "$\xC3\xA9", 0 },
};

static struct probe expand(struct arena *arena, const char *key, const char *text, const struct env *env,
                           struct diag *diag) {
    struct yaml_node name = { .kind = YAML_SCALAR, .text = str_from_c(key) };
    struct yaml_node value = { .kind = YAML_SCALAR, .quoted = true, .line = 7, .col = 9, .text = str_from_c(text) };
    struct yaml_node *keys[] = { &name }, *items[] = { &value };
    struct yaml_node root = { .kind = YAML_MAPPING, .keys = keys, .items = items, .n_items = 1 };
    struct probe probe;
    struct diag_at secret;
    env_substitute(env, &probe_schema, &root, arena, diag, &secret);
    schema_decode(&probe_schema, &root, VSR_STR("p"), &probe, arena, diag);
    return probe;
}

TEST(forms) {
    struct env env = { .get = fake_env };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct diag diag;
        diag_init(&diag, arena, VSR_STR("t"));
        CHECK_STR(expand(arena, "text", cases[i].text, &env, &diag).text, cases[i].want, cases[i].text);
        CHECK_INT(diag.n_warnings, cases[i].unset, cases[i].text);
        CHECK_INT(diag.n_errors, 0, cases[i].text);
        CHECK_STR(expand(arena, "opaque", cases[i].text, &env, &diag).opaque, cases[i].text, "verbatim");
        arena_free(arena);
    }
}

TEST(strict_and_kept) {
    struct env strict = { .get = fake_env, .strict = true }, keep = { .get = fake_env, .keep = true };
    struct arena *arena = arena_new(0, 0);
    struct diag diag;
    diag_init(&diag, arena, VSR_STR("t"));
    expand(arena, "text", "$A ${B} ${C:-c} $HOST", &strict, &diag);
    CHECK_INT(diag.n_errors, 2, "strict");
    diag_init(&diag, arena, VSR_STR("t"));
    CHECK_STR(expand(arena, "text", "$A ${B:-b} $$", &keep, &diag).text, "$A ${B:-b} $$", "kept");
    CHECK_INT(diag.n_errors + diag.n_warnings, 0, "kept");
    arena_free(arena);
}

static const struct config_document *load(struct arena *arena, const char *text, struct diag *diag) {
    struct config_load_options options = fake_options();
    const struct config_document *doc = NULL;
    (void)config_load_text(arena, str_from_c(text), VSR_STR("t.yaml"), &options, &doc, diag);
    CHECK_MSG(doc != NULL, "%.*s", diag->n_items ? (int)diag->items[0].message.len : 0,
              diag->n_items ? diag->items[0].message.ptr : "");
    return doc;
}

/* The text takes the type of its field, quoted or not. */
TEST(typed_fields) {
    struct arena *arena = arena_new(0, 0);
    struct diag diag;
    const struct config_document *doc =
        load(arena,
             "version: v0.3\n"
             "listeners: [{name: a, address: $HOST, port: $PORT, timeout: \"${T:-5s}\","
             " trust_identity_headers: \"$ON\"}]\n"
             "routing:\n"
             "  modelCards: [{name: m, quality_score: \"${Q-0.5}\", description: \"${EMPTY}\"}]\n"
             "  signals:\n"
             "    keywords:\n"
             "      - {name: k, method: regex, keywords: ['a$HOST$']}\n"
             "      - {name: l, keywords: ['a$HOST$']}\n",
             &diag);
    const struct config_listener *listener = doc->listeners.items;
    const struct config_model_card *card = doc->routing.model_cards.items;
    const struct fake_rule *rules = doc->routing.signals.rules[0].items;
    CHECK_STR(listener->address, "10.1.2.3", "string");
    CHECK_INT(listener->port, 9000, "int");
    CHECK_INT(listener->timeout_ms, 5000, "duration");
    CHECK(listener->trust_identity_headers, "bool");
    CHECK(card->quality_score == 0.5, "number");
    CHECK_STR(rules[0].keywords.items[0], "a$HOST$", "a regular expression is left alone");
    CHECK_STR(rules[1].keywords.items[0], "a10.1.2.3$", "a literal is not");
    arena_free(arena);
}

/* A block used twice is substituted once. */
TEST(aliases_once) {
    struct arena *arena = arena_new(0, 0);
    struct diag diag;
    const struct config_document *doc = load(arena,
                                             "version: v0.3\nrouting:\n  modelCards:\n"
                                             "    - {name: a, tags: &t [\"$$HOST\", $W, $NONE]}\n"
                                             "    - {name: b, tags: *t}\n",
                                             &diag);
    const struct config_model_card *cards = doc->routing.model_cards.items;
    for (size_t i = 0; i < 2; i++) {
        CHECK_STR(cards[i].tags.items[0], "$HOST", "escaped");
        CHECK_STR(cards[i].tags.items[1], "a$b", "value with a dollar");
    }
    CHECK_INT(diag.n_warnings, 1, "one warning");
    arena_free(arena);
}

RUN_TESTS(T(forms), T(strict_and_kept), T(typed_fields), T(aliases_once))
