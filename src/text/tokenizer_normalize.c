#include "text/tokenizer_normalize.h"

#include <utf8proc.h>

#include "core/arena.h"
#include "core/utf8.h"
#include "text/tokenizer_work.h"
#include "text/unicode.h"

enum { CLUSTER_LEN_MAX = 6 }; /* bytes from which on a grapheme cluster is looked up character by character */

uint32_t byte_alphabet(uint8_t byte) {
    uint32_t n = 256;
    if ((byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174)
        return byte;
    for (unsigned b = 0; b < byte; b++)
        n += !((b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174);
    return n;
}

void write_byte_alphabet(struct tokenizer_work *work, struct token_out *out, const struct token_text *text,
                         size_t start, size_t end) {
    for (size_t i = start; i < end; i++)
        token_out_char(work, out,
                       (struct token_char){ byte_alphabet((uint8_t)text->ptr[i]), token_text_start(text, i),
                                            token_text_end(text, i) });
}

static bool is_category(uint32_t cp, utf8proc_category_t first, utf8proc_category_t last) {
    utf8proc_category_t category = cp < 0x80 ? UTF8PROC_CATEGORY_CN : utf8proc_category((utf8proc_int32_t)cp);
    return category >= first && category <= last;
}

/* BERT's clean_text: what it deletes. */
static bool is_cleaned(uint32_t cp) {
    if (cp < 0x80)
        return (cp < 0x20 && cp != '\t' && cp != '\n' && cp != '\r') || cp == 0x7F;
    return cp == 0xFFFD || is_category(cp, UTF8PROC_CATEGORY_CC, UTF8PROC_CATEGORY_CF) ||
           is_category(cp, UTF8PROC_CATEGORY_CO, UTF8PROC_CATEGORY_CO);
}

/* The published library begins Extension E at 2B920. */
static bool is_chinese(uint32_t cp) {
    return (cp >= 0x4E00 && cp <= 0x9FFF) || (cp >= 0x3400 && cp <= 0x4DBF) || (cp >= 0x20000 && cp <= 0x2A6DF) ||
           (cp >= 0x2A700 && cp <= 0x2B73F) || (cp >= 0x2B740 && cp <= 0x2B81F) || (cp >= 0x2B920 && cp <= 0x2CEAF) ||
           (cp >= 0xF900 && cp <= 0xFAFF) || (cp >= 0x2F800 && cp <= 0x2FA1F);
}

static bool is_nmt_dropped(uint32_t cp) {
    return (cp >= 1 && cp <= 8) || cp == 0xB || (cp >= 0xE && cp <= 0x1F) || cp == 0x7F || cp == 0x8F || cp == 0x9F;
}

static bool is_nmt_space(uint32_t cp) {
    return cp == 9 || cp == 0xA || cp == 0xC || cp == 0xD || cp == 0x1680 || (cp >= 0x200B && cp <= 0x200F) ||
           cp == 0x2028 || cp == 0x2029 || cp == 0x2581 || cp == 0xFEFF || cp == 0xFFFD;
}

/* What one code point becomes under the steps that look at one alone; `parts` are 0 to 3. */
static size_t map_char(enum normal_step_kind kind, uint32_t cp, uint32_t parts[static 3]) {
    parts[0] = cp;
    switch (kind) {
    case NORMAL_STEP_LOWER:
        if (cp == 0x130) { /* the only one with two letters */
            parts[0] = 'i';
            parts[1] = 0x307;
            return 2;
        }
        parts[0] = unicode_lower(cp);
        return 1;
    case NORMAL_STEP_STRIP_MARKS:
        return !is_category(cp, UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_ME);
    case NORMAL_STEP_STRIP_NONSPACING:
        return !is_category(cp, UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_MN);
    case NORMAL_STEP_CLEAN:
        if (is_cleaned(cp))
            return 0;
        parts[0] = unicode_is_space(cp) ? ' ' : cp;
        return 1;
    case NORMAL_STEP_CHINESE:
        if (!is_chinese(cp))
            return 1;
        parts[0] = parts[2] = ' ';
        parts[1] = cp;
        return 3;
    case NORMAL_STEP_NMT:
        if (is_nmt_dropped(cp))
            return 0;
        parts[0] = is_nmt_space(cp) ? ' ' : cp;
        return 1;
    default:
        return 1;
    }
}
_Static_assert(UTF8PROC_CATEGORY_MN + 2 == UTF8PROC_CATEGORY_ME, "the marks are neighbours");
_Static_assert(UTF8PROC_CATEGORY_CC + 1 == UTF8PROC_CATEGORY_CF, "Cc and Cf are neighbours");

static bool is_char_step(enum normal_step_kind kind) {
    return kind == NORMAL_STEP_LOWER || kind == NORMAL_STEP_STRIP_MARKS || kind == NORMAL_STEP_STRIP_NONSPACING ||
           kind == NORMAL_STEP_CLEAN || kind == NORMAL_STEP_CHINESE || kind == NORMAL_STEP_NMT;
}

/* What the step does to one ASCII character; false when it may look beyond it. */
static bool map_ascii(const struct normal_step *step, uint8_t c, uint8_t *ret) {
    uint32_t parts[3];
    if (step->kind == NORMAL_STEP_FORM) {
        *ret = c;
        return true;
    }
    if (step->kind == NORMAL_STEP_REPLACE && step->pattern->kind == PATTERN_LITERAL &&
        step->pattern->literal.len == 1 && step->content.len == 1 && (uint8_t)step->content.ptr[0] < 0x80) {
        *ret = c == (uint8_t)step->pattern->literal.ptr[0] ? (uint8_t)step->content.ptr[0] : c;
        return true;
    }
    if (!is_char_step(step->kind))
        return false;
    *ret = map_char(step->kind, c, parts) ? (uint8_t)parts[0] : NORMALIZER_DROP;
    return true;
}

void normalizer_init(struct normalizer *normalizer) {
    *normalizer = (struct normalizer){ .maps_ascii = true };
    for (unsigned c = 0; c < 128; c++)
        normalizer->ascii[c] = (uint8_t)c;
}

bool normalizer_add(struct normalizer *normalizer, struct arena *arena, struct normal_step step) {
    if (normalizer->n_steps == NORMALIZER_STEPS_MAX)
        return false;
    normalizer->steps = arena_grow(arena, normalizer->steps, sizeof(step), normalizer->n_steps, &normalizer->cap);
    normalizer->steps[normalizer->n_steps++] = step;
    for (unsigned c = 0; c < 128 && normalizer->maps_ascii; c++)
        if (normalizer->ascii[c] != NORMALIZER_DROP)
            normalizer->maps_ascii = map_ascii(&step, normalizer->ascii[c], &normalizer->ascii[c]);
    for (unsigned c = 0; c < 128; c++)
        normalizer->changes_ascii |= normalizer->ascii[c] != c;
    return true;
}

/* An ASCII text of which nothing vanishes keeps its places. False: the steps have to be taken one by one. */
static bool run_ascii(const struct normalizer *normalizer, struct tokenizer_work *work, struct token_text *text) {
    uint8_t differs = 0, high = 0;
    struct token_out *out;
    if (!normalizer->maps_ascii || text->starts || !unicode_is_ascii(str_make(text->ptr, text->len)))
        return false;
    out = token_out_next(work);
    if (!token_out_reserve(work, out, text->len))
        return true;
    for (size_t i = 0; i < text->len; i++) {
        uint8_t c = (uint8_t)text->ptr[i], mapped = normalizer->ascii[c];
        out->ptr[i] = (char)mapped;
        differs |= c ^ mapped;
        high |= mapped;
    }
    if (high & 0x80)
        return false;
    if (differs)
        text->ptr = out->ptr;
    return true;
}

/* Start of the first code point that the step changes, or the end. */
static size_t first_change(const struct normal_step *step, const struct token_text *text) {
    for (size_t pos = 0; pos < text->len;) {
        size_t at = pos;
        uint32_t parts[3], cp = token_decode(text->ptr, &pos);
        if (map_char(step->kind, cp, parts) != 1 || parts[0] != cp)
            return at;
    }
    return text->len;
}

static void run_chars(const struct normal_step *step, struct tokenizer_work *work, struct token_text *text) {
    size_t from = first_change(step, text);
    struct token_out *out;
    if (from == text->len)
        return;
    out = token_out_next(work);
    token_out_copy(work, out, text, 0, from);
    for (size_t pos = from; pos < text->len;) {
        size_t at = pos;
        uint32_t parts[3], cp = token_decode(text->ptr, &pos), start, end;
        size_t n = map_char(step->kind, cp, parts);
        if (!n)
            continue;
        start = token_text_start(text, at);
        end = token_text_end(text, pos - 1);
        for (size_t i = 0; i < n; i++)
            token_out_char(work, out, (struct token_char){ parts[i], start, end });
    }
    *text = token_out_text(out);
}

static void run_strip(const struct normal_step *step, struct token_text *text) {
    size_t start = 0, end = text->len;
    while (step->left && start < end) {
        size_t next = start;
        if (!unicode_is_space(token_decode(text->ptr, &next)))
            break;
        start = next;
    }
    while (step->right && end > start) {
        size_t at = end, next;
        do
            at--;
        while (((uint8_t)text->ptr[at] & 0xC0) == 0x80);
        next = at;
        if (!unicode_is_space(token_decode(text->ptr, &next)))
            break;
        end = at;
    }
    *text = token_text_sub(text, start, end);
}

static void run_replace(const struct normal_step *step, struct tokenizer_work *work, struct token_text *text) {
    vsr_str bytes = str_make(text->ptr, text->len);
    size_t start, end, from = 0;
    struct token_out *out;
    if (!token_pattern_find(step->pattern, bytes, 0, &start, &end))
        return;
    out = token_out_next(work);
    (void)token_out_reserve(work, out, text->len + text->len / 2);
    do {
        token_out_copy(work, out, text, from, start);
        token_out_bytes(work, out, step->content, token_text_start(text, end - 1), token_text_end(text, end - 1));
        from = end;
    } while (!work->failed && token_pattern_find(step->pattern, bytes, from, &start, &end));
    token_out_copy(work, out, text, from, text->len);
    *text = token_out_text(out);
}

static void run_prepend(const struct normal_step *step, struct tokenizer_work *work, struct token_text *text) {
    struct token_out *out;
    if (text->len == 0)
        return;
    out = token_out_next(work);
    token_out_bytes(work, out, step->content, token_text_start(text, 0), token_text_end(text, 0));
    token_out_copy(work, out, text, 0, text->len);
    *text = token_out_text(out);
}

static void run_bytes(struct tokenizer_work *work, struct token_text *text) {
    struct token_out *out = token_out_next(work);
    write_byte_alphabet(work, out, text, 0, text->len);
    *text = token_out_text(out);
}

/* Writes a replacement of bytes [start, end): code points take the ranges of the old ones one to one, the last old one
 * is shared by those that are left. */
static void write_replacement(struct tokenizer_work *work, struct token_out *out, const struct token_text *text,
                              size_t start, size_t end, vsr_str replacement) {
    size_t at = start, next = start;
    for (size_t pos = 0; pos < replacement.len;) {
        uint32_t cp = token_decode(replacement.ptr, &pos);
        if (next < end) {
            at = next;
            next += token_char_len(text->ptr[at]);
        }
        token_out_char(work, out, (struct token_char){ cp, token_text_start(text, at), token_text_end(text, at) });
    }
}

/* End of the grapheme cluster that begins at `start`. */
static size_t cluster_end(const struct token_text *text, size_t start) {
    size_t pos = start;
    utf8proc_int32_t state = 0, last = (utf8proc_int32_t)token_decode(text->ptr, &pos);
    while (pos < text->len) {
        size_t next = pos;
        utf8proc_int32_t cp = (utf8proc_int32_t)token_decode(text->ptr, &next);
        if (last < 0x80 && cp < 0x80 ? !(last == '\r' && cp == '\n')
                                     : utf8proc_grapheme_break_stateful(last, cp, &state))
            break;
        last = cp;
        pos = next;
    }
    return pos;
}

static void write_cluster(const struct charsmap *map, struct tokenizer_work *work, struct token_out *out,
                          const struct token_text *text, size_t start, size_t end) {
    vsr_str replacement;
    if (end - start < CLUSTER_LEN_MAX &&
        charsmap_shortest(map, str_make(text->ptr + start, end - start), &replacement)) {
        write_replacement(work, out, text, start, end, replacement);
        return;
    }
    for (size_t at = start, next; at < end; at = next) {
        next = at + token_char_len(text->ptr[at]);
        if (charsmap_shortest(map, str_make(text->ptr + at, next - at), &replacement))
            write_replacement(work, out, text, at, next, replacement);
        else
            token_out_copy(work, out, text, at, next);
    }
}

/* Whether no character of an ASCII text begins a rule; its clusters are its characters but for CR LF. */
static bool is_plain(const struct charsmap *map, const struct token_text *text) {
    for (size_t i = 0; i < text->len; i++)
        if ((uint8_t)text->ptr[i] >= 0x80 || !map->ascii_plain[(uint8_t)text->ptr[i]])
            return false;
    return true;
}

static void run_charsmap(const struct charsmap *map, struct tokenizer_work *work, struct token_text *text) {
    struct token_out *out;
    if (is_plain(map, text))
        return;
    out = token_out_next(work);
    for (size_t at = 0, end; at < text->len && !work->failed; at = end) {
        end = cluster_end(text, at);
        write_cluster(map, work, out, text, at, end);
    }
    *text = token_out_text(out);
}

static void run_step(const struct normal_step *step, struct tokenizer_work *work, struct token_text *text) {
    switch (step->kind) {
    case NORMAL_STEP_FORM:
        normal_form_apply(step->form, work, text);
        break;
    case NORMAL_STEP_STRIP:
        run_strip(step, text);
        break;
    case NORMAL_STEP_REPLACE:
        run_replace(step, work, text);
        break;
    case NORMAL_STEP_PREPEND:
        run_prepend(step, work, text);
        break;
    case NORMAL_STEP_CHARSMAP:
        run_charsmap(step->charsmap, work, text);
        break;
    case NORMAL_STEP_BYTES:
        run_bytes(work, text);
        break;
    case NORMAL_STEP_LOWER:
    case NORMAL_STEP_STRIP_MARKS:
    case NORMAL_STEP_STRIP_NONSPACING:
    case NORMAL_STEP_CLEAN:
    case NORMAL_STEP_CHINESE:
    case NORMAL_STEP_NMT:
        run_chars(step, work, text);
        break;
    }
}

static void run_steps(const struct normalizer *normalizer, struct tokenizer_work *work, struct token_text *text) {
    for (size_t i = 0; i < normalizer->n_steps && !work->failed; i++)
        run_step(&normalizer->steps[i], work, text);
}

/* An ASCII run through the map. */
static void write_ascii(const struct normalizer *normalizer, struct tokenizer_work *work, struct token_out *out,
                        const struct token_text *text, size_t start, size_t end) {
    size_t len = out->len;
    if (!token_out_reserve(work, out, len + (end - start)))
        return;
    for (size_t i = start; i < end; i++) {
        uint8_t mapped = normalizer->ascii[(uint8_t)text->ptr[i]];
        out->ptr[len] = (char)mapped;
        out->starts[len] = text->starts ? text->starts[i] : text->origin + (uint32_t)i;
        out->ends[len] = text->ends ? text->ends[i] : text->origin + (uint32_t)i + 1;
        len += mapped != NORMALIZER_DROP;
    }
    out->len = len;
}

/*
 * Steps that map ASCII see no further than a run of other characters and the ASCII character before it, with which
 * marks may compose: the rest of the text goes through the map, and the steps only see the runs.
 */
static void run_mixed(const struct normalizer *normalizer, struct tokenizer_work *work, struct token_text *text) {
    struct token_out *out = token_out_next(work);
    size_t done = 0;
    work->stage = 2;
    while (done < text->len && !work->failed) {
        size_t start = done, end;
        struct token_text run;
        while (start < text->len && (uint8_t)text->ptr[start] < 0x80)
            start++;
        end = start;
        while (end < text->len && (uint8_t)text->ptr[end] >= 0x80)
            end++;
        if (end > start && start > done)
            start--;
        write_ascii(normalizer, work, out, text, done, start);
        run = token_text_sub(text, start, end);
        if (run.len)
            run_steps(normalizer, work, &run);
        token_out_copy(work, out, &run, 0, run.len);
        done = end;
    }
    work->stage = 0;
    *text = token_out_text(out);
}

void normalizer_run(const struct normalizer *normalizer, struct tokenizer_work *work, struct token_text *text) {
    if (normalizer->n_steps == 0 || run_ascii(normalizer, work, text))
        return;
    if (normalizer->maps_ascii && normalizer->changes_ascii)
        run_mixed(normalizer, work, text);
    else
        run_steps(normalizer, work, text);
}
