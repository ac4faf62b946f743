/* dsl_docs - `vsr dsl docs`: the reference of the language, which the repository keeps in docs/dsl.md. */
#include "cli/cli.h"
#include "cli/dsl_source.h"
#include "config/schema_text.h"
#include "core/arena.h"
#include "core/buf.h"
#include "dsl/grammar.h"

struct page {
    struct arena *arena;
    struct buf *out;
};

/* `|` would end the cell. */
static void cell(struct buf *out, vsr_str text) {
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '|')
            buf_append_char(out, '\\');
        buf_append_char(out, text.ptr[i]);
    }
}

static void row(struct page *page, vsr_str above, const struct language_field *field) {
    vsr_str fallback = language_default(field);
    struct buf type;
    buf_init(&type, 1 << 20);
    buf_printf(page->out, "| `%.*s%s%.*s` | ", VSR_FMT(above), above.len ? "." : "", VSR_FMT(field->name));
    if (field->block)
        buf_append_c(&type, *schema_text_step(field->field) == '[' ? "list of objects" : "object");
    else
        schema_text_type(field->field, "`", &type);
    cell(page->out, buf_str(&type));
    buf_append_c(page->out, " | ");
    cell(page->out, fallback);
    buf_append_c(page->out, " | ");
    cell(page->out, str_from_c(field->field->help ? field->field->help : ""));
    buf_append_c(page->out, " |\n");
    buf_done(&type);
}

enum { NESTED_MAX = 8 };

/* A block that lies in itself, as rule trees do, is written out once. */
static void rows(struct page *page, vsr_str above, const struct language_block *block,
                 const struct language_block **outer, size_t depth) {
    for (size_t i = 0; i < block->n_fields; i++) {
        const struct language_field *field = &block->fields[i];
        bool again = depth == NESTED_MAX;
        row(page, above, field);
        for (size_t k = 0; k < depth && field->block; k++)
            again |= outer[k] == field->block;
        if (!field->block || again)
            continue;
        outer[depth] = field->block;
        rows(page,
             arena_printf(page->arena, "%.*s%s%.*s%s", VSR_FMT(above), above.len ? "." : "", VSR_FMT(field->name),
                          schema_text_step(field->field)),
             field->block, outer, depth + 1);
    }
}

static void block(struct page *page, const char *keyword, vsr_str name, const struct language_block *block) {
    const struct language_block *outer[NESTED_MAX + 1] = { block };
    buf_printf(page->out, "\n#### %s%s%.*s\n\n", keyword, name.len ? " " : "", VSR_FMT(name));
    if (block->n_fields == 0) {
        buf_append_c(page->out, "No fields.\n");
        return;
    }
    buf_append_c(page->out, "| field | kind | default | meaning |\n|---|---|---|---|\n");
    rows(page, VSR_STR(""), block, outer, 1);
}

static void family(struct page *page, const struct language *language, enum language_kind kind, const char *keyword) {
    for (size_t i = 0; i < language->n_blocks[kind]; i++)
        block(page, keyword, language->blocks[kind][i]->name, language->blocks[kind][i]);
}

static void reference(struct page *page, const struct language *language) {
    struct buf *out = page->out;
    buf_printf(out, "## Grammar\n\n```ebnf\n%s```\n", dsl_grammar);
    buf_append_c(out, "\n## Blocks and their fields\n\n### The program\n");
    block(page, "ROUTING", VSR_STR(""), language->routing);
    block(page, "ENTRYPOINT", VSR_STR(""), language->entrypoint);
    block(page, "MODEL", VSR_STR(""), language->model);
    buf_append_c(out, "\n### Signals\n");
    family(page, language, LANGUAGE_SIGNALS, "SIGNAL");
    buf_append_c(out, "\n### Projections\n");
    block(page, "PROJECTION partition", VSR_STR(""), language->partition);
    block(page, "PROJECTION score", VSR_STR(""), language->score);
    block(page, "PROJECTION mapping", VSR_STR(""), language->mapping);
    buf_append_c(out, "\n### Inside a route\n");
    block(page, "Options of a model", VSR_STR(""), language->ref);
    block(page, "Fields of a condition", VSR_STR(""), language->leaf);
    block(page, "EMIT retention", VSR_STR(""), language->retention);
    block(page, "EXTRA", VSR_STR(""), language->extra);
    buf_append_c(out, "\n### Algorithms\n");
    family(page, language, LANGUAGE_ALGORITHMS, "ALGORITHM");
    buf_append_c(out, "\n### Plugins\n");
    family(page, language, LANGUAGE_PLUGINS, "PLUGIN");
}

static int docs_run(const struct cli *cli, int argc, char **argv) {
    struct arena *arena = arena_new(0, 0);
    struct buf out;
    struct page page = { .arena = arena, .out = &out };
    int code;
    (void)argc;
    (void)argv;
    buf_init(&out, DSL_OUTPUT_LEN_MAX);
    reference(&page, dsl_source_language(arena));
    code = dsl_source_write(cli, NULL, &out, 0);
    buf_done(&out);
    arena_free(arena);
    return code;
}

const struct command command_dsl_docs_spec = {
    .name = "docs",
    .summary = "print the grammar, and every block with its fields",
    .usage = "vsr dsl docs",
    .details = "Markdown, made from the tables by which vsr reads programs; docs/dsl.md ends with it.\n",
    .operands = OPERANDS_NONE,
    .run = docs_run,
};
