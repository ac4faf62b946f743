/*
 * generated_program - programs of the routing language made at random out of the language's tables, written in all the
 * ways that one may write them: bare words, escapes, signs and exponents, commas or none, comments anywhere, fields in
 * any order, twice, of no block or of the wrong kind.
 */
#ifndef VSR_TESTS_DSL_GENERATED_PROGRAM_H
#define VSR_TESTS_DSL_GENERATED_PROGRAM_H

#include "core/utf8.h"
#include "dsl/spelling.h"
#include "generated.h"

struct src {
    struct gen *g;
    struct buf out;
    int depth;
    bool in_recipe;
};

enum { SRC_DEPTH_MAX = 4 };

static inline bool src_chance(struct src *s, size_t percent) {
    return gen_chance(s->g, percent);
}

static inline size_t src_below(struct src *s, size_t n) {
    return gen_below(s->g, n);
}

/* ---- words */

/* At least one blank. */
static inline void src_gap(struct src *s) {
    static const char *const gaps[] = { " ",     "\n", "\t", "  ", "\n\n", "\r\n", " # note\n", "\n# of its own: \"{\n",
                                        "\n\n\n" };
    buf_append_c(&s->out, src_chance(s, 80) ? " " : gaps[src_below(s, VSR_COUNT(gaps))]);
}

static inline void src_word(struct src *s, const char *word) {
    buf_append_c(&s->out, word);
    src_gap(s);
}

static inline void src_escaped(struct src *s, uint32_t cp) {
    if (cp < 0x80 && src_chance(s, 50))
        buf_printf(&s->out, src_chance(s, 50) ? "\\x%02X" : "\\%03o", cp);
    else if (cp < 0x10000)
        buf_printf(&s->out, "\\u%04X", cp);
    else
        buf_printf(&s->out, "\\U%08X", cp);
}

static inline void src_quoted(struct src *s, vsr_str text) {
    buf_append_char(&s->out, '"');
    for (size_t at = 0, start = 0; at < text.len; start = at) {
        uint32_t cp = utf8_next(text, &at);
        if (cp == '"' || cp == '\\' || src_chance(s, 10))
            src_escaped(s, cp);
        else
            buf_append(&s->out, str_sub(text, start, at));
    }
    buf_append_char(&s->out, '"');
}

/* A name: bare where it can be, and sometimes even then not. */
static inline void src_name(struct src *s, vsr_str text) {
    if (spelling_is_identifier(text) && src_chance(s, 70))
        buf_append(&s->out, text);
    else
        src_quoted(s, text);
}

static inline void src_text(struct src *s, vsr_str text) {
    bool taken = str_eq_c(text, "true") || str_eq_c(text, "false") || str_eq_c(text, "null");
    if (taken)
        src_quoted(s, text);
    else
        src_name(s, text);
}

static inline void src_int(struct src *s) {
    int64_t number = gen_int(s->g);
    if (number >= 0 && src_chance(s, 20))
        buf_append_c(&s->out, src_chance(s, 50) ? "+" : "0");
    buf_printf(&s->out, "%" PRId64, number);
}

static inline void src_number(struct src *s) {
    double number = gen_number(s->g);
    if (src_chance(s, 20))
        src_int(s);
    else if (src_chance(s, 60))
        spell_number(&s->out, number);
    else if (src_chance(s, 50))
        buf_printf(&s->out, "%.17e", number);
    else
        buf_append_c(&s->out, src_chance(s, 50) ? "+1.50" : "1E-7");
}

/* ---- values */

static inline void src_fields(struct src *s, const struct language_block *block, const char *sign, bool commas);

static inline void src_any(struct src *s);

static inline void src_object(struct src *s, const struct language_block *block) {
    buf_append_char(&s->out, '{');
    src_gap(s);
    s->depth++;
    if (block) {
        src_fields(s, block, ":", false);
    } else {
        for (size_t i = src_below(s, 4); i > 0; i--) {
            src_name(s, gen_name(s->g));
            src_word(s, ":");
            src_any(s);
            src_word(s, src_chance(s, 50) ? "," : " ");
        }
    }
    s->depth--;
    buf_append_char(&s->out, '}');
}

static inline void src_list(struct src *s, const struct language_field *field,
                            void (*item)(struct src *s, const struct language_field *field)) {
    size_t n = src_below(s, 4);
    buf_append_char(&s->out, '[');
    s->depth++;
    for (size_t i = 0; i < n; i++) {
        src_gap(s);
        if (src_chance(s, 97))
            item(s, field);
        else
            src_any(s);
        if (i + 1 < n || src_chance(s, 20))
            buf_append_char(&s->out, ',');
        src_gap(s);
    }
    s->depth--;
    buf_append_char(&s->out, ']');
}

static inline void src_any_item(struct src *s, const struct language_field *field) {
    (void)field;
    src_any(s);
}

/* A value of any kind. */
static inline void src_any(struct src *s) {
    switch (s->depth >= SRC_DEPTH_MAX ? src_below(s, 5) : src_below(s, 7)) {
    case 0:
        src_int(s);
        break;
    case 1:
        src_number(s);
        break;
    case 2:
        buf_append_c(&s->out, src_chance(s, 50) ? "true" : "false");
        break;
    case 3:
        buf_append_c(&s->out, "null");
        break;
    case 4:
        src_text(s, gen_text(s->g));
        break;
    case 5:
        src_object(s, NULL);
        break;
    default:
        src_list(s, NULL, src_any_item);
    }
}

static inline void src_word_of(struct src *s, const struct language_field *field) {
    src_text(s, field->words && src_chance(s, 30) ? VSR_STR("any") : gen_word(s->g, field->field));
}

static inline void src_int_item(struct src *s, const struct language_field *field) {
    (void)field;
    src_int(s);
}

static inline void src_number_item(struct src *s, const struct language_field *field) {
    (void)field;
    src_number(s);
}

static inline void src_object_item(struct src *s, const struct language_field *field) {
    src_object(s, field->block);
}

static inline void src_texts_item(struct src *s, const struct language_field *field) {
    src_list(s, field, src_word_of);
}

static inline void src_value(struct src *s, const struct language_field *field) {
    static const char *const counts[] = { "8K", "1.5m", "8000", "1.50", "+7", "\"12k\"", "\"\"", "0" };
    if (src_chance(s, 4)) {
        src_any(s);
        return;
    }
    switch (field->field->kind) {
    case FIELD_BOOL:
        buf_append_c(&s->out, src_chance(s, 50) ? "true" : "false");
        break;
    case FIELD_INT:
        if (src_chance(s, 90))
            src_int(s);
        else
            src_number(s);
        break;
    case FIELD_INT_OR_AUTO:
        if (src_chance(s, 50))
            src_int(s);
        else
            buf_append_c(&s->out, "auto");
        break;
    case FIELD_NUMBER:
        src_number(s);
        break;
    case FIELD_STRING:
    case FIELD_ENUM:
    case FIELD_DURATION:
        src_word_of(s, field);
        break;
    case FIELD_TOKENS:
        buf_append_c(&s->out, counts[src_below(s, VSR_COUNT(counts))]);
        break;
    case FIELD_STRINGS:
        src_list(s, field, src_word_of);
        break;
    case FIELD_STRING_LISTS:
        src_list(s, field, src_texts_item);
        break;
    case FIELD_OBJECTS:
        src_list(s, field, src_object_item);
        break;
    case FIELD_INT_LIST:
        src_list(s, field, src_int_item);
        break;
    case FIELD_NUMBER_LIST:
        src_list(s, field, src_number_item);
        break;
    case FIELD_OBJECT:
    case FIELD_OPTIONAL:
        src_object(s, field->block);
        break;
    default:
        src_object(s, NULL);
    }
}

/* ---- fields */

static inline void src_field(struct src *s, const struct language_block *block, const char *sign) {
    const struct language_field *field = &block->fields[src_below(s, block->n_fields)];
    if (src_chance(s, 3)) {
        src_word(s, "no_such_field");
        src_word(s, sign);
        src_any(s);
        return;
    }
    buf_append(&s->out, field->name);
    src_gap(s);
    src_word(s, sign);
    src_value(s, field);
}

/* Some fields of the block, in any order, now and then one twice. */
static inline void src_fields(struct src *s, const struct language_block *block, const char *sign, bool commas) {
    size_t n = block->n_fields == 0 ? 0
                                    : src_below(s, s->depth >= SRC_DEPTH_MAX ? 2
                                                   : block->n_fields > 6     ? 6
                                                                             : block->n_fields + 1);
    for (size_t i = 0; i < n; i++) {
        if (i && (commas || src_chance(s, 40)))
            src_word(s, ",");
        src_field(s, block, sign);
        src_gap(s);
    }
}

static inline void src_block(struct src *s, const struct language_block *block) {
    buf_append_char(&s->out, '{');
    src_gap(s);
    src_fields(s, block, ":", false);
    buf_append_char(&s->out, '}');
}

/* ---- conditions */

static inline void src_signal(struct src *s) {
    const struct language *language = dsl_language();
    size_t at = src_below(s, language->n_blocks[LANGUAGE_SIGNALS] + 1);
    if (at < language->n_blocks[LANGUAGE_SIGNALS])
        buf_append(&s->out, language->names[LANGUAGE_SIGNALS][at]);
    else
        buf_append_c(&s->out, "projection");
    src_word(s, "(");
    src_name(s, gen_name(s->g));
    if (src_chance(s, 15)) {
        src_gap(s);
        src_word(s, ",");
        src_field(s, language->leaf, ":");
    }
    buf_append_char(&s->out, ')');
}

static inline void src_condition(struct src *s) {
    size_t kind = s->depth >= SRC_DEPTH_MAX ? 0 : src_below(s, 5);
    s->depth++;
    switch (kind) {
    case 1:
        src_word(s, "(");
        src_condition(s);
        buf_append_char(&s->out, ')');
        break;
    case 2:
        src_word(s, "NOT");
        src_condition(s);
        break;
    case 3:
    case 4:
        for (size_t i = 2 + src_below(s, 3); i > 0; i--) {
            src_condition(s);
            src_gap(s);
            if (i > 1)
                src_word(s, src_chance(s, 50) ? "AND" : "OR");
        }
        break;
    default:
        src_signal(s);
    }
    s->depth--;
}

/* ---- what stands in routes */

static inline void src_ref(struct src *s) {
    src_name(s, s->g->models[src_below(s, s->g->n_models)]);
    if (src_chance(s, 50))
        return;
    src_gap(s);
    src_word(s, "(");
    src_field(s, dsl_language()->ref, "=");
    if (src_chance(s, 40))
        src_word(s, ", lora = a_lora");
    if (src_chance(s, 20))
        src_word(s, ", param_size = \"7B\"");
    buf_append_char(&s->out, ')');
}

static inline void src_models(struct src *s) {
    src_word(s, "MODEL");
    for (size_t i = 1 + src_below(s, 3); i > 0; i--) {
        src_ref(s);
        src_gap(s);
        if (i > 1)
            src_word(s, ",");
    }
}

static inline void src_loop(struct src *s) {
    const char *variable = src_chance(s, 70) ? "m" : "a-b";
    src_word(s, "FOR");
    src_word(s, variable);
    src_word(s, "IN");
    if (src_chance(s, 40)) {
        src_word(s, "decision.candidates");
    } else {
        src_word(s, "[");
        for (size_t i = 1 + src_below(s, 3); i > 0; i--) {
            src_ref(s);
            src_word(s, i > 1 ? "," : " ");
        }
        src_word(s, "]");
    }
    src_word(s, "{");
    for (size_t i = src_below(s, 3); i > 0; i--) {
        src_word(s, "MODEL");
        src_word(s, src_chance(s, 90) ? variable : "other");
    }
    buf_append_char(&s->out, '}');
}

/* An algorithm or a plugin: a type, and its fields in braces or none. */
static inline void src_typed(struct src *s, const char *keyword, enum language_kind kind) {
    const struct language *language = dsl_language();
    const struct language_block *block = language->blocks[kind][src_below(s, language->n_blocks[kind])];
    bool template = kind == LANGUAGE_PLUGINS && src_chance(s, 25);
    src_word(s, keyword);
    if (template)
        src_word(s, src_chance(s, 50) ? "shared" : "\"my replay\"");
    else
        buf_append(&s->out, block->name);
    src_gap(s);
    if (template)
        block = language_block(language, LANGUAGE_PLUGINS, VSR_STR("router_replay"));
    if (src_chance(s, 70))
        src_block(s, block);
}

static inline void src_item(struct src *s, bool branch) {
    const struct language *language = dsl_language();
    switch (src_below(s, 9)) {
    case 0:
        if (branch)
            src_word(s, "DESCRIPTION \"of a branch\"");
        else
            src_word(s, "PRIORITY");
        if (!branch)
            src_int(s);
        break;
    case 1:
        src_word(s, "TIER");
        buf_printf(&s->out, "%zu", src_below(s, 4));
        break;
    case 2:
        src_word(s, "DESCRIPTION");
        src_quoted(s, gen_text(s->g));
        break;
    case 3:
        src_models(s);
        break;
    case 4:
        src_typed(s, "ALGORITHM", LANGUAGE_ALGORITHMS);
        break;
    case 5:
    case 6:
        src_typed(s, "PLUGIN", LANGUAGE_PLUGINS);
        break;
    case 7:
        src_loop(s);
        break;
    default:
        src_word(s, src_chance(s, 70) ? "EMIT retention" : "EXTRA");
        src_block(s, s->out.ptr[s->out.len - 2] == 'A' ? language->extra : language->retention);
    }
    src_gap(s);
}

static inline void src_items(struct src *s, bool branch) {
    for (size_t i = src_below(s, 5); i > 0; i--)
        src_item(s, branch);
}

static inline void src_route(struct src *s) {
    src_word(s, "ROUTE");
    src_name(s, gen_name(s->g));
    src_gap(s);
    if (src_chance(s, 40)) {
        src_word(s, "( description =");
        src_text(s, gen_text(s->g));
        src_word(s, ")");
    }
    src_word(s, "{");
    src_items(s, false);
    if (src_chance(s, 80)) {
        src_word(s, "WHEN");
        src_condition(s);
        src_gap(s);
    }
    src_items(s, false);
    buf_append_char(&s->out, '}');
}

static inline void src_branch(struct src *s) {
    src_word(s, "{");
    if (src_chance(s, 50)) {
        src_word(s, "NAME");
        src_name(s, gen_name(s->g));
        src_gap(s);
    }
    src_models(s);
    src_items(s, true);
    src_word(s, "}");
}

static inline void src_tree(struct src *s) {
    src_word(s, "DECISION_TREE");
    src_name(s, gen_name(s->g));
    src_gap(s);
    src_word(s, "{");
    for (size_t i = src_below(s, 3) + 1; i > 0; i--) {
        src_word(s, "IF");
        src_condition(s);
        src_gap(s);
        src_branch(s);
        src_word(s, "ELSE");
    }
    src_branch(s);
    buf_append_char(&s->out, '}');
}

/* ---- declarations */

static inline void src_declared(struct src *s, const char *keyword, const struct language_block *block) {
    src_word(s, keyword);
    src_name(s, gen_name(s->g));
    src_gap(s);
    src_block(s, block);
}

static inline void src_signal_decl(struct src *s) {
    const struct language *language = dsl_language();
    const struct language_block *block =
        language->blocks[LANGUAGE_SIGNALS][src_below(s, language->n_blocks[LANGUAGE_SIGNALS])];
    src_word(s, "SIGNAL");
    buf_append(&s->out, block->name);
    buf_append_char(&s->out, ' ');
    src_name(s, gen_name(s->g));
    src_gap(s);
    src_block(s, block);
}

static inline void src_template(struct src *s) {
    src_word(s, src_chance(s, 50) ? "PLUGIN shared" : "PLUGIN \"my replay\"");
    src_word(s, src_chance(s, 50) ? "router_replay" : "router-replay");
    src_block(s, language_block(dsl_language(), LANGUAGE_PLUGINS, VSR_STR("router_replay")));
}

static inline void src_tests(struct src *s) {
    src_word(s, "TEST t {");
    for (size_t i = src_below(s, 3); i > 0; i--) {
        src_quoted(s, gen_text(s->g));
        src_word(s, src_chance(s, 50) ? "->" : " \u2192");
        src_name(s, gen_name(s->g));
        src_gap(s);
        if (src_chance(s, 30))
            src_word(s, "{ keyword: [a, \"b\"] }");
    }
    buf_append_char(&s->out, '}');
}

static inline void src_declarations(struct src *s, bool trees);

static inline void src_recipe(struct src *s) {
    buf_printf(&s->out, "RECIPE r%zu ", s->out.len);
    if (src_chance(s, 50)) {
        src_word(s, "( description =");
        src_text(s, gen_text(s->g));
        src_word(s, src_chance(s, 50) ? ", strategy = priority )" : ")");
    }
    src_word(s, "{");
    s->in_recipe = true;
    src_declarations(s, src_chance(s, 30));
    s->in_recipe = false;
    buf_append_char(&s->out, '}');
}

static inline void src_declaration(struct src *s, bool trees) {
    const struct language *language = dsl_language();
    switch (src_below(s, s->in_recipe ? 12 : 14)) {
    case 0:
        src_word(s, src_chance(s, 50) ? "ROUTING { strategy: priority"
                                      : "ROUTING { strategy: \"confidence\", untiered: first");
        buf_append_char(&s->out, '}');
        break;
    case 1:
        src_declared(s, "PROJECTION partition", language->partition);
        break;
    case 2:
        src_declared(s, "PROJECTION score", language->score);
        break;
    case 3:
        src_declared(s, "PROJECTION mapping", language->mapping);
        break;
    case 4:
        src_template(s);
        break;
    case 5:
        src_tests(s);
        break;
    case 6:
    case 7:
    case 8:
        if (trees)
            src_tree(s);
        else
            src_route(s);
        break;
    case 12:
        src_recipe(s);
        break;
    case 13:
        src_word(s, "ENTRYPOINT");
        src_block(s, language->entrypoint);
        break;
    default:
        src_signal_decl(s);
    }
    src_gap(s);
}

static inline void src_declarations(struct src *s, bool trees) {
    for (size_t i = src_below(s, 8); i > 0; i--)
        src_declaration(s, trees);
}

/* The text lives in the generator's arena. */
static inline vsr_str gen_program(struct gen *g) {
    struct src s = { .g = g };
    vsr_str text;
    gen_models(g);
    buf_init(&s.out, COMPILED_LEN_MAX);
    src_gap(&s);
    for (size_t i = 0; i < g->n_models; i++) {
        if (!src_chance(&s, 50))
            continue;
        src_word(&s, "MODEL");
        src_name(&s, g->models[i]);
        src_gap(&s);
        src_block(&s, dsl_language()->model);
        src_gap(&s);
    }
    src_declarations(&s, src_chance(&s, 30));
    text = arena_str(g->arena, buf_str(&s.out));
    buf_done(&s.out);
    return text;
}

#endif
