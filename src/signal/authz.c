/*
 * authz - roles of the caller (signals.md §5.7).
 *
 * A binding gives its role to the users and groups that it lists. Matches are roles, each once, in the order of the
 * bindings; a leaf may name a role, or a binding to ask for that one grant. Where both have the same name, it is the
 * role. Who the caller is comes with the facts; whoever fills them in answers for it.
 */
#include "core/arena.h"
#include "core/map.h"
#include "signal/family.h"
#include "signal/rule_checks.h"

enum subject_kind { SUBJECT_USER, SUBJECT_GROUP };

struct subject_config {
    struct config_at at;
    int kind; /* enum subject_kind */
    vsr_str name;
};

struct authz_config {
    struct config_at at;
    vsr_str name, description, role;
    struct config_list subjects; /* struct subject_config */
};

static const char *const subject_kinds[] = { "User", "Group", NULL };

static const struct field subject_fields[] = {
    { "kind", FIELD_ENUM, offsetof(struct subject_config, kind), .flags = FIELD_REQUIRED | FIELD_NOCASE,
      .choices = subject_kinds, .help = "User or Group." },
    { "name", FIELD_STRING, offsetof(struct subject_config, name), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "The user's id or the group's name; upper and lower case differ." },
};
static const struct schema subject_schema = SCHEMA("subject", struct subject_config, subject_fields);

static const struct field authz_fields[] = {
    RULE_FIELDS(struct authz_config),
    { "role", FIELD_STRING, offsetof(struct authz_config, role), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "What the subjects are; decisions ask for it." },
    { "subjects", FIELD_OBJECTS, offsetof(struct authz_config, subjects), .flags = FIELD_REQUIRED,
      .object = &subject_schema, .help = "Users and groups that get the role; at least one." },
};

static const struct schema authz_schema;

static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    const struct authz_config *rule = object;
    struct diag_at at = schema_field_at(&authz_schema, rule, "role", arena);
    if (str_trim(rule->role).len != rule->role.len)
        diag_error(diag, "E_RANGE", at, VSR_STR(""), "the role must not begin or end with blanks");
    if (str_find_char(rule->role, ':') >= 0)
        diag_error(diag, "E_RANGE", at, VSR_STR("a colon separates the parts of a reference"),
                   "the role must not hold \":\"");
    if (rule->subjects.n == 0)
        diag_error(diag, "E_REQUIRED", schema_field_at(&authz_schema, rule, "subjects", arena), VSR_STR(""),
                   "at least one subject is required");
}

static const struct schema authz_schema =
    SCHEMA("role binding", struct authz_config, authz_fields, .check = check_rule);

static bool declares(const struct config_list *rules, vsr_str name) {
    CONFIG_EACH(const struct authz_config, rule, rules)
    if (str_eq(rule->role, name) || str_eq(rule->name, name))
        return true;
    return false;
}

/* ---- compiled */

/* Roles first, then bindings whose name is no role. */
static size_t names(const struct config_list *rules, struct arena *arena, vsr_str **ret_names, size_t *ret_n_listed) {
    vsr_str *items = ARENA_ARRAY(arena, vsr_str, 2 * rules->n);
    struct map seen;
    size_t n = 0;
    map_init(&seen, arena);
    CONFIG_EACH(const struct authz_config, rule, rules)
    if (!map_put(&seen, rule->role, (void *)rule))
        items[n++] = rule->role;
    *ret_n_listed = n;
    CONFIG_EACH(const struct authz_config, rule, rules)
    if (!map_put(&seen, rule->name, (void *)rule))
        items[n++] = rule->name;
    *ret_names = items;
    return n;
}

struct binding {
    const struct subject_config *subjects;
    size_t n_subjects;
    uint32_t role_slot, name_slot;
    bool is_named; /* its name is not a role's */
};

struct authz_state {
    struct binding *bindings;
    size_t n_bindings;
};

static void *build(struct signal_builder *builder) {
    const struct authz_config *rules = builder->rules->items;
    struct authz_state *state = ARENA_NEW(builder->arena, struct authz_state);
    struct map roles;
    map_init(&roles, builder->arena);
    state->n_bindings = builder->rules->n;
    state->bindings = ARENA_ARRAY(builder->arena, struct binding, state->n_bindings);
    for (size_t i = 0; i < state->n_bindings; i++)
        map_put(&roles, rules[i].role, (void *)&rules[i]);
    for (size_t i = 0; i < state->n_bindings; i++)
        state->bindings[i] =
            (struct binding){ .subjects = rules[i].subjects.items,
                              .n_subjects = rules[i].subjects.n,
                              .role_slot = signal_slots_find(builder->slots, VSR_STR("authz"), rules[i].role),
                              .name_slot = signal_slots_find(builder->slots, VSR_STR("authz"), rules[i].name),
                              .is_named = !map_get(&roles, rules[i].name) };
    return state;
}

/* ---- evaluated */

static bool is_subject(const struct subject_config *subject, const struct request_facts *facts) {
    if (subject->kind == SUBJECT_USER)
        return str_eq(subject->name, facts->user_id);
    for (size_t i = 0; i < facts->user_groups.n; i++)
        if (str_eq(subject->name, facts->user_groups.items[i]))
            return true;
    return false;
}

/* Groups say nothing without a user: whoever is let in without an id has no role. */
static bool applies(const struct binding *binding, const struct request_facts *facts) {
    for (size_t i = 0; i < binding->n_subjects && facts->user_id.len > 0; i++)
        if (is_subject(&binding->subjects[i], facts))
            return true;
    return false;
}

static void report(struct signal_results *results, uint32_t slot, bool matches) {
    if (matches)
        signal_match(results, slot, 1.0);
    else
        signal_no_match(results, slot);
}

static int eval(const void *data, struct signal_request *request, struct signal_results *results, struct vsr_err *err) {
    const struct authz_state *state = data;
    (void)err;
    for (size_t i = 0; i < state->n_bindings; i++) {
        const struct binding *binding = &state->bindings[i];
        bool matches = applies(binding, request->facts);
        report(results, binding->role_slot, matches);
        if (binding->is_named)
            report(results, binding->name_slot, matches);
    }
    return 0;
}

const struct signal_family signal_authz = {
    .config = { .type = "authz", .list_key = "role_bindings", .schema = &authz_schema, .declares = declares },
    .stage = SIGNAL_STAGE_CHEAP,
    .all_or_nothing = true, /* a role may come from any binding */
    .needs_identity = true,
    .on_unknown = ON_UNKNOWN_UNKNOWN,
    SIGNAL_RUNS(.names = names, .build = build, .eval = eval),
};
