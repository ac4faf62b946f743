/* Manifests of knowledge bases and databases of tools: what is read, what is refused, where files are looked for. */
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "config/kb_builtin.h"
#include "config/load.h"
#include "config/side_files.h"
#include "core/arena.h"
#include "core/buf.h"
#include "fake_families.h"

enum { PATH_LEN = 512, TEXT_LEN_MAX = 1 << 16 };

/* ---- manifests */

TEST(manifest_read) {
    struct arena *arena = arena_new(0, 0);
    struct config_kb_manifest *manifest = NULL;
    struct vsr_err err = VSR_ERR_NONE;
    int rc = kb_manifest_parse(arena,
                               VSR_STR("{\"version\": \"1\", \"extra\": 1, \"labels\": {\"b\": {\"exemplars\": "
                                       "[\"x\\u00e9\", \"y\"]}, \"a c\": {\"description\": \"d\", \"exemplars\": "
                                       "[\"z\"]}}}"),
                               &manifest, &err);
    CHECK_INT(rc, 0, err.text);
    CHECK_INT(manifest->n_labels, 2, "labels");
    CHECK_STR(manifest->version, "1", "version");
    CHECK_STR(manifest->labels[0].name, "b", "document order");
    CHECK_STR(manifest->labels[0].exemplars[0], "x\xC3\xA9", "unescaped");
    CHECK_INT(manifest->labels[0].n_exemplars, 2, "exemplars");
    CHECK_STR(config_kb_label(manifest, VSR_STR("a c"))->description, "d", "found by name");
    CHECK(!config_kb_label(manifest, VSR_STR("c")), "not there");
    arena_free(arena);
}

static const struct {
    const char *json, *text;
    int code, line, col;
} broken_manifests[] = {
    { "", NULL, VSR_E_SYNTAX, 1, 1 },
    { "{\"labels\": {", NULL, VSR_E_SYNTAX, 1, 13 },
    { "[]", "expected an object with labels", VSR_E_INVALID, 1, 1 },
    { "{}", "expected an object \"labels\" with at least one label", VSR_E_INVALID, 1, 1 },
    { "{\"labels\": {}}", "expected an object \"labels\" with at least one label", VSR_E_INVALID, 1, 12 },
    { "{\"labels\": []}", "expected an object \"labels\" with at least one label", VSR_E_INVALID, 1, 12 },
    { "{\"version\": 1, \"labels\": {\"a\": {\"exemplars\": [\"x\"]}}}", "expected text", VSR_E_INVALID, 1, 13 },
    { "{\"labels\": {\" \": {\"exemplars\": [\"x\"]}}}", "the name of a label must not be blank", VSR_E_INVALID, 1,
      13 },
    { "{\"labels\": {\"a\":\n []}}", "expected an object with exemplars", VSR_E_INVALID, 2, 2 },
    { "{\"labels\": {\"a\": {}}}", "a label needs a list \"exemplars\" with at least one text", VSR_E_INVALID, 1, 18 },
    { "{\"labels\": {\"a\": {\"exemplars\": []}}}", "a label needs a list \"exemplars\" with at least one text",
      VSR_E_INVALID, 1, 32 },
    { "{\"labels\": {\"a\": {\"exemplars\": [\"x\", \"\"]}}}",
      "an exemplar must be text that is not blank, of at most 65536 bytes", VSR_E_INVALID, 1, 38 },
    { "{\"labels\": {\"a\": {\"exemplars\": [1]}}}",
      "an exemplar must be text that is not blank, of at most 65536 bytes", VSR_E_INVALID, 1, 33 },
    { "{\"labels\": {\"a\": {\"exemplars\": [\"x\"]}, \"a\": {\"exemplars\": [\"y\"]}}}",
      "this label stands here twice", VSR_E_INVALID, 1, 40 },
};

TEST(manifest_refused) {
    for (size_t i = 0; i < VSR_COUNT(broken_manifests); i++) {
        struct arena *arena = arena_new(0, 0);
        struct config_kb_manifest *manifest = NULL;
        struct vsr_err err = VSR_ERR_NONE;
        const char *json = broken_manifests[i].json;
        CHECK_INT(kb_manifest_parse(arena, str_from_c(json), &manifest, &err), broken_manifests[i].code, json);
        CHECK(!manifest, json);
        if (broken_manifests[i].text)
            CHECK_STR(str_from_c(err.text), broken_manifests[i].text, json);
        CHECK_INT(err.line, broken_manifests[i].line, json);
        CHECK_INT(err.col, broken_manifests[i].col, json);
        arena_free(arena);
    }
}

/* ---- tools */

#define TOOL(name) \
    "{\"tool\": {\"type\": \"function\", \"function\": {\"name\": \"" name "\", \"description\": \"own\"}}"

TEST(tools_read) {
    struct arena *arena = arena_new(0, 0);
    struct config_tools_db *db = NULL;
    struct vsr_err err = VSR_ERR_NONE;
    int rc = tools_db_parse(arena,
                            VSR_STR("[" TOOL("f") "}, " TOOL(
                                "g") ", \"description\": \"d\", \"category\": \"c\", \"tags\": [\"t\"]}]"),
                            &db, &err);
    CHECK_INT(rc, 0, err.text);
    CHECK_INT(db->n_tools, 2, "tools");
    CHECK_STR(db->tools[0].description, "own", "the function's description stands in");
    CHECK_STR(db->tools[1].description, "d", "its own");
    CHECK_STR(db->tools[1].category, "c", "category");
    CHECK_STR(db->tools[1].tags[0], "t", "tags");
    CHECK_STR(db->tools[0].json, "{\"type\": \"function\", \"function\": {\"name\": \"f\", \"description\": \"own\"}}",
              "as it was written");
    CHECK_INT(tools_db_parse(arena, VSR_STR("[]"), &db, &err), 0, "none at all");
    CHECK_INT(db->n_tools, 0, "none at all");
    arena_free(arena);
}

static const struct {
    const char *json, *text;
} broken_tools[] = {
    { "{}", "expected a list of tools" },
    { "[1]", "expected an object with a tool" },
    { "[{}]", "expected an object with a tool" },
    { "[{\"tool\": {}}]", "expected \"tool\": {\"type\": \"function\", \"function\": {\"name\": ...}}" },
    { "[{\"tool\": {\"type\": \"function\", \"function\": {}}}]", "a function needs a name" },
    { "[{\"tool\": {\"type\": \"web\", \"function\": {\"name\": \"f\"}}}]",
      "expected \"tool\": {\"type\": \"function\", \"function\": {\"name\": ...}}" },
    { "[" TOOL("f") "}, " TOOL("f") "}]", "a tool of that name is already there" },
    { "[" TOOL("f") ", \"tags\": \"t\"}]", "expected a list of tags" },
    { "[" TOOL("f") ", \"tags\": [\"\"]}]", "a tag must be text that is not blank" },
    { "[" TOOL("f") ", \"category\": 1}]", "expected text" },
};

TEST(tools_refused) {
    for (size_t i = 0; i < VSR_COUNT(broken_tools); i++) {
        struct arena *arena = arena_new(0, 0);
        struct config_tools_db *db = NULL;
        struct vsr_err err = VSR_ERR_NONE;
        CHECK_INT(tools_db_parse(arena, str_from_c(broken_tools[i].json), &db, &err), VSR_E_INVALID,
                  broken_tools[i].json);
        CHECK_STR(str_from_c(err.text), broken_tools[i].text, broken_tools[i].json);
        CHECK(err.line == 1 && err.col > 0, broken_tools[i].json);
        arena_free(arena);
    }
}

/* One past each limit on numbers. */
TEST(limits) {
    struct arena *arena = arena_new(0, 0);
    struct config_kb_manifest *manifest = NULL;
    struct vsr_err err = VSR_ERR_NONE;
    struct buf text;
    for (int more = 0; more < 2; more++) {
        buf_init(&text, SIDE_FILE_LEN_MAX);
        buf_append_c(&text, "{\"labels\": {\"a\": {\"exemplars\": [\"x\"");
        for (int i = 1; i < KB_EXEMPLARS_MAX + more; i++)
            buf_append_c(&text, ",\"x\"");
        buf_append_c(&text, "]}}}");
        CHECK_INT(kb_manifest_parse(arena, buf_str(&text), &manifest, &err), more ? VSR_E_LIMIT : 0, "exemplars");
        buf_done(&text);
        buf_init(&text, SIDE_FILE_LEN_MAX);
        buf_append_c(&text, "{\"labels\": {");
        for (int i = 0; i < KB_LABELS_MAX + more; i++)
            buf_printf(&text, "%s\"l%d\": {\"exemplars\": [\"x\"]}", i ? "," : "", i);
        buf_append_c(&text, "}}");
        CHECK_INT(kb_manifest_parse(arena, buf_str(&text), &manifest, &err), more ? VSR_E_LIMIT : 0, "labels");
        buf_done(&text);
    }
    arena_free(arena);
}

/* ---- candidates */

static const struct {
    const char *path;
    struct side_file_roots roots;
    const char *want;
} searches[] = {
    { "knowledge_bases/k/labels.json",
      { VSR_STR_INIT("/s"), VSR_STR_INIT("/b"), VSR_STR_INIT("/a"), VSR_STR_INIT("/i") },
      "/s/knowledge_bases/k/labels.json /b/knowledge_bases/k/labels.json /a/knowledge_bases/k/labels.json "
      "/i/knowledge_bases/k/labels.json" },
    { "kb/labels.json",
      { VSR_STR_INIT("/s"), VSR_STR_INIT("/b"), VSR_STR_INIT("/a"), VSR_STR_INIT("/i") },
      "/b/kb/labels.json /a/kb/labels.json /i/kb/labels.json" },
    { "kb/labels.json",
      { VSR_STR_INIT("/s"), VSR_STR_INIT(""), VSR_STR_INIT(""), VSR_STR_INIT("/i") },
      "/i/kb/labels.json" },
    { "/abs", { VSR_STR_INIT("/s"), VSR_STR_INIT("/b"), VSR_STR_INIT("/a"), VSR_STR_INIT("/i") }, "/abs" },
    { "x", { VSR_STR_INIT("/s"), VSR_STR_INIT(""), VSR_STR_INIT(""), VSR_STR_INIT("") }, "" },
};

TEST(places) {
    for (size_t i = 0; i < VSR_COUNT(searches); i++) {
        struct arena *arena = arena_new(0, 0);
        vsr_str found[SIDE_FILE_CANDIDATES_MAX], all = { 0 };
        size_t n = side_file_candidates(&searches[i].roots, str_from_c(searches[i].path), arena, found);
        for (size_t k = 0; k < n; k++)
            all = arena_printf(arena, "%.*s%s%.*s", VSR_FMT(all), k ? " " : "", VSR_FMT(found[k]));
        CHECK_STR(all, searches[i].want, searches[i].path);
        arena_free(arena);
    }
}

/* ---- whole documents */

struct kb_rule {
    struct config_at at;
    vsr_str name, kb;
    const struct yaml_node *target;
};

static const struct field kb_rule_fields[] = {
    { "name", FIELD_STRING, offsetof(struct kb_rule, name), .flags = FIELD_REQUIRED, .help = "." },
    { "kb", FIELD_STRING, offsetof(struct kb_rule, kb), .help = "." },
    { "target", FIELD_NODE, offsetof(struct kb_rule, target), .help = "." },
};
static const struct schema kb_rule_schema = SCHEMA("kb rule", struct kb_rule, kb_rule_fields);
static const struct config_family kb_family[] = { { .type = "kb", .list_key = "kb", .schema = &kb_rule_schema } };

struct place {
    char dir[PATH_LEN]; /* $VSR_CONFIG_ASSET_ROOT */
};

static const char *place_env(void *data, const char *name) {
    const struct place *place = data;
    return strcmp(name, "VSR_CONFIG_ASSET_ROOT") == 0 ? place->dir : NULL;
}

static void write_file(const struct place *place, const char *name, const char *text) {
    char path[PATH_LEN * 2];
    FILE *file;
    snprintf(path, sizeof(path), "%s/%s", place->dir, name);
    for (char *slash = path + strlen(place->dir) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = 0;
        (void)mkdir(path, 0700); /* it may be there */
    }
    file = fopen(path, "wb");
    CHECK(file != NULL, path);
    fputs(text, file);
    fclose(file);
}

#define LABELS "{\"labels\": {\"red\": {\"exemplars\": [\"x\"]}, \"green\": {\"exemplars\": [\"y\"]}}}"
#define USES "routing: {signals: {kb: [{name: r, kb: k, target: {kind: label, value: red}}]}}\n"
#define KB(more) "global: {model_catalog: {kbs: [{name: k, source: {path: k}, " more "}]}}\n"

/* `%` in a text stands for the folder. */
static const struct {
    const char *yaml;
    bool no_files;
    const char *want;
} documents[] = {
    { USES KB(""), false, "W_UNUSED" },
    { USES KB("label_thresholds: {red: 0.5}, groups: {g: [red, green]}"), false, "W_UNUSED" },
    { "routing: {}\n" KB("groups: {g: [blue]}"), false, "" },
    { USES KB("label_thresholds: {red: 0.5, blue: 0.5}"), false,
      "W_UNUSED E_REF global.model_catalog.kbs[k].label_thresholds.blue: knowledge base \"k\" has no label \"blue\" in "
      "%/k/labels.json" },
    { USES KB("groups: {g: [red, gren]}"), false,
      "W_UNUSED E_REF global.model_catalog.kbs[k].groups.g[1]: knowledge base \"k\" has no label \"gren\" in "
      "%/k/labels.json; did you mean \"green\"?" },
    { "routing: {signals: {kb: [{name: r, kb: k, target: {kind: label, value: blue}}]}}\n" KB(""), false,
      "W_UNUSED E_REF routing.signals.kb[r].target.value: knowledge base \"k\" has no label \"blue\" in "
      "%/k/labels.json" },
    { "routing: {signals: {kb: [{name: r, kb: broken}]}}\n"
      "global: {model_catalog: {kbs: [{name: broken, source: {path: broken}}]}}\n",
      false,
      "W_UNUSED E_ASSET global.model_catalog.kbs[broken].source.path: %/broken/labels.json:1:12: expected an object "
      "\"labels\" with at least one label" },
    { "routing: {signals: {kb: [{name: r, kb: away}]}}\n"
      "global: {model_catalog: {kbs: [{name: away, source: {path: /nowhere, manifest: m.json}}]}}\n",
      false,
      "W_UNUSED W_ASSET global.model_catalog.kbs[away].source.path: signals and scores of knowledge base \"away\" are "
      "unavailable, because its file is not there; tried /nowhere/m.json" },
    { "routing: {signals: {kb: [{name: r, kb: away}]}}\n"
      "global: {model_catalog: {kbs: [{name: away, source: {path: /nowhere}}]}}\n",
      true,
      "W_UNUSED E_ASSET global.model_catalog.kbs[away].source.path: the path of a knowledge base must not be absolute "
      "in a document that is only validated" },
    { USES KB("groups: {g: [blue]}"), true, "W_UNUSED" },
    { "global: {integrations: {tools: {enabled: true, tools_db_path: tools.json}}}\n", false,
      "W_FEATURE global.integrations.tools: not there yet: offering tools out of a database" },
    { "global: {integrations: {tools: {enabled: false, tools_db_path: notools.json}}}\n", false, "" },
    { "global: {integrations: {tools: {enabled: true, tools_db_path: notools.json}}}\n", false,
      "E_ASSET global.integrations.tools.tools_db_path: %/notools.json:1:1: expected a list of tools" },
    { "global: {integrations: {tools: {enabled: true, tools_db_path: k}}}\n", false,
      "E_ASSET global.integrations.tools.tools_db_path: \"%/k\" is not an ordinary file" },
};

static void describe(const struct diag *diag, const struct place *place, struct buf *out) {
    for (size_t i = 0; i < diag->n_items; i++) {
        const struct diag_item *item = &diag->items[i];
        buf_printf(out, "%s%s", i ? " " : "", item->code);
        if (strcmp(item->code, "W_UNUSED") == 0)
            continue;
        buf_printf(out, " %.*s: ", VSR_FMT(item->path));
        for (vsr_str rest = item->message; rest.len;) {
            ptrdiff_t at = str_find(rest, str_from_c(place->dir));
            buf_append(out, at < 0 ? rest : str_sub(rest, 0, (size_t)at));
            if (at >= 0)
                buf_append_char(out, '%');
            rest = at < 0 ? VSR_STR("") : str_sub(rest, (size_t)at + strlen(place->dir), rest.len);
        }
        if (item->hint.len && str_starts(item->hint, VSR_STR("did you")))
            buf_printf(out, "; %.*s", VSR_FMT(item->hint));
    }
}

static void make_place(struct place *place) {
    snprintf(place->dir, sizeof(place->dir), "/tmp/vsr_side_files_XXXXXX");
    CHECK(mkdtemp(place->dir) != NULL, place->dir);
    write_file(place, "k/labels.json", LABELS);
    write_file(place, "broken/labels.json", "{\"labels\": {}}");
    write_file(place, "tools.json", "[" TOOL("f") "}]");
    write_file(place, "notools.json", "{}");
}

static void remove_place(const struct place *place) {
    static const char *const names[] = { "k/labels.json",
                                         "k",
                                         "broken/labels.json",
                                         "broken",
                                         "tools.json",
                                         "notools.json",
                                         "beside/knowledge_bases/mmlu/labels.json",
                                         "beside/knowledge_bases/mmlu",
                                         "beside/knowledge_bases",
                                         "beside/policy.yaml",
                                         "beside",
                                         "" };
    for (size_t i = 0; i < VSR_COUNT(names); i++) {
        char path[PATH_LEN * 2];
        snprintf(path, sizeof(path), "%s/%s", place->dir, names[i]);
        (void)remove(path); /* what is left over is no failure */
    }
}

TEST(whole_documents) {
    struct place place;
    make_place(&place);
    for (size_t i = 0; i < VSR_COUNT(documents); i++) {
        struct arena *arena = arena_new(0, 0);
        struct config_load_options options = {
            .parts.families = { kb_family, 1 }, .no_files = documents[i].no_files, .env = place_env, .env_data = &place
        };
        const struct config_document *doc = NULL;
        vsr_str text = arena_printf(arena, "version: v0.3\n%s", documents[i].yaml);
        struct diag diag;
        struct buf out;
        (void)config_load_text(arena, text, VSR_STR("t"), &options, &doc, &diag);
        buf_init(&out, TEXT_LEN_MAX);
        describe(&diag, &place, &out);
        for (size_t k = 0; k < diag.n_items; k++)
            CHECK(diag.items[k].line > 0, documents[i].yaml);
        CHECK_STR(buf_str(&out), documents[i].want, documents[i].yaml);
        if (doc && i == 0)
            CHECK_INT(config_kb(&doc->global.model_catalog, VSR_STR("k"))->manifest->n_labels, 2, "kept");
        if (doc && doc->global.integrations.tools.enabled)
            CHECK_INT(doc->global.integrations.tools.db->n_tools, 1, "kept");
        buf_done(&out);
        arena_free(arena);
    }
    remove_place(&place);
}

/* The defaults, with rules that use both; nothing but the rules is written. */
#define BOTH \
    "version: v0.3\nrouting: {signals: {kb: [{name: a, kb: privacy_kb, target: {kind: label, value: pii}}, " \
    "{name: b, kb: mmlu_kb, target: {kind: label, value: computer science}}]}}\n"

static void count_labels(const struct config_document *doc, const char *kb, size_t want) {
    const struct config_kb_manifest *manifest =
        doc ? config_kb(&doc->global.model_catalog, str_from_c(kb))->manifest : NULL;
    CHECK(manifest != NULL, kb);
    if (manifest)
        CHECK_INT(manifest->n_labels, want, kb);
}

/* With nothing but the program they are there, and fit the thresholds, groups and metrics of the defaults. */
TEST(built_in) {
    struct arena *arena = arena_new(0, 0);
    struct place nowhere = { "/nowhere" };
    struct config_load_options options = { .parts.families = { kb_family, 1 }, .env = place_env, .env_data = &nowhere };
    const struct config_document *doc = NULL;
    struct diag diag;
    (void)config_load_text(arena, VSR_STR(BOTH), VSR_STR("t"), &options, &doc, &diag);
    for (size_t i = 0; i < diag.n_items; i++)
        CHECK_STR(str_from_c(diag.items[i].code), "W_UNUSED", "no file is missed, no label is unknown");
    count_labels(doc, "privacy_kb", 18);
    count_labels(doc, "mmlu_kb", 14);
    if (doc)
        CHECK_STR(config_kb(&doc->global.model_catalog, VSR_STR("mmlu_kb"))->manifest->file,
                  "built-in knowledge_bases/mmlu/labels.json", "what messages call it");
    arena_free(arena);
}

/* Enough to tell labels apart by, and no text that stands for two. */
TEST(built_in_exemplars) {
    static const char *const paths[] = { "knowledge_bases/privacy/labels.json", "knowledge_bases/mmlu/labels.json" };
    for (size_t i = 0; i < VSR_COUNT(paths); i++) {
        struct arena *arena = arena_new(0, 0);
        struct config_kb_manifest *manifest = NULL;
        struct vsr_err err = VSR_ERR_NONE;
        struct map texts;
        vsr_str name, text = { 0 };
        map_init(&texts, arena);
        CHECK(kb_builtin(str_from_c(paths[i]), &name, &text), paths[i]);
        CHECK_INT(kb_manifest_parse(arena, text, &manifest, &err), 0, err.text);
        for (size_t k = 0; manifest && k < manifest->n_labels; k++) {
            struct config_kb_label *label = &manifest->labels[k];
            CHECK(label->description.len > 0, paths[i]);
            CHECK(label->n_exemplars >= 15, paths[i]);
            for (size_t j = 0; j < label->n_exemplars; j++)
                CHECK(map_put(&texts, str_trim(label->exemplars[j]), label) == NULL, "twice");
        }
        arena_free(arena);
    }
}

TEST(built_in_by_path_alone) {
    static const char *const others[] = { "privacy/labels.json", "knowledge_bases/privacy/other.json",
                                          "/knowledge_bases/mmlu/labels.json", "knowledge_bases/mine/labels.json", "" };
    vsr_str name, text;
    for (size_t i = 0; i < VSR_COUNT(others); i++)
        CHECK(!kb_builtin(str_from_c(others[i]), &name, &text), others[i]);
}

static void note_path(void *data, vsr_str path, vsr_str hash) {
    buf_printf(data, "%.*s%s ", VSR_FMT(path), hash.len ? " read" : "");
}

/* A file takes the place of the built-in base, wherever it may lie; until there is one, its places are watched. */
TEST(file_before_built_in) {
    for (int there = 0; there < 2; there++) {
        struct arena *arena = arena_new(0, 0);
        struct place place;
        struct buf watched;
        struct config_load_options options = { .parts.families = { kb_family, 1 },
                                               .env = place_env,
                                               .env_data = &place,
                                               .on_file = note_path,
                                               .on_file_data = &watched };
        const struct config_document *doc = NULL;
        struct diag diag;
        char document[PATH_LEN * 2], file[PATH_LEN * 2];
        buf_init(&watched, TEXT_LEN_MAX);
        make_place(&place);
        write_file(
            &place, "beside/policy.yaml",
            "version: v0.3\nrouting: {signals: {kb: [{name: a, kb: mmlu_kb, target: {kind: label, value: red}}]}}"
            "\nglobal: {model_catalog: {kbs: [{name: mmlu_kb, source: {path: knowledge_bases/mmlu/}}]}}\n");
        if (there)
            write_file(&place, "beside/knowledge_bases/mmlu/labels.json", LABELS);
        snprintf(document, sizeof(document), "%s/beside/policy.yaml", place.dir);
        snprintf(file, sizeof(file), "%s/beside/knowledge_bases/mmlu/labels.json%s", place.dir, there ? " read" : "");
        (void)config_load_file(arena, document, &options, &doc, &diag);
        if (there) {
            count_labels(doc, "mmlu_kb", 2);
        } else {
            CHECK(doc == NULL, "the built-in one has no such label");
            CHECK_STR(diag.items[diag.n_items - 1].message,
                      "knowledge base \"mmlu_kb\" has no label \"red\" in built-in knowledge_bases/mmlu/labels.json",
                      "and is named");
        }
        CHECK(str_find(buf_str(&watched), str_from_c(file)) >= 0, "told of the place");
        CHECK(str_find(buf_str(&watched), VSR_STR("built-in")) < 0, "what is no file is not watched");
        buf_done(&watched);
        remove_place(&place);
        arena_free(arena);
    }
}

/* The published bases fit the built-in thresholds and groups. */
TEST(published_bases) {
    const char *shared = getenv("VSR_TEST_SHARED");
    struct arena *arena = arena_new(0, 0);
    struct place place;
    struct config_load_options options = { .parts.families = { kb_family, 1 }, .env = place_env, .env_data = &place };
    const struct config_document *doc = NULL;
    struct diag diag;
    snprintf(place.dir, sizeof(place.dir), "%s/recipes", shared ? shared : "");
    if (access(place.dir, R_OK) < 0) {
        arena_free(arena);
        skip();
    }
    (void)config_load_text(arena,
                           VSR_STR("version: v0.3\nrouting: {signals: {kb: [{name: a, kb: privacy_kb, target: {kind: "
                                   "label, value: pii}}, {name: b, kb: mmlu_kb}]}}\n"),
                           VSR_STR("t"), &options, &doc, &diag);
    for (size_t i = 0; i < diag.n_items; i++)
        CHECK_STR(str_from_c(diag.items[i].code), "W_UNUSED", "nothing else");
    CHECK(doc != NULL, "loads");
    CHECK_INT(config_kb(&doc->global.model_catalog, VSR_STR("privacy_kb"))->manifest->n_labels, 18, "labels");
    CHECK_INT(config_kb(&doc->global.model_catalog, VSR_STR("mmlu_kb"))->manifest->n_labels, 14, "labels");
    arena_free(arena);
}

RUN_TESTS(T(manifest_read), T(manifest_refused), T(tools_read), T(tools_refused), T(limits), T(places),
          T(whole_documents), T(built_in), T(built_in_exemplars), T(built_in_by_path_alone), T(file_before_built_in),
          T(published_bases))
