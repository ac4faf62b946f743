#include "model/long_call.h"

#include <string.h>

#include "core/mem.h"
#include "model/engine.h"
#include "model/flight.h"
#include "model/model.h"
#include "nn/kernels.h"
#include "text/window.h"

enum { ROOM_MIN = 8 }; /* tokens of a window that are the text's: fewer say nothing */

/* The tokens that give way: of a pair the first text's, or the longer one's. False: they are not in one piece. */
static bool find_cut(struct engine_call *call) {
    size_t n[2] = { 0, 0 }, first[2] = { 0, 0 }, last[2] = { 0, 0 }, which;
    for (size_t i = 0; i < call->n_tokens; i++) {
        uint8_t sequence = call->sequences[i];
        if (sequence > 1 || (sequence == 0 && i < call->n_prompt)) /* the template's, or a prompt's */
            continue;
        if (n[sequence]++ == 0)
            first[sequence] = i;
        last[sequence] = i;
    }
    which = call->is_pair && !call->cut_first && n[1] > n[0] ? 1 : 0;
    call->cut_from = first[which];
    call->n_cut = n[which];
    return n[which] > 0 && last[which] - first[which] + 1 == n[which];
}

/* Leaves out the tokens [from, to). */
static void drop_tokens(struct engine_call *call, size_t from, size_t to) {
    size_t behind = call->n_tokens - to;
    memmove(call->ids + from, call->ids + to, behind * sizeof(*call->ids));
    memmove(call->starts + from, call->starts + to, behind * sizeof(*call->starts));
    memmove(call->ends + from, call->ends + to, behind * sizeof(*call->ends));
    memmove(call->types + from, call->types + to, behind);
    memmove(call->sequences + from, call->sequences + to, behind);
    call->n_tokens -= to - from;
    call->n_cut -= to - from;
    call->n_dropped += to - from;
}

static void sample(struct engine_call *call, size_t room) {
    struct window_ranges ranges = window_ranges(call->n_cut, room);
    for (size_t i = ranges.n - 1; i > 0; i--) /* from the end, so that places hold */
        drop_tokens(call, call->cut_from + ranges.to[i - 1], call->cut_from + ranges.from[i]);
}

static void cut_windows(struct engine_call *call, size_t room) {
    struct long_window windows[LONG_TEXT_WINDOWS_MAX];
    size_t covered, n = long_text_windows(call->n_cut, room, windows, &covered);
    drop_tokens(call, call->cut_from + covered, call->cut_from + call->n_cut);
    if (n == 1)
        return;
    call->parts = mem_alloc(n * sizeof(*call->parts));
    call->n_parts = n;
    for (size_t i = 0; i < n; i++)
        call->parts[i] = (struct engine_part){ .call = call, .window = windows[i] };
}

/* A text that is not too long is run as it is. */
int long_call_fit(struct engine_call *call, struct vsr_err *err) {
    size_t most = model_tokens_max(call->model), fixed;
    if (call->n_tokens <= most)
        return 0;
    if (!find_cut(call))
        return err_set(err, VSR_E_LIMIT, "%zu tokens, the model takes %zu, and its template holds the text twice",
                       call->n_tokens, most);
    fixed = call->n_tokens - call->n_cut;
    if (fixed + ROOM_MIN > most)
        return err_set(err, VSR_E_LIMIT, "%s of %zu tokens leaves no room for the text: the model takes %zu",
                       call->is_pair ? "the other text" : "the prompt", fixed, most);
    if (call->long_text == LONG_TEXT_SAMPLE)
        sample(call, most - fixed);
    else
        cut_windows(call, most - fixed);
    return 0;
}

/* Where token `at` of the call stands in a part. Those outside the cut are in all. */
static size_t place_in(const struct engine_call *call, const struct engine_part *part, size_t at) {
    if (at < call->cut_from)
        return at;
    if (at >= call->cut_from + call->n_cut)
        return at - call->n_cut + part->window.n;
    return at - part->window.from;
}

static void combine_rows(const struct engine_call *call, const float *const *rows, const struct long_window *windows,
                         bool most, float *ret) {
    if (call->risk)
        memcpy(ret, rows[long_text_extreme(rows, call->n_parts, call->width, call->risk, most)],
               call->width * sizeof(*ret));
    else
        long_text_mean(rows, windows, call->n_parts, call->width, ret);
}

static void combine_tags(struct engine_call *call, const struct long_window *windows) {
    const float *rows[LONG_TEXT_WINDOWS_MAX];
    for (size_t at = 0; at < call->n_tokens; at++) {
        float *row = call->result + at * call->width;
        bool inside = at >= call->cut_from && at < call->cut_from + call->n_cut;
        for (size_t i = 0; i < call->n_parts && !inside; i++)
            rows[i] = call->parts[i].flight->result + place_in(call, &call->parts[i], at) * call->width;
        if (inside) {
            const struct engine_part *part =
                &call->parts[long_text_nearest(windows, call->n_parts, at - call->cut_from)];
            memcpy(row, part->flight->result + place_in(call, part, at) * call->width, call->width * sizeof(*row));
        } else {
            combine_rows(call, rows, windows, false, row);
        }
    }
}

/* One answer of those of all parts, which are there. */
void long_call_combine(struct engine_call *call) {
    const float *rows[LONG_TEXT_WINDOWS_MAX];
    struct long_window windows[LONG_TEXT_WINDOWS_MAX];
    if (call->n_parts == 1) {
        memcpy(call->result, call->parts[0].flight->result, call->n_rows * call->width * sizeof(*call->result));
        return;
    }
    for (size_t i = 0; i < call->n_parts; i++) {
        rows[i] = call->parts[i].flight->result;
        windows[i] = call->parts[i].window;
    }
    if (model_task(call->model) == MODEL_TAG)
        combine_tags(call, windows);
    else
        combine_rows(call, rows, windows, true, call->result);
    if (model_task(call->model) == MODEL_EMBED)
        kernel_normalize(call->result, call->result, call->width);
}
