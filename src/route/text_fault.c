#include "route/text_fault.h"

#include "core/arena.h"
#include "net/http1.h"
#include "text/regex.h"

#ifdef VSR_TABLES_ONLY
/* The engine is not there: whoever loads the policy judges its patterns. */
static const char *pattern_fault(struct arena *arena, vsr_str pattern) {
    (void)arena;
    (void)pattern;
    return NULL;
}
#else
/* Whether case counts is no matter of syntax, but folded classes are longer: what is fine folded is fine. */
static const char *pattern_fault(struct arena *arena, vsr_str pattern) {
    static const struct regex_options options = { .ignore_case = true };
    struct vsr_err err = VSR_ERR_NONE;
    struct regex *regex;
    if (regex_parse(arena, pattern, &options, &regex, &err) < 0)
        return arena_c_str(arena,
                           arena_printf(arena, "no regular expression in RE2 syntax: %s (byte %u)", err.text, err.col));
    return regex_matches_empty(regex) ? "a pattern of which nothing at all is a match, so that every text has one"
                                      : NULL;
}
#endif

const char *route_text_fault(struct arena *arena, enum config_text kind, vsr_str text) {
    switch (kind) {
    case CONFIG_TEXT_PATTERN:
        return pattern_fault(arena, text);
    case CONFIG_TEXT_HEADER_NAME:
        return http1_name_ok(text) ? NULL : "no name of a header: those have letters, digits and !#$%&'*+-.^_`|~ alone";
    case CONFIG_TEXT_HEADER_VALUE:
        return http1_value_ok(text) ? NULL : "no value of a header: control characters cannot be sent";
    }
    return NULL;
}
