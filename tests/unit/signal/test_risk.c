/* Which labels of a guard mean an attack. */
#include "test.h"

#include "config/document.h"
#include "signal/risk.h"

static const struct {
    const char *listed;
    bool written;
    const char *labels[3];
    const char *marked; /* 1 for each that is a risk; NULL: they say nothing */
} cases[] = {
    { "jailbreak", false, { "benign", "JAILBREAK" }, "01" },
    { "jailbreak", false, { "jailbreak", "other", "safe" }, "100" },
    { " attack ", true, { "fine", "Attack" }, "01" },
    { "jailbreak", false, { "SAFE", "INJECTION" }, "01" },
    { "jailbreak", false, { "legit", "unsafe", "toxic" }, "011" },
    { "attack", true, { "benign", "jailbreak" }, NULL },
    { "jailbreak", false, { "LABEL_0", "LABEL_1" }, NULL },
};

TEST(risky_labels) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        vsr_str listed = str_from_c(cases[i].listed);
        const struct config_strings names = { .items = &listed, .n = 1 };
        const struct signal_risk risk = { &names, cases[i].written };
        vsr_str labels[3];
        bool is_risk[3];
        size_t n = 0;
        for (; n < 3 && cases[i].labels[n]; n++)
            labels[n] = str_from_c(cases[i].labels[n]);
        CHECK_INT(signal_risk_mark(&risk, labels, n, is_risk), cases[i].marked != NULL, cases[i].labels[1]);
        for (size_t k = 0; k < n; k++)
            CHECK_INT(is_risk[k], cases[i].marked && cases[i].marked[k] == '1', cases[i].labels[k]);
    }
}

TEST(equal_risks) {
    const struct config_strings a = { 0 }, b = { 0 };
    const struct signal_risk one = { &a, true }, same = { &a, true }, unwritten = { &a, false }, other = { &b, true };
    CHECK(signal_risk_same(&one, &same) && signal_risk_same(NULL, NULL), "the same");
    CHECK(!signal_risk_same(&one, &unwritten) && !signal_risk_same(&one, &other) && !signal_risk_same(&one, NULL),
          "others");
}

RUN_TESTS(T(risky_labels), T(equal_risks))
