#include "config/schema_docs.h"

#include "config/schema_text.h"
#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"

enum { SECTIONS_MAX = 1024 };

/* A table, and where its section stands. */
struct section {
    const struct schema *schema;
    vsr_str path;        /* `routing.decisions[]` */
    const char *variant; /* name under which a selector chooses it; NULL: none does */
    const char *help;    /* of the field that holds it; NULL: the document itself */
    bool is_top;         /* a block of the document itself */
};

struct page {
    struct arena *arena;
    struct section sections[SECTIONS_MAX];
    size_t n;
};

/* ---- which sections there are */

static const struct section *section_of(const struct page *page, const struct schema *schema) {
    for (size_t i = 0; i < page->n; i++)
        if (page->sections[i].schema == schema)
            return &page->sections[i];
    return NULL;
}

static void add_section(struct page *page, const struct section *section);

/*
 * `plugins[rag].configuration` of an entry of a list, so that what is below has a path of its own; else the variant
 * stands beside the path.
 */
static vsr_str variant_path(struct arena *arena, vsr_str above, const struct field *field, const char *variant,
                            const char **ret_variant) {
    *ret_variant = NULL;
    if (str_ends(above, VSR_STR("[]")))
        return arena_printf(arena, "%.*s[%s].%s", VSR_FMT(str_sub(above, 0, above.len - 2)), variant, field->name);
    *ret_variant = variant;
    return schema_path(arena, above, str_from_c(field->name));
}

static void add_below(struct page *page, const struct section *above, const struct field *field) {
    vsr_str path = schema_path(page->arena, above->path, str_from_c(field->name));
    struct section below = { field->object, { 0 }, NULL, field->help, above->path.len == 0 };
    below.path = arena_printf(page->arena, "%.*s%s", VSR_FMT(path), schema_text_step(field));
    if (field->object)
        add_section(page, &below);
    for (size_t i = 0; i < field->n_variants; i++) {
        below.schema = field->variants[i].schema;
        if (field->variants[i].old)
            continue;
        below.path = variant_path(page->arena, above->path, field, field->variants[i].name, &below.variant);
        if (below.schema)
            add_section(page, &below);
    }
}

static void add_section(struct page *page, const struct section *section) {
    if (section_of(page, section->schema))
        return;
    VSR_ASSERT(page->n < SECTIONS_MAX);
    page->sections[page->n++] = *section;
    for (size_t i = 0; i < section->schema->n_fields; i++)
        add_below(page, section, &section->schema->fields[i]);
}

/* ---- one section */

static void heading_text(const struct section *section, struct buf *out) {
    if (section->path.len == 0)
        buf_append_c(out, "The document");
    else
        buf_printf(out, "`%.*s`", VSR_FMT(section->path));
    if (section->variant)
        buf_printf(out, " of `%s`", section->variant);
}

/* The name by which the heading is linked to: letters, digits, - and _ stay, blanks become -. */
static void anchor(const struct section *section, struct buf *out) {
    struct buf text;
    buf_init(&text, 4096);
    heading_text(section, &text);
    for (size_t i = 0; i < text.len; i++) {
        char c = ascii_lower(text.ptr[i]);
        if (c == ' ')
            buf_append_char(out, '-');
        else if ((c >= 'a' && c <= 'z') || ascii_is_digit(c) || c == '-' || c == '_')
            buf_append_char(out, c);
    }
    buf_done(&text);
}

/* Text inside a table's cell. */
static void cell(struct buf *out, vsr_str text) {
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '|' || text.ptr[i] == '<')
            buf_append_char(out, '\\');
        buf_append_char(out, text.ptr[i] == '\n' ? ' ' : text.ptr[i]);
    }
}

static void link_to(const struct page *page, const struct schema *schema, struct buf *out) {
    buf_append_c(out, "(#");
    anchor(section_of(page, schema), out);
    buf_append_char(out, ')');
}

static void variant_links(const struct page *page, const struct field *field, struct buf *out) {
    for (size_t i = 0; i < field->n_variants; i++) {
        const struct field_variant *variant = &field->variants[i];
        if (variant->old)
            continue;
        buf_printf(out, variant->schema ? "%s[`%s`]" : "%s`%s` (none)", i ? ", " : ": ", variant->name);
        if (variant->schema)
            link_to(page, variant->schema, out);
    }
}

static void type_cell(const struct page *page, const struct field *field, struct buf *out) {
    struct buf text;
    buf_init(&text, 1 << 16);
    schema_text_type(field, "`", &text);
    if (field->object)
        buf_append_char(out, '[');
    cell(out, buf_str(&text));
    buf_done(&text);
    if (field->object) {
        buf_append_char(out, ']');
        link_to(page, field->object, out);
    }
    variant_links(page, field, out);
}

static void row(const struct page *page, const struct field *field, struct buf *out) {
    vsr_str standard = schema_text_default(field);
    bool literal = standard.len && !(field->flags & FIELD_REQUIRED);
    buf_printf(out, "| `%s` | ", field->name);
    type_cell(page, field, out);
    buf_append_c(out, literal ? " | `" : " | ");
    cell(out, standard);
    buf_append_c(out, literal ? "` | " : " | ");
    cell(out, str_from_c(field->help));
    buf_append_c(out, " |\n");
}

static void print_section(const struct page *page, const struct section *section, struct buf *out) {
    const struct schema *schema = section->schema;
    buf_printf(out, "\n%s ", section->is_top || section->path.len == 0 ? "##" : "###");
    heading_text(section, out);
    buf_append_c(out, "\n\n");
    if (section->help)
        buf_printf(out, "%s\n\n", section->help);
    if (schema->n_fields == 0) {
        buf_append_c(out, "There are no keys here.\n");
        return;
    }
    buf_append_c(out, "| key | type | default | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < schema->n_fields; i++)
        if (!(schema->fields[i].flags & FIELD_HIDDEN))
            row(page, &schema->fields[i], out);
}

void schema_docs(const struct schema *schema, struct arena *arena, struct buf *out) {
    struct page *page = ARENA_NEW(arena, struct page);
    const struct section root = { .schema = schema };
    page->arena = arena;
    add_section(page, &root);
    for (size_t i = 0; i < page->n; i++)
        print_section(page, &page->sections[i], out);
}
