/*
 * evaluate - measures language_detect() on lines of `set <TAB> language <TAB> text` from standard input; the language
 * `-` stands for none. Prints a table; with an argument, every wrong answer instead.
 *
 * In texts of the sets that begin with "mixed" and "code", the character U+2028 stands for the end of a line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "text/language.h"

enum { LINE_LEN_MAX = 1 << 20, SETS_MAX = 32, BANDS = 5, REPEATS = 200 };

struct set {
    char name[24];
    size_t n, right, top_n, top_right;
};

struct results {
    struct set sets[SETS_MAX];
    size_t n_sets;
    struct { /* by confidence: is it the share of right answers? Of texts in one language: others have two of them */
        size_t n, right;
        double sum;
    } bands[BANDS];
    double us_of_2k; /* of the text nearest to 2 KB, median */
    size_t len_of_2k;
};

/* The twenty that most prompts are written in. */
static bool is_top(vsr_str code) {
    static const char top[] = "ar bn de en es fa fr hi id it ja ko nl pl pt ru tr ur vi zh";
    return code.len == 2 && str_find(str_from_c(top), code) >= 0;
}

static struct set *find_set(struct results *results, vsr_str name) {
    size_t i = 0;
    while (i < results->n_sets && !str_eq_c(name, results->sets[i].name))
        i++;
    if (i == SETS_MAX) {
        (void)fprintf(stderr, "more than %d sets\n", SETS_MAX);
        exit(1);
    }
    if (i == results->n_sets) {
        (void)snprintf(results->sets[i].name, sizeof(results->sets[i].name), "%.*s", VSR_FMT(name));
        results->n_sets++;
    }
    return &results->sets[i];
}

/* Replaces U+2028 (three bytes) by two spaces and a line end. */
static void end_lines(char *text) {
    for (char *at = strstr(text, "\xE2\x80\xA8"); at; at = strstr(at, "\xE2\x80\xA8"))
        memcpy(at, "  \n", 3);
}

static double now_us(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure_speed(struct results *results, vsr_str text) {
    double times[REPEATS];
    struct language_guess guess;
    for (int i = 0; i < REPEATS; i++) {
        double start = now_us();
        language_detect(text, &guess);
        times[i] = now_us() - start;
    }
    qsort(times, REPEATS, sizeof(times[0]), compare);
    results->us_of_2k = times[REPEATS / 2];
    results->len_of_2k = text.len;
}

static void count(struct results *results, struct set *set, vsr_str want, const struct language_guess *guess, bool list,
                  vsr_str text) {
    vsr_str got = guess->language == LANGUAGE_NONE ? VSR_STR("-") : language_code(guess->language);
    bool right = str_eq(got, want);
    set->n++;
    set->right += right;
    if (is_top(want)) {
        set->top_n++;
        set->top_right += right;
    }
    if (guess->language != LANGUAGE_NONE && !str_eq_c(want, "-") && strncmp(set->name, "mixed", 5) != 0) {
        int band = (int)(guess->confidence * BANDS);
        band = band < BANDS ? band : BANDS - 1;
        results->bands[band].n++;
        results->bands[band].right += right;
        results->bands[band].sum += guess->confidence;
    }
    if (list && !right)
        printf("%s\t%.*s\t%.*s\t%.3f\t%.*s\n", set->name, VSR_FMT(want), VSR_FMT(got), guess->confidence,
               VSR_FMT(text));
}

static double percent(size_t part, size_t whole) {
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void print_results(const struct results *results) {
    printf("| set | texts | right | of the top 20 | right |\n|---|---:|---:|---:|---:|\n");
    for (size_t i = 0; i < results->n_sets; i++) {
        const struct set *set = &results->sets[i];
        printf("| %s | %zu | %.1f %% | %zu | %.1f %% |\n", set->name, set->n, percent(set->right, set->n), set->top_n,
               percent(set->top_right, set->top_n));
    }
    printf("\n| confidence, mean | answers | right |\n|---:|---:|---:|\n");
    for (int i = 0; i < BANDS; i++)
        if (results->bands[i].n > 0)
            printf("| %.2f | %zu | %.1f %% |\n", results->bands[i].sum / (double)results->bands[i].n,
                   results->bands[i].n, percent(results->bands[i].right, results->bands[i].n));
    printf("\n%.0f us for %zu bytes (median of %d)\n", results->us_of_2k, results->len_of_2k, REPEATS);
}

int main(int argc, char **argv __attribute__((unused))) {
    static char line[LINE_LEN_MAX];
    struct results results = { 0 };
    while (fgets(line, sizeof(line), stdin)) {
        vsr_str rest = (end_lines(line), str_trim(str_from_c(line)));
        struct set *set = find_set(&results, str_split(&rest, '\t'));
        vsr_str want = str_split(&rest, '\t');
        struct language_guess guess;
        language_detect(rest, &guess);
        count(&results, set, want, &guess, argc > 1, rest);
        if (rest.len >= 1900 && rest.len <= 2048 && rest.len > results.len_of_2k && strcmp(set->name, "long") == 0)
            measure_speed(&results, rest);
    }
    if (argc == 1)
        print_results(&results);
    return 0;
}
