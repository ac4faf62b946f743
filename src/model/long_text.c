#include "model/long_text.h"

#include "core/assert.h"

static const char *const names[] = {
#define X(name, text) text,
    LONG_TEXTS(X)
#undef X
};

bool long_text_named(vsr_str name, enum long_text *ret_long_text) {
    for (size_t i = 0; i < VSR_COUNT(names); i++) {
        if (!str_eq_c(name, names[i]))
            continue;
        *ret_long_text = (enum long_text)i;
        return true;
    }
    return false;
}

/* As few as can be; then as short as that many can be, so that none is a stump. */
size_t long_text_windows(size_t n, size_t room, struct long_window ret[static LONG_TEXT_WINDOWS_MAX],
                         size_t *ret_covered) {
    size_t overlap = room / 4 > LONG_TEXT_OVERLAP_MAX ? LONG_TEXT_OVERLAP_MAX : room / 4, step = room - overlap, k, len;
    VSR_ASSERT(room > 0);
    *ret_covered = n;
    if (n <= room) {
        ret[0] = (struct long_window){ 0, n };
        return 1;
    }
    k = 1 + (n - room + step - 1) / step;
    if (k > LONG_TEXT_WINDOWS_MAX) {
        k = LONG_TEXT_WINDOWS_MAX;
        n = *ret_covered = room + (k - 1) * step;
    }
    len = (n + (k - 1) * overlap + k - 1) / k;
    for (size_t i = 0; i < k; i++) {
        size_t from = i * (len - overlap);
        ret[i] = (struct long_window){ from > n - len ? n - len : from, len };
    }
    return k;
}

/* The text itself begins and ends there: these are no edges. */
static size_t depth(const struct long_window *windows, size_t n, size_t i, size_t at) {
    const struct long_window *window = &windows[i];
    size_t left = i == 0 ? SIZE_MAX : at - window->from;
    size_t right = i == n - 1 ? SIZE_MAX : window->from + window->n - 1 - at;
    return left < right ? left : right;
}

size_t long_text_nearest(const struct long_window *windows, size_t n, size_t at) {
    size_t best = n, deepest = 0;
    for (size_t i = 0; i < n; i++) {
        if (at < windows[i].from || at >= windows[i].from + windows[i].n)
            continue;
        if (best < n && depth(windows, n, i, at) <= deepest)
            continue;
        best = i;
        deepest = depth(windows, n, i, at);
    }
    VSR_ASSERT(best < n);
    return best;
}

void long_text_mean(const float *const *rows, const struct long_window *windows, size_t n, size_t width, float *ret) {
    size_t all = 0;
    for (size_t i = 0; i < n; i++)
        all += windows[i].n;
    for (size_t k = 0; k < width; k++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += (double)rows[i][k] * (double)windows[i].n;
        ret[k] = (float)(sum / (double)all);
    }
}

size_t long_text_extreme(const float *const *rows, size_t n, size_t width, const bool *risk, bool most) {
    size_t best = 0;
    double extreme = 0;
    for (size_t i = 0; i < n; i++) {
        double weight = 0;
        for (size_t k = 0; k < width; k++)
            weight += risk[k] ? (double)rows[i][k] : 0;
        if (i > 0 && (most ? weight <= extreme : weight >= extreme))
            continue;
        best = i;
        extreme = weight;
    }
    return best;
}
