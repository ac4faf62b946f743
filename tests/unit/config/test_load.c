/* Whole documents: broken ones with the exact diagnostics they give, good ones that load. */
#include "fake_families.h"
#include "unit/fixture_documents.h"

static struct config_load_options fixture_options(void) {
    return fake_options();
}

TEST(broken_documents) {
    int n, wrong = run_fixtures("bad", false, &n);
    CHECK_INT(wrong, 0, "bad");
    CHECK(n >= 250, "number of broken documents");
}

TEST(good_documents) {
    int n, wrong = run_fixtures("good", true, &n);
    CHECK_INT(wrong, 0, "good");
}

RUN_TESTS(T(broken_documents), T(good_documents))
