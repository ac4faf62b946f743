#include "dsl/domain_labels.h"

#include "core/arena.h"
#include "dsl/findings.h"

/* Those of the domain classifier; test_compile compares them with what the signal takes. */
static const vsr_str labels[] = {
    VSR_STR_INIT("biology"),   VSR_STR_INIT("business"),    VSR_STR_INIT("chemistry"), VSR_STR_INIT("computer science"),
    VSR_STR_INIT("economics"), VSR_STR_INIT("engineering"), VSR_STR_INIT("health"),    VSR_STR_INIT("history"),
    VSR_STR_INIT("law"),       VSR_STR_INIT("math"),        VSR_STR_INIT("other"),     VSR_STR_INIT("philosophy"),
    VSR_STR_INIT("physics"),   VSR_STR_INIT("psychology"),
};

bool domain_is_label(vsr_str name) {
    for (size_t i = 0; i < VSR_COUNT(labels); i++)
        if (str_eq(labels[i], name))
            return true;
    return false;
}

enum { BEGUN_LEN_MIN = 3 }; /* letters that hint at a label; for a fix that is applied, findings_suggest() asks more */

vsr_str domain_suggest(struct arena *arena, vsr_str name, bool *ret_certain) {
    vsr_str spaced = arena_str_lower(arena, name), near, begun;
    char *bytes = (char *)spaced.ptr; /* our own copy */
    for (size_t i = 0; i < spaced.len; i++)
        if (bytes[i] == '_')
            bytes[i] = ' ';
    near = findings_suggest(spaced, labels, VSR_COUNT(labels), ret_certain);
    if (!*ret_certain && spaced.len >= BEGUN_LEN_MIN && findings_begun(spaced, labels, VSR_COUNT(labels), &begun))
        return begun;
    return near;
}
