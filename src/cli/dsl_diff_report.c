#include "cli/dsl_diff_report.h"

#include "cli/term.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "core/shown.h"
#include "core/utf8.h"
#include "dsl/spelling.h"

enum { VALUE_LEN_MAX = 160 }; /* of one that is shown as text: --json has all of it */

static const char *const effect_names[] = {
    [EFFECT_ROUTE] = "route",           [EFFECT_MODELS] = "models",    [EFFECT_HANDLING] = "handling",
    [EFFECT_CONFIDENCE] = "confidence", [EFFECT_ORDER] = "order",      [EFFECT_ADDED] = "added",
    [EFFECT_REMOVED] = "removed",       [EFFECT_ENTRY] = "entrypoint",
};

/* How each kind of change looks, by enum change_kind. */
static const struct {
    const char *sign, *paint, *name;
} change_looks[] = {
    [CHANGE_ADDED] = { "+", TERM_GREEN, "added" },
    [CHANGE_REMOVED] = { "-", TERM_RED, "removed" },
    [CHANGE_VALUE] = { "*", TERM_YELLOW, "changed" },
    [CHANGE_ORDER] = { ">", TERM_CYAN, "reordered" },
};

bool dsl_difference_is_none(const struct dsl_difference *difference) {
    return difference->effects.complete && difference->effects.n == 0 && difference->changes.settings.n == 0;
}

/* ---- text */

struct report {
    struct arena *arena;
    struct buf *out;
    bool colour;
};

static void put_sign(const struct report *r, enum change_kind kind, const char *what) {
    buf_printf(r->out, "%s%s %s%s ", term_if(r->colour, change_looks[kind].paint), change_looks[kind].sign, what,
               term_if(r->colour, TERM_RESET));
}

static void put_value(const struct report *r, vsr_str text) {
    vsr_str cut = utf8_cut(text, VALUE_LEN_MAX);
    shown_append(r->out, cut.len ? cut : VSR_STR("none"));
    if (cut.len < text.len)
        buf_append_c(r->out, "...");
}

static void put_values(const struct report *r, vsr_str before, vsr_str after) {
    if (str_eq(before, after)) {
        buf_append_c(r->out, "another secret\n"); /* nothing else looks the same and is not */
        return;
    }
    put_value(r, before);
    buf_append_c(r->out, " -> ");
    put_value(r, after);
    buf_append_char(r->out, '\n');
}

static void put_route(const struct report *r, const struct route_change *change) {
    put_sign(r, change->kind, "route");
    spell_name(r->out, change->before ? change->before->name : change->after->name);
    buf_append_c(r->out, " in ");
    spell_name(r->out, change->profile);
    buf_append_char(r->out, '\n');
    for (size_t i = 0; i < change->n_parts; i++) {
        buf_printf(r->out, "    %s%s:%s ", term_if(r->colour, TERM_DIM), change->parts[i].name,
                   term_if(r->colour, TERM_RESET));
        put_values(r, change->parts[i].before, change->parts[i].after);
    }
}

static void put_setting(const struct report *r, const struct config_change *change) {
    put_sign(r, change->kind, "setting");
    shown_append(r->out, change->path);
    buf_append_c(r->out, change->kind == CHANGE_ORDER ? ": order " : ": ");
    if (change->kind == CHANGE_VALUE || change->kind == CHANGE_ORDER) {
        put_values(r, change->before, change->after);
        return;
    }
    put_value(r, change->kind == CHANGE_ADDED ? change->after : change->before);
    buf_append_char(r->out, '\n');
}

static void put_effect(const struct report *r, const struct effect *effect) {
    buf_printf(r->out, "%s~%s ", term_if(r->colour, TERM_YELLOW), term_if(r->colour, TERM_RESET));
    shown_append(r->out, effect->profile);
    buf_append_c(r->out, ": ");
    shown_append(r->out, effect_text(r->arena, effect));
    buf_append_char(r->out, '\n');
    if (effect->witness.len == 0)
        return;
    buf_printf(r->out, "    %sexample:%s ", term_if(r->colour, TERM_DIM), term_if(r->colour, TERM_RESET));
    shown_append(r->out, effect->witness);
    buf_append_char(r->out, '\n');
}

void dsl_difference_text(const struct cli *cli, struct arena *arena, const struct dsl_difference *difference,
                         struct buf *out) {
    const struct report r = { arena, out, cli->colour };
    const struct changes *changes = &difference->changes;
    const struct effects *effects = &difference->effects;
    for (size_t i = 0; i < changes->n_routes; i++)
        put_route(&r, &changes->routes[i]);
    for (size_t i = 0; i < changes->settings.n; i++)
        put_setting(&r, &changes->settings.items[i]);
    for (size_t i = 0; i < effects->n; i++)
        put_effect(&r, &effects->items[i]);
    if (!effects->complete)
        buf_printf(out, "there may be more: %s\n", effects->reason);
    else if (effects->n == 0)
        buf_printf(out, "No request is routed in another way%s.\n",
                   changes->settings.n ? "; the settings that changed may be noticed" : "");
    if (!changes->settings_compared)
        buf_append_c(out, "Settings beside routing were not compared: only one of the two has a base.\n");
}

/* ---- JSON */

static void member(struct json_writer *w, const char *key, vsr_str text) {
    json_write_key(w, str_from_c(key));
    json_write_str(w, text);
}

/* Empty: there is none. */
static void optional_member(struct json_writer *w, const char *key, vsr_str text) {
    json_write_key(w, str_from_c(key));
    if (text.len)
        json_write_str(w, text);
    else
        json_write_null(w);
}

static void begin_list(struct json_writer *w, const char *key) {
    json_write_key(w, str_from_c(key));
    json_write_begin_array(w);
}

static void json_parts(struct json_writer *w, const struct route_change *change) {
    begin_list(w, "parts");
    for (size_t i = 0; i < change->n_parts; i++) {
        json_write_begin_object(w);
        member(w, "part", str_from_c(change->parts[i].name));
        optional_member(w, "before", change->parts[i].before);
        optional_member(w, "after", change->parts[i].after);
        json_write_end(w);
    }
    json_write_end(w);
}

static void json_routes(struct json_writer *w, const struct changes *changes, enum change_kind kind) {
    begin_list(w, change_looks[kind].name);
    for (size_t i = 0; i < changes->n_routes; i++) {
        const struct route_change *change = &changes->routes[i];
        if (change->kind != kind)
            continue;
        json_write_begin_object(w);
        member(w, "profile", change->profile);
        member(w, "route", change->before ? change->before->name : change->after->name);
        if (kind == CHANGE_VALUE)
            json_parts(w, change);
        json_write_end(w);
    }
    json_write_end(w);
}

static void json_settings(struct json_writer *w, const struct config_changes *settings) {
    begin_list(w, "settings");
    for (size_t i = 0; i < settings->n; i++) {
        const struct config_change *change = &settings->items[i];
        json_write_begin_object(w);
        member(w, "change", str_from_c(change_looks[change->kind].name));
        member(w, "path", change->path);
        optional_member(w, "before", change->before);
        optional_member(w, "after", change->after);
        json_write_end(w);
    }
    json_write_end(w);
}

static vsr_str name_of(const struct config_decision *decision) {
    return decision ? decision->name : VSR_STR("");
}

static void json_effect(struct json_writer *w, struct arena *arena, const struct effect *effect) {
    json_write_begin_object(w);
    member(w, "kind", str_from_c(effect_names[effect->kind]));
    member(w, "profile", effect->profile);
    optional_member(w, "before", name_of(effect->before));
    optional_member(w, "after", name_of(effect->after));
    member(w, "text", effect_text(arena, effect));
    member(w, "example", effect->witness);
    optional_member(w, "circumstance", str_trim(str_from_c(effect->circumstance)));
    json_write_end(w);
}

void dsl_difference_json(struct arena *arena, const struct dsl_difference *difference, struct buf *out) {
    const struct changes *changes = &difference->changes;
    const struct effects *effects = &difference->effects;
    struct json_writer w;
    json_write_init_pretty(&w, out, 2);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("same"));
    json_write_bool(&w, dsl_difference_is_none(difference));
    json_write_key(&w, VSR_STR("complete"));
    json_write_bool(&w, effects->complete);
    json_write_key(&w, VSR_STR("settings_compared"));
    json_write_bool(&w, changes->settings_compared);
    json_routes(&w, changes, CHANGE_REMOVED);
    json_routes(&w, changes, CHANGE_ADDED);
    json_routes(&w, changes, CHANGE_VALUE);
    json_settings(&w, &changes->settings);
    begin_list(&w, "effects");
    for (size_t i = 0; i < effects->n; i++)
        json_effect(&w, arena, &effects->items[i]);
    json_write_end(&w);
    json_write_end(&w);
    buf_append_char(out, '\n');
}
