#include "model/long_text.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "core/arena.h"
#include "core/err.h"
#include "model/engine.h"
#include "model/model.h"
#include "nn/kernels.h"
#include "nn/runtime.h"
#include "test.h"

enum { PATH_LEN = 512, LETTERS = 400, TOKENS_MAX = 64, TEMPLATE = 2 };

/* ---- windows */

static void check_windows(size_t n, size_t room) {
    struct long_window windows[LONG_TEXT_WINDOWS_MAX];
    size_t covered, k = long_text_windows(n, room, windows, &covered);
    size_t overlap = room / 4 > LONG_TEXT_OVERLAP_MAX ? LONG_TEXT_OVERLAP_MAX : room / 4;
    CHECK_MSG(k >= 1 && k <= LONG_TEXT_WINDOWS_MAX, "%zu of %zu: %zu windows", n, room, k);
    CHECK_MSG(covered == n || (covered < n && k == LONG_TEXT_WINDOWS_MAX), "%zu of %zu: %zu covered", n, room, covered);
    CHECK_MSG(windows[0].from == 0 && windows[k - 1].from + windows[k - 1].n == covered, "%zu of %zu: ends", n, room);
    for (size_t i = 0; i < k; i++) {
        CHECK_MSG(windows[i].n <= room && windows[i].n == windows[0].n, "%zu of %zu: window %zu", n, room, i);
        CHECK_MSG(i == 0 || windows[i].from > windows[i - 1].from, "%zu of %zu: order", n, room);
        CHECK_MSG(i == 0 || windows[i].from + overlap <= windows[i - 1].from + windows[i - 1].n,
                  "%zu of %zu: windows %zu and %zu overlap", n, room, i - 1, i);
    }
    CHECK_MSG(k == 1 || (k - 1) * (room - overlap) + overlap < covered, "%zu of %zu: one window less would do", n,
              room);
}

TEST(windows_cover) {
    static const size_t rooms[] = { 1, 2, 3, 4, 5, 8, 9, 63, 64, 65, 254, 255, 256, 257, 510, 2046 };
    for (size_t i = 0; i < VSR_COUNT(rooms); i++)
        for (size_t n = 0; n < 5000; n += n < 600 ? 1 : 37)
            check_windows(n, rooms[i]);
}

/* Against looking at every distance. */
TEST(nearest) {
    struct long_window windows[LONG_TEXT_WINDOWS_MAX];
    size_t covered, n = long_text_windows(1000, 100, windows, &covered);
    for (size_t at = 0; at < covered; at++) {
        size_t found = long_text_nearest(windows, n, at);
        size_t left = found == 0 ? SIZE_MAX : at - windows[found].from;
        size_t right = found == n - 1 ? SIZE_MAX : windows[found].from + windows[found].n - 1 - at;
        CHECK_MSG(at >= windows[found].from && at < windows[found].from + windows[found].n, "%zu is in it", at);
        CHECK_MSG((left < right ? left : right) >= 11, "token %zu is %zu and %zu from an edge", at, left, right);
    }
    CHECK_INT(long_text_nearest(windows, n, 0), 0, "first");
    CHECK_INT(long_text_nearest(windows, n, 999), n - 1, "last");
}

TEST(one_of_several) {
    static const float a[] = { 0.1F, 0.2F, 0.7F }, b[] = { 0.5F, 0.3F, 0.2F }, c[] = { 0.5F, 0.3F, 0.2F };
    const float *const rows[] = { a, b, c };
    const struct long_window windows[] = { { 0, 1 }, { 1, 2 }, { 2, 1 } };
    const bool risk[] = { true, true, false };
    float mean[3];
    long_text_mean(rows, windows, 3, 3, mean);
    CHECK(mean[0] > 0.3999F && mean[0] < 0.4001F, "each counts as much as it holds");
    CHECK_INT(long_text_extreme(rows, 3, 3, risk, true), 1, "the first of equals");
    CHECK_INT(long_text_extreme(rows, 3, 3, risk, false), 0, "least");
}

/* ---- models */

struct rig {
    struct nn_runtime *runtime;
    struct engine *engine;
    struct arena *arena;
};

static void rig_begin(struct rig *rig) {
    const struct engine_options options = { .threads = 1, .cache_len_max = SIZE_MAX };
    struct vsr_err err = VSR_ERR_NONE;
    rig->arena = arena_new(0, 0);
    CHECK_MSG(nn_runtime_new(&rig->runtime, &err) == 0, "%s", err.text);
    CHECK_MSG(engine_new(rig->runtime, &options, &rig->engine, &err) == 0, "%s", err.text);
}

static void rig_end(struct rig *rig) {
    engine_free(rig->engine);
    nn_runtime_free(rig->runtime);
    arena_free(rig->arena);
}

static struct model *open_short(struct rig *rig, const char *name) {
    const struct model_options options = { .precision = PRECISION_F32, .tokens_max = TOKENS_MAX };
    struct vsr_err err = VSR_ERR_NONE;
    struct model *model = NULL;
    char path[PATH_LEN];
    snprintf(path, sizeof(path), "%s/tests/fixtures/nn/%s", getenv("VSR_TEST_SOURCE"), name);
    CHECK_MSG(model_open(rig->runtime, str_from_c(path), &options, &model, &err) == 0, "%s: %s", name, err.text);
    return model;
}

/* Single letters, each a token of its own; the token at `i` is byte 2 * i. */
static vsr_str letters(struct arena *arena, size_t n) {
    char *text = ARENA_ARRAY(arena, char, 2 * n);
    uint32_t state = 7;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525 + 1013904223;
        text[2 * i] = (char)('a' + (state >> 16) % 26);
        text[2 * i + 1] = ' ';
    }
    return str_make(text, 2 * n - 1);
}

static struct engine_call call_of(struct model *model, vsr_str text, enum long_text long_text) {
    return (struct engine_call){ .model = model, .text = text, .long_text = long_text, .priority = PRIORITY_ROUTING };
}

static void run(struct rig *rig, struct engine_call *calls, size_t n) {
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(engine_run(rig->engine, calls, n, &err) == 0, "%s", err.text);
}

/* The windows of a text of so many letters, each as a text of its own. */
static size_t run_windows(struct rig *rig, struct model *model, vsr_str text, size_t n_letters,
                          struct long_window windows[static LONG_TEXT_WINDOWS_MAX],
                          struct engine_call alone[static LONG_TEXT_WINDOWS_MAX]) {
    size_t covered, n = long_text_windows(n_letters, model_tokens_max(model) - TEMPLATE, windows, &covered);
    CHECK(n > 1, "too long for one");
    for (size_t i = 0; i < n; i++)
        alone[i] = call_of(model, str_sub(text, 2 * windows[i].from, 2 * (windows[i].from + windows[i].n) - 1),
                           LONG_TEXT_TRUNCATE);
    run(rig, alone, n);
    for (size_t i = 0; i < n; i++)
        CHECK_INT(alone[i].n_tokens, windows[i].n + TEMPLATE, "a letter is a token");
    return n;
}

static void done(struct engine_call *calls, size_t n) {
    for (size_t i = 0; i < n; i++)
        engine_call_done(&calls[i]);
}

TEST(classes) {
    struct long_window windows[LONG_TEXT_WINDOWS_MAX];
    struct engine_call alone[LONG_TEXT_WINDOWS_MAX], calls[3];
    const bool risk[] = { false, true, true };
    const float *rows[LONG_TEXT_WINDOWS_MAX];
    struct engine_stats before, after;
    float mean[3];
    struct rig rig;
    struct model *model;
    vsr_str text;
    size_t n, worst;
    rig_begin(&rig);
    model = open_short(&rig, "bert-sequence");
    text = letters(rig.arena, LETTERS);
    n = run_windows(&rig, model, text, LETTERS, windows, alone);
    for (size_t i = 0; i < n; i++)
        rows[i] = alone[i].result;
    long_text_mean(rows, windows, n, 3, mean);
    worst = long_text_extreme(rows, n, 3, risk, true);
    calls[0] = call_of(model, text, LONG_TEXT_CHUNK);
    calls[1] = call_of(model, text, LONG_TEXT_CHUNK);
    calls[1].risk = risk;
    calls[2] = call_of(model, text, LONG_TEXT_TRUNCATE);
    before = engine_stats(rig.engine);
    run(&rig, calls, 3);
    after = engine_stats(rig.engine);
    CHECK(memcmp(calls[0].result, mean, sizeof(mean)) == 0, "the mean, to the bit");
    CHECK(memcmp(calls[1].result, rows[worst], sizeof(mean)) == 0, "the answer of the worst window");
    CHECK_INT(calls[0].n_tokens, LETTERS + TEMPLATE, "all of it");
    CHECK_INT(calls[0].n_dropped, 0, "nothing is left out");
    CHECK_INT(calls[2].n_dropped, LETTERS + TEMPLATE - TOKENS_MAX, "its end is left out");
    CHECK(after.queue.batches - before.queue.batches < after.queue.run - before.queue.run, "windows run together");
    CHECK_INT(after.queue.run - before.queue.run + after.shared - before.shared, 2 * n + 1, "windows are shared, too");
    done(calls, 3);
    done(alone, n);
    model_unref(model);
    rig_end(&rig);
}

TEST(tags) {
    struct long_window windows[LONG_TEXT_WINDOWS_MAX];
    struct engine_call alone[LONG_TEXT_WINDOWS_MAX], call;
    struct rig rig;
    struct model *model;
    vsr_str text;
    size_t n;
    rig_begin(&rig);
    model = open_short(&rig, "bert-token");
    text = letters(rig.arena, LETTERS);
    n = run_windows(&rig, model, text, LETTERS, windows, alone);
    call = call_of(model, text, LONG_TEXT_CHUNK);
    run(&rig, &call, 1);
    CHECK_INT(call.n_rows, LETTERS + TEMPLATE, "a row for each token");
    for (size_t i = 0; i < LETTERS; i++) {
        size_t which = long_text_nearest(windows, n, i), place = i - windows[which].from + 1;
        CHECK_INT(call.starts[i + 1], 2 * i, "places are of the text");
        CHECK_INT(call.ends[i + 1], 2 * i + 1, "places are of the text");
        CHECK(memcmp(call.result + (i + 1) * call.width, alone[which].result + place * call.width,
                     call.width * sizeof(float)) == 0,
              "of the window where it is farthest from an edge, to the bit");
    }
    for (size_t end = 0; end < 2; end++) { /* [CLS] and [SEP] are in all windows */
        const float *rows[LONG_TEXT_WINDOWS_MAX];
        float mean[64];
        for (size_t i = 0; i < n; i++)
            rows[i] = alone[i].result + (end ? alone[i].n_tokens - 1 : 0) * call.width;
        long_text_mean(rows, windows, n, call.width, mean);
        CHECK(memcmp(call.result + (end ? call.n_tokens - 1 : 0) * call.width, mean, call.width * sizeof(float)) == 0,
              "the mean of all windows");
    }
    engine_call_done(&call);
    done(alone, n);
    model_unref(model);
    rig_end(&rig);
}

TEST(vectors) {
    struct long_window windows[LONG_TEXT_WINDOWS_MAX];
    struct engine_call alone[LONG_TEXT_WINDOWS_MAX], call;
    const float *rows[LONG_TEXT_WINDOWS_MAX];
    float mean[4096];
    struct rig rig;
    struct model *model;
    vsr_str text;
    size_t n;
    rig_begin(&rig);
    model = open_short(&rig, "bert-embed-mean");
    text = letters(rig.arena, LETTERS);
    n = run_windows(&rig, model, text, LETTERS, windows, alone);
    for (size_t i = 0; i < n; i++)
        rows[i] = alone[i].result;
    call = call_of(model, text, LONG_TEXT_CHUNK);
    run(&rig, &call, 1);
    long_text_mean(rows, windows, n, call.width, mean);
    kernel_normalize(mean, mean, call.width);
    CHECK(memcmp(call.result, mean, call.width * sizeof(float)) == 0, "the mean, of length 1");
    engine_call_done(&call);
    done(alone, n);
    model_unref(model);
    rig_end(&rig);
}

/* Head, middle and tail, as if that had been the text; places are those of the whole one. */
TEST(sampled) {
    enum { ROOM = TOKENS_MAX - TEMPLATE, THIRD = ROOM / 3, LAST = ROOM - 2 * THIRD, MIDDLE = (LETTERS - THIRD) / 2 };
    struct engine_call calls[2];
    struct rig rig;
    struct model *model;
    vsr_str text, same;
    rig_begin(&rig);
    model = open_short(&rig, "bert-token");
    text = letters(rig.arena, LETTERS);
    same = arena_printf(rig.arena, "%.*s %.*s %.*s", VSR_FMT(str_sub(text, 0, 2 * THIRD - 1)),
                        VSR_FMT(str_sub(text, 2 * MIDDLE, 2 * (MIDDLE + THIRD) - 1)),
                        VSR_FMT(str_sub(text, 2 * (LETTERS - LAST), text.len)));
    calls[0] = call_of(model, text, LONG_TEXT_SAMPLE);
    calls[1] = call_of(model, same, LONG_TEXT_TRUNCATE);
    run(&rig, calls, 2);
    CHECK_INT(calls[0].n_tokens, TOKENS_MAX, "as many as fit");
    CHECK_INT(calls[1].n_tokens, TOKENS_MAX, "the same");
    CHECK_INT(calls[0].n_dropped, LETTERS - ROOM, "the others are left out");
    CHECK(memcmp(calls[0].result, calls[1].result, calls[0].n_rows * calls[0].width * sizeof(float)) == 0,
          "to the bit");
    CHECK_INT(calls[0].starts[1 + THIRD], 2 * MIDDLE, "the middle's place");
    CHECK_INT(calls[0].ends[TOKENS_MAX - 2], text.len, "the end's place");
    done(calls, 2);
    model_unref(model);
    rig_end(&rig);
}

TEST(pairs) {
    struct engine_call call, short_one;
    struct vsr_err err = VSR_ERR_NONE;
    struct rig rig;
    struct model *model;
    float sum = 0;
    rig_begin(&rig);
    model = open_short(&rig, "bert-sequence");
    call = call_of(model, letters(rig.arena, LETTERS), LONG_TEXT_CHUNK);
    call.is_pair = call.cut_first = true;
    call.second = VSR_STR("x y z");
    run(&rig, &call, 1);
    CHECK_INT(call.n_tokens, LETTERS + 3 + 3, "both are whole");
    CHECK(call.n_parts > 1 && call.n_dropped == 0, "in windows");
    for (size_t i = 0; i < call.width; i++)
        sum += call.result[i];
    CHECK(sum > 0.999F && sum < 1.001F, "probabilities");
    engine_call_done(&call);
    short_one = call_of(model, VSR_STR("a"), LONG_TEXT_CHUNK);
    short_one.is_pair = short_one.cut_first = true;
    short_one.second = letters(rig.arena, LETTERS);
    CHECK_INT(engine_run(rig.engine, &short_one, 1, &err), VSR_E_LIMIT, "the second leaves no room");
    engine_call_done(&short_one);
    model_unref(model);
    rig_end(&rig);
}

/* Past all windows the end is left out, as it is without them. */
TEST(bounded) {
    enum { VERY_MANY = 5000 };
    struct engine_call call;
    struct rig rig;
    struct model *model;
    rig_begin(&rig);
    model = open_short(&rig, "bert-sequence");
    call = call_of(model, letters(rig.arena, VERY_MANY), LONG_TEXT_CHUNK);
    run(&rig, &call, 1);
    CHECK_INT(call.n_parts, LONG_TEXT_WINDOWS_MAX, "windows");
    CHECK_INT(call.n_tokens + call.n_dropped, VERY_MANY + TEMPLATE, "all are accounted for");
    CHECK(call.n_dropped > 0, "some are left out");
    engine_call_done(&call);
    model_unref(model);
    rig_end(&rig);
}

static void count(struct engine_call *call, int rc, const struct vsr_err *err) {
    (void)err;
    atomic_fetch_add((atomic_int *)call->owner, rc == 0 ? 1 : 1000);
}

/* All windows go; somebody else who waits for one of them keeps it. */
TEST(cancelled) {
    struct long_window windows[LONG_TEXT_WINDOWS_MAX];
    struct engine_call alone[LONG_TEXT_WINDOWS_MAX], call;
    struct vsr_err err = VSR_ERR_NONE;
    struct rig rig;
    struct model *model;
    vsr_str text;
    size_t n;
    int n_cancelled = 0;
    atomic_int n_told = 0;
    rig_begin(&rig);
    model = open_short(&rig, "bert-sequence");
    text = letters(rig.arena, LETTERS);
    for (int round = 0; round < 20; round++) {
        call = call_of(model, text, LONG_TEXT_CHUNK);
        call.done = count;
        call.owner = &n_told;
        CHECK_MSG(engine_submit(rig.engine, &call, &err) == 0, "%s", err.text);
        if (engine_cancel(rig.engine, &call))
            n_cancelled++;
        while (atomic_load(&n_told) + n_cancelled <= round) /* it was over too soon to be cancelled */
            sched_yield();
        engine_call_done(&call);
        n = run_windows(&rig, model, text, LETTERS, windows, alone);
        done(alone, n);
    }
    CHECK_INT(atomic_load(&n_told) + n_cancelled, 20, "told, or cancelled");
    model_unref(model);
    rig_end(&rig);
}

RUN_TESTS(T(windows_cover), T(nearest), T(one_of_several), T(classes), T(tags), T(vectors), T(sampled), T(pairs),
          T(bounded), T(cancelled))
