/* A mixer and heads of every kind give what tests/nn/reference/mixer.py does; files that are wrong say why. */
#include "nn/mixer.h"

#include <math.h>
#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "nn/cpu.h"
#include "nn/mixer_head.h"
#include "nn/mixing.h"
#include "nn/safetensors.h"
#include "test.h"

enum { FILE_MAX = 1 << 20, IDS_MAX = 300, CASES_MAX = 16, HEADS = 11, VECTOR_DIMS = 192 };

/* What float32 alone costs; a mistake in the arithmetic costs far more. */
#define BOUND 2e-5

struct bench {
    struct arena *arena;
    const char *name;
    struct mixer *mixer;
    struct mixer_text *text, *second;
    struct safetensors cases;
};

static vsr_str fixture(struct arena *arena, const char *set, const char *name) {
    char path[1024];
    char *text = arena_alloc(arena, FILE_MAX);
    FILE *file;
    size_t len;
    snprintf(path, sizeof(path), "%s/tests/fixtures/mixer/%s/%s.safetensors", getenv("VSR_TEST_SOURCE"), set, name);
    file = fopen(path, "r");
    CHECK_MSG(file, "cannot open %s", path);
    len = fread(text, 1, FILE_MAX, file);
    fclose(file);
    return str_make(text, len);
}

static void begin(struct bench *bench, const char *name) {
    struct vsr_err err = VSR_ERR_NONE;
    bench->arena = arena_new(0, 0);
    bench->name = name;
    CHECK_MSG(mixer_new(fixture(bench->arena, name, "trunk"), &bench->mixer, &err) == 0, "%s: %s", name, err.text);
    CHECK_MSG(safetensors_parse(bench->arena, fixture(bench->arena, name, "cases"), &bench->cases, &err) == 0, "%s",
              err.text);
    bench->text = mixer_text_new();
    bench->second = mixer_text_new();
}

static void end(struct bench *bench) {
    mixer_text_free(bench->text);
    mixer_text_free(bench->second);
    mixer_free(bench->mixer);
    arena_free(bench->arena);
}

static const struct tensor *array(const struct bench *bench, size_t number, const char *what) {
    char name[64];
    snprintf(name, sizeof(name), "case%zu.%s", number, what);
    return safetensors_find(&bench->cases, str_from_c(name));
}

/* False: there is no such case. */
static bool set(struct bench *bench, struct mixer_text *text, size_t number, const char *ids_name,
                const char *shapes_name) {
    const struct tensor *ids = array(bench, number, ids_name), *shapes = array(bench, number, shapes_name);
    uint32_t *words;
    uint8_t *bytes;
    struct vsr_err err = VSR_ERR_NONE;
    if (!ids)
        return false;
    words = ARENA_ARRAY(bench->arena, uint32_t, ids->n);
    bytes = ARENA_ARRAY(bench->arena, uint8_t, ids->n);
    for (size_t i = 0; i < ids->n; i++) {
        memcpy(&words[i], (const char *)ids->data + 4 * i, 4);
        bytes[i] = *((const uint8_t *)shapes->data + 4 * i);
    }
    CHECK_MSG(mixer_text_set(text, bench->mixer, words, bytes, ids->n, &err) == 0, "%s", err.text);
    return true;
}

static void check_near(const struct bench *bench, size_t number, const char *what, const float *got, size_t n) {
    const struct tensor *want = array(bench, number, what);
    CHECK_MSG(want && want->n == n, "%s case %zu %s: %zu numbers", bench->name, number, what, n);
    for (size_t i = 0; i < n; i++) {
        float value;
        memcpy(&value, (const char *)want->data + 4 * i, 4);
        CHECK_MSG(fabsf(got[i] - value) <= BOUND * fmaxf(1, fabsf(value)), "%s case %zu %s[%zu]: %g, want %g",
                  bench->name, number, what, i, (double)got[i], (double)value);
    }
}

static void check_trunk(struct bench *bench, size_t number) {
    struct vsr_err err = VSR_ERR_NONE;
    float vector[VECTOR_DIMS];
    const float *h;
    size_t n;
    CHECK(mixer_vector_dims(bench->mixer) <= VECTOR_DIMS, "room");
    CHECK_MSG(mixer_text_vector(bench->text, vector, &err) == 0, "%s", err.text);
    check_near(bench, number, "vector", vector, mixer_vector_dims(bench->mixer));
    (void)mixer_text_ids(bench->text, &n);
    if (mixer_width(bench->mixer) > 0) {
        CHECK_MSG(mixer_text_mixed(bench->text, &h, &err) == 0, "%s", err.text);
        check_near(bench, number, "mixed", h, n * mixer_width(bench->mixer));
    } else {
        CHECK_INT(mixer_text_mixed(bench->text, &h, &err), VSR_E_INVALID, "no convolutions");
    }
}

/* All heads over one text, in one pass. */
static void check_heads(struct bench *bench, const char *const *names, struct mixer_head *const *heads, size_t n,
                        size_t number) {
    static float rows[IDS_MAX * 8];
    bool pair = set(bench, bench->second, number, "second.ids", "second.shapes");
    for (size_t i = 0; i < n; i++) {
        struct vsr_err err = VSR_ERR_NONE;
        size_t labels, n_rows;
        if (mixer_head_is_pair(heads[i]) != pair)
            continue;
        (void)mixer_head_labels(heads[i], &labels);
        n_rows = mixer_head_rows(heads[i], bench->text, pair ? bench->second : NULL);
        CHECK_MSG(mixer_head_run(heads[i], bench->text, pair ? bench->second : NULL, rows, &err) == 0, "%s", err.text);
        check_near(bench, number, names[i], rows, n_rows * labels);
    }
}

static void check_set(const char *name, const char *const *names, size_t n, enum cpu_isa isa) {
    struct bench bench;
    struct mixer_head *heads[HEADS];
    struct vsr_err err = VSR_ERR_NONE;
    size_t number = 0;
    cpu_isa_limit(isa);
    begin(&bench, name);
    for (size_t i = 0; i < n; i++)
        CHECK_MSG(mixer_head_new(bench.mixer, fixture(bench.arena, name, names[i]), &heads[i], &err) == 0, "%s: %s",
                  names[i], err.text);
    for (; set(&bench, bench.text, number, "ids", "shapes"); number++) {
        check_heads(&bench, names, heads, n, number); /* before and after the trunk was asked by itself */
        check_trunk(&bench, number);
        check_heads(&bench, names, heads, n, number);
    }
    CHECK(number > 2, name);
    for (size_t i = 0; i < n; i++)
        mixer_head_free(heads[i]);
    end(&bench);
    cpu_isa_limit(CPU_ISAS_N - 1);
}

static const char *const full_heads[] = { "everything", "tokens", "single",  "tagger",     "bare_tagger", "entails",
                                          "invents",    "runs",   "phrases", "own_tagger", "plain_tagger" };
static const char *const plain_heads[] = { "sentence" };

TEST(as_the_reference) {
    for (int isa = 0; isa <= (int)cpu_isa_best(); isa++) {
        check_set("full", full_heads, VSR_COUNT(full_heads), (enum cpu_isa)isa);
        check_set("plain", plain_heads, VSR_COUNT(plain_heads), (enum cpu_isa)isa);
        check_set("compared", NULL, 0, (enum cpu_isa)isa);
    }
}

TEST(says_what_it_is) {
    struct bench bench;
    struct mixer_head *head;
    struct vsr_err err = VSR_ERR_NONE;
    const vsr_str *labels;
    size_t n;
    begin(&bench, "full");
    CHECK_INT(mixer_vocabulary(bench.mixer), 300, "vocabulary");
    CHECK_INT(mixer_dims(bench.mixer), 36, "dims");
    CHECK_INT(mixer_vector_dims(bench.mixer), 32 + 5, "vector dims");
    CHECK_INT(mixer_width(bench.mixer), 20, "width");
    CHECK(mixer_head_new(bench.mixer, fixture(bench.arena, "full", "invents"), &head, &err) == 0, err.text);
    CHECK_INT(mixer_head_kind(head), MIXER_HEAD_PAIR_TAG, "kind");
    CHECK_STR(mixer_head_task(head), "invents", "task");
    labels = mixer_head_labels(head, &n);
    CHECK_INT(n, 2, "labels");
    CHECK_STR(labels[1], "invents 1", "label");
    mixer_head_free(head);
    end(&bench);
}

TEST(limits_of_a_text) {
    static uint32_t ids[MIXER_TOKENS_MAX + 1];
    static uint8_t shapes[MIXER_TOKENS_MAX + 1];
    struct bench bench;
    struct vsr_err err = VSR_ERR_NONE;
    const float *h;
    begin(&bench, "full");
    CHECK_INT(mixer_text_set(bench.text, bench.mixer, ids, shapes, MIXER_TOKENS_MAX, &err), 0, "as many as there may");
    CHECK_INT(mixer_text_mixed(bench.text, &h, &err), 0, "all of them run");
    CHECK(isfinite(h[(MIXER_TOKENS_MAX - 1) * 20]), "a number");
    CHECK_INT(mixer_text_set(bench.text, bench.mixer, ids, shapes, MIXER_TOKENS_MAX + 1, &err), VSR_E_LIMIT,
              "one more");
    ids[3] = 300;
    CHECK_INT(mixer_text_set(bench.text, bench.mixer, ids, shapes, 4, &err), VSR_E_LIMIT, "an id past the vocabulary");
    ids[3] = 299;
    shapes[2] = MIXING_SHAPES;
    CHECK_INT(mixer_text_set(bench.text, bench.mixer, ids, shapes, 4, &err), VSR_E_LIMIT, "a shape that is none");
    shapes[2] = 0;
    end(&bench);
}

/* ---- wrong files: a header with one word replaced by another of the same length */

static vsr_str changed(struct arena *arena, vsr_str file, const char *from, const char *to) {
    char *copy = arena_alloc(arena, file.len);
    ptrdiff_t at = str_find(file, str_from_c(from));
    CHECK(at >= 0 && strlen(from) == strlen(to), from);
    memcpy(copy, file.ptr, file.len);
    memcpy(copy + at, to, strlen(to));
    return str_make(copy, file.len);
}

TEST(wrong_trunks) {
    static const struct {
        const char *name, *from, *to, *says, *set;
    } cases[] = {
        { "no table", "embedding.weight\"", "embedding.wrighd\"", "tensor \"embedding.weight\" is missing" },
        { "no scales", "embedding.scale\"", "embedding.scald\"", "tensor \"embedding.scale\" is missing" },
        { "an unknown tensor", "mixer.1.conv.weight", "mixer.7.conv.weight", "mixer.1.down.bias" },
        { "half a sentence", "sentence.down.weight", "sentence.dowm.weight", "\"sentence.down.weight\" is missing" },
        { "a side that does not fit", "\"shape\":[36,50]", "\"shape\":[50,36]", "expected 36 in place of 50" },
        { "two dimensions for one", "\"shape\":[32,20]", "\"shape\":[00640]", "header" },
        { "a shape for another", "\"shape\":[32,20]", "\"shape\":[64,10]", "expected 32 in place of 64" },
        { "even taps", "\"shape\":[20,3]", "\"shape\":[10,6]", "expected 20 in place of 10" },
        { "a dilation that is none", "dilation\":\"2\"", "dilation\":\"0\"", "expected a number from 1 to 64" },
        { "more dimensions than there are", "\"dims\":\"32\"", "\"dims\":\"37\"", "expected a number from 1 to 36" },
        { "a table of integers", "{\"dtype\":\"I8\",\"shape\":[300", "{\"dtype\":\"U8\",\"shape\":[300", "is of U8" },
        { "a vector for fewer tokens", "\"shape\":[120,27]", "\"shape\":[108,30]", "expected 120 in place of 108",
          "compared" },
        { "signs for fewer tokens", "\"signs.weight\":{\"dtype\":\"F32\",\"shape\":[120]",
          "\"signs.weight\":{\"dtype\":\"F16\",\"shape\":[240]", "expected 120 in place of 240", "compared" },
        { "half a word of signs", "signs.dims\":\"128", "signs.dims\":\"096", "a multiple of 64", "compared" },
        { "no signs", "signs.dims\":\"128", "signs.dims\":\"000", "expected a number from 64 to 1024", "compared" },
        { "how many signs is not said", "signs.dims", "signs.dimz", "a multiple of 64", "compared" },
        { "nothing but signs", "signs.percent\":\"30", "signs.percent\":\"00", "expected a number from 1 to 99",
          "compared" },
        { "concepts in no group", "groups\":\"5,1,31", "groups\":\"5,1,30", "has 36 classes", "compared" },
        { "a group behind the last comma", "groups\":\"5,1,31", "groups\":\"5,32, ", "is \"5,32, \"", "compared" },
        { "concepts that nothing reads", "concepts.query", "concepts.quary", "concepts.", "compared" },
        { "queries of other tokens", "\"shape\":[3,27]", "\"shape\":[27,3]", "expected 27 in place of 3", "compared" },
        { "groups of more concepts", "groups\":\"5,1,31", "groups\":\"5,2,31", "37 together", "compared" },
        { "an empty group", "groups\":\"5,1,31", "groups\":\"0,6,31", "is \"0,6,31\"", "compared" },
        { "a group that is no number", "groups\":\"5,1,31", "groups\":\"5,1.31", "is \"5,1.31\"", "compared" },
        { "no groups", "concepts.groups", "concepts.groupz", "is \"\", expected", "compared" },
        { "nothing but concepts", "concepts.percent\":\"25", "concepts.percent\":\"00",
          "expected a number from 1 to 99", "compared" },
        { "what concepts count is not said", "concepts.percent", "concepts.percenz", "needs metadata", "compared" },
        { "axes of fewer concepts", "\"shape\":[13,37]", "\"shape\":[37,13]", "expected 37 in place of 13",
          "compared" },
        { "concepts without classes", "concepts.out.weight", "concepts.owt.weight",
          "\"concepts.out.weight\" is missing", "compared" },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct vsr_err err = VSR_ERR_NONE;
        struct mixer *mixer = NULL;
        vsr_str file =
            changed(arena, fixture(arena, cases[i].set ? cases[i].set : "full", "trunk"), cases[i].from, cases[i].to);
        CHECK(mixer_new(file, &mixer, &err) < 0, cases[i].name);
        CHECK_MSG(strstr(err.text, cases[i].says), "%s: %s", cases[i].name, err.text);
        arena_free(arena);
    }
}

TEST(wrong_heads) {
    static const struct {
        const char *name, *head, *from, *to, *says;
    } cases[] = {
        { "a kind that is none", "everything", "\"classify\"", "\"classifi\"", "metadata \"kind\"" },
        { "a tagger that is a classifier", "tagger", "\"kind\":\"tag\"", "\"kund\":\"tag\"", "metadata \"kind\"" },
        { "labels that are no list", "everything", "[\\\"everything 0", "{\\\"everything 0", "metadata \"labels\"" },
        { "a label twice", "everything", "everything 1", "everything 0", "twice" },
        { "an input that is none", "everything", "tokens,mixed", "tokens,fixed", "metadata \"inputs\"" },
        { "an input twice", "everything", "tokens,mixed,sentence", "tokens,tokens,tokens,", "at most once" },
        { "a query for another trunk", "tokens", "\"shape\":[1,36]", "\"shape\":[2,18]", "expected 36 in place of 18" },
        { "fewer rows than labels", "tokens", "\"shape\":[3,36]", "\"shape\":[4,27]", "expected 3 in place of 4" },
        { "no temperature", "entails", "align.temperature", "align.temperaturu", "\"align.temperature\" is missing" },
        { "n-grams twice", "runs", "sentence,ngrams", "ngrams,ngrams,,", "at most once" },
        { "rows for fewer tokens", "phrases", "\"shape\":[364,6]", "\"shape\":[273,8]",
          "expected a row for each of 300" },
        { "other columns than labels", "runs", "\"shape\":[1001,6]", "\"shape\":[2002,3]", "and 6 columns" },
        { "common tokens of another type", "phrases", "\"ngram.common\":{\"dtype\":\"I8",
          "\"ngram.common\":{\"dtype\":\"U8", "expected 300 of I8" },
        { "runs of none", "phrases", "\"ngram_orders\":\"2\"", "\"ngram_orders\":\"0\"", "ngram_orders" },
        { "words of another vocabulary", "own_tagger", "\"shape\":[300,28]", "\"shape\":[280,30]",
          "expected 300 in place of 280" },
        { "words without scales", "own_tagger", "mixer.word.scale", "mixer.word.scald",
          "\"mixer.word.scale\" is missing" },
        { "convolutions for other vectors", "own_tagger", "\"shape\":[28,36]", "\"shape\":[36,28]",
          "expected 36 in place of 28" },
        { "a tensor too much", "tokens", "calibration.scale", "calibration.scole", "\"calibration.scole\" is none" },
    };
    struct bench bench;
    begin(&bench, "full");
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct vsr_err err = VSR_ERR_NONE;
        struct mixer_head *head = NULL;
        vsr_str file = changed(bench.arena, fixture(bench.arena, "full", cases[i].head), cases[i].from, cases[i].to);
        CHECK(mixer_head_new(bench.mixer, file, &head, &err) < 0, cases[i].name);
        CHECK_MSG(strstr(err.text, cases[i].says), "%s: %s", cases[i].name, err.text);
    }
    end(&bench);
}

TEST(convolutions_that_are_not_there) {
    struct bench full, plain;
    struct vsr_err err = VSR_ERR_NONE;
    struct mixer_head *head = NULL;
    begin(&full, "full");
    begin(&plain, "plain");
    CHECK(mixer_head_new(plain.mixer, fixture(full.arena, "full", "tagger"), &head, &err) < 0, "a tagger");
    CHECK_MSG(strstr(err.text, "needs convolutions"), "%s", err.text);
    end(&full);
    end(&plain);
}

/* Any cut of a file is refused, and reads nothing behind its end. */
TEST(cut_files) {
    struct arena *arena = arena_new(0, 0);
    vsr_str file = fixture(arena, "plain", "trunk");
    for (size_t len = 0; len < file.len; len += 1 + len / 16) {
        char *copy = malloc(len + 1);
        struct mixer *mixer = NULL;
        struct vsr_err err = VSR_ERR_NONE;
        memcpy(copy, file.ptr, len);
        CHECK_MSG(mixer_new(str_make(copy, len), &mixer, &err) < 0, "%zu bytes", len);
        free(copy);
    }
    arena_free(arena);
}

TEST(numbers_that_are_none) {
    struct arena *arena = arena_new(0, 0);
    vsr_str file = fixture(arena, "full", "trunk");
    float nan = NAN;
    struct vsr_err err = VSR_ERR_NONE;
    struct mixer *mixer = NULL;
    memcpy((char *)(uintptr_t)file.ptr + file.len - 4, &nan, 4);
    CHECK(mixer_new(file, &mixer, &err) < 0, "NaN");
    CHECK_MSG(strstr(err.text, "is not finite"), "%s", err.text);
    arena_free(arena);
}

RUN_TESTS(T(as_the_reference), T(says_what_it_is), T(limits_of_a_text), T(wrong_trunks), T(wrong_heads),
          T(convolutions_that_are_not_there), T(cut_files), T(numbers_that_are_none))
