#include "cli/backend_behaviour.h"

#include <stddef.h>
#include <stdlib.h>

#include "cli/options.h"

enum { NUMBER_LEN_MAX = 32 };

#define SLOW_HEAD_MS "100" /* `--slow-head` without a value */

_Static_assert(sizeof(double) == sizeof(uint64_t), "every field is eight bytes");

/* By enum behaviour_finish and behaviour_usage; they end with NULL. */
static const char *const finish_names[] = { "as-it-is", "stop",          "length",     "tool_calls", "content_filter",
                                            "refusal",  "stop_sequence", "pause_turn", NULL };
static const char *const usage_names[] = { "as-asked", "same", "after", "every", "preview", "none", NULL };

/* Every name, once: for the header, and for the options that are called the same. */
static const struct key {
    const char *name;
    size_t offset;
    bool decimal;
    uint64_t least, greatest;
    const char *const *words; /* instead of numbers */
} keys[] = {
    { "status", offsetof(struct behaviour, status), false, BEHAVIOUR_STATUS_LEAST, BEHAVIOUR_STATUS_MOST },
    { "fail-rate", offsetof(struct behaviour, fail_rate), true, 0, 1 },
    { "retry-after", offsetof(struct behaviour, retry_after), false, 0, UINT32_MAX },
    { "health", offsetof(struct behaviour, health), false, BEHAVIOUR_STATUS_LEAST, BEHAVIOUR_STATUS_MOST },
    { "stall", offsetof(struct behaviour, stall), false, 0, BEHAVIOUR_STALL_MS_MAX },
    { "work", offsetof(struct behaviour, work), false, 0, BEHAVIOUR_STALL_MS_MAX },
    { "cut", offsetof(struct behaviour, cut), false, 0, UINT64_MAX },
    { "rate", offsetof(struct behaviour, rate), true, 0, BEHAVIOUR_RATE_MAX },
    { "tokens", offsetof(struct behaviour, tokens), false, 0, BEHAVIOUR_TOKENS_MAX },
    { "garbage", offsetof(struct behaviour, garbage), false, 0, 1 },
    { "slow-head", offsetof(struct behaviour, slow_head), false, 0, BEHAVIOUR_STALL_MS_MAX },
    { "reset", offsetof(struct behaviour, reset), false, 0, 1 },
    { "hang", offsetof(struct behaviour, hang), false, 0, 1 },
    { "no-done", offsetof(struct behaviour, no_done), false, 0, 1 },
    { "no-terminal", offsetof(struct behaviour, no_terminal), false, 0, 1 },
    { "error-event", offsetof(struct behaviour, error_event), false, 0, UINT64_MAX },
    { "overloaded", offsetof(struct behaviour, overloaded), false, 0, 1 },
    { "thinking", offsetof(struct behaviour, thinking), false, 0, BEHAVIOUR_TOKENS_MAX },
    { "redacted", offsetof(struct behaviour, redacted), false, 0, 1 },
    { "refusal", offsetof(struct behaviour, refusal), false, 0, 1 },
    { "parallel-tools", offsetof(struct behaviour, parallel_tools), false, 0, BEHAVIOUR_PARALLEL_MAX },
    { "usage", offsetof(struct behaviour, usage), false, 0, 0, usage_names },
    { "finish", offsetof(struct behaviour, finish), false, 0, 0, finish_names },
    { "cached", offsetof(struct behaviour, cached), false, 0, BEHAVIOUR_TOKENS_MAX },
    { "cache-write", offsetof(struct behaviour, cache_write), false, 0, BEHAVIOUR_TOKENS_MAX },
};

struct behaviour behaviour_none(void) {
    return (struct behaviour){ .cut = UINT64_MAX, .error_event = UINT64_MAX };
}

/* Bit by bit: a rate of -0 is not plain, and does no harm. */
bool behaviour_is_plain(const struct behaviour *behaviour) {
    const struct behaviour none = behaviour_none();
    for (size_t i = 0; i < VSR_COUNT(keys); i++) {
        uint64_t is, was;
        memcpy(&is, (const char *)behaviour + keys[i].offset, sizeof(is));
        memcpy(&was, (const char *)&none + keys[i].offset, sizeof(was));
        if (is != was)
            return false;
    }
    return true;
}

static const struct key *key_find(vsr_str name) {
    for (size_t i = 0; i < VSR_COUNT(keys); i++)
        if (str_eq_c(name, keys[i].name))
            return &keys[i];
    return NULL;
}

static bool set_decimal(const struct key *key, struct behaviour *behaviour, const char *text) {
    char *end;
    double value = strtod(text, &end);
    if (*text == 0 || *end != 0 || !(value >= (double)key->least && value <= (double)key->greatest))
        return false;
    memcpy((char *)behaviour + key->offset, &value, sizeof(value));
    return true;
}

static bool set_number(const struct key *key, struct behaviour *behaviour, const char *text) {
    uint64_t value;
    if (!str_to_u64(str_from_c(text), &value) || value < key->least || value > key->greatest)
        return false;
    memcpy((char *)behaviour + key->offset, &value, sizeof(value));
    return true;
}

static bool set_word(const struct key *key, struct behaviour *behaviour, const char *text) {
    for (uint64_t i = 0; key->words[i]; i++) {
        if (strcmp(key->words[i], text) == 0) {
            memcpy((char *)behaviour + key->offset, &i, sizeof(i));
            return true;
        }
    }
    return false;
}

static bool set(const struct key *key, struct behaviour *behaviour, const char *text) {
    if (key->words)
        return set_word(key, behaviour, text);
    return key->decimal ? set_decimal(key, behaviour, text) : set_number(key, behaviour, text);
}

static int read_part(struct behaviour *behaviour, vsr_str part, struct vsr_err *err) {
    char text[NUMBER_LEN_MAX] = "1";
    vsr_str rest = part, name = str_trim(str_split(&rest, '='));
    const struct key *key = key_find(name);
    if (!key)
        return err_set(err, VSR_E_INVALID, "unknown behaviour \"%.*s\"", VSR_FMT(name));
    if (rest.ptr) {
        rest = str_trim(rest);
        (void)snprintf(text, sizeof(text), "%.*s", VSR_FMT(rest));
    }
    if (rest.len >= sizeof(text) || !set(key, behaviour, text))
        return err_set(err, VSR_E_INVALID, "bad value in \"%.*s\"", VSR_FMT(part));
    return 0;
}

int behaviour_read(struct behaviour *behaviour, vsr_str list, struct vsr_err *err) {
    for (vsr_str rest = list; rest.ptr;) {
        vsr_str part = str_trim(str_split(&rest, ','));
        int rc = part.len > 0 ? read_part(behaviour, part, err) : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

int behaviour_from_options(struct behaviour *behaviour, const struct options *options, struct vsr_err *err) {
    for (size_t i = 0; i < options->n_specs; i++) {
        const struct option_spec *spec = &options->specs[i];
        const struct key *key = key_find(str_from_c(spec->name));
        const char *text;
        if (!key || !options_has(options, spec->name))
            continue;
        text = options_text(options, spec->name);
        /* The option's table row has checked a number against the same limits. */
        if (!set(key, behaviour, text ? text : spec->kind == OPTION_FLAG ? "1" : SLOW_HEAD_MS))
            return err_set(err, VSR_E_INVALID, "--%s: there is no \"%s\"", spec->name, text ? text : "");
    }
    return 0;
}
