#include "cli/options.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "core/assert.h"

enum { OPTION_DISTANCE_MAX = 3 }; /* a name further away is no typing mistake */

/* ---- values */

static bool number_read(const char *text, uint64_t *ret_value) {
    return str_to_u64(str_from_c(text), ret_value);
}

static bool decimal_read(const char *text, double *ret_value) {
    char *end;
    double value;
    /* strtod also takes blanks, hexadecimal numbers, "inf" and "nan". */
    if (text[0] == 0 || strspn(text, "0123456789.eE+-") != strlen(text))
        return false;
    errno = 0;
    value = strtod(text, &end);
    if (*end != 0 || errno == ERANGE || !isfinite(value))
        return false;
    *ret_value = value;
    return true;
}

static void words_join(const char *const *words, char *out, size_t len) {
    size_t used = 0;
    out[0] = 0;
    for (size_t i = 0; words[i] && used < len; i++) {
        int n = snprintf(out + used, len - used, "%s%s", i == 0 ? "" : words[i + 1] ? ", " : " or ", words[i]);
        used += n > 0 ? (size_t)n : 0;
    }
}

static int word_check(const struct option_spec *spec, const char *shown, const char *value, struct vsr_err *err) {
    char all[160];
    for (size_t i = 0; spec->words[i]; i++)
        if (strcmp(spec->words[i], value) == 0)
            return 0;
    words_join(spec->words, all, sizeof(all));
    return err_set(err, VSR_E_INVALID, "%s must be %s, not \"%s\"", shown, all, value);
}

/* `shown` is how the message calls the place the value came from: `--workers`, `-w`, `VSR_WORKERS`. */
static int value_check(const struct option_spec *spec, const char *shown, const char *value, struct vsr_err *err) {
    uint64_t number = 0;
    double decimal = 0;
    switch (spec->kind) {
    case OPTION_FLAG:
        return 0;
    case OPTION_TEXT:
        return spec->words ? word_check(spec, shown, value, err) : 0;
    case OPTION_NUMBER:
        if (number_read(value, &number) && number >= spec->least && number <= spec->greatest)
            return 0;
        return err_set(err, VSR_E_INVALID, "%s must be a whole number from %llu to %llu, not \"%s\"", shown,
                       (unsigned long long)spec->least, (unsigned long long)spec->greatest, value);
    case OPTION_DECIMAL:
        if (decimal_read(value, &decimal) && decimal >= (double)spec->least && decimal <= (double)spec->greatest)
            return 0;
        return err_set(err, VSR_E_INVALID, "%s must be a number from %llu to %llu, not \"%s\"", shown,
                       (unsigned long long)spec->least, (unsigned long long)spec->greatest, value);
    }
    return 0;
}

/* ---- names */

static size_t spec_by_name(const struct options *options, vsr_str name) {
    for (size_t i = 0; i < options->n_specs; i++)
        if (str_eq_c(name, options->specs[i].name))
            return i;
    return SIZE_MAX;
}

static size_t spec_by_letter(const struct options *options, char letter) {
    for (size_t i = 0; i < options->n_specs; i++)
        if (options->specs[i].letter == letter)
            return i;
    return SIZE_MAX;
}

static int unknown_option(const struct options *options, vsr_str name, struct vsr_err *err) {
    const char *nearest = NULL;
    size_t best = OPTION_DISTANCE_MAX + 1;
    for (size_t i = 0; i < options->n_specs; i++) {
        size_t distance = str_distance(name, str_from_c(options->specs[i].name), OPTION_DISTANCE_MAX);
        /* Three edits turn any three letters into any others: a suggestion must keep at least half of the name. */
        if (distance < best && distance * 2 <= name.len) {
            best = distance;
            nearest = options->specs[i].name;
        }
    }
    if (nearest)
        return err_set(err, VSR_E_INVALID, "unknown option \"--%.*s\"; did you mean \"--%s\"?", VSR_FMT(name), nearest);
    return err_set(err, VSR_E_INVALID, "unknown option \"--%.*s\"", VSR_FMT(name));
}

/* ---- the command line */

struct reader {
    struct options *options;
    int argc;
    char **argv;
    int next; /* argument to read */
    struct vsr_err *err;
};

static int give(struct reader *reader, size_t index, const char *shown, const char *value) {
    struct options *options = reader->options;
    int rc = value ? value_check(&options->specs[index], shown, value, reader->err) : 0;
    if (rc < 0)
        return rc;
    if (options->n_given == OPTIONS_GIVEN_MAX)
        return err_set(reader->err, VSR_E_LIMIT, "more than %d options", OPTIONS_GIVEN_MAX);
    options->given[options->n_given++] = (struct option_given){ index, value };
    return 0;
}

/* The value of an option that came without `=`: the next argument. */
static int give_next(struct reader *reader, size_t index, const char *shown) {
    const struct option_spec *spec = &reader->options->specs[index];
    if (spec->kind == OPTION_FLAG || (spec->flags & OPTION_MAYBE))
        return give(reader, index, shown, NULL);
    if (reader->next == reader->argc)
        return err_set(reader->err, VSR_E_INVALID, "%s needs a value: %s", shown, spec->argument);
    return give(reader, index, shown, reader->argv[reader->next++]);
}

static int read_long(struct reader *reader, const char *arg) {
    char shown[64];
    vsr_str rest = str_from_c(arg + 2), name = str_split(&rest, '=');
    size_t index = spec_by_name(reader->options, name);
    if (index == SIZE_MAX)
        return unknown_option(reader->options, name, reader->err);
    (void)snprintf(shown, sizeof(shown), "--%s", reader->options->specs[index].name);
    if (!rest.ptr)
        return give_next(reader, index, shown);
    if (reader->options->specs[index].kind == OPTION_FLAG)
        return err_set(reader->err, VSR_E_INVALID, "%s takes no value", shown);
    return give(reader, index, shown, rest.ptr);
}

static int read_short(struct reader *reader, const char *arg) {
    for (const char *at = arg + 1; *at; at++) {
        const char shown[] = { '-', *at, 0 };
        size_t index = spec_by_letter(reader->options, *at);
        int rc;
        if (index == SIZE_MAX)
            return err_set(reader->err, VSR_E_INVALID, "unknown option \"-%c\"", *at);
        if (reader->options->specs[index].kind != OPTION_FLAG && at[1])
            return give(reader, index, shown, at[1] == '=' ? at + 2 : at + 1);
        rc = give_next(reader, index, shown);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int environment_check(const struct options *options, struct vsr_err *err) {
    for (size_t i = 0; i < options->n_specs; i++) {
        const struct option_spec *spec = &options->specs[i];
        const char *value = spec->env ? getenv(spec->env) : NULL;
        int rc = value && *value && !options_has(options, spec->name) ? value_check(spec, spec->env, value, err) : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

int options_parse(const struct option_spec *specs, size_t n_specs, int argc, char **argv, struct options *ret_options,
                  struct vsr_err *err) {
    struct reader reader = { .options = ret_options, .argc = argc, .argv = argv, .err = err };
    bool only_operands = false;
    VSR_ASSERT(n_specs <= OPTIONS_TABLE_MAX);
    ret_options->specs = specs;
    ret_options->n_specs = n_specs;
    ret_options->n_given = 0;
    ret_options->operands = argv;
    ret_options->n_operands = 0;
    while (reader.next < argc) {
        char *arg = argv[reader.next++];
        int rc = 0;
        if (only_operands || arg[0] != '-' || arg[1] == 0)
            ret_options->operands[ret_options->n_operands++] = arg; /* never overtakes what is read */
        else if (strcmp(arg, "--") == 0)
            only_operands = true;
        else
            rc = arg[1] == '-' ? read_long(&reader, arg) : read_short(&reader, arg);
        if (rc < 0)
            return rc;
    }
    return environment_check(ret_options, err);
}

/* ---- answers */

static size_t spec_index(const struct options *options, const char *name) {
    size_t index = spec_by_name(options, str_from_c(name));
    VSR_ASSERT(index != SIZE_MAX);
    return index;
}

bool options_knows(const struct options *options, const char *name) {
    for (size_t i = 0; i < options->n_specs; i++)
        if (strcmp(options->specs[i].name, name) == 0)
            return true;
    return false;
}

bool options_has(const struct options *options, const char *name) {
    size_t index = spec_index(options, name);
    for (size_t i = 0; i < options->n_given; i++)
        if (options->given[i].spec == index)
            return true;
    return false;
}

/* The value when the command line has none. An empty variable counts as unset, as in `VSR_X= vsr serve`. */
static const char *stand_in(const struct option_spec *spec) {
    const char *value = spec->env ? getenv(spec->env) : NULL;
    return value && *value ? value : spec->fallback;
}

const char *options_text(const struct options *options, const char *name) {
    size_t index = spec_index(options, name);
    for (size_t i = options->n_given; i-- > 0;)
        if (options->given[i].spec == index && options->given[i].value)
            return options->given[i].value;
    return stand_in(&options->specs[index]);
}

uint64_t options_number(const struct options *options, const char *name) {
    const char *text = options_text(options, name);
    uint64_t value = 0;
    if (text)
        VSR_ASSERT(number_read(text, &value));
    return value;
}

double options_decimal(const struct options *options, const char *name) {
    const char *text = options_text(options, name);
    double value = 0;
    if (text)
        VSR_ASSERT(decimal_read(text, &value));
    return value;
}

size_t options_count(const struct options *options, const char *name) {
    size_t index = spec_index(options, name), n = 0;
    for (size_t i = 0; i < options->n_given; i++)
        n += options->given[i].spec == index;
    return n > 0 ? n : stand_in(&options->specs[index]) != NULL;
}

const char *options_nth(const struct options *options, const char *name, size_t nth) {
    size_t index = spec_index(options, name);
    if (!options_has(options, name))
        return nth == 0 ? stand_in(&options->specs[index]) : NULL;
    for (size_t i = 0; i < options->n_given; i++)
        if (options->given[i].spec == index && nth-- == 0)
            return options->given[i].value;
    return NULL;
}
