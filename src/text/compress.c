/*
 * Words become numbers in the order in which they first occur; a sentence is then a sparse row of counts. With rows
 * scaled to unit length, similarity is the product of two rows, and every sum over similarities folds into one product:
 *
 *     sum over j != i of (row i . row j) * u(j)  =  row i . (sum over j of u(j) * row j)  -  u(i) * (row i . row i)
 *
 * A sentence that shares no word with another has no edges. That is seen by its words' counts of sentences, which is
 * exact, and not by a sum that cancels to almost zero.
 */
#include "text/compress.h"

#include <math.h>

#include "core/arena.h"
#include "core/assert.h"
#include "text/fold.h"
#include "text/sentence.h"

#define RANK_DAMPING 0.85
#define RANK_DELTA 1e-5
#define NOVELTY_NOISE 1e-12

enum {
    RANK_ROUNDS_MAX = 100,
    VOCABULARY_SLOTS_MIN = 1024,
    ENTRIES_CAP_MIN = 1024,
};

struct compress_options compress_profile(enum compress_profile profile) {
    /* clang-format off */
    static const struct compress_options profiles[COMPRESS_PROFILES] = {
        [COMPRESS_DEFAULT]    = { .20, .40, .35, .05, .5, 3, 2 },
        [COMPRESS_CODING]     = { .15, .30, .40, .15, .6, 2, 4 },
        [COMPRESS_MEDICAL]    = { .20, .35, .30, .15, .5, 3, 2 },
        [COMPRESS_SECURITY]   = { .15, .30, .25, .30, .6, 2, 3 },
        [COMPRESS_MULTI_TURN] = { .15, .25, .35, .10, .5, 2, 5 },
    };
    /* clang-format on */
    return profiles[profile];
}

/* ---- rows of words */

struct entry {
    uint32_t word, count;
};

struct row {
    size_t first, n;   /* of its entries */
    size_t n_words;    /* sum of their counts */
    double unit;       /* 1 / length of the vector of counts; 0 without words */
    bool is_connected; /* shares a word with another row */
};

struct vocabulary_slot {
    uint64_t hash;
    uint32_t word; /* number + 1; 0: free */
};

struct corpus {
    struct arena *arena;
    struct row *rows;
    size_t n_rows;
    struct entry *entries;
    size_t n_entries, entries_cap;

    /* by number of the word */
    vsr_str *words;
    uint32_t *n_in; /* rows that hold it */
    size_t *latest; /* its entry in the row that was read last, + 1 */
    size_t n_words, words_cap;

    struct vocabulary_slot *slots;
    size_t n_slots;
    uint64_t seed;

    struct row *row; /* that is being read */
    size_t words_left;
    bool failed; /* memory ran out */
};

/* Room for one more; false without memory. */
static bool grow(struct corpus *c, void *items, size_t size, size_t n, size_t cap) {
    void *moved = arena_try_alloc_raw(c->arena, cap * size);
    void **array = items;
    if (!moved) {
        c->failed = true;
        return false;
    }
    if (n > 0)
        memcpy(moved, *array, n * size);
    *array = moved;
    return true;
}

static struct vocabulary_slot *find_slot(struct corpus *c, vsr_str word, uint64_t hash) {
    size_t mask = c->n_slots - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct vocabulary_slot *slot = &c->slots[i];
        if (slot->word == 0 || (slot->hash == hash && str_eq(c->words[slot->word - 1], word)))
            return slot;
    }
}

static bool rehash(struct corpus *c) {
    struct vocabulary_slot *old = c->slots;
    size_t n_old = c->n_slots, n = n_old ? 2 * n_old : VOCABULARY_SLOTS_MIN;
    struct vocabulary_slot *slots = arena_try_alloc(c->arena, n * sizeof(*slots));
    if (!slots) {
        c->failed = true;
        return false;
    }
    c->slots = slots;
    c->n_slots = n;
    for (size_t i = 0; i < n_old; i++)
        if (old[i].word)
            *find_slot(c, c->words[old[i].word - 1], old[i].hash) = old[i];
    return true;
}

static bool add_word(struct corpus *c, vsr_str word, struct vocabulary_slot *slot, uint64_t hash) {
    if (c->n_words == c->words_cap) {
        size_t cap = c->words_cap ? 2 * c->words_cap : VOCABULARY_SLOTS_MIN;
        if (!grow(c, &c->words, sizeof(*c->words), c->n_words, cap) ||
            !grow(c, &c->n_in, sizeof(*c->n_in), c->n_words, cap) ||
            !grow(c, &c->latest, sizeof(*c->latest), c->n_words, cap))
            return false;
        c->words_cap = cap;
    }
    c->words[c->n_words] = word;
    c->n_in[c->n_words] = 0;
    c->latest[c->n_words] = 0;
    *slot = (struct vocabulary_slot){ hash, (uint32_t)++c->n_words };
    return true;
}

/* The word's number; false without memory. */
static bool find_word(struct corpus *c, vsr_str word, uint32_t *ret_word) {
    uint64_t hash = str_hash(word, c->seed);
    struct vocabulary_slot *slot;
    if (2 * c->n_words >= c->n_slots && !rehash(c))
        return false;
    slot = find_slot(c, word, hash);
    if (slot->word == 0 && !add_word(c, word, slot, hash))
        return false;
    *ret_word = slot->word - 1;
    return true;
}

static bool read_word(void *data, vsr_str text) {
    struct corpus *c = data;
    uint32_t word;
    if (c->words_left == 0 || !find_word(c, text, &word))
        return false;
    c->words_left--;
    c->row->n_words++;
    if (c->latest[word] > c->row->first) {
        c->entries[c->latest[word] - 1].count++;
        return true;
    }
    if (c->n_entries == c->entries_cap) {
        size_t cap = c->entries_cap ? 2 * c->entries_cap : ENTRIES_CAP_MIN;
        if (!grow(c, &c->entries, sizeof(*c->entries), c->n_entries, cap))
            return false;
        c->entries_cap = cap;
    }
    c->entries[c->n_entries++] = (struct entry){ word, 1 };
    c->latest[word] = c->n_entries;
    c->n_in[word]++;
    c->row->n++;
    return true;
}

static void read_sentence(struct corpus *c, vsr_str sentence, size_t words_max) {
    vsr_str lower = fold_text(c->arena, sentence, FOLD_LOWER);
    double squares = 0;
    c->row->first = c->n_entries;
    c->words_left = words_max;
    c->failed |= !lower.ptr;
    if (c->failed)
        return;
    sentence_words(lower, read_word, c);
    for (size_t i = 0; i < c->row->n; i++) {
        double count = c->entries[c->row->first + i].count;
        squares += count * count;
    }
    c->row->unit = squares > 0 ? 1 / sqrt(squares) : 0;
}

static bool corpus_read(struct corpus *c, struct arena *arena, const vsr_str *sentences, size_t n) {
    *c = (struct corpus){ .arena = arena, .n_rows = n };
    /* Clients choose the words: an address that they do not know keeps them from choosing words that collide. */
    c->seed = (uint64_t)(uintptr_t)arena * UINT64_C(0x9e3779b97f4a7c15);
    c->rows = arena_try_alloc(arena, n * sizeof(*c->rows));
    if (!c->rows)
        return false;
    for (size_t i = 0; i < n && !c->failed; i++) {
        c->row = &c->rows[i];
        read_sentence(c, sentences[i], COMPRESS_WORDS_MAX / n);
    }
    for (size_t i = 0; i < n && !c->failed; i++)
        for (size_t k = 0; k < c->rows[i].n; k++)
            c->rows[i].is_connected |= c->n_in[c->entries[c->rows[i].first + k].word] > 1;
    return !c->failed;
}

/* `sum` += `factor` * row. */
static void add_row(const struct corpus *c, const struct row *row, double factor, double *sum) {
    for (size_t i = row->first; i < row->first + row->n; i++)
        sum[c->entries[i].word] += factor * c->entries[i].count;
}

/* row . `vector` */
static double row_product(const struct corpus *c, const struct row *row, const double *vector) {
    double sum = 0;
    for (size_t i = row->first; i < row->first + row->n; i++)
        sum += vector[c->entries[i].word] * c->entries[i].count;
    return sum;
}

static double row_square(const struct corpus *c, const struct row *row) {
    double sum = 0;
    for (size_t i = row->first; i < row->first + row->n; i++)
        sum += (double)c->entries[i].count * c->entries[i].count;
    return sum * row->unit * row->unit;
}

/* ---- the four scores */

/* What scoring needs beside the rows: one number for each word, three for each row. */
struct scratch {
    double *vector;                /* [n_words] */
    double *degree, *share, *rank; /* [n_rows]: sum of a row's similarities, rank / degree, rank */
};

/* share . similarities of each row, without itself. */
static void neighbour_sums(const struct corpus *c, const struct scratch *s, const double *share, double *ret_sums) {
    memset(s->vector, 0, c->n_words * sizeof(double));
    for (size_t i = 0; i < c->n_rows; i++)
        add_row(c, &c->rows[i], share[i] * c->rows[i].unit, s->vector);
    for (size_t i = 0; i < c->n_rows; i++) {
        const struct row *row = &c->rows[i];
        double all = row_product(c, row, s->vector) * row->unit;
        ret_sums[i] = row->is_connected ? all - share[i] * row_square(c, row) : 0;
    }
}

/* One round; returns the largest change. */
static double rank_round(const struct corpus *c, const struct scratch *s, double *sums) {
    double delta = 0;
    for (size_t i = 0; i < c->n_rows; i++)
        s->share[i] = c->rows[i].is_connected ? s->rank[i] / s->degree[i] : 0;
    neighbour_sums(c, s, s->share, sums);
    for (size_t i = 0; i < c->n_rows; i++) {
        double rank = (1 - RANK_DAMPING) / (double)c->n_rows + RANK_DAMPING * sums[i];
        delta = fmax(delta, fabs(rank - s->rank[i]));
        s->rank[i] = rank;
    }
    return delta;
}

static void score_textrank(const struct corpus *c, const struct scratch *s, double *sums,
                           struct compress_score *scores) {
    for (size_t i = 0; i < c->n_rows; i++) {
        s->share[i] = 1;
        s->rank[i] = 1 / (double)c->n_rows;
    }
    neighbour_sums(c, s, s->share, s->degree);
    for (int round = 0; round < RANK_ROUNDS_MAX; round++)
        if (rank_round(c, s, sums) < RANK_DELTA)
            break;
    for (size_t i = 0; i < c->n_rows; i++)
        scores[i].textrank = s->rank[i];
}

/* Both halves by the same numbers, so that places equally far from the ends score equal. */
static void score_position(size_t n, double depth, struct compress_score *scores) {
    depth = depth > 0 ? fmin(depth, 1) : 0;
    for (size_t i = 0; i < n; i++) {
        size_t from_end = i < n - 1 - i ? i : n - 1 - i;
        scores[i].position = n > 1 ? 1 - depth * sin(M_PI * (double)from_end / (double)(n - 1)) : 1;
    }
}

static void score_tfidf(const struct corpus *c, struct compress_score *scores) {
    for (size_t i = 0; i < c->n_rows; i++) {
        const struct row *row = &c->rows[i];
        for (size_t k = row->first; k < row->first + row->n; k++) {
            double idf = log((double)(c->n_rows + 1) / (double)(c->n_in[c->entries[k].word] + 1));
            scores[i].tfidf += c->entries[k].count / (double)row->n_words * idf;
        }
    }
}

/* 1 - cosine with the mean of all rows' frequencies, whose scale a cosine does not care about. What rounding leaves of
 * a row that is parallel to the mean must not become the greatest novelty of the text. */
static void score_novelty(const struct corpus *c, const struct scratch *s, struct compress_score *scores) {
    double squares = 0;
    memset(s->vector, 0, c->n_words * sizeof(double));
    for (size_t i = 0; i < c->n_rows; i++)
        if (c->rows[i].n_words)
            add_row(c, &c->rows[i], 1 / (double)c->rows[i].n_words, s->vector);
    for (size_t i = 0; i < c->n_words; i++)
        squares += s->vector[i] * s->vector[i];
    for (size_t i = 0; i < c->n_rows; i++) {
        const struct row *row = &c->rows[i];
        double novelty = row->n_words ? 1 - row_product(c, row, s->vector) * row->unit / sqrt(squares) : 0;
        scores[i].novelty = novelty > NOVELTY_NOISE ? novelty : 0;
    }
}

static double greatest_of(const struct compress_score *scores, size_t n, size_t offset) {
    double greatest = 0;
    for (size_t i = 0; i < n; i++)
        greatest = fmax(greatest, *(const double *)(const void *)((const char *)&scores[i] + offset));
    return greatest > 0 ? greatest : 1;
}

static void combine(struct compress_score *scores, size_t n, const struct compress_options *o) {
    double rank_max = greatest_of(scores, n, offsetof(struct compress_score, textrank));
    double tfidf_max = greatest_of(scores, n, offsetof(struct compress_score, tfidf));
    double novelty_max = greatest_of(scores, n, offsetof(struct compress_score, novelty));
    double w[4] = { fmax(0, o->textrank_weight), fmax(0, o->position_weight), fmax(0, o->tfidf_weight),
                    fmax(0, o->novelty_weight) };
    double sum = w[0] + w[1] + w[2] + w[3];
    for (size_t i = 0; i < 4; i++)
        w[i] = sum > 0 ? w[i] / sum : .25;
    for (size_t i = 0; i < n; i++) {
        struct compress_score *score = &scores[i];
        score->textrank /= rank_max;
        score->tfidf /= tfidf_max;
        score->novelty /= novelty_max;
        score->composite =
            w[0] * score->textrank + w[1] * score->position + w[2] * score->tfidf + w[3] * score->novelty;
    }
}

int compress_scores(struct arena *arena, const vsr_str *sentences, size_t n, const struct compress_options *options,
                    struct compress_score *ret_scores, struct vsr_err *err) {
    struct arena_mark mark = arena_mark(arena);
    struct corpus corpus;
    struct scratch scratch;
    double *numbers = NULL;
    VSR_ASSERT(n <= COMPRESS_SENTENCES_MAX);
    memset(ret_scores, 0, n * sizeof(*ret_scores));
    if (corpus_read(&corpus, arena, sentences, n))
        numbers = arena_try_alloc_raw(arena, (corpus.n_words + 4 * n) * sizeof(double));
    if (!numbers) {
        arena_rewind(arena, mark);
        return err_set(err, VSR_E_NOMEM, "no memory to compress the text");
    }
    scratch = (struct scratch){ numbers, numbers + corpus.n_words, numbers + corpus.n_words + n,
                                numbers + corpus.n_words + 2 * n };
    score_textrank(&corpus, &scratch, numbers + corpus.n_words + 3 * n, ret_scores);
    score_position(n, options->position_depth, ret_scores);
    score_tfidf(&corpus, ret_scores);
    score_novelty(&corpus, &scratch, ret_scores);
    combine(ret_scores, n, options);
    arena_rewind(arena, mark);
    return 0;
}

/* ---- which sentences */

/* Of `total` sentences, the one that stands at place `index` among those looked at. */
static size_t sampled(size_t index, size_t total) {
    double step = (double)(total - 2) / (COMPRESS_SENTENCES_MAX - 2);
    size_t at;
    if (total <= COMPRESS_SENTENCES_MAX || index == 0)
        return index;
    if (index == COMPRESS_SENTENCES_MAX - 1)
        return total - 1;
    at = 1 + (size_t)((double)(index - 1) * step + 0.5);
    return at < total - 2 ? at : total - 2;
}

/* Fills `sentences` with the first of them; returns how many there are. */
static size_t first_sentences(vsr_str text, vsr_str *sentences) {
    size_t n = 0;
    for (vsr_str sentence; sentence_next(&text, &sentence); n++)
        if (n < COMPRESS_SENTENCES_MAX)
            sentences[n] = sentence;
    return n;
}

/* The same with those looked at, when there are more. */
static void sample_sentences(vsr_str text, size_t total, vsr_str *sentences) {
    size_t n = 0, at = 0;
    for (vsr_str sentence; n < COMPRESS_SENTENCES_MAX && sentence_next(&text, &sentence); at++)
        if (sampled(n, total) == at)
            sentences[n++] = sentence;
}

struct choice {
    const vsr_str *sentences;
    size_t n;
    const struct compress_score *scores;
    bool *kept;
    uint64_t left; /* tokens */
};

static void keep_if_it_fits(struct choice *choice, size_t index) {
    if (choice->left == 0 || choice->kept[index] || sentence_tokens_exceed(choice->sentences[index], choice->left))
        return;
    choice->kept[index] = true;
    choice->left -= sentence_tokens(choice->sentences[index]);
}

/* Best first; on ties the earlier one. Insertion is quick enough: at most 500, once. */
static void sort_by_score(const struct choice *choice, uint32_t *order) {
    for (size_t i = 0; i < choice->n; i++) {
        size_t k = i;
        for (; k > 0 && choice->scores[order[k - 1]].composite < choice->scores[i].composite; k--)
            order[k] = order[k - 1];
        order[k] = (uint32_t)i;
    }
}

static void choose(struct choice *choice, const struct compress_options *options) {
    uint32_t order[COMPRESS_SENTENCES_MAX];
    size_t n = choice->n, last = options->preserve_last_n < n ? n - options->preserve_last_n : 0;
    for (size_t i = 0; i < n && i < options->preserve_first_n; i++)
        keep_if_it_fits(choice, i);
    for (size_t i = last; i < n; i++)
        keep_if_it_fits(choice, i);
    sort_by_score(choice, order);
    for (size_t i = 0; i < n; i++)
        keep_if_it_fits(choice, order[i]);
}

/* Kept sentences with one space between them. NULL pointer without memory. */
static vsr_str join(struct arena *arena, const struct choice *choice) {
    size_t len = 0;
    char *out;
    for (size_t i = 0; i < choice->n; i++)
        len += choice->kept[i] ? choice->sentences[i].len + 1 : 0;
    if (len == 0)
        return VSR_STR("");
    out = arena_try_alloc_raw(arena, len);
    if (!out)
        return (vsr_str){ 0 };
    len = 0;
    for (size_t i = 0; i < choice->n; i++) {
        if (!choice->kept[i])
            continue;
        if (len > 0)
            out[len++] = ' ';
        memcpy(out + len, choice->sentences[i].ptr, choice->sentences[i].len);
        len += choice->sentences[i].len;
    }
    return str_make(out, len);
}

int compress_text(struct arena *arena, vsr_str text, const struct compress_options *options, vsr_str *ret_text,
                  struct vsr_err *err) {
    vsr_str sentences[COMPRESS_SENTENCES_MAX], kept_text;
    struct compress_score scores[COMPRESS_SENTENCES_MAX];
    bool kept[COMPRESS_SENTENCES_MAX] = { false };
    struct choice choice = { .sentences = sentences, .scores = scores, .kept = kept, .left = options->max_tokens };
    size_t total;
    int rc;
    *ret_text = text;
    if (options->max_tokens == 0 || text.len <= options->min_length ||
        !sentence_tokens_exceed(text, options->max_tokens))
        return 0;
    total = first_sentences(text, sentences);
    if (total < 2)
        return 0;
    if (total > COMPRESS_SENTENCES_MAX)
        sample_sentences(text, total, sentences);
    choice.n = total < COMPRESS_SENTENCES_MAX ? total : COMPRESS_SENTENCES_MAX;
    rc = compress_scores(arena, sentences, choice.n, options, scores, err);
    if (rc < 0)
        return rc;
    choose(&choice, options);
    kept_text = join(arena, &choice);
    if (!kept_text.ptr)
        return err_set(err, VSR_E_NOMEM, "no memory to compress the text");
    if (kept_text.len > 0)
        *ret_text = kept_text;
    return 0;
}
