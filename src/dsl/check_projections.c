/* Partitions, scores and mappings (dsl.md §6.3). */
#include "core/arena.h"
#include "core/buf.h"
#include "dsl/check_parts.h"

enum { CYCLE_LEN_MAX = 800, MEMBERS_LEN_MAX = 800, MEMBERS_SHOWN_MAX = 32, SUGGEST_AMONG_MAX = 500 };

struct site {
    struct check_scope *scope;
    const struct dsl_decl *decl;
    vsr_str what; /* `PROJECTION mapping m` */
};

static void check_decl_block(const struct site *site, const struct language_block *of, bool partial) {
    struct check_block block = {
        .what = site->what, .block = of, .fields = &site->decl->fields, .at = site->decl->at, .partial = partial
    };
    dsl_check_block(site->scope->c, &block);
}

/* ---- partitions */

/* The families whose signals may be members. */
static const struct config_family *member_family(const struct check *c, size_t *next) {
    const struct config_families *families = &c->language->parts->families;
    while (*next < families->n) {
        const struct config_family *family = &families->items[(*next)++];
        if (family->partition_members)
            return family;
    }
    return NULL;
}

/* Of what type the member is: of those that may be members first. NULL: it is not declared. */
static const char *member_type(const struct check_scope *scope, vsr_str name) {
    const struct config_families *families = &scope->c->language->parts->families;
    size_t next = 0;
    for (const struct config_family *family; (family = member_family(scope->c, &next));)
        if (dsl_check_find(scope, str_from_c(family->type), name))
            return family->type;
    for (size_t i = 0; i < families->n; i++)
        if (dsl_check_find(scope, str_from_c(families->items[i].type), name))
            return families->items[i].type;
    return NULL;
}

/* All signals that may be members and are not yet, for suggestions. */
static void suggest_member(const struct check_scope *scope, struct finding *finding, const struct dsl_name *found,
                           const struct map *listed) {
    struct map all;
    size_t next = 0;
    map_init(&all, scope->c->scratch);
    for (const struct config_family *family; finding && (family = member_family(scope->c, &next));) {
        const struct map *names = map_get(&scope->types, str_from_c(family->type));
        for (size_t i = 0; names && i < names->n && i < SUGGEST_AMONG_MAX; i++)
            if (!map_get(listed, names->entries[i].key))
                map_put(&all, names->entries[i].key, names->entries[i].value);
    }
    dsl_check_suggest(scope->c, finding, found, &all);
}

static void use_member(const struct check_scope *scope, vsr_str name) {
    size_t next = 0;
    for (const struct config_family *family; (family = member_family(scope->c, &next));) {
        struct check_declared *declared = dsl_check_find(scope, str_from_c(family->type), name);
        if (declared)
            declared->used = true;
    }
}

/* The members that are declared, by their types: `domain=[a, b], keyword=[c]`. */
static vsr_str members_by_type(const struct check_scope *scope, const struct dsl_value *members, size_t n) {
    const struct language *language = scope->c->language;
    size_t n_shown = n < MEMBERS_SHOWN_MAX ? n : MEMBERS_SHOWN_MAX;
    struct buf out;
    vsr_str text;
    buf_init(&out, MEMBERS_LEN_MAX);
    for (size_t t = 0; t < language->n_blocks[LANGUAGE_SIGNALS]; t++) {
        size_t n_here = 0;
        for (size_t i = 0; i < n_shown; i++) {
            const char *type = members[i].kind == DSL_STRING ? member_type(scope, members[i].text) : NULL;
            if (!type || !str_eq_c(language->names[LANGUAGE_SIGNALS][t], type))
                continue;
            if (n_here++ == 0)
                buf_printf(&out, "%s%s=[", out.len ? ", " : "", type);
            else
                buf_append_c(&out, ", ");
            buf_append(&out, members[i].text);
        }
        if (n_here)
            buf_append_c(&out, "]");
    }
    text = arena_printf(scope->c->scratch, "%.*s%s", VSR_FMT(buf_str(&out)),
                        buf_failed(&out) || n_shown < n ? ", ..." : "");
    buf_done(&out);
    return text;
}

static bool may_be_member(const struct check *c, const char *type) {
    size_t next = 0;
    for (const struct config_family *family; (family = member_family(c, &next));)
        if (strcmp(family->type, type) == 0)
            return true;
    return false;
}

static void check_member_types(const struct site *site, const struct dsl_value *members, size_t n) {
    const char *first = NULL;
    bool mixed = false;
    for (size_t i = 0; i < n; i++) {
        const char *type = members[i].kind == DSL_STRING ? member_type(site->scope, members[i].text) : NULL;
        if (!type)
            continue;
        mixed |= (first && strcmp(first, type) != 0) || !may_be_member(site->scope->c, type);
        first = first ? first : type;
    }
    if (mixed)
        CHECK_TELL(site->scope->c, CONSTRAINT, "C322", dsl_value_of(&site->decl->fields, "members")->at,
                   "%.*s: members must be signals of one type, domain or embedding, got %.*s", VSR_FMT(site->what),
                   VSR_FMT(members_by_type(site->scope, members, n)));
}

static void check_member(const struct site *site, const struct dsl_value *member, const struct map *listed,
                         struct map *own) {
    struct check *c = site->scope->c;
    struct dsl_name name = dsl_check_name_of(member);
    if (member->kind != DSL_STRING)
        return; /* C302 */
    if (map_put(own, member->text, (void *)member)) {
        CHECK_TELL(c, CONSTRAINT, "C322", member->at, "%.*s: \"%.*s\" is a member twice", VSR_FMT(site->what),
                   VSR_FMT(member->text));
        return;
    }
    use_member(site->scope, member->text);
    if (!member_type(site->scope, member->text) && !dsl_check_may_be_lost(c, member->text))
        suggest_member(site->scope,
                       CHECK_TELL(c, WARNING, "W201", member->at,
                                  "%.*s: member \"%.*s\" is not defined. Add SIGNAL domain %.*s { ... }",
                                  VSR_FMT(site->what), VSR_FMT(member->text),
                                  VSR_FMT(dsl_check_spelled(c, member->text))),
                       &name, listed);
}

/* A fix takes the place of a value; what is missing is put in front of `members`. */
static void check_temperature(const struct site *site) {
    const struct dsl_fields *fields = &site->decl->fields;
    const struct dsl_value *temperature = dsl_value_of(fields, "temperature");
    const struct dsl_field *members = dsl_field(fields, VSR_STR("members"));
    double number = 0;
    struct finding *finding;
    struct dsl_at at;
    if (!str_eq_c(dsl_text_of(fields, "semantics"), "softmax_exclusive") ||
        (temperature && (!dsl_number_of(fields, "temperature", &number) || number != 0)))
        return; /* below zero it is C310 */
    at = temperature ? temperature->at : site->decl->at;
    finding = CHECK_TELL(site->scope->c, CONSTRAINT, "C322", at,
                         "%.*s: softmax_exclusive needs a temperature greater than 0", VSR_FMT(site->what));
    if (temperature)
        finding_fix(finding, temperature->at, VSR_STR("0.1"), "set to 0.1");
    else if (members) {
        at = members->key.at;
        at.end = at.start;
        finding_fix(finding, at, VSR_STR("temperature: 0.1 "), "add temperature: 0.1");
    }
}

static void check_default(const struct site *site, const struct map *own) {
    struct check *c = site->scope->c;
    const struct dsl_value *fallback = dsl_value_of(&site->decl->fields, "default");
    struct dsl_name name;
    if (!fallback || fallback->kind != DSL_STRING || fallback->text.len == 0 || map_get(own, fallback->text))
        return; /* C305 */
    name = dsl_check_name_of(fallback);
    dsl_check_suggest(c,
                      CHECK_TELL(c, WARNING, "W202", fallback->at, "%.*s: default \"%.*s\" is not a member",
                                 VSR_FMT(site->what), VSR_FMT(fallback->text)),
                      &name, own);
}

static void check_partition(const struct site *site) {
    struct map listed, own; /* all that are there; those that were looked at */
    size_t n;
    const struct dsl_value *members = dsl_items_of(&site->decl->fields, "members", &n);
    map_init(&listed, site->scope->c->scratch);
    map_init(&own, site->scope->c->scratch);
    for (size_t i = 0; i < n; i++)
        if (members[i].kind == DSL_STRING)
            map_put(&listed, members[i].text, (void *)&members[i]);
    check_decl_block(site, site->scope->c->language->partition, false);
    for (size_t i = 0; i < n; i++)
        check_member(site, &members[i], &listed, &own);
    check_member_types(site, members, n);
    check_temperature(site);
    if (n > 0)
        check_default(site, &own);
}

/* ---- scores */

enum input_kind { INPUT_SIGNAL, INPUT_SCORE, INPUT_OUTPUT };

static enum input_kind projection_kind(const struct dsl_fields *input) {
    vsr_str source = dsl_text_of(input, "value_source");
    return source.len == 0 || str_eq_nocase(source, VSR_STR("score")) ? INPUT_SCORE : INPUT_OUTPUT;
}

static void tell_input(const struct site *site, const struct dsl_at *at, const char *text) {
    CHECK_TELL(site->scope->c, CONSTRAINT, "C323", *at, "%.*s: %s", VSR_FMT(site->what), text);
}

static bool check_input_name(const struct site *site, const struct dsl_value *input, struct dsl_name *ret_name) {
    const struct dsl_value *name = dsl_value_of(&input->fields, "name");
    if (name && name->kind == DSL_STRING && name->text.len > 0) {
        *ret_name = dsl_check_name_of(name);
        return true;
    }
    if (!name || name->kind == DSL_STRING)
        tell_input(site, name ? &name->at : &input->at, "an input needs a name");
    return false;
}

/* Not the score itself. */
static void suggest_score(const struct site *site, struct finding *finding, const struct dsl_name *found) {
    struct map others;
    map_init(&others, site->scope->c->scratch);
    for (size_t i = 0; finding && i < site->scope->scores.n && i < SUGGEST_AMONG_MAX; i++) {
        const struct check_declared *score = site->scope->scores.entries[i].value;
        if (score->decl != site->decl)
            map_put(&others, score->name, (void *)score);
    }
    dsl_check_suggest(site->scope->c, finding, found, &others);
}

static void check_projection_input(const struct site *site, const struct dsl_value *input,
                                   const struct dsl_value *source) {
    struct check_scope *scope = site->scope;
    struct check *c = scope->c;
    struct check_declared *score;
    struct dsl_name name;
    if (source && str_eq_nocase(source->text, VSR_STR("raw"))) {
        tell_input(site, &source->at, "a projection has no raw value; use score, confidence or binary");
        return;
    }
    if (!check_input_name(site, input, &name))
        return;
    if (projection_kind(&input->fields) == INPUT_OUTPUT) {
        (void)dsl_check_signal(scope, VSR_STR("projection"), &name, &name.at, false);
        return;
    }
    score = map_get(&scope->scores, name.text);
    if (score)
        score->used = true;
    if (score || dsl_check_may_be_lost(c, name.text))
        return;
    if (dsl_check_find(scope, VSR_STR("projection"), name.text))
        CHECK_TELL(c, CONSTRAINT, "C323", name.at,
                   "%.*s: \"%.*s\" is an output of a mapping, which needs value_source: \"confidence\"",
                   VSR_FMT(site->what), VSR_FMT(name.text));
    else
        suggest_score(site,
                      CHECK_TELL(c, CONSTRAINT, "C323", name.at, "%.*s: input \"%.*s\" is not a declared score",
                                 VSR_FMT(site->what), VSR_FMT(name.text)),
                      &name);
}

static void check_metric_input(const struct site *site, const struct dsl_value *input, const struct dsl_value *source) {
    if (dsl_text_of(&input->fields, "kb").len == 0 || dsl_text_of(&input->fields, "metric").len == 0)
        tell_input(site, &input->at, "an input of type kb_metric needs kb and metric");
    if (dsl_text_of(&input->fields, "name").len > 0)
        tell_input(site, &dsl_value_of(&input->fields, "name")->at,
                   "an input of type kb_metric has no name; use kb and metric");
    if (source && source->text.len && !str_eq_nocase(source->text, VSR_STR("score")))
        tell_input(site, &source->at, "a kb_metric has a score and nothing else");
}

static void check_signal_input(const struct site *site, const struct dsl_value *input, const struct dsl_value *type,
                               const struct dsl_value *source) {
    struct dsl_name name;
    if (source && str_eq_nocase(source->text, VSR_STR("score")))
        tell_input(site, &source->at, "a signal has no score; use binary, confidence or raw");
    if (dsl_value_of(&input->fields, "kb") || dsl_value_of(&input->fields, "metric"))
        tell_input(site, &input->at, "kb and metric belong to inputs of type kb_metric");
    if (check_input_name(site, input, &name))
        (void)dsl_check_signal(site->scope, type->text, &name, &name.at, true);
}

static void check_input(const struct site *site, const struct dsl_value *input) {
    struct check *c = site->scope->c;
    const struct dsl_value *type = dsl_value_of(&input->fields, "type");
    const struct dsl_value *source = dsl_value_of(&input->fields, "value_source");
    if (source && source->kind != DSL_STRING)
        source = NULL; /* C302 */
    if (!type || type->kind != DSL_STRING)
        return; /* C305, C302 */
    if (str_eq_c(type->text, "projection"))
        check_projection_input(site, input, source);
    else if (str_eq_c(type->text, "kb_metric"))
        check_metric_input(site, input, source);
    else if (dsl_check_family(c, type->text))
        check_signal_input(site, input, type, source);
    else if (type->text.len) {
        struct dsl_name found = dsl_check_name_of(type);
        dsl_check_suggest_type(c,
                               CHECK_TELL(c, CONSTRAINT, "C323", type->at,
                                          "%.*s: unknown input type \"%.*s\"; it is a signal type, projection or "
                                          "kb_metric",
                                          VSR_FMT(site->what), VSR_FMT(type->text)),
                               &found, "projection", "kb_metric");
    }
}

static void check_score(const struct site *site) {
    size_t n;
    const struct dsl_value *list = dsl_value_of(&site->decl->fields, "inputs");
    const struct dsl_value *inputs = dsl_items_of(&site->decl->fields, "inputs", &n);
    check_decl_block(site, site->scope->c->language->score, false);
    if (list && list->kind == DSL_ARRAY && n == 0)
        tell_input(site, &list->at, "inputs must not be empty");
    for (size_t i = 0; i < n; i++)
        if (inputs[i].kind == DSL_OBJECT)
            check_input(site, &inputs[i]);
}

/* ---- cycles of scores */

enum colour { WHITE, GREY, BLACK }; /* not seen, on the way down, done */

struct node {
    const struct dsl_decl *decl;
    const struct dsl_value *inputs;
    size_t n_inputs;
    size_t next;  /* of its inputs */
    size_t place; /* on the stack */
    enum colour colour;
};

struct search {
    const struct check_scope *scope;
    struct map nodes;    /* name of the score -> struct node */
    struct node **stack; /* explicit: a chain may be as long as the program */
    size_t depth;
};

/* The score that the input depends on, or NULL. */
static struct node *dependency(const struct search *s, const struct dsl_value *input) {
    vsr_str name;
    const struct check_declared *output;
    if (input->kind != DSL_OBJECT || !str_eq_c(dsl_text_of(&input->fields, "type"), "projection"))
        return NULL;
    name = dsl_text_of(&input->fields, "name");
    if (projection_kind(&input->fields) == INPUT_SCORE)
        return map_get(&s->nodes, name);
    output = map_get(&s->scope->outputs, name);
    return output ? map_get(&s->nodes, dsl_text_of(&output->decl->fields, "source")) : NULL;
}

static void tell_cycle(const struct search *s, const struct node *target) {
    struct buf path;
    buf_init(&path, CYCLE_LEN_MAX);
    for (size_t i = target->place; i < s->depth && !buf_failed(&path); i++)
        buf_printf(&path, "%.*s -> ", VSR_FMT(s->stack[i]->decl->name.text));
    buf_append(&path, target->decl->name.text);
    s->scope->c->findings->decl = target->decl->at;
    CHECK_TELL(s->scope->c, CONSTRAINT, "C320", target->decl->at, "projection score dependency cycle: %.*s%s",
               VSR_FMT(buf_str(&path)), buf_failed(&path) ? "..." : "");
    buf_done(&path);
}

static void enter(struct search *s, struct node *node) {
    node->colour = GREY;
    node->place = s->depth;
    s->stack[s->depth++] = node;
}

static void search_from(struct search *s, struct node *start) {
    enter(s, start);
    while (s->depth > 0) {
        struct node *top = s->stack[s->depth - 1], *target;
        if (top->next == top->n_inputs) {
            top->colour = BLACK;
            s->depth--;
            continue;
        }
        target = dependency(s, &top->inputs[top->next++]);
        if (target && target->colour == GREY)
            tell_cycle(s, target);
        else if (target && target->colour == WHITE)
            enter(s, target);
    }
}

static void check_cycles(const struct check_scope *scope) {
    struct search s = { .scope = scope };
    map_init(&s.nodes, scope->c->scratch);
    for (size_t i = 0; i < scope->scores.n; i++) {
        const struct check_declared *score = scope->scores.entries[i].value;
        struct node *node = ARENA_NEW(scope->c->scratch, struct node);
        node->decl = score->decl;
        node->inputs = dsl_items_of(&score->decl->fields, "inputs", &node->n_inputs);
        map_put(&s.nodes, score->name, node);
    }
    s.stack = ARENA_ARRAY(scope->c->scratch, struct node *, s.nodes.n);
    for (size_t i = 0; i < s.nodes.n; i++) {
        struct node *node = s.nodes.entries[i].value;
        if (node->colour == WHITE)
            search_from(&s, node);
    }
}

/* ---- mappings */

static void check_source(const struct site *site) {
    struct check_scope *scope = site->scope;
    const struct dsl_value *source = dsl_value_of(&site->decl->fields, "source");
    struct check_declared *score;
    struct dsl_name name;
    if (!source || source->kind != DSL_STRING || source->text.len == 0)
        return; /* C305, C302 */
    score = map_get(&scope->scores, source->text);
    if (score)
        score->used = true;
    if (score || dsl_check_may_be_lost(scope->c, source->text))
        return;
    name = dsl_check_name_of(source);
    dsl_check_suggest(scope->c,
                      CHECK_TELL(scope->c, CONSTRAINT, "C321", source->at,
                                 "%.*s: source \"%.*s\" is not a declared score", VSR_FMT(site->what),
                                 VSR_FMT(source->text)),
                      &name, &scope->scores);
}

static void check_output(const struct site *site, const struct dsl_value *output) {
    struct check *c = site->scope->c;
    const struct dsl_value *name = dsl_value_of(&output->fields, "name");
    const struct check_declared *first =
        name && name->kind == DSL_STRING ? map_get(&site->scope->outputs, name->text) : NULL;
    if (first && first->output != output)
        CHECK_TELL(c, CONSTRAINT, "C324", name->at, "%.*s: output \"%.*s\" is already declared at line %u",
                   VSR_FMT(site->what), VSR_FMT(name->text), first->output->at.line);
    dsl_check_bounds(c,
                     arena_printf(c->scratch, "%.*s: output \"%.*s\"", VSR_FMT(site->what),
                                  VSR_FMT(dsl_text_of(&output->fields, "name"))),
                     &output->fields, &output->at);
}

static void check_mapping(const struct site *site) {
    struct check *c = site->scope->c;
    size_t n, least = str_eq_c(dsl_text_of(&site->decl->fields, "method"), "multi_emit") ? 2 : 1;
    const struct dsl_value *list = dsl_value_of(&site->decl->fields, "outputs");
    const struct dsl_value *outputs = dsl_items_of(&site->decl->fields, "outputs", &n);
    check_decl_block(site, c->language->mapping, false);
    check_source(site);
    if (list && list->kind == DSL_ARRAY && n < least)
        CHECK_TELL(c, CONSTRAINT, "C324", list->at, "%.*s: %s", VSR_FMT(site->what),
                   least == 1 ? "outputs must not be empty" : "multi_emit needs at least two outputs");
    for (size_t i = 0; i < n; i++)
        if (outputs[i].kind == DSL_OBJECT)
            check_output(site, &outputs[i]);
}

void dsl_check_projections(struct check_scope *scope) {
    for (size_t i = 0; i < scope->program->n; i++) {
        const struct dsl_decl *decl = &scope->program->decls[i];
        struct site site = { .scope = scope, .decl = decl };
        if (decl->kind != DSL_PARTITION && decl->kind != DSL_SCORE && decl->kind != DSL_MAPPING)
            continue;
        scope->c->findings->decl = decl->at;
        site.what = arena_printf(scope->c->scratch, "%s %.*s", dsl_decl_keyword(decl->kind), VSR_FMT(decl->name.text));
        if (decl->kind == DSL_PARTITION)
            check_partition(&site);
        else if (decl->kind == DSL_SCORE)
            check_score(&site);
        else
            check_mapping(&site);
    }
    check_cycles(scope);
}
