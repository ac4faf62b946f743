#include "config/yaml_write.h"

#include "config/schema_value.h"
#include "config/yaml_notes.h"
#include "core/buf.h"
#include "core/utf8.h"

enum {
    INDENT = 2,
    FOLD_COLUMNS = 100,   /* a folded text is broken at the first blank behind this */
    PLAIN_KEY_LEN = 1000, /* YAML reads no longer keys without `?` */
};

static void write_spaces(struct buf *out, size_t n) {
    buf_printf(out, "%*s", (int)n, "");
}

/* Columns from the last line break to `at`. */
static size_t column_of(const struct buf *out, size_t at) {
    size_t column = 0;
    while (at > column && out->ptr[at - column - 1] != '\n')
        column++;
    return column;
}

/* ---- which styles a text allows */

/* No control characters, line breaks of Unicode or marks that readers drop or change. `block`: \n and \t are fine. */
static bool is_printable(vsr_str text, bool block) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        vsr_str rest = str_sub(text, i, text.len);
        if (block && (c == '\n' || c == '\t'))
            continue;
        if (c < 0x20 || c == 0x7F)
            return false;
        if (c == 0xC2 && rest.len > 1 && (unsigned char)rest.ptr[1] < 0xA0)
            return false;
        if (str_starts(rest, VSR_STR("\xE2\x80\xA8")) || str_starts(rest, VSR_STR("\xE2\x80\xA9")) ||
            str_starts(rest, VSR_STR("\xEF\xBB\xBF")) || str_starts(rest, VSR_STR("\xEF\xBF\xBE")) ||
            str_starts(rest, VSR_STR("\xEF\xBF\xBF")))
            return false;
    }
    return true;
}

static bool is_in(char c, const char *set) {
    return c && strchr(set, c);
}

/* Whether the text can stand without quotes. `flow`: between brackets. */
static bool fits_plain(vsr_str text, bool flow) {
    char first = text.len ? text.ptr[0] : 0, last = text.len ? text.ptr[text.len - 1] : 0;
    if (text.len == 0 || first == ' ' || last == ' ' || last == ':' || is_in(first, ",[]{}#&*!|>'\"%@`") ||
        !is_printable(text, false))
        return false;
    if (is_in(first, "-?:") && (text.len == 1 || is_in(text.ptr[1], flow ? " ,[]{}" : " ")))
        return false;
    if (str_starts(text, VSR_STR("---")) || str_starts(text, VSR_STR("...")))
        return false;
    for (size_t i = 0; i + 1 < text.len; i++)
        if ((text.ptr[i] == ':' && text.ptr[i + 1] == ' ') || (text.ptr[i] == ' ' && text.ptr[i + 1] == '#'))
            return false;
    for (size_t i = 0; flow && i < text.len; i++)
        if (is_in(text.ptr[i], ",[]{}"))
            return false;
    return true;
}

static bool is_made_of(vsr_str text, const char *set) {
    for (size_t i = 0; i < text.len; i++)
        if (!is_in(text.ptr[i], set))
            return false;
    return true;
}

/* `0b1`, and `0x1_f`: integers of YAML 1.1. */
static bool looks_based(vsr_str text) {
    if (text.len && is_in(text.ptr[0], "+-"))
        text = str_sub(text, 1, text.len);
    return text.len > 2 && text.ptr[0] == '0' && is_in(text.ptr[1], "bBxXoO") &&
           is_made_of(str_sub(text, 2, text.len), "0123456789abcdefABCDEF_");
}

/* A date with or without a time, and numbers with an exponent and with underscores: all of them begin with a digit. */
static bool looks_measured(vsr_str text) {
    bool number = text.len && (ascii_is_digit(text.ptr[0]) || is_in(text.ptr[0], "+-."));
    bool date = text.len > 4 && is_made_of(str_sub(text, 0, 4), "0123456789") && text.ptr[4] == '-';
    return (number && is_made_of(text, "0123456789_.:+-eE")) || (date && is_made_of(text, "0123456789-:.+TtZz \t"));
}

/* Whether some reader of YAML would take the plain text for a number, a date, a bool or nothing. */
static bool looks_typed(vsr_str text) {
    bool flag, old;
    int64_t integer;
    double number;
    return looks_based(text) || looks_measured(text) || value_bool(text, &flag, &old) == VALUE_OK ||
           value_int(text, &integer) != VALUE_TYPE || value_number(text, &number) != VALUE_TYPE ||
           str_eq_nocase(text, VSR_STR("null")) || str_eq_nocase(text, VSR_STR("y")) ||
           str_eq_nocase(text, VSR_STR("n")) || str_eq_c(text, "~") || str_eq_c(text, "=") || str_eq_c(text, "<<");
}

/* Whether the text keeps its lines in a literal block: no line that a reader would trim or take for indentation. */
static bool fits_literal(vsr_str text) {
    if (text.len < 2 || is_in(text.ptr[0], " \n\t") || !is_printable(text, true))
        return false;
    if (text.ptr[text.len - 1] == '\n')
        text.len--;
    for (vsr_str rest = text; rest.ptr;) {
        vsr_str line = str_split(&rest, '\n');
        if (line.len && str_trim(line).len == 0)
            return false;
        if (line.len == 0 && !rest.ptr)
            return false;
    }
    return true;
}

/* The same for a folded one, whose lines are joined by single blanks. */
static bool fits_folded(vsr_str text) {
    if (!fits_literal(text))
        return false;
    for (vsr_str rest = text; rest.ptr;) {
        vsr_str line = str_split(&rest, '\n');
        if (line.len && (line.ptr[0] == ' ' || line.ptr[line.len - 1] == ' '))
            return false;
    }
    return str_find_char(text, '\t') < 0;
}

/* ---- scalars */

static void write_single_quoted(struct buf *out, vsr_str text) {
    buf_append_char(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        buf_append_char(out, text.ptr[i]);
        if (text.ptr[i] == '\'')
            buf_append_char(out, '\'');
    }
    buf_append_char(out, '\'');
}

/* Bytes of the character at the front that must be escaped; 0 when it can stand as it is. */
static size_t write_escape(struct buf *out, vsr_str text) {
    static const char letters[] = "0      abtnvfr";
    unsigned char c = (unsigned char)text.ptr[0];
    if (c == '"' || c == '\\') {
        buf_printf(out, "\\%c", c);
        return 1;
    }
    if (c == 0 || (c >= 7 && c <= 13)) {
        buf_printf(out, "\\%c", letters[c]);
        return 1;
    }
    if (c < 0x20 || c == 0x7F) {
        buf_printf(out, "\\x%02x", c);
        return 1;
    }
    if (c == 0xC2 && text.len > 1 && (unsigned char)text.ptr[1] < 0xA0) {
        buf_printf(out, "\\x%02x", (unsigned char)text.ptr[1]);
        return 2;
    }
    if (c >= 0xE0 && text.len > 2 && !is_printable(str_sub(text, 0, 3), false)) {
        unsigned point =
            (c & 0x0Fu) << 12 | ((unsigned char)text.ptr[1] & 0x3Fu) << 6 | ((unsigned char)text.ptr[2] & 0x3Fu);
        buf_printf(out, "\\u%04x", point);
        return 3;
    }
    return 0;
}

static void write_double_quoted(struct buf *out, vsr_str text) {
    buf_append_char(out, '"');
    for (size_t i = 0; i < text.len;) {
        size_t len = write_escape(out, str_sub(text, i, text.len));
        if (len == 0)
            buf_append_char(out, text.ptr[i]);
        i += len ? len : 1;
    }
    buf_append_char(out, '"');
}

/* On one line. A plain scalar of the source stays plain: what it means is up to whoever reads the field. */
static void write_inline(struct buf *out, const struct yaml_node *node, bool flow) {
    bool is_plain = !node->quoted || node->style == YAML_PLAIN;
    if (is_plain && fits_plain(node->text, flow) && (!node->quoted || !looks_typed(node->text)))
        buf_append(out, node->text);
    else if (node->style == YAML_SINGLE_QUOTED && is_printable(node->text, false))
        write_single_quoted(out, node->text);
    else
        write_double_quoted(out, node->text);
}

static void write_block_line(struct buf *out, vsr_str line, size_t indent) {
    if (line.len) {
        write_spaces(out, indent);
        buf_append(out, line);
    }
    buf_append_char(out, '\n');
}

/* Breaks a line at blanks that stand between two words, each of which becomes one line break. */
static void write_folded_line(struct buf *out, vsr_str line, size_t indent) {
    size_t start = 0;
    for (size_t i = 1; i + 1 < line.len; i++) {
        if (line.ptr[i] != ' ' || i - start < FOLD_COLUMNS || line.ptr[i - 1] == ' ' || line.ptr[i + 1] == ' ')
            continue;
        write_block_line(out, str_sub(line, start, i), indent);
        start = i + 1;
    }
    write_block_line(out, str_sub(line, start, line.len), indent);
}

/* The lines of a block scalar, behind its header. */
static void write_block(struct buf *out, const struct yaml_node *node, size_t indent) {
    vsr_str rest = node->text;
    bool folded = node->style == YAML_FOLDED, was_text = false;
    if (rest.ptr[rest.len - 1] == '\n')
        rest.len--;
    while (rest.ptr) {
        vsr_str line = str_split(&rest, '\n');
        if (!folded) {
            write_block_line(out, line, indent);
            continue;
        }
        /* The first of the breaks between two lines of text would be read as a blank. */
        if (line.len && was_text)
            buf_append_char(out, '\n');
        write_folded_line(out, line, indent);
        was_text |= line.len > 0;
    }
}

static bool is_block_scalar(const struct yaml_node *node) {
    if (node->kind != YAML_SCALAR || !node->quoted)
        return false;
    return (node->style == YAML_LITERAL && fits_literal(node->text)) ||
           (node->style == YAML_FOLDED && fits_folded(node->text));
}

/* A key and its colon. YAML reads no keys that are very long, unless they are marked. */
static void write_key(struct buf *out, const struct yaml_node *key, bool flow) {
    size_t mark = out->len;
    if (str_eq_c(key->text, "<<"))
        write_double_quoted(out, key->text);
    else
        write_inline(out, key, flow);
    buf_append_char(out, ':');
    if (out->len - mark <= PLAIN_KEY_LEN || flow || buf_failed(out))
        return;
    size_t column = column_of(out, mark);
    out->len = mark;
    buf_append_c(out, "? ");
    write_double_quoted(out, key->text);
    buf_append_char(out, '\n');
    write_spaces(out, column);
    buf_append_char(out, ':');
}

/* ---- brackets */

static bool has_notes(const struct yaml_node *node) {
    return node->notes && (node->notes->before.n || node->notes->after.n || node->notes->behind.len);
}

/* Writes the node on one line; false when it must not be, or is longer than the line. */
static bool write_flow(struct buf *out, const struct yaml_node *node, size_t start) {
    bool is_mapping = node->kind == YAML_MAPPING;
    if (buf_failed(out) || out->len - start > YAML_WRITE_COLUMNS)
        return false;
    if (node->kind == YAML_NULL) {
        buf_append_c(out, "null");
        return true;
    }
    if (node->kind == YAML_SCALAR) {
        write_inline(out, node, true);
        return out->len - start <= YAML_WRITE_COLUMNS;
    }
    buf_append_char(out, is_mapping ? '{' : '[');
    for (size_t i = 0; i < node->n_items; i++) {
        const struct yaml_node *entry = is_mapping ? node->keys[i] : node->items[i];
        if (has_notes(entry))
            return false;
        if (i)
            buf_append_c(out, ", ");
        if (is_mapping) {
            write_key(out, entry, true);
            buf_append_char(out, ' ');
        }
        if (!write_flow(out, node->items[i], start))
            return false;
    }
    buf_append_char(out, is_mapping ? '}' : ']');
    return out->len - start <= YAML_WRITE_COLUMNS;
}

/* Writes a list or mapping as `[...]` or `{...}` if it is one; otherwise nothing. */
static bool try_flow(struct buf *out, const struct yaml_node *node) {
    size_t mark = out->len;
    if (node->n_items == 0) {
        buf_append_c(out, node->kind == YAML_MAPPING ? "{}" : "[]");
        return true;
    }
    if (node->flow && write_flow(out, node, mark - column_of(out, mark)))
        return true;
    if (!buf_failed(out))
        out->len = mark;
    return false;
}

/* ---- blocks */

static void write_lines(struct buf *out, const struct yaml_lines *lines, size_t indent, bool first) {
    for (size_t i = 0; i < lines->n; i++) {
        if (lines->items[i].len == 0 && first && i == 0)
            continue;
        write_block_line(out, lines->items[i], indent);
    }
}

/* Comments above an entry. An empty line is not repeated, nor does it begin a block. */
static void write_before(struct buf *out, const struct yaml_node *entry, size_t indent, bool first) {
    bool has_gap = out->len < 2 || (out->ptr[out->len - 1] == '\n' && out->ptr[out->len - 2] == '\n');
    if (entry->notes)
        write_lines(out, &entry->notes->before, indent, first || has_gap);
}

static void write_after(struct buf *out, const struct yaml_node *entry, size_t indent) {
    if (entry->notes)
        write_lines(out, &entry->notes->after, indent, false);
}

static void write_behind(struct buf *out, const struct yaml_node *entry) {
    if (entry->notes && entry->notes->behind.len)
        buf_printf(out, " %.*s", VSR_FMT(entry->notes->behind));
    buf_append_char(out, '\n');
}

static void write_mapping(struct buf *out, const struct yaml_node *node, size_t indent, bool dash);
static void write_sequence(struct buf *out, const struct yaml_node *node, size_t indent, bool dash);

/* The value of `entry`, whose key or dash is written; ends the line. */
static void write_value(struct buf *out, const struct yaml_node *entry, const struct yaml_node *value, size_t indent) {
    switch (value->kind) {
    case YAML_NULL:
        write_behind(out, entry);
        return;
    case YAML_SCALAR:
        buf_append_char(out, ' ');
        if (!is_block_scalar(value)) {
            write_inline(out, value, false);
            write_behind(out, entry);
            return;
        }
        buf_append_char(out, value->style == YAML_FOLDED ? '>' : '|');
        buf_append_c(out, value->text.ptr[value->text.len - 1] == '\n' ? "" : "-");
        write_behind(out, entry);
        write_block(out, value, indent + INDENT);
        return;
    case YAML_SEQUENCE:
    case YAML_MAPPING:
        buf_append_char(out, ' ');
        if (try_flow(out, value)) {
            write_behind(out, entry);
            return;
        }
        out->len -= !buf_failed(out);
        write_behind(out, entry);
        if (value->kind == YAML_MAPPING)
            write_mapping(out, value, indent + INDENT, false);
        else
            write_sequence(out, value, indent + INDENT, false);
        return;
    }
}

/* `dash`: the pair stands behind a dash that is written. `first`: nothing of its mapping stands above it. */
static void write_pair(struct buf *out, const struct yaml_node *key, const struct yaml_node *value, size_t indent,
                       bool dash, bool first) {
    if (!dash) {
        write_before(out, key, indent, first);
        write_spaces(out, indent);
    }
    write_key(out, key, false);
    write_value(out, key, value, indent);
    write_after(out, key, indent);
}

static void write_mapping(struct buf *out, const struct yaml_node *node, size_t indent, bool dash) {
    for (size_t i = 0; i < node->n_items; i++)
        write_pair(out, node->keys[i], node->items[i], indent, dash && i == 0, i == 0);
}

/* Whether the element is written on the line of its dash, as far as it is no block. */
static bool fits_line(struct buf *out, const struct yaml_node *item) {
    size_t mark = out->len;
    bool fits = item->kind == YAML_NULL || item->kind == YAML_SCALAR || try_flow(out, item);
    if (!buf_failed(out))
        out->len = mark;
    return fits;
}

/* What stands above an element, and above or behind what its own line begins with, must stand above its dash. */
static void write_before_item(struct buf *out, const struct yaml_node *item, size_t indent, bool first) {
    write_before(out, item, indent, first);
    if (fits_line(out, item))
        return;
    if (item->notes && item->notes->behind.len)
        write_block_line(out, item->notes->behind, indent);
    if (item->kind == YAML_MAPPING)
        write_before(out, item->keys[0], indent, true);
    else
        write_before_item(out, item->items[0], indent, true);
}

static void write_item(struct buf *out, const struct yaml_node *item, size_t indent) {
    buf_append_char(out, '-');
    if (item->kind == YAML_SCALAR || item->kind == YAML_NULL) {
        write_value(out, item, item, indent);
        return;
    }
    buf_append_char(out, ' ');
    if (try_flow(out, item))
        write_behind(out, item);
    else if (item->kind == YAML_MAPPING)
        write_mapping(out, item, indent + INDENT, true);
    else
        write_sequence(out, item, indent + INDENT, true);
}

/* `dash`: the first element stands behind a dash that is written. */
static void write_sequence(struct buf *out, const struct yaml_node *node, size_t indent, bool dash) {
    for (size_t i = 0; i < node->n_items; i++) {
        if (!(dash && i == 0)) {
            write_before_item(out, node->items[i], indent, i == 0);
            write_spaces(out, indent);
        }
        write_item(out, node->items[i], indent);
        write_after(out, node->items[i], indent);
    }
}

/* ---- the document */

static bool is_block(const struct yaml_node *node) {
    return (node->kind == YAML_MAPPING || node->kind == YAML_SEQUENCE) && node->n_items && !node->flow;
}

static void write_gap(struct buf *out) {
    if (out->len > 1 && !buf_failed(out) && out->ptr[out->len - 2] != '\n')
        buf_append_char(out, '\n');
}

static void write_root(const struct yaml_node *root, struct buf *out) {
    switch (root->kind) {
    case YAML_NULL:
        buf_append_c(out, "~\n");
        return;
    case YAML_SCALAR:
        write_inline(out, root, false);
        buf_append_char(out, '\n');
        return;
    case YAML_SEQUENCE:
    case YAML_MAPPING:
        if (root->n_items == 0)
            buf_append_c(out, root->kind == YAML_MAPPING ? "{}\n" : "[]\n");
        else if (root->kind == YAML_SEQUENCE)
            write_sequence(out, root, 0, false);
        break;
    }
    for (size_t i = 0; root->kind == YAML_MAPPING && i < root->n_items; i++) {
        if (i && (is_block(root->items[i]) || is_block(root->items[i - 1])))
            write_gap(out);
        write_pair(out, root->keys[i], root->items[i], 0, false, false);
    }
}

void yaml_write(const struct yaml_node *root, struct buf *out) {
    if (root->notes)
        write_lines(out, &root->notes->before, 0, true);
    write_root(root, out);
    if (root->notes)
        write_lines(out, &root->notes->after, 0, false);
}
