/*
 * test - a thin dress for cmocka: TEST(name) { ... }, RUN_TESTS(T(name), ...), and checks that print the case's name.
 */
#ifndef VSR_TESTS_TEST_H
#define VSR_TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/str.h"

#define TEST(name) static void name(void **state __attribute__((unused)))
#define T(name) cmocka_unit_test(name)
#define RUN_TESTS(...) \
    int main(void) { \
        const struct CMUnitTest tests[] = { __VA_ARGS__ }; \
        return cmocka_run_group_tests(tests, NULL, NULL); \
    }

#define CHECK_MSG(cond, ...) \
    do { \
        if (!(cond)) { \
            print_error("%s:%d: ", __FILE__, __LINE__); \
            print_error(__VA_ARGS__); \
            print_error("\n"); \
            fail(); \
        } \
    } while (0)

#define CHECK(cond, name) CHECK_MSG((cond), "case \"%s\": %s", (name), #cond)

#define CHECK_STR(got, want, name) \
    do { \
        vsr_str got_ = (got), want_ = str_from_c(want); \
        CHECK_MSG(str_eq(got_, want_), "case \"%s\": got \"%.*s\", want \"%.*s\"", (name), VSR_FMT(got_), \
                  VSR_FMT(want_)); \
    } while (0)

#define CHECK_INT(got, want, name) \
    do { \
        long long got_ = (long long)(got), want_ = (long long)(want); \
        CHECK_MSG(got_ == want_, "case \"%s\": %s is %lld, want %lld", (name), #got, got_, want_); \
    } while (0)

/* Folder of test data handed out beside the project; NULL when it is not there, and the test then skips. */
static inline const char *test_shared_dir(void) {
    const char *dir = getenv("VSR_TEST_SHARED");
    FILE *probe;
    char path[1024];
    if (!dir)
        return NULL;
    snprintf(path, sizeof(path), "%s/spec/README.md", dir);
    probe = fopen(path, "r");
    if (!probe)
        return NULL;
    fclose(probe);
    return dir;
}

#endif
