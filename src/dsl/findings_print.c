/*
 * Findings as people read them, on a terminal or in a log.
 *
 *     policy.dsl:2:16: warning: signal domain("mth") is not defined. ... (fix: change to "math") [W201]
 *          2 | ROUTE r { WHEN domain("mth") MODEL "m" }
 *            |                ^~~~~~~~~~~~~
 *
 * An excerpt is the line where the finding begins, cut to EXCERPT_COLUMNS around it. Nothing that the program says may
 * act on the terminal: control and direction characters are shown, not sent.
 */
#include "core/buf.h"
#include "core/shown.h"
#include "core/utf8.h"
#include "dsl/findings.h"

enum {
    EXCERPT_COLUMNS = 100,
    EXCERPT_BEFORE = 60,  /* columns kept in front of the caret when the line is cut */
    EXCERPT_BYTES = 1000, /* marks take no column */
    TAB_COLUMNS = 4,
    REPLACEMENT = 0xFFFD,
};

static const struct {
    const char *name, *paint;
} levels[] = {
    [FINDING_ERROR] = { "error", "\033[31m" },
    [FINDING_WARNING] = { "warning", "\033[33m" },
    [FINDING_CONSTRAINT] = { "constraint", "\033[35m" },
    [FINDING_HINT] = { "hint", "\033[36m" },
};

static const char paint_none[] = "\033[0m";

/* ---- characters on a terminal */

struct range {
    uint32_t first, last;
};

static bool in_ranges(uint32_t cp, const struct range *ranges, size_t n) {
    for (size_t i = 0; i < n && cp >= ranges[i].first; i++) {
        if (cp <= ranges[i].last)
            return true;
    }
    return false;
}

/* Takes no column: combining marks, joiners, selectors. */
static bool is_mark(uint32_t cp) {
    static const struct range marks[] = {
        { 0x300, 0x36F },   { 0x483, 0x489 },   { 0x591, 0x5BD },   { 0x610, 0x61A },   { 0x64B, 0x65F },
        { 0x6D6, 0x6DC },   { 0x900, 0x902 },   { 0x93C, 0x93C },   { 0x941, 0x948 },   { 0x94D, 0x94D },
        { 0xE31, 0xE31 },   { 0xE34, 0xE3A },   { 0xE47, 0xE4E },   { 0x1AB0, 0x1AFF }, { 0x1DC0, 0x1DFF },
        { 0x200B, 0x200D }, { 0x20D0, 0x20FF }, { 0xFE00, 0xFE0F }, { 0xFE20, 0xFE2F }, { 0xE0100, 0xE01EF },
    };
    return in_ranges(cp, marks, VSR_COUNT(marks));
}

/* Takes two columns. */
static bool is_wide(uint32_t cp) {
    static const struct range wide[] = {
        { 0x1100, 0x115F },   { 0x2E80, 0x303E },   { 0x3041, 0x4DBF },   { 0x4E00, 0xA4CF },   { 0xA960, 0xA97F },
        { 0xAC00, 0xD7A3 },   { 0xF900, 0xFAFF },   { 0xFE30, 0xFE6F },   { 0xFF00, 0xFF60 },   { 0xFFE0, 0xFFE6 },
        { 0x1F300, 0x1F64F }, { 0x1F680, 0x1F6FF }, { 0x1F900, 0x1F9FF }, { 0x20000, 0x3FFFD },
    };
    return in_ranges(cp, wide, VSR_COUNT(wide));
}

static size_t columns_of(uint32_t cp) {
    return cp == '\t' ? TAB_COLUMNS : shown_is_active(cp) ? 1 : is_mark(cp) ? 0 : is_wide(cp) ? 2 : 1;
}

static void put_code_point(struct buf *out, uint32_t cp) {
    char bytes[4];
    if (cp == '\t') {
        buf_printf(out, "%*s", TAB_COLUMNS, "");
        return;
    }
    buf_append(out, str_make(bytes, utf8_encode(shown_is_active(cp) ? REPLACEMENT : cp, bytes)));
}

/* ---- the excerpt */

static size_t count_columns(vsr_str text) {
    size_t columns = 0;
    for (size_t at = 0; at < text.len;)
        columns += columns_of(utf8_next(text, &at));
    return columns;
}

/* The part of a line around the finding, and where in it the finding is. */
struct excerpt {
    vsr_str text;
    size_t start, end;
    bool cut_before, cut_behind;
};

/* Start of the line that `at` is on, or a place not too far in front of it. */
static size_t line_start(vsr_str source, size_t at, bool *ret_cut) {
    size_t first = at, columns = 0;
    while (first > 0 && source.ptr[first - 1] != '\n') {
        size_t before = first;
        columns += columns_of(utf8_prev(source, &before));
        if (at - before > EXCERPT_BYTES || columns > EXCERPT_COLUMNS) {
            *ret_cut = true;
            break;
        }
        first = before;
    }
    return first;
}

static size_t line_end(vsr_str source, size_t at, size_t columns, bool *ret_cut) {
    size_t first = at, used = 0;
    while (at < source.len && source.ptr[at] != '\n') {
        size_t behind = at;
        used += columns_of(utf8_next(source, &behind));
        if (behind - first > EXCERPT_BYTES || used > columns) {
            *ret_cut = true;
            return at;
        }
        at = behind;
    }
    return at > first && source.ptr[at - 1] == '\r' ? at - 1 : at;
}

static struct excerpt excerpt_of(vsr_str source, struct dsl_at at) {
    struct excerpt e = { 0 };
    size_t first = line_start(source, at.start, &e.cut_before);
    size_t before = count_columns(str_sub(source, first, at.start)), last;
    if (first == 0 && at.start >= 3 && str_starts(source, VSR_STR("\xEF\xBB\xBF")))
        first = 3;
    if (!e.cut_before)
        (void)line_end(source, at.start, EXCERPT_COLUMNS - before, &e.cut_behind);
    if (e.cut_before || (e.cut_behind && before > EXCERPT_BEFORE)) {
        while (before > EXCERPT_BEFORE)
            before -= columns_of(utf8_next(source, &first));
        e.cut_before = true;
    }
    e.cut_behind = false;
    last = line_end(source, at.start, EXCERPT_COLUMNS - before, &e.cut_behind);
    e.text = str_sub(source, first, last);
    e.start = at.start - first;
    e.end = (at.end > last ? last : at.end) - first;
    return e;
}

static void put_excerpt(struct buf *out, vsr_str source, const struct finding *finding, bool colour) {
    struct excerpt e = excerpt_of(source, finding->at);
    size_t blanks = count_columns(str_sub(e.text, 0, e.start)) + (e.cut_before ? 3 : 0);
    size_t marks = e.end > e.start ? count_columns(str_sub(e.text, e.start, e.end)) : 1;
    buf_printf(out, "%6u | %s", finding->at.line, e.cut_before ? "..." : "");
    for (size_t at = 0; at < e.text.len;)
        put_code_point(out, utf8_next(e.text, &at));
    buf_append_c(out, e.cut_behind ? "...\n" : "\n");
    buf_printf(out, "       | %*s%s^", (int)blanks, "", colour ? levels[finding->level].paint : "");
    for (size_t i = 1; i < marks; i++)
        buf_append_char(out, '~');
    buf_printf(out, "%s\n", colour ? paint_none : "");
}

/* ---- the list */

static void put_finding(struct buf *out, const struct finding *finding, const struct findings_style *style) {
    vsr_str file = finding->file.len ? finding->file : style->file;
    if (file.len) {
        shown_append(out, file);
        buf_append_char(out, ':');
    }
    if (finding->at.line)
        buf_printf(out, "%u:%u:", finding->at.line, finding->at.col);
    buf_printf(out, "%s%s%s:%s ", out->len && out->ptr[out->len - 1] == ':' ? " " : "",
               style->colour ? levels[finding->level].paint : "", levels[finding->level].name,
               style->colour ? paint_none : "");
    shown_append(out, finding->message);
    if (finding->fix.description.len) {
        buf_append_c(out, " (fix: ");
        shown_append(out, finding->fix.description);
        buf_append_char(out, ')');
    }
    buf_printf(out, " [%s]\n", finding->code);
    if (style->source.len && finding->at.line && !finding->file.len && finding->at.start <= style->source.len)
        put_excerpt(out, style->source, finding, style->colour);
    if (style->examples && finding->witness.len) {
        buf_append_c(out, "    example: ");
        shown_append(out, finding->witness);
        buf_append_char(out, '\n');
    }
}

void findings_print(const struct findings *findings, const struct findings_style *style, struct buf *out) {
    size_t kept[VSR_COUNT(levels)] = { 0 };
    for (size_t i = 0; i < findings->n; i++) {
        const struct finding *finding = &findings->items[i];
        kept[finding->level]++;
        if (finding->level != FINDING_HINT || style->hints)
            put_finding(out, finding, style);
    }
    for (size_t level = 0; level < VSR_COUNT(levels); level++) {
        size_t more = findings->n_of[level] - kept[level];
        if (more > 0 && (level != FINDING_HINT || style->hints))
            buf_printf(out, "%zu more of level %s not shown\n", more, levels[level].name);
    }
}
