#include "signal/risk.h"

#include "config/document.h"

static bool is_listed(const struct config_strings *names, vsr_str label) {
    for (size_t i = 0; i < names->n; i++)
        if (str_eq_nocase(str_trim(names->items[i]), label))
            return true;
    return false;
}

/* What published guards call a text that is none of an attack. */
static bool is_harmless(vsr_str label) {
    static const char *const names[] = { "benign", "safe", "legit", "legitimate", "normal", "no_injection" };
    for (size_t i = 0; i < VSR_COUNT(names); i++)
        if (str_eq_nocase(label, str_from_c(names[i])))
            return true;
    return false;
}

bool signal_risk_mark(const struct signal_risk *risk, const vsr_str *labels, size_t n, bool *ret_is_risk) {
    bool any_listed = false, any_harmless = false, known;
    for (size_t i = 0; i < n; i++) {
        any_listed |= is_listed(risk->labels, labels[i]);
        any_harmless |= is_harmless(labels[i]);
    }
    known = any_listed || (any_harmless && !risk->written);
    for (size_t i = 0; i < n; i++)
        ret_is_risk[i] = known && (any_listed ? is_listed(risk->labels, labels[i]) : !is_harmless(labels[i]));
    return known;
}

bool signal_risk_same(const struct signal_risk *a, const struct signal_risk *b) {
    if (!a || !b)
        return a == b;
    return a->labels == b->labels && a->written == b->written;
}
