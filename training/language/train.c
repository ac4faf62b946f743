/*
 * train - makes models/language/language.bin from lines of `set <TAB> language <TAB> text`.
 *
 *     train_language TRAIN.tsv OUT.bin [tune]      tune: leaves out the rows whose set begins with "tune-"
 *
 * Multinomial logistic regression on a sum of n-gram vectors (the model of language_model.h), fitted by stochastic
 * gradient descent over whole rows and random runs of one to five of their words, so that it learns short texts, too. A
 * third of the n-grams is left out at random each time, which makes the model lean on all of them. Heads of one script
 * compete only with each other. One thread and a fixed seed: the same rows give the same file, on one machine.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "text/language_model.h"

enum {
    BUCKETS = 62000, /* 2 MB of vectors */
    EPOCHS = 40,
    WORDS_MAX = 60, /* of one row at a time; n-grams beyond about N_MAX count like their mean */
    RUN_WORDS_MAX = 5,
    GROUP_ROWS_MIN = 100, /* of a language in a script, to be one of that script's */
    LINE_LEN_MAX = 1 << 20,
};
#define RATE 0.2
#define DROP 0.3
#define EXPONENT 0.7
#define N_MAX 1500.0
#define SHARE_RUNS 0.3 /* of the visits that are to whole rows */
/*
 * The fitted model is too sure of single words, which n-grams that go together make look like more evidence than they
 * are, and hardly sure enough of whole texts. These replace the scale and EXPONENT in the file; fitted to the rows kept
 * for tuning and to runs of their words, so that confidence is the share of right answers. What is likeliest stays.
 */
#define CALIBRATED_SCALE 0.36
#define CALIBRATED_EXPONENT 0.5

struct row {
    enum language language;
    enum language_group group;
    size_t first_word, n_words;
};

struct word {
    size_t first;
    uint32_t n;
};

struct corpus {
    struct row *rows;
    size_t n_rows, cap_rows;
    struct word *words;
    size_t n_words, cap_words;
    uint32_t *buckets;
    size_t n_buckets, cap_buckets;
    size_t counts[LANGUAGE_GROUPS][LANGUAGE_COUNT];
};

struct net {
    float (*vectors)[LANGUAGE_DIMS];
    float heads[LANGUAGE_GROUPS][LANGUAGE_COUNT][LANGUAGE_DIMS];
    enum language members[LANGUAGE_GROUPS][LANGUAGE_COUNT];
    size_t n_members[LANGUAGE_GROUPS];
};

static void *grow(void *items, size_t size, size_t n, size_t *cap) {
    if (n < *cap)
        return items;
    *cap = *cap ? *cap * 2 : 1 << 16;
    items = realloc(items, size * *cap);
    if (!items)
        abort();
    return items;
}

/* xorshift64: enough for shuffling, and the same everywhere. */
static uint32_t chance(void) {
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32);
}

static double chance_share(void) {
    return chance() / 4294967296.0;
}

/* ---- reading */

static void add_word(struct corpus *corpus, const struct language_word *word) {
    uint32_t hashes[LANGUAGE_NGRAMS_MAX];
    size_t n = language_ngrams(word, hashes);
    corpus->words = grow(corpus->words, sizeof(*corpus->words), corpus->n_words, &corpus->cap_words);
    corpus->words[corpus->n_words++] = (struct word){ corpus->n_buckets, (uint32_t)n };
    for (size_t i = 0; i < n; i++) {
        corpus->buckets = grow(corpus->buckets, sizeof(*corpus->buckets), corpus->n_buckets, &corpus->cap_buckets);
        corpus->buckets[corpus->n_buckets++] = language_bucket(hashes[i], BUCKETS);
    }
}

/* The shared script that most letters are of; NONE: none, or most are of a script that decides alone. */
static enum language_group main_group(vsr_str text) {
    size_t letters[LANGUAGE_GROUPS + 1] = { 0 };
    size_t best = LANGUAGE_GROUPS;
    struct language_reader reader;
    struct language_word word;
    enum language_token token;
    language_reader_init(&reader, text, text.len);
    while ((token = language_read(&reader, &word)) != LANGUAGE_TOKEN_END) {
        enum language_group group = token == LANGUAGE_TOKEN_WORD ? language_group_of(word.script) : GROUP_NONE;
        if (token == LANGUAGE_TOKEN_WORD)
            letters[group == GROUP_NONE ? LANGUAGE_GROUPS : group] += word.n_letters;
    }
    for (size_t i = 0; i < LANGUAGE_GROUPS; i++)
        if (letters[i] > letters[best])
            best = i;
    return best == LANGUAGE_GROUPS ? GROUP_NONE : (enum language_group)best;
}

static void add_row(struct corpus *corpus, enum language language, vsr_str text) {
    struct row row = { .language = language, .group = main_group(text), .first_word = corpus->n_words };
    struct language_reader reader;
    struct language_word word;
    enum language_token token;
    if (row.group == GROUP_NONE)
        return;
    language_reader_init(&reader, text, text.len);
    while ((token = language_read(&reader, &word)) != LANGUAGE_TOKEN_END)
        if (token == LANGUAGE_TOKEN_WORD && language_group_of(word.script) == row.group)
            add_word(corpus, &word);
    row.n_words = corpus->n_words - row.first_word;
    corpus->rows = grow(corpus->rows, sizeof(*corpus->rows), corpus->n_rows, &corpus->cap_rows);
    corpus->rows[corpus->n_rows++] = row;
    corpus->counts[row.group][language]++;
}

static void read_corpus(struct corpus *corpus, const char *path, bool tuning) {
    static char line[LINE_LEN_MAX];
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        exit(1);
    }
    while (fgets(line, sizeof(line), file)) {
        vsr_str rest = str_trim(str_from_c(line));
        vsr_str set = str_split(&rest, '\t');
        enum language language = language_find(str_split(&rest, '\t'));
        if (language != LANGUAGE_NONE && !(tuning && str_starts(set, VSR_STR("tune-"))))
            add_row(corpus, language, rest);
    }
    (void)fclose(file); /* read only */
}

/* ---- fitting */

static void net_init(struct net *net, const struct corpus *corpus) {
    *net = (struct net){ .vectors = malloc(sizeof(*net->vectors) * BUCKETS) };
    if (!net->vectors)
        abort();
    for (size_t i = 0; i < BUCKETS; i++)
        for (int d = 0; d < LANGUAGE_DIMS; d++)
            net->vectors[i][d] = (float)((chance_share() - 0.5) * 2 / LANGUAGE_DIMS);
    for (size_t g = 0; g < LANGUAGE_GROUPS; g++)
        for (int l = 0; l < LANGUAGE_COUNT; l++)
            if (corpus->counts[g][l] >= GROUP_ROWS_MIN)
                net->members[g][net->n_members[g]++] = (enum language)l;
}

static float sum_scale(size_t n) {
    struct language_model_header header = { .scale = 1, .exponent = EXPONENT, .n_max = N_MAX };
    return (float)language_sum_scale(&header, n);
}

/* Writes the gradient of each score to `slopes`; returns the loss. */
static double softmax(const struct net *net, const struct row *row, const float *sum, float *slopes) {
    size_t n = net->n_members[row->group];
    float most = -INFINITY, total = 0;
    double loss = 0;
    for (size_t i = 0; i < n; i++) {
        const float *head = net->heads[row->group][net->members[row->group][i]];
        slopes[i] = 0;
        for (int d = 0; d < LANGUAGE_DIMS; d++)
            slopes[i] += head[d] * sum[d];
        most = fmaxf(most, slopes[i]);
    }
    for (size_t i = 0; i < n; i++)
        total += slopes[i] = expf(slopes[i] - most);
    for (size_t i = 0; i < n; i++) {
        float p = slopes[i] / total;
        bool right = net->members[row->group][i] == row->language;
        if (right)
            loss = -log((double)p + 1e-9);
        slopes[i] = (right ? 1 : 0) - p;
    }
    return loss;
}

/* One step on the words [first, first + n). */
static double learn(struct net *net, const struct corpus *corpus, const struct row *row, size_t first, size_t n,
                    float rate) {
    static uint32_t used[WORDS_MAX * LANGUAGE_NGRAMS_MAX];
    float sum[LANGUAGE_DIMS] = { 0 }, back[LANGUAGE_DIMS] = { 0 }, slopes[LANGUAGE_COUNT], scale;
    size_t n_used = 0;
    double loss;
    for (size_t w = first; w < first + n; w++)
        for (uint32_t k = 0; k < corpus->words[w].n; k++)
            if (chance_share() >= DROP)
                used[n_used++] = corpus->buckets[corpus->words[w].first + k];
    if (n_used == 0)
        return 0;
    for (size_t i = 0; i < n_used; i++)
        for (int d = 0; d < LANGUAGE_DIMS; d++)
            sum[d] += net->vectors[used[i]][d];
    scale = sum_scale(n_used);
    for (int d = 0; d < LANGUAGE_DIMS; d++)
        sum[d] *= scale;
    loss = softmax(net, row, sum, slopes);
    for (size_t i = 0; i < net->n_members[row->group]; i++) {
        float *head = net->heads[row->group][net->members[row->group][i]];
        float step = rate * slopes[i];
        for (int d = 0; d < LANGUAGE_DIMS; d++) {
            back[d] += step * head[d];
            head[d] += step * sum[d];
        }
    }
    for (size_t i = 0; i < n_used; i++)
        for (int d = 0; d < LANGUAGE_DIMS; d++)
            net->vectors[used[i]][d] += back[d] * scale;
    return loss;
}

/* Visits a row: whole, or a run of its words. */
static double visit(struct net *net, const struct corpus *corpus, const struct row *row, bool whole, float rate) {
    size_t first = row->first_word, n = row->n_words;
    if (!whole || chance_share() < SHARE_RUNS) {
        size_t len = 1 + chance() % RUN_WORDS_MAX;
        if (!whole && len > 2)
            len = 1 + chance() % 3;
        if (len < n) {
            first += chance() % (n - len + 1);
            n = len;
        }
    }
    if (n > WORDS_MAX) {
        first += chance() % (n - WORDS_MAX + 1);
        n = WORDS_MAX;
    }
    return learn(net, corpus, row, first, n, rate);
}

static void fit(struct net *net, const struct corpus *corpus) {
    size_t *order = malloc(sizeof(*order) * corpus->n_rows), steps = 0, total = (size_t)EPOCHS * 2 * corpus->n_rows;
    if (!order)
        abort();
    for (size_t i = 0; i < corpus->n_rows; i++)
        order[i] = i;
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        double loss = 0;
        for (size_t i = corpus->n_rows - 1; i > 0; i--) {
            size_t other = chance() % (i + 1), kept = order[i];
            order[i] = order[other];
            order[other] = kept;
        }
        for (size_t i = 0; i < 2 * corpus->n_rows; i++, steps++) {
            const struct row *row = &corpus->rows[order[i % corpus->n_rows]];
            if (corpus->counts[row->group][row->language] >= GROUP_ROWS_MIN)
                loss +=
                    visit(net, corpus, row, i < corpus->n_rows, (float)(RATE * (1 - (double)steps / (double)total)));
        }
        if (epoch % 10 == 9)
            printf("epoch %d: loss %.4f\n", epoch + 1, loss / (double)(2 * corpus->n_rows));
    }
    free(order);
}

/* ---- writing */

static float most_of(const float *values, size_t n) {
    float most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmaxf(most, fabsf(values[i]));
    return most;
}

static void write_all(FILE *file, const void *bytes, size_t len) {
    if (fwrite(bytes, 1, len, file) != len) {
        perror("write");
        exit(1);
    }
}

static void write_model(const struct net *net, const char *path) {
    double vector_step = most_of(&net->vectors[0][0], (size_t)BUCKETS * LANGUAGE_DIMS) / 127;
    double head_step = most_of(&net->heads[0][0][0], sizeof(net->heads) / sizeof(float)) / 32767;
    struct language_model_header header = { .magic = LANGUAGE_MODEL_MAGIC,
                                            .n_dims = LANGUAGE_DIMS,
                                            .n_buckets = BUCKETS,
                                            .scale = vector_step * head_step * CALIBRATED_SCALE,
                                            .exponent = CALIBRATED_EXPONENT,
                                            .n_max = N_MAX };
    static const char zeros[64];
    FILE *file = fopen(path, "w");
    if (!file) {
        perror(path);
        exit(1);
    }
    for (size_t g = 0; g < LANGUAGE_GROUPS; g++)
        header.n_heads += (uint32_t)net->n_members[g];
    write_all(file, &header, sizeof(header));
    for (size_t g = 0; g < LANGUAGE_GROUPS; g++)
        for (size_t i = 0; i < net->n_members[g]; i++) {
            enum language language = net->members[g][i];
            struct language_head head = { .group = (uint8_t)g, .language = (uint8_t)language };
            memcpy(head.code, language_code(language).ptr, sizeof(head.code));
            for (int d = 0; d < LANGUAGE_DIMS; d++)
                head.weights[d] = (int16_t)lround(net->heads[g][language][d] / head_step);
            write_all(file, &head, sizeof(head));
        }
    write_all(file, zeros,
              language_vectors_at(header.n_heads) - sizeof(header) - header.n_heads * sizeof(struct language_head));
    for (size_t i = 0; i < BUCKETS; i++) {
        uint8_t vector[LANGUAGE_DIMS];
        for (int d = 0; d < LANGUAGE_DIMS; d++)
            vector[d] = (uint8_t)(LANGUAGE_VECTOR_ZERO + lround(net->vectors[i][d] / vector_step));
        write_all(file, vector, sizeof(vector));
    }
    if (fclose(file) != 0) {
        perror(path);
        exit(1);
    }
    printf("%s: %u heads, %d buckets, step %.4f\n", path, header.n_heads, BUCKETS, vector_step);
}

int main(int argc, char **argv) {
    struct corpus corpus = { 0 };
    static struct net net;
    if (argc < 3) {
        (void)fprintf(stderr, "usage: train_language TRAIN.tsv OUT.bin [tune]\n");
        return 2;
    }
    read_corpus(&corpus, argv[1], argc > 3);
    printf("%zu rows, %zu words, %zu n-grams\n", corpus.n_rows, corpus.n_words, corpus.n_buckets);
    net_init(&net, &corpus);
    fit(&net, &corpus);
    write_model(&net, argv[2]);
    free(net.vectors);
    free(corpus.rows);
    free(corpus.words);
    free(corpus.buckets);
    return 0;
}
