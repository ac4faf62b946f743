/* Lists of numbers, `auto`, defaults that are lists, and blocks whose table a sibling key chooses. */
#include "test.h"

#include <math.h>

#include "config/env.h"
#include "config/schema.h"
#include "core/arena.h"
#include "core/buf.h"

enum { PRINT_LEN_MAX = 1 << 16 };

struct reply {
    struct config_at at;
    vsr_str message;
    int64_t status;
    vsr_str key;
};

static const struct field reply_fields[] = {
    { "message", FIELD_STRING, offsetof(struct reply, message), .flags = FIELD_REQUIRED | FIELD_NONBLANK, .help = "." },
    { "status", FIELD_INT, offsetof(struct reply, status), .flags = FIELD_RANGE, .fallback = "200", .least = 200,
      .greatest = 599, .help = "." },
    { "key", FIELD_STRING, offsetof(struct reply, key), .flags = FIELD_SECRET, .help = "." },
};
static const struct schema reply_schema = SCHEMA("reply", struct reply, reply_fields);

struct tuned {
    struct config_at at;
    int64_t budget;
    struct config_numbers buckets;
    struct config_ints schedule;
    struct config_strings roles;
    struct config_number_map limits;
    struct config_strings_map groups;
    vsr_str template;
};

static const struct field tuned_fields[] = {
    { "budget", FIELD_INT_OR_AUTO, offsetof(struct tuned, budget), .flags = FIELD_RANGE, .fallback = "auto", .least = 1,
      .greatest = 100, .help = "." },
    { "buckets", FIELD_NUMBER_LIST, offsetof(struct tuned, buckets), .flags = FIELD_RANGE | FIELD_NONBLANK,
      .fallback = "[0.5, 1, 2.5]", .least = 0, .greatest = INFINITY, .help = "." },
    { "schedule", FIELD_INT_LIST, offsetof(struct tuned, schedule), .help = "." },
    { "roles", FIELD_STRINGS, offsetof(struct tuned, roles), .fallback = "[user, \"no\"]", .help = "." },
    { "limits", FIELD_NUMBER_MAP, offsetof(struct tuned, limits), .flags = FIELD_RANGE, .least = 0, .greatest = 1,
      .help = "." },
    { "groups", FIELD_STRINGS_MAP, offsetof(struct tuned, groups), .flags = FIELD_NONBLANK, .help = "." },
    { "template", FIELD_STRING, offsetof(struct tuned, template), .flags = FIELD_VERBATIM, .help = "." },
};
static const struct schema tuned_schema = SCHEMA("tuned", struct tuned, tuned_fields);

struct plugin {
    struct config_at at;
    vsr_str type;
    void *configuration;
};

static const struct field_variant variants[] = {
    { "reply", &reply_schema },
    { "tuned", &tuned_schema },
    { "nothing", NULL },
};

static const struct field plugin_fields[] = {
    { "type", FIELD_STRING, offsetof(struct plugin, type), .flags = FIELD_REQUIRED, .help = "." },
    { "configuration", FIELD_VARIANT, offsetof(struct plugin, configuration), .help = ".", .selector = "type",
      .variants = variants, .n_variants = VSR_COUNT(variants) },
};
static const struct schema plugin_schema = SCHEMA("plugin", struct plugin, plugin_fields);

static const char *const strict_types[] = { "reply", "tuned", NULL };

struct strict {
    struct config_at at;
    int type;
    void *block;
};

static const struct field strict_fields[] = {
    { "type", FIELD_ENUM, offsetof(struct strict, type), .flags = FIELD_NOCASE, .fallback = "tuned",
      .choices = strict_types, .help = "." },
    { "block", FIELD_VARIANT, offsetof(struct strict, block), .flags = FIELD_REQUIRED, .help = ".", .selector = "type",
      .variants = variants, .n_variants = 2 },
};
static const struct schema strict_schema = SCHEMA("strict", struct strict, strict_fields);

struct host {
    struct config_at at;
    struct config_list plugins;
    struct strict *strict;
};

static const struct field host_fields[] = {
    { "plugins", FIELD_OBJECTS, offsetof(struct host, plugins), .object = &plugin_schema, .help = "." },
    { "strict", FIELD_OPTIONAL, offsetof(struct host, strict), .object = &strict_schema, .help = "." },
};
static const struct schema host_schema = SCHEMA("host", struct host, host_fields);

static const char *some_env(void *data, const char *name) {
    (void)data;
    if (strcmp(name, "TYPE") == 0)
        return "tuned";
    if (strcmp(name, "D") == 0)
        return "$N";
    return strcmp(name, "N") == 0 ? "7" : NULL;
}

/* Everything lives in the arena. */
static struct host *decode(struct arena *arena, const char *yaml, bool keep_env, struct diag *diag) {
    struct host *host = ARENA_NEW(arena, struct host);
    struct env env = { .get = some_env, .keep = keep_env };
    struct yaml_node *root;
    struct diag_at secret;
    diag_init(diag, arena, VSR_STR("t"));
    CHECK_INT(yaml_tree_parse(arena, str_from_c(yaml), &root, diag), 0, yaml);
    env_substitute(&env, &host_schema, root, arena, diag, &secret);
    (void)schema_decode(&host_schema, root, VSR_STR(""), host, arena, diag);
    diag_sort(diag);
    return host;
}

static vsr_str print(struct arena *arena, const struct host *host, bool effective) {
    struct buf out;
    vsr_str text;
    buf_init(&out, PRINT_LEN_MAX);
    schema_print(&host_schema, host, 0, effective, &out);
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

/* ---- what is accepted, and how it is printed */

static const struct {
    const char *yaml, *sparse, *full;
} prints[] = {
    { "plugins: [{type: reply, configuration: {message: hi}}]",
      "plugins:\n  - type: reply\n    configuration:\n      message: hi\n",
      "plugins:\n  - type: reply\n    configuration:\n      message: hi\n      status: 200\n" },
    { "plugins: [{configuration: {message: hi, key: k}, type: reply}]",
      "plugins:\n  - type: reply\n    configuration:\n      message: hi\n      key: \"[REDACTED]\"\n", NULL },
    { "plugins: [{type: tuned}]", "plugins:\n  - type: tuned\n",
      "plugins:\n  - type: tuned\n    configuration:\n      budget: auto\n      buckets: [0.5, 1, 2.5]\n"
      "      roles: [user, \"no\"]\n" },
    { "plugins: [{type: tuned, configuration: {budget: 5, buckets: [1e-3, 2], schedule: [3, 0x10], roles: []}}]",
      "plugins:\n  - type: tuned\n    configuration:\n      budget: 5\n      buckets: [0.001, 2]\n"
      "      schedule: [3, 16]\n      roles: []\n",
      NULL },
    { "plugins: [{type: tuned, configuration: {budget: \"auto\"}}]",
      "plugins:\n  - type: tuned\n    configuration:\n      budget: auto\n", NULL },
    { "plugins: [{type: tuned, configuration: {limits: {\"a b\": 0.25, c: 1}, groups: {g: [x, \"1\"], h: [y]}}}]",
      "plugins:\n  - type: tuned\n    configuration:\n      limits: {a b: 0.25, c: 1}\n"
      "      groups: {g: [x, \"1\"], h: [y]}\n",
      NULL },
    { "plugins: [{type: nothing}]", "plugins:\n  - type: nothing\n", "plugins:\n  - type: nothing\n" },
    { "plugins: [{type: nothing, configuration: null}]", "plugins:\n  - type: nothing\n", NULL },
    { "strict: {block: {}}", "strict:\n  block: {}\n", NULL },
    { "strict: {block: {message: a}, type: ' REPLY '}", "strict:\n  type: reply\n  block:\n    message: a\n", NULL },
    /* the selector and the block may both come from the environment, in either order */
    { "plugins: [{configuration: {budget: \"${N}\", schedule: [$N], template: $N}, type: \"${TYPE}\"}]",
      "plugins:\n  - type: \"${TYPE}\"\n    configuration:\n      budget: \"${N}\"\n      schedule: [\"$N\"]\n"
      "      template: \"$N\"\n",
      "plugins:\n  - type: tuned\n    configuration:\n      budget: 7\n      buckets: [0.5, 1, 2.5]\n"
      "      schedule: [7]\n      roles: [user, \"no\"]\n      template: \"$N\"\n" },
    /* of secrets only bare references are shown; what came from the environment is no reference again */
    { "plugins: [{type: reply, configuration: {message: \"a${D}\", key: \"${D}\"}}]",
      "plugins:\n  - type: reply\n    configuration:\n      message: \"a${D}\"\n      key: \"${D}\"\n",
      "plugins:\n  - type: reply\n    configuration:\n      message: \"a$$N\"\n      status: 200\n      key: "
      "\"${D}\"\n" },
    { "plugins: [{type: reply, configuration: {message: \"5$ $$\", key: \"${NO:-sesame}\"}}]",
      "plugins:\n  - type: reply\n    configuration:\n      message: \"5$ $$\"\n      key: \"[REDACTED]\"\n",
      "plugins:\n  - type: reply\n    configuration:\n      message: \"5$$ $$\"\n      status: 200\n"
      "      key: \"[REDACTED]\"\n" },
};

TEST(printing) {
    for (size_t i = 0; i < VSR_COUNT(prints); i++) {
        struct arena *arena = arena_new(0, 0);
        struct diag diag;
        struct host *host = decode(arena, prints[i].yaml, false, &diag);
        vsr_str once;
        CHECK_MSG(diag.n_items == 0, "%s: %.*s", prints[i].yaml, VSR_FMT(diag.items[0].message));
        once = print(arena, host, false);
        CHECK_STR(once, prints[i].sparse, prints[i].yaml);
        if (prints[i].full)
            CHECK_STR(print(arena, host, true), prints[i].full, prints[i].yaml);
        host = decode(arena, arena_c_str(arena, once), false, &diag);
        CHECK_STR(print(arena, host, false), prints[i].sparse, "printing again changes nothing");
        arena_free(arena);
    }
}

/* ---- what is refused */

static const struct {
    const char *yaml, *code, *path, *message, *hint;
} errors[] = {
    { "plugins: [{type: repli, configuration: {x: 1}}]", "E_ENUM", "plugins[0].type",
      "\"repli\" is not one of reply, tuned, nothing", "did you mean \"reply\"?" },
    { "plugins: [{configuration: {message: a}}]", "E_REQUIRED", "plugins[0].type", "missing, required in every plugin",
      "" },
    { "plugins: [{type: [a]}]", "E_TYPE", "plugins[0].type", "expected text, found a list", "" },
    { "plugins: [{type: Reply, configuration: {}}]", "E_ENUM", "plugins[0].type",
      "\"Reply\" is not one of reply, tuned, nothing", "did you mean \"reply\"?" },
    { "plugins: [{type: reply}]", "E_REQUIRED", "plugins[0].configuration.message", "missing, required in every reply",
      "" },
    { "plugins: [{type: reply, configuration: {message: a, mesage: b}}]", "E_UNKNOWN",
      "plugins[0].configuration.mesage", "unknown key, allowed here: message, status, key",
      "did you mean \"message\"?" },
    { "plugins: [{type: reply, configuration: 5}]", "E_TYPE", "plugins[0].configuration",
      "expected a mapping (reply), found \"5\"", "" },
    { "plugins: [{type: nothing, configuration: {}}]", "E_UNKNOWN", "plugins[0].configuration",
      "type \"nothing\" takes no configuration", "remove it" },
    { "strict: {type: repli, block: {}}", "E_ENUM", "strict.type", "\"repli\" is not one of reply, tuned",
      "did you mean \"reply\"?" },
    { "strict: {type: reply}", "E_REQUIRED", "strict.block", "missing, required in every strict", "" },
    { "plugins: [{type: tuned, configuration: {budget: often}}]", "E_TYPE", "plugins[0].configuration.budget",
      "expected an integer or auto, found \"often\"", "" },
    { "plugins: [{type: tuned, configuration: {budget: -1}}]", "E_RANGE", "plugins[0].configuration.budget",
      "must be between 1 and 100, found \"-1\"", "" },
    { "plugins: [{type: tuned, configuration: {budget: \"5\"}}]", "E_TYPE", "plugins[0].configuration.budget",
      "expected an integer or auto, found \"5\"", "remove the quotes" },
    { "plugins: [{type: tuned, configuration: {buckets: []}}]", "E_REQUIRED", "plugins[0].configuration.buckets",
      "must have at least one entry", "" },
    { "plugins: [{type: tuned, configuration: {buckets: 1}}]", "E_TYPE", "plugins[0].configuration.buckets",
      "expected a list of numbers, found \"1\"", "put it in brackets: [ ... ]" },
    { "plugins: [{type: tuned, configuration: {buckets: [1, -2]}}]", "E_RANGE", "plugins[0].configuration.buckets[1]",
      "must be at least 0, found \"-2\"", "" },
    { "plugins: [{type: tuned, configuration: {schedule: [1, 1.5]}}]", "E_TYPE", "plugins[0].configuration.schedule[1]",
      "expected an integer, found \"1.5\"", "" },
    { "plugins: [{type: tuned, configuration: {schedule: [~]}}]", "E_TYPE", "plugins[0].configuration.schedule[0]",
      "expected an integer, found \"~\"", "" },
    { "plugins: [{type: tuned, configuration: {limits: [1]}}]", "E_TYPE", "plugins[0].configuration.limits",
      "expected a mapping from names to numbers, found a list", "" },
    { "plugins: [{type: tuned, configuration: {limits: {a: 1, b: 1.5}}}]", "E_RANGE",
      "plugins[0].configuration.limits.b", "must be between 0 and 1, found \"1.5\"", "" },
    { "plugins: [{type: tuned, configuration: {limits: {a: x}}}]", "E_TYPE", "plugins[0].configuration.limits.a",
      "expected a number, found \"x\"", "" },
    { "plugins: [{type: tuned, configuration: {groups: {g: x}}}]", "E_TYPE", "plugins[0].configuration.groups.g",
      "expected a list of strings, found \"x\"", "put it in brackets: [ ... ]" },
    { "plugins: [{type: tuned, configuration: {groups: {g: [x], h: []}}}]", "E_REQUIRED",
      "plugins[0].configuration.groups.h", "must have at least one entry", "" },
    { "plugins: [{type: tuned, configuration: {groups: {g: [x, ' ']}}}]", "E_REQUIRED",
      "plugins[0].configuration.groups.g[1]", "must not be blank", "" },
    { "plugins: [{type: tuned, configuration: {groups: g}}]", "E_TYPE", "plugins[0].configuration.groups",
      "expected a mapping from names to lists of strings, found \"g\"", "" },
};

TEST(refused) {
    for (size_t i = 0; i < VSR_COUNT(errors); i++) {
        struct arena *arena = arena_new(0, 0);
        struct diag diag;
        (void)decode(arena, errors[i].yaml, false, &diag);
        CHECK_INT(diag.n_errors, 1, errors[i].yaml);
        CHECK_STR(str_from_c(diag.items[0].code), errors[i].code, errors[i].yaml);
        CHECK_STR(diag.items[0].path, errors[i].path, errors[i].yaml);
        CHECK_STR(diag.items[0].message, errors[i].message, errors[i].yaml);
        CHECK_STR(diag.items[0].hint, errors[i].hint, errors[i].yaml);
        CHECK_INT(diag.items[0].line, 1, errors[i].yaml);
        arena_free(arena);
    }
}

/* ---- the decoded values */

TEST(absent_blocks) {
    struct arena *arena = arena_new(0, 0);
    struct diag diag;
    struct host *host = decode(arena, "plugins: [{type: tuned}, {type: nothing}, {type: repli}]", false, &diag);
    struct plugin *plugins = host->plugins.items;
    struct tuned *tuned = plugins[0].configuration;
    CHECK(tuned && !tuned->at.node && !tuned->at.present, "absent is all defaults");
    CHECK_INT(tuned->budget, FIELD_AUTO, "auto");
    CHECK_INT(tuned->buckets.n, 3, "three");
    CHECK(tuned->buckets.items[2] == 2.5, "the last");
    CHECK_STR(tuned->roles.items[1], "no", "text of a default");
    CHECK_INT(tuned->roles.nodes[1]->line, 0, "a default has no place");
    CHECK(!plugins[1].configuration, "no table");
    CHECK(!plugins[2].configuration, "no such table");
    CHECK(!schema_present(&plugin_schema, &plugins[0], "configuration"), "not written");
    arena_free(arena);
}

/* References that are left in place are judged as text: the unknown is never an error. */
TEST(open_references) {
    struct arena *arena = arena_new(0, 0);
    struct diag diag;
    struct host *host = decode(arena,
                               "plugins: [{type: \"${TYPE}\", configuration: {x: 1}}, {type: tuned, configuration: "
                               "{budget: \"${N}\", schedule: [1, \"${N}\"], limits: {a: \"${N}\"}}}]",
                               true, &diag);
    struct plugin *plugins = host->plugins.items;
    struct tuned *tuned = plugins[1].configuration;
    CHECK_INT(diag.n_items, 0, "no complaint");
    CHECK(!plugins[0].configuration, "not known which");
    CHECK_INT(tuned->budget, FIELD_AUTO, "the default stands in");
    CHECK_INT(tuned->schedule.n, 2, "both entries");
    (void)decode(arena, "plugins: [{type: tuned, configuration: {schedule: \"${N}\"}}]", true, &diag);
    CHECK_INT(diag.n_errors, 1, "a list is never a reference");
    arena_free(arena);
}

RUN_TESTS(T(printing), T(refused), T(absent_blocks), T(open_references))
