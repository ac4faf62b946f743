#include "test.h"

#include "core/arena.h"
#include "nn/labels.h"
#include "unit/nn/model_dir.h"

/* The names joined by commas. */
static vsr_str joined(struct arena *arena, const struct labels *labels) {
    vsr_str text = { 0 };
    for (size_t i = 0; i < labels->n; i++)
        text = arena_printf(arena, "%.*s%s%.*s", VSR_FMT(text), i ? "," : "", VSR_FMT(labels->names[i]));
    return text;
}

static const struct {
    const char *name, *json, *want;
} good[] = {
    { "category mapping", "{\"category_to_idx\":{\"b\":1,\"a\":0},\"idx_to_category\":{\"0\":\"a\",\"1\":\"b\"}}",
      "a,b" },
    { "one direction", "{\"label_to_idx\":{\"B-PERSON\":1,\"O\":0}}", "O,B-PERSON" },
    { "the other direction", "{\"idx_to_label\":{\"1\":\"B-PERSON\",\"0\":\"O\"}}", "O,B-PERSON" },
    { "the third spelling", "{\"label_to_id\":{\"benign\":0},\"id_to_label\":{\"1\":\"jailbreak\"}}",
      "benign,jailbreak" },
    { "config.json", "{\"id2label\":{\"0\":\"SAT\",\"1\":\"WRONG\"},\"label2id\":{\"SAT\":0,\"WRONG\":1},\"x\":1}",
      "SAT,WRONG" },
    { "index as text", "{\"label2id\":{\"a\":\"0\",\"b\":\"1\"}}", "a,b" },
    { "labels that are numbers", "{\"id2label\":{\"0\":1,\"1\":2.5}}", "1,2.5" },
    { "the union of two maps", "{\"id2label\":{\"0\":\"a\"},\"label2id\":{\"b\":1}}", "a,b" },
    { "escaped", "{\"id2label\":{\"\\u0030\":\"\\u00e9\"}}", "é" },
    { "null maps", "{\"id2label\":{\"0\":\"a\"},\"label2id\":null}", "a" },
};

TEST(maps) {
    for (size_t i = 0; i < VSR_COUNT(good); i++) {
        struct arena *arena = arena_new(0, 0);
        struct labels labels;
        struct vsr_err err = VSR_ERR_NONE;
        CHECK_MSG(labels_parse(arena, str_from_c(good[i].json), &labels, &err) == 0, "case \"%s\": %s", good[i].name,
                  err.text);
        CHECK_STR(joined(arena, &labels), good[i].want, good[i].name);
        arena_free(arena);
    }
}

static const struct {
    const char *name, *json;
    int code;
    const char *says;
} bad[] = {
    { "no object", "[]", VSR_E_INVALID, "object" },
    { "no map", "{\"a\":1}", VSR_E_NOT_FOUND, "no labels" },
    { "empty map", "{\"id2label\":{}}", VSR_E_NOT_FOUND, "no labels" },
    { "map is a list", "{\"id2label\":[\"a\"]}", VSR_E_INVALID, "id2label" },
    { "gap", "{\"id2label\":{\"0\":\"a\",\"2\":\"c\"}}", VSR_E_INVALID, "index 1" },
    { "not from zero", "{\"id2label\":{\"1\":\"a\",\"2\":\"c\"}}", VSR_E_INVALID, "index 0" },
    { "one label at two indices", "{\"id2label\":{\"0\":\"a\",\"1\":\"a\"}}", VSR_E_INVALID, "two indices" },
    { "one index with two labels", "{\"label2id\":{\"a\":0,\"b\":0}}", VSR_E_INVALID, "index 0 is" },
    { "a key twice", "{\"id2label\":{\"0\":\"a\",\"0\":\"b\"}}", VSR_E_INVALID, "index 0 is" },
    { "maps that differ", "{\"id2label\":{\"0\":\"a\",\"1\":\"b\"},\"label2id\":{\"a\":1,\"b\":0}}", VSR_E_INVALID,
      "index 1 is" },
    { "index is no number", "{\"id2label\":{\"x\":\"a\"}}", VSR_E_INVALID, "no index" },
    { "negative index", "{\"label2id\":{\"a\":-1}}", VSR_E_INVALID, "no index" },
    { "fraction", "{\"label2id\":{\"a\":0.5}}", VSR_E_INVALID, "no index" },
    { "huge index", "{\"label2id\":{\"a\":4096}}", VSR_E_INVALID, "4095" },
    { "label is a list", "{\"id2label\":{\"0\":[]}}", VSR_E_INVALID, "text" },
    { "empty label", "{\"id2label\":{\"0\":\"\"}}", VSR_E_INVALID, "0 bytes" },
    { "reserved", "{\"id2label\":{\"0\":\"classification_error\"}}", VSR_E_INVALID, "reserved" },
    { "note on no label", "{\"id2label\":{\"0\":\"a\"},\"category_descriptions\":{\"b\":\"x\"}}", VSR_E_INVALID,
      "no such label" },
    { "note is a number", "{\"id2label\":{\"0\":\"a\"},\"description\":{\"a\":1}}", VSR_E_INVALID, "text" },
};

TEST(maps_that_break_the_rules) {
    for (size_t i = 0; i < VSR_COUNT(bad); i++) {
        struct arena *arena = arena_new(0, 0);
        struct labels labels;
        struct vsr_err err = VSR_ERR_NONE;
        CHECK_INT(labels_parse(arena, str_from_c(bad[i].json), &labels, &err), bad[i].code, bad[i].name);
        CHECK_ERR(err, bad[i].says, bad[i].name);
        arena_free(arena);
    }
}

TEST(notes) {
    struct arena *arena = arena_new(0, 0);
    struct labels labels;
    CHECK(labels_parse(
              arena,
              VSR_STR("{\"category_to_idx\":{\"law\":0,\"math\":1},\"category_descriptions\":{\"math\":\"numbers\"},"
                      "\"category_system_prompts\":{\"law\":\"You are a lawyer.\"}}"),
              &labels, NULL) == 0,
          "parse");
    CHECK_STR(labels.descriptions[1], "numbers", "description");
    CHECK_STR(labels.descriptions[0], "", "no description");
    CHECK_STR(labels.prompts[0], "You are a lawyer.", "prompt");
    CHECK_INT(labels_find(&labels, VSR_STR("MATH")), 1, "any case");
    CHECK(labels_find(&labels, VSR_STR("mat")) == LABELS_NONE, "no part");
    arena_free(arena);
}

/* Files of a directory, and what its labels are for a classifier of so many rows. */
static const struct {
    const char *name, *mapping, *category, *config;
    size_t rows;
    const char *want, *says;
} directories[] = {
    { "mapping wins", "", "{\"idx_to_category\":{\"0\":\"a\",\"1\":\"b\"}}", "{\"id2label\":{\"0\":\"x\",\"1\":\"y\"}}",
      2, "a,b", NULL },
    { "the file that is named", "config.json", "{\"idx_to_category\":{\"0\":\"a\",\"1\":\"b\"}}",
      "{\"id2label\":{\"0\":\"x\",\"1\":\"y\"}}", 2, "x,y", NULL },
    { "config", "", NULL, "{\"id2label\":{\"0\":\"x\",\"1\":\"y\"}}", 0, "x,y", NULL },
    { "numbered by rows", "", NULL, "{}", 3, "LABEL_0,LABEL_1,LABEL_2", NULL },
    { "numbered by num_labels", "", NULL, "{\"num_labels\":2}", 0, "LABEL_0,LABEL_1", NULL },
    { "num_labels and rows differ", "", NULL, "{\"num_labels\":2}", 3, NULL, "3 rows" },
    { "nothing known", "", NULL, "{}", 0, NULL, "no labels" },
    { "too few for the rows", "", "{\"idx_to_category\":{\"0\":\"a\"}}", "{}", 2, NULL,
      "category_mapping.json: names 1 labels" },
    { "a mapping without labels", "", "{}", "{\"id2label\":{\"0\":\"x\"}}", 1, NULL, "category_mapping.json" },
    { "a mapping that is not there", "other.json", NULL, "{}", 1, NULL, "other.json" },
    { "broken", "", "{", "{}", 1, NULL, "category_mapping.json" },
};

TEST(directories_with_labels) {
    for (size_t i = 0; i < VSR_COUNT(directories); i++) {
        struct arena *arena = arena_new(0, 0);
        struct model_dir dir = model_dir_make();
        struct labels labels = { 0 };
        struct vsr_err err = VSR_ERR_NONE;
        int rc;
        if (directories[i].category)
            model_dir_write_c(&dir, "category_mapping.json", directories[i].category);
        model_dir_write_c(&dir, "config.json", directories[i].config);
        rc = labels_read(arena, model_dir_str(&dir), str_from_c(directories[i].mapping), directories[i].rows, &labels,
                         &err);
        if (directories[i].want) {
            CHECK_MSG(rc == 0, "case \"%s\": %s", directories[i].name, err.text);
            CHECK_STR(joined(arena, &labels), directories[i].want, directories[i].name);
        } else {
            CHECK(rc < 0, directories[i].name);
            CHECK_ERR(err, directories[i].says, directories[i].name);
        }
        model_dir_remove(&dir);
        arena_free(arena);
    }
}

RUN_TESTS(T(maps), T(maps_that_break_the_rules), T(notes), T(directories_with_labels))
