/* links: cli */
/*
 * dsl_editor - the editor's functions of the routing language, natively: what wasm/ has to agree with to the byte.
 *
 * Reads calls, `FUNCTION LENGTH\n` and as many bytes, and writes the answers, `LENGTH\n` and as many bytes. FUNCTION is
 * one of dsl/editor.h (signalCompile), or `tree`: the YAML as this program parses it, in the form that signalDecompile
 * takes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/dsl_source.h"
#include "config/diag.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "dsl/editor.h"

enum { NAME_LEN_MAX = 64, INPUT_LEN_MAX = 64 << 20, TREE_LEN_MAX = 512 << 20 };

static void put_place(struct json_writer *w, const struct yaml_node *node) {
    json_write_key(w, VSR_STR("line"));
    json_write_u64(w, node->line);
    json_write_key(w, VSR_STR("column"));
    json_write_u64(w, node->col);
}

static void put_text(struct json_writer *w, const struct yaml_node *node) {
    json_write_key(w, VSR_STR("value"));
    json_write_str(w, node->text);
    json_write_key(w, VSR_STR("quoted"));
    json_write_bool(w, node->quoted);
}

static void put_node(struct json_writer *w, const struct yaml_node *node, const struct yaml_node *key) {
    static const char *const kinds[] = {
        [YAML_NULL] = "null", [YAML_SCALAR] = "scalar", [YAML_SEQUENCE] = "sequence", [YAML_MAPPING] = "mapping"
    };
    json_write_begin_object(w);
    if (key) {
        json_write_key(w, VSR_STR("key"));
        json_write_begin_object(w);
        put_text(w, key);
        put_place(w, key);
        json_write_end(w);
    }
    json_write_key(w, VSR_STR("kind"));
    json_write_str(w, str_from_c(kinds[node->kind]));
    put_place(w, node);
    if (node->kind == YAML_SCALAR)
        put_text(w, node);
    if (node->kind == YAML_MAPPING || node->kind == YAML_SEQUENCE) {
        json_write_key(w, node->kind == YAML_MAPPING ? VSR_STR("entries") : VSR_STR("items"));
        json_write_begin_array(w);
        for (size_t i = 0; i < node->n_items; i++)
            put_node(w, node->items[i], node->kind == YAML_MAPPING ? node->keys[i] : NULL);
        json_write_end(w);
    }
    json_write_end(w);
}

static bool put_tree(struct arena *arena, vsr_str text, struct buf *out) {
    struct yaml_node *root;
    struct json_writer w;
    struct diag diag;
    diag_init(&diag, arena, VSR_STR("stdin"));
    if (yaml_tree_parse(arena, text, &root, &diag) < 0)
        return false;
    json_write_init(&w, out);
    put_node(&w, root, NULL);
    return true;
}

/* The name in front of the length, and the text behind it. */
static bool read_call(struct arena *arena, char name[static NAME_LEN_MAX], vsr_str *ret_text) {
    char line[NAME_LEN_MAX], *blank, *bytes;
    size_t len;
    if (!fgets(line, sizeof(line), stdin) || !(blank = strchr(line, ' ')))
        return false;
    *blank = '\0';
    len = strtoul(blank + 1, NULL, 10);
    (void)snprintf(name, NAME_LEN_MAX, "%s", line);
    bytes = len <= INPUT_LEN_MAX ? arena_alloc(arena, len) : NULL;
    *ret_text = str_make(bytes, len);
    return bytes && fread(bytes, 1, len, stdin) == len;
}

static bool answer(struct arena *arena, const struct language *language, vsr_str name, vsr_str text) {
    enum editor_function function = editor_function(name);
    bool tree = str_eq_c(name, "tree"), done = tree || function != EDITOR_FUNCTIONS_N;
    struct buf out;
    buf_init(&out, tree ? TREE_LEN_MAX : EDITOR_ANSWER_LEN_MAX);
    if (tree)
        done = put_tree(arena, text, &out);
    else if (done)
        editor_call(language, function, text, &out);
    done = done && printf("%zu\n", out.len) > 0 && fwrite(out.ptr, 1, out.len, stdout) == out.len;
    buf_done(&out);
    return done;
}

int main(void) {
    struct arena *tables = arena_new(0, 0), *arena = arena_new(0, 0);
    const struct language *language = dsl_source_language(tables);
    char name[NAME_LEN_MAX];
    bool done = true;
    vsr_str text;
    while (done && read_call(arena, name, &text)) {
        done = answer(arena, language, str_from_c(name), text);
        arena_reset(arena);
    }
    if (!done)
        (void)fprintf(stderr, "dsl_editor: %s failed\n", name);
    arena_free(arena);
    arena_free(tables);
    return done && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
