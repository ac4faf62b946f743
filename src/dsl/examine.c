#include "dsl/examine.h"

#include "dsl/base.h"
#include "dsl/check.h"
#include "dsl/compile.h"

struct yaml_node *dsl_examine(struct arena *arena, const struct language *language, const struct dsl_parsed *parsed,
                              const struct yaml_node *base, struct findings *findings) {
    struct yaml_node *compiled = dsl_compile(arena, language, &parsed->program, findings);
    dsl_check(arena, language, parsed, base, findings);
    dsl_base_check(base, compiled, findings);
    return compiled;
}
