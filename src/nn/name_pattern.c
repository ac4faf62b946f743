/*
 * The pattern is parsed into a tree, the tree written out as steps, and the steps run over the name all alternatives at
 * once: a set of steps for each byte (K. Thompson, 1968). A step either reads a byte, leads on without one, or is the
 * end.
 */
#include "nn/name_pattern.h"

#include <stdint.h>

#include "core/arena.h"

enum { REPEAT_MAX = 255, REPEAT_FOREVER = -1 };

enum node_kind { NODE_EMPTY, NODE_BYTES, NODE_BEGIN, NODE_END, NODE_JOIN, NODE_OR, NODE_REPEAT };

struct bytes {
    uint64_t bits[4];
};

struct node {
    enum node_kind kind;
    struct bytes bytes;
    struct node *a, *b;
    int least, most;
};

enum step_kind { STEP_BYTES, STEP_SPLIT, STEP_BEGIN, STEP_END, STEP_MATCH };

struct step {
    enum step_kind kind;
    uint32_t next, other; /* SPLIT leads to both */
    struct bytes bytes;
};

struct name_pattern {
    struct step *steps;
    uint32_t n;
    uint32_t start;
};

/* ---- parsing */

struct parser {
    struct arena *arena;
    vsr_str text;
    size_t at;
    int depth;
    struct vsr_err *err;
};

static void add_byte(struct bytes *bytes, unsigned c) {
    bytes->bits[c / 64] |= 1ull << c % 64;
}

static void add_range(struct bytes *bytes, unsigned from, unsigned to) {
    for (unsigned c = from; c <= to; c++)
        add_byte(bytes, c);
}

static bool has_byte(const struct bytes *bytes, unsigned char c) {
    return bytes->bits[c / 64] >> c % 64 & 1;
}

static void negate(struct bytes *bytes) {
    for (size_t i = 0; i < VSR_COUNT(bytes->bits); i++)
        bytes->bits[i] = ~bytes->bits[i];
}

static int unsupported(const struct parser *p, const char *what) {
    return err_set(p->err, VSR_E_INVALID, "pattern \"%.*s\": %s at %zu", VSR_FMT(str_sub(p->text, 0, 100)), what,
                   p->at + 1);
}

static bool peek(const struct parser *p, char c) {
    return p->at < p->text.len && p->text.ptr[p->at] == c;
}

static bool take(struct parser *p, char c) {
    bool is = peek(p, c);
    p->at += is;
    return is;
}

static struct node *new_node(struct parser *p, enum node_kind kind, struct node *a, struct node *b) {
    struct node *node = ARENA_NEW(p->arena, struct node);
    *node = (struct node){ .kind = kind, .a = a, .b = b };
    return node;
}

/* What stands behind a backslash. */
static int parse_escape(struct parser *p, struct bytes *bytes) {
    struct bytes set = { 0 };
    char c = p->at < p->text.len ? p->text.ptr[p->at] : 0;
    switch (c) {
    case 'd':
    case 'D':
        add_range(&set, '0', '9');
        break;
    case 'w':
    case 'W':
        add_range(&set, '0', '9');
        add_range(&set, 'a', 'z');
        add_range(&set, 'A', 'Z');
        add_byte(&set, '_');
        break;
    case 's':
    case 'S':
        add_range(&set, '\t', '\r');
        add_byte(&set, ' ');
        break;
    default:
        /* Letters and digits mean assertions and references; all else itself. */
        if (c <= ' ' || c > '~' || ascii_is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z'))
            return unsupported(p, "an escape that is not supported");
        add_byte(&set, (unsigned char)c);
    }
    if (c == 'D' || c == 'W' || c == 'S')
        negate(&set);
    for (size_t i = 0; i < VSR_COUNT(set.bits); i++)
        bytes->bits[i] |= set.bits[i];
    p->at++;
    return 0;
}

static int parse_class_item(struct parser *p, struct bytes *bytes) {
    unsigned char from, to;
    if (take(p, '\\'))
        return parse_escape(p, bytes);
    from = to = (unsigned char)p->text.ptr[p->at++];
    if (from == '[' || from >= 0x80)
        return unsupported(p, "a character that is not supported in a class");
    if (peek(p, '-') && p->at + 1 < p->text.len && p->text.ptr[p->at + 1] != ']') {
        p->at++;
        to = (unsigned char)p->text.ptr[p->at++];
        if (to < from || to == '\\' || to >= 0x80)
            return unsupported(p, "a range that is not supported");
    }
    add_range(bytes, from, to);
    return 0;
}

static int parse_class(struct parser *p, struct node **ret) {
    struct node *node = new_node(p, NODE_BYTES, NULL, NULL);
    bool negated = take(p, '^'), first = true;
    for (; first || !peek(p, ']'); first = false) { /* a bracket in front is itself */
        int rc;
        if (p->at == p->text.len)
            return unsupported(p, "a class that does not end");
        rc = parse_class_item(p, &node->bytes);
        if (rc < 0)
            return rc;
    }
    p->at++;
    if (negated)
        negate(&node->bytes);
    *ret = node;
    return 0;
}

static int parse_or(struct parser *p, struct node **ret);

static int parse_group(struct parser *p, struct node **ret) {
    int rc;
    if (peek(p, '?')) {
        p->at++;
        if (!take(p, ':'))
            return unsupported(p, "a group that is not supported");
    }
    if (++p->depth > NAME_PATTERN_DEPTH_MAX)
        return unsupported(p, "groups that are nested too deep");
    rc = parse_or(p, ret);
    p->depth--;
    if (rc < 0)
        return rc;
    return take(p, ')') ? 0 : unsupported(p, "expected \")\"");
}

static int parse_atom(struct parser *p, struct node **ret) {
    unsigned char c = (unsigned char)p->text.ptr[p->at++];
    struct node *node;
    if (c == '(')
        return parse_group(p, ret);
    if (c == '[')
        return parse_class(p, ret);
    *ret = node = new_node(p, c == '^' ? NODE_BEGIN : c == '$' ? NODE_END : NODE_BYTES, NULL, NULL);
    if (c == '\\')
        return parse_escape(p, &node->bytes);
    if (c == '.')
        negate(&node->bytes);
    else if (c == '*' || c == '+' || c == '?' || c == '{' || c >= 0x80)
        return unsupported(p, "a character that is not supported here");
    else
        add_byte(&node->bytes, c);
    return 0;
}

/* Digits at the place; -1 when there are none or they are too many. */
static int parse_count(struct parser *p) {
    int count = -1;
    while (p->at < p->text.len && ascii_is_digit(p->text.ptr[p->at]) && count <= REPEAT_MAX)
        count = (count < 0 ? 0 : count) * 10 + (p->text.ptr[p->at++] - '0');
    return count > REPEAT_MAX ? -1 : count;
}

static int parse_counts(struct parser *p, struct node *repeat) {
    bool open;
    repeat->least = parse_count(p);
    repeat->most = repeat->least;
    if (take(p, ',')) {
        open = peek(p, '}');
        repeat->most = open ? REPEAT_FOREVER : parse_count(p);
        if (!open && repeat->most < repeat->least)
            return unsupported(p, "a repetition that is not supported");
    }
    return repeat->least < 0 || !take(p, '}') ? unsupported(p, "a repetition that is not supported") : 0;
}

static int parse_repeat(struct parser *p, struct node **ret) {
    struct node *repeat;
    int rc = parse_atom(p, ret);
    if (rc < 0 || !(peek(p, '*') || peek(p, '+') || peek(p, '?') || peek(p, '{')))
        return rc;
    repeat = new_node(p, NODE_REPEAT, *ret, NULL);
    *ret = repeat;
    if (take(p, '{')) {
        rc = parse_counts(p, repeat);
    } else {
        repeat->least = peek(p, '+');
        repeat->most = peek(p, '?') ? 1 : REPEAT_FOREVER;
        p->at++;
    }
    (void)take(p, '?'); /* lazy: the same names match */
    return rc;
}

static int parse_join(struct parser *p, struct node **ret) {
    *ret = new_node(p, NODE_EMPTY, NULL, NULL);
    while (p->at < p->text.len && !peek(p, '|') && !peek(p, ')')) {
        struct node *next = NULL;
        int rc = parse_repeat(p, &next);
        if (rc < 0)
            return rc;
        *ret = new_node(p, NODE_JOIN, *ret, next);
    }
    return 0;
}

static int parse_or(struct parser *p, struct node **ret) {
    int rc = parse_join(p, ret);
    while (rc == 0 && take(p, '|')) {
        struct node *next = NULL;
        rc = parse_join(p, &next);
        if (rc == 0)
            *ret = new_node(p, NODE_OR, *ret, next);
    }
    return rc;
}

/* ---- writing out, from the end to the beginning: each part knows where it leads */

struct writer {
    struct step *steps;
    uint32_t n;
    bool full;
};

static uint32_t write_step(struct writer *w, struct step step) {
    if (w->n == NAME_PATTERN_STEPS_MAX) {
        w->full = true;
        return 0;
    }
    w->steps[w->n] = step;
    return w->n++;
}

static uint32_t write_node(struct writer *w, const struct node *node, uint32_t next);

static uint32_t write_repeat(struct writer *w, const struct node *node, uint32_t next) {
    uint32_t at = next;
    if (node->most == REPEAT_FOREVER) {
        uint32_t split = write_step(w, (struct step){ .kind = STEP_SPLIT, .other = next });
        uint32_t body = write_node(w, node->a, split);
        w->steps[split].next = body;
        at = split;
    }
    for (int i = node->least; i < node->most && !w->full; i++)
        at = write_step(w, (struct step){ .kind = STEP_SPLIT, .next = write_node(w, node->a, at), .other = next });
    for (int i = 0; i < node->least && !w->full; i++) {
        uint32_t before = w->n;
        at = write_node(w, node->a, at);
        if (w->n == before)
            break; /* nothing, however often: nested, it would take for ever to write none of it */
    }
    return at;
}

static uint32_t write_node(struct writer *w, const struct node *node, uint32_t next) {
    switch (node->kind) {
    case NODE_EMPTY:
        return next;
    case NODE_BYTES:
        return write_step(w, (struct step){ .kind = STEP_BYTES, .next = next, .bytes = node->bytes });
    case NODE_BEGIN:
        return write_step(w, (struct step){ .kind = STEP_BEGIN, .next = next });
    case NODE_END:
        return write_step(w, (struct step){ .kind = STEP_END, .next = next });
    case NODE_JOIN: {
        /* A chain as long as the pattern: walked, not recursed into. */
        for (; node->kind == NODE_JOIN && !w->full; node = node->a)
            next = write_node(w, node->b, next);
        return next;
    }
    case NODE_OR: {
        uint32_t a = next;
        for (bool first = true; !w->full; first = false) {
            uint32_t b = write_node(w, node->kind == NODE_OR ? node->b : node, next);
            a = first ? b : write_step(w, (struct step){ .kind = STEP_SPLIT, .next = b, .other = a });
            if (node->kind != NODE_OR)
                break;
            node = node->a;
        }
        return a;
    }
    case NODE_REPEAT:
        return write_repeat(w, node, next);
    }
    return next;
}

static int build(struct arena *arena, struct arena *scratch, vsr_str regex, struct name_pattern **ret,
                 struct vsr_err *err) {
    struct parser p = { .arena = scratch, .text = regex, .err = err };
    struct name_pattern *pattern;
    struct node *root = NULL;
    struct writer w = { 0 };
    uint32_t start;
    int rc = parse_or(&p, &root);
    if (rc < 0)
        return rc;
    if (p.at < regex.len)
        return unsupported(&p, "an unexpected \")\"");
    w.steps = ARENA_ARRAY(scratch, struct step, NAME_PATTERN_STEPS_MAX);
    start = write_node(&w, root, write_step(&w, (struct step){ .kind = STEP_MATCH }));
    if (w.full)
        return err_set(err, VSR_E_LIMIT, "pattern \"%.*s\" needs more than %d steps", VSR_FMT(str_sub(regex, 0, 100)),
                       NAME_PATTERN_STEPS_MAX);
    pattern = ARENA_NEW(arena, struct name_pattern);
    pattern->steps = ARENA_ARRAY(arena, struct step, w.n);
    memcpy(pattern->steps, w.steps, w.n * sizeof(*w.steps));
    pattern->n = w.n;
    pattern->start = start;
    *ret = pattern;
    return 0;
}

int name_pattern_build(struct arena *arena, vsr_str regex, struct name_pattern **ret, struct vsr_err *err) {
    struct arena *scratch;
    int rc;
    if (regex.len > NAME_PATTERN_LEN_MAX)
        return err_set(err, VSR_E_LIMIT, "a pattern of %zu bytes, more than %d", regex.len, NAME_PATTERN_LEN_MAX);
    scratch = arena_new(0, 0);
    rc = build(arena, scratch, regex, ret, err);
    arena_free(scratch);
    return rc;
}

/* Where nothing branches, at most one step reads a byte. */
size_t name_pattern_cost(const struct name_pattern *pattern) {
    for (uint32_t i = 0; i < pattern->n; i++) {
        if (pattern->steps[i].kind == STEP_SPLIT)
            return pattern->n;
    }
    return 1;
}

/* ---- matching */

/* Steps that read a byte, or the end; each at most once. */
struct set {
    uint16_t steps[NAME_PATTERN_STEPS_MAX];
    uint64_t seen[NAME_PATTERN_STEPS_MAX / 64];
    uint32_t n;
};

static bool see(struct set *set, uint32_t step) {
    bool before = set->seen[step / 64] >> step % 64 & 1;
    set->seen[step / 64] |= 1ull << step % 64;
    return !before;
}

/* Follows all that lead on without reading. Each step waits at most once, so the stack is large enough. */
static void add_step(const struct name_pattern *pattern, struct set *set, uint32_t from, bool at_begin, bool at_end) {
    uint16_t waiting[NAME_PATTERN_STEPS_MAX];
    uint32_t n = 0;
    if (see(set, from))
        waiting[n++] = (uint16_t)from;
    while (n > 0) {
        uint32_t at = waiting[--n];
        const struct step *step = &pattern->steps[at];
        if (step->kind == STEP_BYTES || step->kind == STEP_MATCH) {
            set->steps[set->n++] = (uint16_t)at;
            continue;
        }
        if ((step->kind == STEP_BEGIN && !at_begin) || (step->kind == STEP_END && !at_end))
            continue;
        if (see(set, step->next))
            waiting[n++] = (uint16_t)step->next;
        if (step->kind == STEP_SPLIT && see(set, step->other))
            waiting[n++] = (uint16_t)step->other;
    }
}

/* Only what the pattern's steps need of it. */
static void clear(const struct name_pattern *pattern, struct set *set) {
    set->n = 0;
    memset(set->seen, 0, (pattern->n + 63) / 64 * sizeof(*set->seen));
}

bool name_pattern_matches(const struct name_pattern *pattern, vsr_str name) {
    struct set sets[2];
    struct set *now = &sets[0], *then = &sets[1], *swap;
    clear(pattern, now);
    add_step(pattern, now, pattern->start, true, name.len == 0);
    for (size_t i = 0; i < name.len && now->n > 0; i++) {
        clear(pattern, then);
        for (uint32_t k = 0; k < now->n; k++) {
            const struct step *step = &pattern->steps[now->steps[k]];
            if (step->kind == STEP_BYTES && has_byte(&step->bytes, (unsigned char)name.ptr[i]))
                add_step(pattern, then, step->next, false, i + 1 == name.len);
        }
        swap = now;
        now = then;
        then = swap;
    }
    for (uint32_t k = 0; k < now->n; k++) {
        if (pattern->steps[now->steps[k]].kind == STEP_MATCH)
            return true;
    }
    return false;
}
