/* Broken documents that only the real families, algorithms and plugins can tell, with the exact diagnostics. */
#include "cli/profile.h"
#include "unit/fixture_documents.h"

static const char *no_env(void *data, const char *name) {
    (void)data;
    (void)name;
    return NULL;
}

static struct config_load_options fixture_options(void) {
    struct config_load_options options = profile_load_options(false);
    options.env = no_env;
    return options;
}

TEST(broken_parts) {
    int n, wrong = run_fixtures("bad_parts", false, &n);
    CHECK_INT(wrong, 0, "bad_parts");
    CHECK(n >= 30, "number of broken documents");
}

RUN_TESTS(T(broken_parts))
