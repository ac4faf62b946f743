/* Documents made from two files: routing in a notation of its own, the rest in a base beside it. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/notation.h"
#include "config/yaml_edit.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "fake_families.h"
#include "test.h"

enum { PATH_LEN = 256, WATCHED_LEN_MAX = 4096 };

/* The notation of this test is YAML under another name. */
static int read_rules(struct arena *arena, const struct config_parts *parts, vsr_str text, struct yaml_node **ret_root,
                      struct diag *diag) {
    (void)parts;
    return yaml_tree_parse(arena, text, ret_root, diag);
}

static int put_routing(struct arena *arena, const struct config_parts *parts, struct yaml_node *base,
                       struct yaml_node *read, struct diag *diag) {
    ptrdiff_t at = yaml_find(base, VSR_STR("routing"));
    (void)parts; /* nothing of it is kept */
    (void)diag;
    if (at >= 0)
        yaml_remove(base, (size_t)at);
    yaml_append(arena, base, yaml_get_key(read, VSR_STR("routing")), yaml_get(read, VSR_STR("routing")));
    return 0;
}

static const struct config_notation rules = { ".rules", read_rules, put_routing };

struct place {
    char dir[PATH_LEN];
    struct arena *arena;
    struct buf watched;
    struct config_load_options options;
    const struct config_document *doc;
    struct diag diag;
};

static void note_path(void *data, vsr_str path, vsr_str hash) {
    ptrdiff_t slash = str_find_last_char(path, '/');
    buf_printf(data, "%.*s%s ", VSR_FMT(str_sub(path, (size_t)slash + 1, path.len)), hash.len ? "" : "?");
}

static void make_place(struct place *place) {
    *place = (struct place){ .arena = arena_new(0, 0), .options = fake_options() };
    snprintf(place->dir, sizeof(place->dir), "/tmp/vsr-source-XXXXXX");
    CHECK(mkdtemp(place->dir) != NULL, "a folder");
    buf_init(&place->watched, WATCHED_LEN_MAX);
    place->options.notation = &rules;
    place->options.on_file = note_path;
    place->options.on_file_data = &place->watched;
}

static void put_file(const struct place *place, const char *name, const char *text) {
    char path[PATH_LEN * 2];
    FILE *file;
    snprintf(path, sizeof(path), "%s/%s", place->dir, name);
    file = fopen(path, "w");
    CHECK(file != NULL, name);
    fputs(text, file);
    fclose(file);
}

static int load(struct place *place, const char *name) {
    char path[PATH_LEN * 2];
    snprintf(path, sizeof(path), "%s/%s", place->dir, name);
    return config_load_file(place->arena, path, &place->options, &place->doc, &place->diag);
}

static void remove_place(struct place *place) {
    static const char *const names[] = { "a.rules", "a.yaml", "config.yaml", "other.yml" };
    char path[PATH_LEN * 2];
    for (size_t i = 0; i < VSR_COUNT(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", place->dir, names[i]);
        unlink(path);
    }
    rmdir(place->dir);
    buf_done(&place->watched);
    arena_free(place->arena);
}

#define RULES "routing: {modelCards: [{name: m}], decisions: [{name: written, priority: 1, modelRefs: [{model: m}]}]}\n"
#define BASE(port) \
    "version: v0.3\nlisteners:\n- {name: l, address: 127.0.0.1, port: " port "}\nrouting: {decisions: []}\n"

static int64_t port_of(const struct config_document *doc) {
    return doc ? ((const struct config_listener *)doc->listeners.items)->port : -1;
}

static const char *first_decision(const struct place *place) {
    const struct config_decision *decision = place->doc ? place->doc->routing.decisions.items : NULL;
    return decision ? arena_c_str(place->arena, decision->name) : "none";
}

TEST(base_of_the_same_name_first) {
    struct place place;
    make_place(&place);
    put_file(&place, "a.rules", RULES);
    put_file(&place, "a.yaml", BASE("1001"));
    put_file(&place, "config.yaml", BASE("1002"));
    CHECK_INT(load(&place, "a.rules"), 0, "loads");
    CHECK_INT(port_of(place.doc), 1001, "from a.yaml");
    CHECK(strcmp(first_decision(&place), "written") == 0, "routing is the file's");
    CHECK_STR(buf_str(&place.watched), "a.yaml ", "what is watched");
    remove_place(&place);
}

TEST(config_yaml_else_nothing) {
    struct place place;
    make_place(&place);
    put_file(&place, "a.rules", RULES);
    CHECK_INT(load(&place, "a.rules"), 0, "a base is not needed");
    CHECK_STR(buf_str(&place.watched), "a.yaml? config.yaml? ", "one that appears is noticed");
    buf_reset(&place.watched);
    put_file(&place, "config.yaml", BASE("1002"));
    CHECK_INT(load(&place, "a.rules"), 0, "loads");
    CHECK_INT(port_of(place.doc), 1002, "from config.yaml");
    CHECK_STR(buf_str(&place.watched), "a.yaml? config.yaml ", "what is watched");
    remove_place(&place);
}

TEST(a_base_of_routing_alone) {
    struct place place;
    make_place(&place);
    put_file(&place, "a.rules", RULES);
    put_file(&place, "a.yaml", "routing: {decisions: []}\n");
    CHECK_INT(load(&place, "a.rules"), 0, "it is as good as none");
    CHECK(strcmp(first_decision(&place), "written") == 0, "routing is the file's");
    place.options.serving = true;
    CHECK_INT(load(&place, "a.rules"), VSR_E_INVALID, "nobody serves with it");
    CHECK_STR(str_from_c(place.diag.items[0].code), "E_BASE", "why");
    put_file(&place, "a.yaml", "routing: {decisions: []}\nx-mine: 1\n");
    CHECK_INT(load(&place, "a.rules"), VSR_E_INVALID, "one that says more says its version");
    CHECK_STR(str_from_c(place.diag.items[0].code), "E_VERSION", "why");
    remove_place(&place);
}

TEST(a_base_of_routing_alone_hides_none) {
    struct place place;
    char path[PATH_LEN * 2];
    make_place(&place);
    put_file(&place, "a.rules", RULES);
    put_file(&place, "a.yaml", "version: v0.3\nrouting: {decisions: []}\nrecipes: []\nentrypoints: []\n");
    put_file(&place, "config.yaml", BASE("1002"));
    CHECK_INT(load(&place, "a.rules"), 0, "loads");
    CHECK_INT(port_of(place.doc), 1002, "from config.yaml");
    CHECK_STR(buf_str(&place.watched), "a.yaml config.yaml ", "one that says more later is noticed");
    put_file(&place, "a.yaml", BASE("1001"));
    CHECK_INT(load(&place, "a.rules"), 0, "loads");
    CHECK_INT(port_of(place.doc), 1001, "from a.yaml");
    put_file(&place, "a.yaml", "version: v0.3\nglobal: {}\n");
    CHECK_INT(load(&place, "a.rules"), 0, "loads");
    CHECK(port_of(place.doc) != 1002, "settings are more than routing");
    put_file(&place, "a.yaml", "routing: [\n");
    CHECK(load(&place, "a.rules") < 0, "what is no YAML is told, not passed over");
    snprintf(path, sizeof(path), "%s/other.yml", place.dir);
    put_file(&place, "other.yml", "version: v0.3\nrouting: {}\n");
    place.options.base = path;
    CHECK_INT(load(&place, "a.rules"), 0, "loads");
    CHECK(port_of(place.doc) != 1002, "one that is named is taken as it is");
    remove_place(&place);
}

TEST(base_by_name) {
    struct place place;
    char path[PATH_LEN * 2];
    make_place(&place);
    snprintf(path, sizeof(path), "%s/other.yml", place.dir);
    place.options.base = path;
    put_file(&place, "a.rules", RULES);
    put_file(&place, "a.yaml", BASE("1001"));
    CHECK_INT(load(&place, "a.rules"), VSR_E_IO, "it must be there");
    put_file(&place, "other.yml", BASE("1003"));
    CHECK_INT(load(&place, "a.rules"), 0, "loads");
    CHECK_INT(port_of(place.doc), 1003, "from the one that was named");
    remove_place(&place);
}

TEST(yaml_has_no_base) {
    struct place place;
    make_place(&place);
    put_file(&place, "a.yaml", "version: v0.3\n" RULES);
    put_file(&place, "config.yaml", BASE("1002"));
    CHECK_INT(load(&place, "a.yaml"), 0, "loads");
    CHECK(port_of(place.doc) != 1002, "alone");
    CHECK_STR(buf_str(&place.watched), "", "nothing else is read");
    remove_place(&place);
}

/* Every problem is told with the file that it stands in. */
TEST(problems_of_both) {
    struct place place;
    struct buf out;
    make_place(&place);
    buf_init(&out, WATCHED_LEN_MAX);
    put_file(&place, "a.rules", "\n\nrouting: {decisions: [{name: 7, wrong: 1}]}\n");
    put_file(&place, "a.yaml", "version: v0.3\nlisteners:\n- {name: l, address: 127.0.0.1, port: 99999}\n");
    CHECK(load(&place, "a.rules") != 0, "does not load");
    diag_print(&place.diag, &out, false);
    CHECK(str_find(buf_str(&out), VSR_STR("a.rules:3:")) >= 0, "routing");
    CHECK(str_find(buf_str(&out), VSR_STR("a.yaml:3:39: error[E_RANGE]")) >= 0, "listener");
    CHECK(str_find(buf_str(&out), VSR_STR("a.rules:268")) < 0, "no line of nowhere");
    buf_reset(&out);
    put_file(&place, "a.yaml", "version: v0.3\nlisteners: [\n");
    CHECK(load(&place, "a.rules") != 0, "does not load");
    diag_print(&place.diag, &out, false);
    CHECK(str_find(buf_str(&out), VSR_STR("a.yaml:3:1: error[E_YAML]")) >= 0, "a base that is no YAML");
    buf_done(&out);
    remove_place(&place);
}

RUN_TESTS(T(base_of_the_same_name_first), T(config_yaml_else_nothing), T(a_base_of_routing_alone),
          T(a_base_of_routing_alone_hides_none), T(base_by_name), T(yaml_has_no_base), T(problems_of_both))
