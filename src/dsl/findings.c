#include "dsl/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "core/utf8.h"

enum {
    MESSAGE_LEN_MAX = 2048, /* longer ones are cut: a message is read by people */
    UTF8_LEN_MAX = 4,
    NEAREST_LEN_MAX = 64, /* a longer name is not compared */
    ONE_SLIP_LEN_MAX = 5, /* letters of a word in which only one may be wrong */
    BEGUN_LEN_MIN = 4,    /* letters that stand for the word which they begin */
};

void findings_init(struct findings *findings, struct arena *arena) {
    *findings = (struct findings){ .arena = arena };
}

__attribute__((format(printf, 3, 0))) static vsr_str print(struct arena *arena, vsr_str prefix, const char *format,
                                                           va_list args) {
    char text[MESSAGE_LEN_MAX];
    size_t len = prefix.len < sizeof(text) / 2 ? prefix.len : 0;
    int more;
    if (len > 0)
        memcpy(text, prefix.ptr, len);
    more = vsnprintf(text + len, sizeof(text) - len, format, args);
    len += more > 0 ? (size_t)more : 0;
    if (len < sizeof(text))
        return arena_str(arena, str_make(text, len));
    return arena_str(arena, utf8_cut(str_make(text, sizeof(text) - 1), sizeof(text) - 1 - UTF8_LEN_MAX));
}

struct finding *finding_add(struct findings *findings, enum finding_level level, const char *code, struct dsl_at at,
                            const char *format, ...) {
    struct finding *finding;
    va_list args;
    if (findings->n_of[level]++ >= FINDINGS_MAX)
        return NULL;
    findings->items =
        arena_grow(findings->arena, findings->items, sizeof(*findings->items), findings->n, &findings->cap);
    finding = &findings->items[findings->n++];
    *finding = (struct finding){ .level = level, .code = code, .at = at, .decl = findings->decl };
    finding->arena = findings->arena;
    va_start(args, format);
    finding->message = print(findings->arena, findings->prefix, format, args);
    va_end(args);
    return finding;
}

void finding_fix(struct finding *finding, struct dsl_at at, vsr_str new_text, const char *description, ...) {
    va_list args;
    if (!finding)
        return;
    finding->fix.at = at;
    finding->fix.new_text = arena_str(finding->arena, new_text);
    va_start(args, description);
    finding->fix.description = print(finding->arena, (vsr_str){ 0 }, description, args);
    va_end(args);
}

/* ---- the nearest name */

/* False: too long to compare. */
static bool lower(vsr_str name, char out[static NEAREST_LEN_MAX], vsr_str *ret) {
    if (name.len > NEAREST_LEN_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++)
        out[i] = ascii_lower(name.ptr[i]);
    *ret = str_make(out, name.len);
    return true;
}

vsr_str findings_nearest(vsr_str found, const vsr_str *candidates, size_t n) {
    char found_bytes[NEAREST_LEN_MAX], bytes[NEAREST_LEN_MAX];
    size_t best = SIZE_MAX;
    vsr_str nearest = { 0 }, name;
    if (!lower(found, found_bytes, &found))
        return nearest;
    for (size_t i = 0; i < n; i++) {
        size_t max = candidates[i].len / 2 + 1, distance;
        if (max > best)
            max = best;
        if (!lower(candidates[i], bytes, &name))
            continue;
        distance = str_distance(found, name, max);
        if (distance > max || (distance == best && str_cmp(candidates[i], nearest) >= 0))
            continue;
        best = distance;
        nearest = candidates[i];
    }
    return nearest;
}

/* ---- the name that is surely meant */

/* Both are lower-cased. */
typedef bool alike_fn(vsr_str found, vsr_str name);

static bool is_joint(char c) {
    return c == '_' || c == '-' || c == ' ';
}

static bool is_same_word(vsr_str found, vsr_str name) {
    size_t i = 0, k = 0;
    for (;; i++, k++) {
        while (i < found.len && is_joint(found.ptr[i]))
            i++;
        while (k < name.len && is_joint(name.ptr[k]))
            k++;
        if (i == found.len || k == name.len)
            return i == found.len && k == name.len;
        if (found.ptr[i] != name.ptr[k])
            return false;
    }
}

/* Of two versions, none is meant by the other. */
static bool has_same_digits(vsr_str found, vsr_str name) {
    size_t i = 0, k = 0;
    for (;; i++, k++) {
        while (i < found.len && !ascii_is_digit(found.ptr[i]))
            i++;
        while (k < name.len && !ascii_is_digit(name.ptr[k]))
            k++;
        if (i == found.len || k == name.len)
            return i == found.len && k == name.len;
        if (found.ptr[i] != name.ptr[k])
            return false;
    }
}

/* Of one letter nothing is left when it is wrong. In linear time: what both begin and end with is taken away. */
static bool is_one_slip(vsr_str found, vsr_str name) {
    size_t first = 0, last = 0, shorter = found.len < name.len ? found.len : name.len;
    while (first < shorter && found.ptr[first] == name.ptr[first])
        first++;
    while (last < shorter - first && found.ptr[found.len - last - 1] == name.ptr[name.len - last - 1])
        last++;
    if (found.len > 1 && found.len == name.len && found.len - first - last == 2)
        return found.ptr[first] == name.ptr[first + 1] && found.ptr[first + 1] == name.ptr[first];
    return found.len > 1 && found.len - first - last <= 1 && name.len - first - last <= 1;
}

static bool is_two_slips(vsr_str found, vsr_str name) {
    return found.len > ONE_SLIP_LEN_MAX && str_distance(found, name, 2) <= 2;
}

static bool is_begun(vsr_str found, vsr_str name) {
    return str_starts(name, found);
}

static size_t count_alike(vsr_str found, const vsr_str *candidates, size_t n, alike_fn *is_alike, vsr_str *ret) {
    char found_bytes[NEAREST_LEN_MAX], bytes[NEAREST_LEN_MAX];
    size_t n_alike = 0;
    vsr_str name;
    if (!lower(found, found_bytes, &found))
        return 0;
    for (size_t i = 0; i < n; i++) {
        if (!lower(candidates[i], bytes, &name) || !is_alike(found, name))
            continue;
        *ret = candidates[i];
        n_alike++;
    }
    return n_alike;
}

bool findings_begun(vsr_str found, const vsr_str *candidates, size_t n, vsr_str *ret) {
    return found.len > 0 && count_alike(found, candidates, n, is_begun, ret) == 1;
}

vsr_str findings_suggest(vsr_str found, const vsr_str *candidates, size_t n, bool *ret_certain) {
    static alike_fn *const ways[] = { is_same_word, is_one_slip, is_two_slips };
    vsr_str meant = { 0 }, begun = { 0 };
    size_t n_meant = 0, n_begun = 0;
    for (size_t i = 0; i < VSR_COUNT(ways) && n_meant == 0; i++)
        n_meant = count_alike(found, candidates, n, ways[i], &meant);
    if (found.len >= BEGUN_LEN_MIN)
        n_begun = count_alike(found, candidates, n, is_begun, &begun);
    if (n_meant == 0) {
        n_meant = n_begun;
        meant = begun;
    }
    *ret_certain = n_meant == 1 && has_same_digits(found, meant);
    return *ret_certain ? meant : findings_nearest(found, candidates, n);
}

bool findings_may_compare(struct findings *findings, size_t n) {
    if (n > FINDINGS_COMPARED_MAX - findings->n_compared)
        return false;
    findings->n_compared += n;
    return true;
}

/* ---- order */

static int compare(const void *a, const void *b) {
    const struct finding *left = *(const struct finding *const *)a, *right = *(const struct finding *const *)b;
    if (left->at.line != right->at.line)
        return left->at.line < right->at.line ? -1 : 1;
    if (left->at.col != right->at.col)
        return left->at.col < right->at.col ? -1 : 1;
    return left < right ? -1 : left > right; /* both in the array of arrival */
}

void findings_sort(struct findings *findings) {
    struct finding **order = ARENA_ARRAY(findings->arena, struct finding *, findings->n + 1);
    struct finding *sorted = ARENA_ARRAY(findings->arena, struct finding, findings->n + 1);
    for (size_t i = 0; i < findings->n; i++)
        order[i] = &findings->items[i];
    qsort(order, findings->n, sizeof(struct finding *), compare);
    for (size_t i = 0; i < findings->n; i++)
        sorted[i] = *order[i];
    findings->items = sorted;
    findings->cap = findings->n + 1;
}

/* ---- places */

void dsl_place(vsr_str source, struct dsl_at from, uint32_t byte, uint32_t *ret_line, uint32_t *ret_col) {
    uint32_t line = from.line, col = from.col;
    size_t at = from.start;
    if (at == 0 && str_starts(source, VSR_STR("\xEF\xBB\xBF")))
        at = 3;
    for (; at < byte && at < source.len; at++) {
        if (source.ptr[at] == '\n') {
            line++;
            col = 1;
        } else {
            col += ((unsigned char)source.ptr[at] & 0xC0) != 0x80;
        }
    }
    *ret_line = line;
    *ret_col = col;
}

/* ---- JSON */

static const char *const level_names[] = { "error", "warning", "constraint", "hint" };

static void json_number(struct json_writer *w, const char *key, uint64_t value) {
    json_write_key(w, str_from_c(key));
    json_write_u64(w, value);
}

static void json_text(struct json_writer *w, const char *key, vsr_str value) {
    json_write_key(w, str_from_c(key));
    json_write_str(w, value);
}

static void json_range(struct json_writer *w, vsr_str source, struct dsl_at at) {
    uint32_t line, col;
    dsl_place(source, at, at.end, &line, &col);
    json_number(w, "line", at.line);
    json_number(w, "column", at.col);
    json_number(w, "endLine", line);
    json_number(w, "endColumn", col);
}

static void json_finding(struct json_writer *w, vsr_str source, const struct finding *finding) {
    json_write_begin_object(w);
    json_text(w, "level", str_from_c(level_names[finding->level]));
    json_text(w, "code", str_from_c(finding->code));
    json_text(w, "message", finding->message);
    json_range(w, source, finding->at);
    json_number(w, "declLine", finding->decl.line);
    json_number(w, "declColumn", finding->decl.col);
    json_write_key(w, VSR_STR("fixes"));
    json_write_begin_array(w);
    if (finding->fix.description.len) {
        json_write_begin_object(w);
        json_text(w, "description", finding->fix.description);
        json_text(w, "newText", finding->fix.new_text);
        json_write_key(w, VSR_STR("range"));
        json_write_begin_object(w);
        json_range(w, source, finding->fix.at);
        json_write_end(w);
        json_write_end(w);
    }
    json_write_end(w);
    if (finding->witness.len)
        json_text(w, "witness", finding->witness);
    if (finding->file.len)
        json_text(w, "file", finding->file);
    json_write_end(w);
}

void findings_json(const struct findings *findings, vsr_str source, bool hints, struct json_writer *w) {
    json_write_begin_array(w);
    for (size_t i = 0; i < findings->n; i++) {
        if (hints || findings->items[i].level != FINDING_HINT)
            json_finding(w, source, &findings->items[i]);
    }
    json_write_end(w);
}

/* ---- fixes */

static int compare_fixes(const void *a, const void *b) {
    const struct finding *left = *(const struct finding *const *)a, *right = *(const struct finding *const *)b;
    if (left->fix.at.start != right->fix.at.start)
        return left->fix.at.start < right->fix.at.start ? -1 : 1;
    return left < right ? -1 : left > right;
}

size_t findings_apply(const struct findings *findings, vsr_str source, struct buf *out) {
    const struct finding **order = ARENA_ARRAY(findings->arena, const struct finding *, findings->n + 1);
    size_t n = 0, done = 0, applied = 0, last_start = SIZE_MAX;
    for (size_t i = 0; i < findings->n; i++) {
        if (findings->items[i].fix.description.len && !findings->items[i].fix.doubtful &&
            findings->items[i].fix.at.end <= source.len)
            order[n++] = &findings->items[i];
    }
    qsort(order, n, sizeof(const struct finding *), compare_fixes);
    for (size_t i = 0; i < n; i++) {
        const struct finding_fix *fix = &order[i]->fix;
        if (fix->at.start < done || fix->at.start == last_start)
            continue;
        buf_append(out, str_sub(source, done, fix->at.start));
        buf_append(out, fix->new_text);
        done = fix->at.end;
        last_start = fix->at.start;
        applied++;
    }
    buf_append(out, str_sub(source, done, source.len));
    return applied;
}
