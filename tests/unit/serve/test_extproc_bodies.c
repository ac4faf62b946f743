#include "serve/extproc_bodies.h"

#include "net/server.h"
#include "test.h"

TEST(one_that_left_proves_nothing) {
    uint64_t notes[EXCHANGE_NOTES] = { 0 };
    for (int round = 0; round < 3; round++) {
        for (int i = 1; i < EXTPROC_UNSEEN_MIN; i++) {
            CHECK(!extproc_bodies_unseen(notes, 0), "not yet");
            CHECK(!extproc_bodies_refuse(notes, 0), "not refused");
        }
        extproc_bodies_shown(notes);
    }
    CHECK(!extproc_bodies_refuse(notes, 0), "a body in between begins the count anew");
}

TEST(many_in_a_row_do) {
    uint64_t notes[EXCHANGE_NOTES] = { 0 };
    for (int i = 1; i <= EXTPROC_UNSEEN_MIN; i++)
        CHECK_INT(extproc_bodies_unseen(notes, 1000), i == EXTPROC_UNSEEN_MIN, "hidden");
    CHECK(extproc_bodies_refuse(notes, 1000), "refused");
    CHECK(extproc_bodies_refuse(notes, 1000 + EXTPROC_PROBE_MS - 1), "refused");
    CHECK(!extproc_bodies_refuse(notes, 1000 + EXTPROC_PROBE_MS), "one is let through");
    CHECK(extproc_bodies_refuse(notes, 1000 + EXTPROC_PROBE_MS), "and no other one");
    CHECK(extproc_bodies_unseen(notes, 1000 + EXTPROC_PROBE_MS), "which ended the same way");
    CHECK(extproc_bodies_refuse(notes, 1000 + 2 * EXTPROC_PROBE_MS - 1), "refused");
    CHECK(!extproc_bodies_refuse(notes, 1000 + 2 * EXTPROC_PROBE_MS), "the next one");
    extproc_bodies_shown(notes);
    CHECK(!extproc_bodies_refuse(notes, 1000 + 2 * EXTPROC_PROBE_MS), "has seen its body");
}

RUN_TESTS(T(one_that_left_proves_nothing), T(many_in_a_row_do))
