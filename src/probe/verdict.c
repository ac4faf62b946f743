#include "probe/verdict.h"

#include "core/arena.h"
#include "core/utf8.h"
#include "serve/eval.h"

enum { SHOWN_LEN_MAX = 1024 }; /* of a value in a message: enough to see what is wrong */

const char *probe_check_text(enum probe_check check) {
    static const char *const texts[] = { "decision", "model", "recipe", "algorithm",     "plugins",
                                         "signals",  "alias", "trace",  "signal_errors", "selection" };
    return texts[check];
}

struct judge {
    const struct probe_question *q;
    const struct json_doc *doc;
    struct arena *arena;
    struct probe_verdict *verdict;
    json_ref result; /* decision_result */
};

static void fail(struct judge *j, enum probe_check check, vsr_str expected, vsr_str got) {
    j->verdict->failures[j->verdict->n_failures++] = (struct probe_failure){ check, expected, got };
}

/* ---- reading */

/* The text of a member; empty when it is absent, null or no string. */
static vsr_str text_of(struct judge *j, json_ref object, const char *key) {
    vsr_str text;
    json_ref ref = json_get(j->doc, object, str_from_c(key));
    return json_is(j->doc, ref, JSON_STRING) && json_str(j->arena, j->doc, ref, &text) ? text : VSR_STR("");
}

static bool list_has(const struct judge *j, json_ref list, vsr_str text) {
    if (!json_is(j->doc, list, JSON_ARRAY))
        return false;
    for (json_ref item = json_first(j->doc, list); item != JSON_NONE; item = json_next(j->doc, list, item))
        if (json_is(j->doc, item, JSON_STRING) && json_str_eq(j->doc, item, text))
            return true;
    return false;
}

static size_t list_len(const struct judge *j, json_ref list) {
    return json_is(j->doc, list, JSON_ARRAY) ? json_count(j->doc, list) : 0;
}

/* The beginning of a value as it stands in the document, for messages. */
static vsr_str shown(const struct judge *j, json_ref ref) {
    return ref == JSON_NONE ? VSR_STR("nothing") : utf8_cut(json_raw(j->doc, ref), SHOWN_LEN_MAX);
}

static vsr_str joined(struct judge *j, const struct config_strings *strings) {
    vsr_str all = VSR_STR("");
    for (size_t i = 0; i < strings->n; i++)
        all = arena_printf(j->arena, "%.*s%s%.*s", VSR_FMT(all), i ? ", " : "", VSR_FMT(strings->items[i]));
    return all;
}

static vsr_str or_none(vsr_str text) {
    return text.len ? text : VSR_STR("none");
}

/* ---- the checks */

static void check_text(struct judge *j, enum probe_check check, vsr_str expected, vsr_str got) {
    if (!str_eq(expected, got))
        fail(j, check, expected, or_none(got));
}

static bool is_among(const struct judge *j, json_ref item, const struct config_strings *strings) {
    for (size_t i = 0; i < strings->n; i++)
        if (json_is(j->doc, item, JSON_STRING) && json_str_eq(j->doc, item, strings->items[i]))
            return true;
    return false;
}

/* Whether the list has nothing but these; what is no list has nothing. */
static bool has_only(const struct judge *j, json_ref list, const struct config_strings *strings) {
    if (!json_is(j->doc, list, JSON_ARRAY))
        return true;
    for (json_ref item = json_first(j->doc, list); item != JSON_NONE; item = json_next(j->doc, list, item))
        if (!is_among(j, item, strings))
            return false;
    return true;
}

static bool plugins_ok(const struct judge *j, json_ref plugins) {
    const struct probe_decision *decision = j->q->decision;
    bool ok = decision->plugin_match != MATCH_EXACT || has_only(j, plugins, &decision->expected_plugins);
    for (size_t i = 0; i < decision->expected_plugins.n; i++)
        ok &= list_has(j, plugins, decision->expected_plugins.items[i]);
    for (size_t i = 0; i < decision->forbidden_plugins.n; i++)
        ok &= !list_has(j, plugins, decision->forbidden_plugins.items[i]);
    return ok;
}

static void check_plugins(struct judge *j) {
    const struct probe_decision *decision = j->q->decision;
    json_ref plugins = json_get(j->doc, j->result, VSR_STR("plugins"));
    if (!plugins_ok(j, plugins))
        fail(j, CHECK_PLUGINS,
             arena_printf(j->arena, "%s%.*s%s%.*s", decision->plugin_match == MATCH_EXACT ? "exactly " : "",
                          VSR_FMT(or_none(joined(j, &decision->expected_plugins))),
                          decision->forbidden_plugins.n ? ", not " : "",
                          VSR_FMT(joined(j, &decision->forbidden_plugins))),
             shown(j, plugins));
}

static bool signal_matched(const struct judge *j, json_ref matched, vsr_str key, vsr_str name) {
    return list_has(j, json_get(j->doc, matched, key), name);
}

/* Whether the rule could not be evaluated, which the probe was told to look past. */
static bool is_excused(struct judge *j, vsr_str key, vsr_str name) {
    json_ref errors = json_get(j->doc, 0, VSR_STR("signal_errors")), value;
    if (!j->q->ignore_signal_errors || !json_is(j->doc, errors, JSON_OBJECT))
        return false;
    for (json_ref ref = json_first(j->doc, errors); ref != JSON_NONE; ref = json_next(j->doc, errors, value)) {
        vsr_str text, type;
        value = json_next(j->doc, errors, ref);
        if (!json_str(j->arena, j->doc, ref, &text))
            continue;
        type = str_split(&text, ':');
        if (str_eq_c(key, eval_response_key(arena_printf(j->arena, "%.*s%c", VSR_FMT(type), 0).ptr)) &&
            (str_eq_c(text, "*") || str_eq(text, name) ||
             (str_starts(name, text) && name.len > text.len && name.ptr[text.len] == ':')))
            return true;
    }
    return false;
}

/* Adds ` not key:name` of each name that is (un)matched against the wish. */
static vsr_str wrong_signals(struct judge *j, json_ref matched, const struct config_strings_map *map, bool wanted,
                             vsr_str text) {
    for (size_t i = 0; i < map->n; i++)
        for (size_t k = 0; k < map->values[i].n; k++)
            if (signal_matched(j, matched, map->keys[i], map->values[i].items[k]) != wanted &&
                !is_excused(j, map->keys[i], map->values[i].items[k]))
                text = arena_printf(j->arena, "%.*s%s%s%.*s:%.*s", VSR_FMT(text), text.len ? ", " : "",
                                    wanted ? "" : "not ", VSR_FMT(map->keys[i]), VSR_FMT(map->values[i].items[k]));
    return text;
}

/* Whether nothing matched but what the map has. */
static bool only_expected_matched(struct judge *j, json_ref matched, const struct config_strings_map *map) {
    static const struct config_strings none;
    json_ref value;
    if (!json_is(j->doc, matched, JSON_OBJECT))
        return true;
    for (json_ref key = json_first(j->doc, matched); key != JSON_NONE; key = json_next(j->doc, matched, value)) {
        const struct config_strings *names = &none;
        value = json_next(j->doc, matched, key);
        for (size_t i = 0; i < map->n; i++)
            if (json_str_eq(j->doc, key, map->keys[i]))
                names = &map->values[i];
        if (!has_only(j, value, names))
            return false;
    }
    return true;
}

static void check_signals(struct judge *j) {
    const struct probe_decision *decision = j->q->decision;
    const struct config_strings_map *expected = probe_expected_signals(decision, j->q->variant);
    json_ref matched = json_get(j->doc, j->result, VSR_STR("matched_signals"));
    vsr_str wrong = wrong_signals(j, matched, expected, true, VSR_STR(""));
    wrong = wrong_signals(j, matched, &decision->forbidden_signals, false, wrong);
    if (wrong.len == 0 && decision->signal_match == MATCH_EXACT && !only_expected_matched(j, matched, expected))
        wrong = VSR_STR("exactly the expected ones");
    if (wrong.len)
        fail(j, CHECK_SIGNALS, wrong, shown(j, matched));
}

static void check_alias(struct judge *j) {
    vsr_str alias = j->q->decision->expected_alias;
    json_ref models = json_get(j->doc, 0, VSR_STR("recommended_models"));
    if (alias.len && !list_has(j, models, alias))
        fail(j, CHECK_ALIAS, alias, shown(j, models));
}

/* Entries of a trace that is not empty about one decision; with `matched`, only those that matched. */
static size_t count_entries(struct judge *j, json_ref trace, vsr_str decision, bool matched) {
    size_t n = 0;
    for (json_ref entry = json_first(j->doc, trace); entry != JSON_NONE; entry = json_next(j->doc, trace, entry)) {
        bool is_match = false;
        json_ref name = json_get(j->doc, entry, VSR_STR("decision_name"));
        if (!json_is(j->doc, name, JSON_STRING) || !json_str_eq(j->doc, name, decision))
            continue;
        n += !matched || (json_bool(j->doc, json_get(j->doc, entry, VSR_STR("matched")), &is_match) && is_match);
    }
    return n;
}

/* Every decision of the recipe once, no other, and the expected one matched. */
static void check_trace(struct judge *j) {
    json_ref trace = json_get(j->doc, 0, VSR_STR("eval_trace"));
    vsr_str expected = j->q->decision->expected_decision;
    size_t n = list_len(j, trace), n_once = 0, n_matched = n ? count_entries(j, trace, expected, true) : 0;
    for (size_t i = 0; n && i < j->q->n_decisions; i++)
        n_once += count_entries(j, trace, j->q->decisions[i], false) == 1;
    if (n == 0)
        fail(j, CHECK_TRACE, VSR_STR("one entry per decision"), VSR_STR("none"));
    else if (n_matched != 1)
        fail(j, CHECK_TRACE, arena_printf(j->arena, "one match of %.*s", VSR_FMT(expected)),
             arena_printf(j->arena, "%zu", n_matched));
    else if (j->q->decisions && (n_once != j->q->n_decisions || n != n_once))
        fail(j, CHECK_TRACE, arena_printf(j->arena, "each of the recipe's %zu decisions once", j->q->n_decisions),
             arena_printf(j->arena, "%zu entries, %zu of the decisions once", n, n_once));
}

static void check_signal_errors(struct judge *j) {
    json_ref errors = json_get(j->doc, 0, VSR_STR("signal_errors"));
    if (!j->q->ignore_signal_errors && json_is(j->doc, errors, JSON_OBJECT) && json_first(j->doc, errors) != JSON_NONE)
        fail(j, CHECK_SIGNAL_ERRORS, VSR_STR("none"), shown(j, errors));
}

static bool status_allowed(vsr_str algorithm, vsr_str status) {
    static const char *const loops[] = { "workflows", "fusion", "remom" };
    if (str_eq_c(status, "execution_required"))
        return true;
    if (str_eq_c(algorithm, "confidence"))
        return false;
    for (size_t i = 0; i < VSR_COUNT(loops); i++)
        if (str_eq_c(algorithm, loops[i]))
            return str_eq_c(status, "planned_final");
    return str_eq_c(status, "selected");
}

static bool selection_ok(struct judge *j, vsr_str algorithm, vsr_str status, vsr_str method, vsr_str model) {
    bool is_single = str_eq_c(algorithm, "static") && str_eq_c(method, "single");
    if (!status_allowed(algorithm, status) || !(str_eq(method, algorithm) || is_single))
        return false;
    if (str_eq_c(status, "execution_required"))
        return model.len == 0;
    return model.len && list_has(j, json_get(j->doc, 0, VSR_STR("recommended_models")), model);
}

/* Status and method of the algorithm; a model where the status says that there is one, else none. */
static void check_selection(struct judge *j) {
    vsr_str algorithm = j->q->decision->expected_algorithm;
    vsr_str status = text_of(j, 0, "selection_status"), method = text_of(j, 0, "selection_method"),
            model = text_of(j, 0, "selected_model");
    if (algorithm.len && !selection_ok(j, algorithm, status, method, model))
        fail(j, CHECK_SELECTION, arena_printf(j->arena, "a selection by %.*s", VSR_FMT(algorithm)),
             arena_printf(j->arena, "%.*s by %.*s, model %.*s", VSR_FMT(or_none(status)), VSR_FMT(or_none(method)),
                          VSR_FMT(or_none(model))));
}

static vsr_str decision_of(struct judge *j) {
    vsr_str decision = text_of(j, 0, "routing_decision");
    return decision.len ? decision : text_of(j, j->result, "decision_name");
}

void probe_judge(const struct probe_question *question, const struct json_doc *doc, struct arena *arena,
                 struct probe_verdict *ret_verdict) {
    struct judge j = { question, doc, arena, ret_verdict, json_get(doc, 0, VSR_STR("decision_result")) };
    const struct probe_decision *decision = question->decision;
    *ret_verdict = (struct probe_verdict){ .decision = decision_of(&j) };
    check_text(&j, CHECK_DECISION, decision->expected_decision, ret_verdict->decision);
    if (question->model.len)
        check_text(&j, CHECK_MODEL, question->model, text_of(&j, 0, "requested_model"));
    check_text(&j, CHECK_RECIPE, decision->expected_recipe, text_of(&j, 0, "recipe"));
    if (decision->expected_algorithm.len)
        check_text(&j, CHECK_ALGORITHM, decision->expected_algorithm, text_of(&j, j.result, "algorithm"));
    check_plugins(&j);
    check_signals(&j);
    check_alias(&j);
    check_trace(&j);
    check_signal_errors(&j);
    check_selection(&j);
}
