#include "dsl/generate_prompt.h"

#include "config/schema_text.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/map.h"
#include "core/utf8.h"
#include "dsl/base.h"
#include "dsl/generate_draft.h"
#include "dsl/grammar.h"
#include "dsl/language.h"
#include "dsl/spelling.h"

/* ---- rules */

static const char system_text[] =
    "You write programs in the routing language of an LLM gateway. A program says by which signals requests are told "
    "apart and which model answers which request.\n"
    "\n"
    "Rules of the output:\n"
    "- Answer with the program and nothing else: no code fence, no prose, no YAML.\n"
    "- Declare every signal that a condition refers to, in the same scope.\n"
    "- Every ROUTE and every branch of a DECISION_TREE has a MODEL.\n"
    "- The ROUTE that takes whatever is left has PRIORITY 1 and no WHEN; others have higher priorities, all different. "
    "The highest priority that matches wins.\n"
    "- Write names in quotes where they are referred to, and wherever they hold blanks: SIGNAL domain \"computer "
    "science\".\n"
    "- Never mix ROUTE and DECISION_TREE in one program. Take a DECISION_TREE, which ends with ELSE, when the task "
    "says "
    "\"if ... otherwise if ... otherwise\"; take ROUTE when it speaks of priorities or of separate cases.\n"
    "- Use only the types, fields and words of the reference.\n"
    "- A plugin that has the field `enabled` needs `enabled: true`.\n"
    "- Providers, keys and addresses of models are not part of a program.\n";

static const char guide[] =
    "- A signal of type domain without mmlu_categories is called like one of these fields of knowledge: biology, "
    "business, chemistry, \"computer science\", economics, engineering, health, history, law, math, other, philosophy, "
    "physics, psychology. Under any other name it lists some of them in mmlu_categories.\n"
    "- WHEN combines signals: keyword(\"urgent\") AND (domain(\"math\") OR NOT language(\"en\")). NOT binds before "
    "AND, "
    "AND before OR.\n"
    "- complexity(\"name:hard\") asks for a level: easy, medium or hard. projection(\"name\") asks for an output of a "
    "PROJECTION mapping.\n"
    "- MODEL \"a\" (reasoning = true, effort = \"high\"), \"b\" lists the models of a route, with options in "
    "parentheses. "
    "Several models want an ALGORITHM that chooses among them.\n"
    "- Once one MODEL is declared, all models that routes use are declared.\n"
    "- PLUGIN name type { ... } at the top level is a template; PLUGIN name in a route uses it, PLUGIN type { ... } "
    "needs none.\n"
    "- Token counts are texts such as \"8K\". Times are numbers; the field's name says the unit.\n";

/* ---- reference */

enum { NESTED_MAX = 8 };

struct outline {
    struct buf *out;
    bool helps; /* with what fields mean; the rare blocks do without, so that the text stays short */
};

static void field_line(const struct outline *outline, const struct language_field *field, size_t depth) {
    vsr_str fallback = language_default(field);
    struct buf *out = outline->out;
    buf_printf(out, "%*s%.*s: ", (int)(2 * depth), "", VSR_FMT(field->name));
    if (field->block)
        buf_append_c(out, *schema_text_step(field->field) == '[' ? "list of objects" : "object");
    else
        schema_text_type(field->field, "\"", out);
    if (fallback.len > 0)
        buf_printf(out, str_eq_c(fallback, "required") ? "; required" : "; default %.*s", VSR_FMT(fallback));
    if (outline->helps && field->field->help)
        buf_printf(out, " - %s", field->field->help);
    buf_append_char(out, '\n');
}

/* A block that lies in itself is written out once. */
static void fields(const struct outline *outline, const struct language_block *block,
                   const struct language_block **outer, size_t depth) {
    for (size_t i = 0; i < block->n_fields; i++) {
        const struct language_field *field = &block->fields[i];
        bool again = depth == NESTED_MAX;
        field_line(outline, field, depth);
        for (size_t k = 0; k < depth && field->block; k++)
            again |= outer[k] == field->block;
        if (!field->block || again)
            continue;
        outer[depth] = field->block;
        fields(outline, field->block, outer, depth + 1);
    }
}

static void outline_block(const struct outline *outline, const char *keyword, vsr_str name,
                          const struct language_block *block) {
    const struct language_block *outer[NESTED_MAX + 1] = { block };
    buf_printf(outline->out, "%s%s%.*s%s\n", keyword, name.len > 0 ? " " : "", VSR_FMT(name),
               block->n_fields == 0 ? " (no fields)" : "");
    fields(outline, block, outer, 1);
}

static void family(const struct outline *outline, const struct language *language, enum language_kind kind,
                   const char *keyword) {
    for (size_t i = 0; i < language->n_blocks[kind]; i++)
        outline_block(outline, keyword, language->blocks[kind][i]->name, language->blocks[kind][i]);
}

void generate_reference(const struct language *language, struct buf *out) {
    const struct outline outline = { out, true }, brief = { out, false };
    buf_printf(out, "## Grammar\n\n%s\n## Notes\n\n%s\n## Declarations and their fields\n\n", dsl_grammar, guide);
    outline_block(&outline, "ROUTING", VSR_STR(""), language->routing);
    outline_block(&outline, "ENTRYPOINT", VSR_STR(""), language->entrypoint);
    outline_block(&outline, "MODEL name", VSR_STR(""), language->model);
    buf_append_c(out, "\n## Types of SIGNAL\n\n");
    family(&outline, language, LANGUAGE_SIGNALS, "SIGNAL");
    buf_append_c(out, "\n## Kinds of PROJECTION\n\n");
    outline_block(&outline, "PROJECTION partition", VSR_STR(""), language->partition);
    outline_block(&outline, "PROJECTION score", VSR_STR(""), language->score);
    outline_block(&outline, "PROJECTION mapping", VSR_STR(""), language->mapping);
    buf_append_c(out, "\n## Inside a route\n\n");
    outline_block(&outline, "Options of a model, in parentheses", VSR_STR(""), language->ref);
    outline_block(&outline, "Fields of a condition, behind the name", VSR_STR(""), language->leaf);
    outline_block(&outline, "EMIT retention", VSR_STR(""), language->retention);
    buf_append_c(out, "\n## Types of ALGORITHM\n\n");
    family(&brief, language, LANGUAGE_ALGORITHMS, "ALGORITHM");
    buf_append_c(out, "\n## Types of PLUGIN\n\n");
    family(&brief, language, LANGUAGE_PLUGINS, "PLUGIN");
}

/* ---- messages */

void generate_feedback(const struct generate_draft *draft, struct buf *out) {
    static const char *const levels[] = { [FINDING_ERROR] = "error",
                                          [FINDING_WARNING] = "warning",
                                          [FINDING_CONSTRAINT] = "constraint",
                                          [FINDING_HINT] = "hint" };
    size_t told = 0;
    for (size_t i = 0; i < draft->findings.n && told < GENERATE_FINDINGS_TOLD; i++) {
        const struct finding *finding = &draft->findings.items[i];
        if (finding->level == FINDING_HINT)
            continue;
        told++;
        buf_printf(out, "- [%s] %.*s (line %u, column %u)", levels[finding->level], VSR_FMT(finding->message),
                   finding->at.line, finding->at.col);
        if (finding->witness.len > 0)
            buf_printf(out, "; for example: %.*s", VSR_FMT(finding->witness));
        if (finding->fix.description.len > 0)
            buf_printf(out, "; fix: %.*s", VSR_FMT(finding->fix.description));
        buf_append_char(out, '\n');
    }
    if (generate_faults(draft) > told)
        buf_printf(out, "- and %zu more\n", generate_faults(draft) - told);
}

static void section(struct buf *out, const char *title, vsr_str text) {
    if (text.len > 0)
        buf_printf(out, "# %s\n\n%.*s\n\n", title, VSR_FMT(text));
}

/* ---- models of the base */

enum { DESCRIPTION_LEN_MAX = 300 };

struct models {
    struct map seen;
    struct buf *out;
};

/* On one line, and not at any length: it is what somebody wrote for people. */
static void write_description(struct buf *out, vsr_str text) {
    vsr_str rest = utf8_cut(str_trim(text), DESCRIPTION_LEN_MAX);
    buf_append_c(out, ": ");
    for (size_t i = 0; i < rest.len; i++)
        buf_append_char(out, (unsigned char)rest.ptr[i] < ' ' ? ' ' : rest.ptr[i]);
}

static void write_model(void *data, vsr_str name, const struct yaml_node *model) {
    struct models *models = data;
    const struct yaml_node *description = yaml_get(model, VSR_STR("description"));
    if (map_put(&models->seen, name, (void *)model) || models->seen.n > GENERATE_MODELS_TOLD)
        return;
    buf_append_c(models->out, "- ");
    spell_string(models->out, name);
    if (description && description->kind == YAML_SCALAR && description->text.len > 0)
        write_description(models->out, description->text);
    buf_append_char(models->out, '\n');
}

static void write_models(struct arena *arena, const struct yaml_node *base, struct buf *out) {
    struct models models = { .out = out };
    if (!base)
        return;
    map_init(&models.seen, arena);
    buf_append_c(out, "# Models that there are: routes use these, and no others that they do not declare\n\n");
    dsl_base_models(base, write_model, &models);
    buf_append_char(out, '\n');
}

static void write_examples(struct buf *out) {
    buf_append_c(out, "# Examples\n\n");
    for (size_t i = 0; i < generate_n_examples; i++)
        buf_printf(out, "Task: %s\n\n%s\n", generate_examples[i].instruction, generate_examples[i].program);
}

static void write_repair(const struct generate_draft *bad, struct buf *out) {
    section(out, "Program to repair", bad->text.len > 0 ? bad->text : bad->answer);
    buf_append_c(out, "# What is wrong with it\n\n");
    generate_feedback(bad, out);
    buf_append_c(out, "\nChange what is wrong, keep the rest, and answer with the whole repaired program only.\n");
}

void generate_prompt(struct arena *arena, const struct language *language, const struct generate_task *task,
                     const struct generate_draft *bad, struct generate_message ret_messages[GENERATE_MESSAGES]) {
    struct buf out;
    buf_init(&out, GENERATE_PROMPT_LEN_MAX);
    buf_append_c(&out, "# Reference of the language\n\n");
    generate_reference(language, &out);
    buf_append_char(&out, '\n');
    if (!bad)
        write_examples(&out);
    section(&out, "Additional Context", task->context);
    write_models(arena, task->base, &out);
    section(&out, "Current program: change what the task asks for and keep unrelated declarations", task->current);
    section(&out, bad ? "Original Task" : "Task", task->instruction);
    if (bad)
        write_repair(bad, &out);
    ret_messages[0] = (struct generate_message){ VSR_STR("system"), str_from_c(system_text) };
    ret_messages[1] = (struct generate_message){ VSR_STR("user"), arena_str(arena, buf_str(&out)) };
    buf_done(&out);
}
