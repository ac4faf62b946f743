/* What probabilities say: the likeliest, and how much doubt there is. */
#include "signal/classes.h"

#include "test.h"

#include <math.h>

TEST(entropy_of_known_odds) {
    static const struct {
        const char *name;
        float p[4];
        size_t n;
        double want;
    } cases[] = {
        { "even odds", { .25F, .25F, .25F, .25F }, 4, 1 }, { "certain", { 1, 0, 0, 0 }, 4, 0 },
        { "two of four", { .5F, .5F, 0, 0 }, 4, .5 },      { "one class", { 1 }, 1, 0 },
        { "three to one", { .75F, .25F }, 2, .8112781 },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++)
        CHECK_MSG(fabs(classes_entropy(cases[i].p, cases[i].n) - cases[i].want) < 1e-6, "%s: %f", cases[i].name,
                  classes_entropy(cases[i].p, cases[i].n));
}

/* signals.md §16 #13 */
TEST(entropy_of_fourteen_classes) {
    float p[14] = { .40F, .38F };
    for (size_t i = 2; i < 14; i++)
        p[i] = .0183F;
    CHECK(fabs(classes_entropy(p, 14) - .6116) < 5e-4, "normalised");
    CHECK_INT(classes_doubt(classes_entropy(p, 14)), DOUBT_HIGH, "level");
}

TEST(doubt_begins_at_its_bound) {
    static const struct {
        double entropy;
        enum classes_doubt want;
    } cases[] = { { 0, DOUBT_VERY_LOW },   { .1999, DOUBT_VERY_LOW }, { .2, DOUBT_LOW },  { .3999, DOUBT_LOW },
                  { .4, DOUBT_MEDIUM },    { .5999, DOUBT_MEDIUM },   { .6, DOUBT_HIGH }, { .7999, DOUBT_HIGH },
                  { .8, DOUBT_VERY_HIGH }, { 1, DOUBT_VERY_HIGH } };
    for (size_t i = 0; i < VSR_COUNT(cases); i++)
        CHECK_MSG(classes_doubt(cases[i].entropy) == cases[i].want, "%f", cases[i].entropy);
}

TEST(the_first_of_the_greatest) {
    const float p[] = { .2F, .4F, .4F };
    const vsr_str labels[] = { VSR_STR("a"), VSR_STR("B"), VSR_STR("c d") };
    const struct evidence_answer answer = { .numbers = p, .n = 3, .labels = labels, .n_labels = 3 };
    CHECK_INT(classes_top(&answer), 1, "top");
    CHECK_INT(classes_find(&answer, VSR_STR("b")), 1, "case does not count");
    CHECK_INT(classes_find(&answer, VSR_STR("C D")), 2, "blank");
    CHECK_INT(classes_find(&answer, VSR_STR("d")), -1, "none");
}

RUN_TESTS(T(entropy_of_known_odds), T(entropy_of_fourteen_classes), T(doubt_begins_at_its_bound),
          T(the_first_of_the_greatest))
