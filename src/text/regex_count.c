/*
 * The automaton of a regular expression, run over a text to count matches.
 *
 * A program is a list of instructions; a thread is an index into it. Between two code points all live threads stand at
 * instructions that consume one, in order of preference. One step moves each thread over the code point; a thread that
 * reaches MATCH ends all less preferred ones. A start thread is added behind the others at every position until a match
 * is found, which makes it the leftmost one. At most one thread stands at each instruction, so a step costs at most the
 * program's length.
 */
#include "core/arena.h"
#include "core/assert.h"
#include "core/utf8.h"
#include "text/regex_ast.h"

enum op { OP_SET, OP_SPLIT, OP_JUMP, OP_ASSERT, OP_FAIL, OP_MATCH };

struct instruction {
    enum op op;
    uint32_t x, y;             /* SPLIT: preferred and other target; JUMP: x; ASSERT: x is the kind */
    const struct charset *set; /* SET */
    uint64_t ascii[2];         /* SET: members below 0x80 */
};

struct regex_program {
    struct instruction *code;
    size_t n, cap;
    bool first_bytes[256]; /* bytes a match can begin with */
};

/* Bytes that no match begins with, passed over for the price of one step. */
enum { SKIPPED_PER_STEP = 8 };

/* ---- writing the program */

struct writer {
    struct arena *arena;
    struct regex_program *program;
    bool too_big;
};

static uint32_t emit(struct writer *w, enum op op) {
    struct regex_program *program = w->program;
    if (program->n >= REGEX_PROGRAM_MAX) {
        w->too_big = true;
        return 0;
    }
    program->code = arena_grow(w->arena, program->code, sizeof(*program->code), program->n, &program->cap);
    program->code[program->n] = (struct instruction){ .op = op };
    return (uint32_t)program->n++;
}

static void emit_set(struct writer *w, const struct charset *set) {
    uint32_t at = emit(w, set->n ? OP_SET : OP_FAIL);
    struct instruction *code;
    if (w->too_big)
        return;
    code = &w->program->code[at];
    code->set = set;
    for (uint32_t cp = 0; cp < 0x80; cp++)
        if (charset_has(set, cp))
            code->ascii[cp / 64] |= UINT64_C(1) << (cp % 64);
}

static void emit_node(struct writer *w, const struct regex_node *node);

static void set_split(struct writer *w, uint32_t at, uint32_t body, uint32_t behind, bool lazy) {
    if (w->too_big)
        return;
    w->program->code[at].x = lazy ? behind : body;
    w->program->code[at].y = lazy ? body : behind;
}

static void emit_star(struct writer *w, const struct regex_node *body, bool lazy) {
    uint32_t split = emit(w, OP_SPLIT), jump;
    emit_node(w, body);
    jump = emit(w, OP_JUMP);
    if (w->too_big)
        return;
    w->program->code[jump].x = split;
    set_split(w, split, split + 1, (uint32_t)w->program->n, lazy);
}

/* What has no instructions has none a thousand times: nested empty groups must not be walked a thousand times each. */
static void emit_repeat(struct writer *w, const struct regex_node *node) {
    for (int i = 0; i < node->min && !w->too_big; i++) {
        size_t before = w->program->n;
        emit_node(w, node->children[0]);
        if (w->program->n == before)
            break;
    }
    if (node->max == REGEX_UNBOUNDED) {
        emit_star(w, node->children[0], node->lazy);
        return;
    }
    for (int i = node->min; i < node->max && !w->too_big; i++) { /* x{0,2} is (x(x)?)?, all splits lead to the end */
        uint32_t split = emit(w, OP_SPLIT);
        emit_node(w, node->children[0]);
        set_split(w, split, split + 1, UINT32_MAX, node->lazy);
    }
}

/* Splits written by emit_repeat between `from` and the end whose exit is still open leave to the end of the repeat. */
static void close_splits(struct writer *w, size_t from) {
    if (w->too_big)
        return;
    for (size_t i = from; i < w->program->n; i++) {
        struct instruction *code = &w->program->code[i];
        if (code->op != OP_SPLIT)
            continue;
        if (code->x == UINT32_MAX)
            code->x = (uint32_t)w->program->n;
        if (code->y == UINT32_MAX)
            code->y = (uint32_t)w->program->n;
    }
}

static void emit_alternate(struct writer *w, const struct regex_node *node) {
    size_t n_jumps = node->n_children - 1;
    uint32_t *jumps = ARENA_ARRAY(w->arena, uint32_t, n_jumps);
    for (size_t i = 0; i < node->n_children; i++) {
        uint32_t split = 0;
        if (i < n_jumps)
            split = emit(w, OP_SPLIT);
        emit_node(w, node->children[i]);
        if (i < n_jumps) {
            jumps[i] = emit(w, OP_JUMP);
            set_split(w, split, split + 1, (uint32_t)w->program->n, false);
        }
    }
    for (size_t i = 0; i < n_jumps && !w->too_big; i++)
        w->program->code[jumps[i]].x = (uint32_t)w->program->n;
}

static void emit_node(struct writer *w, const struct regex_node *node) {
    size_t from = w->program->n;
    uint32_t at;
    if (w->too_big)
        return;
    switch (node->kind) {
    case REGEX_EMPTY:
        break;
    case REGEX_SET:
        emit_set(w, &node->set);
        break;
    case REGEX_ASSERT:
        at = emit(w, OP_ASSERT);
        if (!w->too_big)
            w->program->code[at].x = node->assert;
        break;
    case REGEX_CONCAT:
        for (size_t i = 0; i < node->n_children; i++)
            emit_node(w, node->children[i]);
        break;
    case REGEX_ALTERNATE:
        emit_alternate(w, node);
        break;
    case REGEX_REPEAT:
        emit_repeat(w, node);
        close_splits(w, from);
        break;
    }
}

static void mark_first_bytes(struct regex_program *program, const struct charset *set) {
    for (size_t i = 0; i < set->n; i++) {
        char low[4], high[4];
        uint32_t first = set->ranges[i].first, last = set->ranges[i].last;
        uint8_t from, to;
        if (first >= 0xD800 && first <= 0xDFFF)
            first = 0xE000;
        if (last >= 0xD800 && last <= 0xDFFF)
            last = 0xD7FF;
        if (first > last)
            continue;
        utf8_encode(first, low);
        utf8_encode(last, high);
        from = (uint8_t)low[0];
        to = (uint8_t)high[0];
        for (unsigned byte = from; byte <= to; byte++)
            program->first_bytes[byte] = true;
    }
}

static void find_first_bytes(struct arena *arena, struct regex_program *program) {
    bool *seen = ARENA_ARRAY(arena, bool, program->n);
    uint32_t *stack = ARENA_ARRAY(arena, uint32_t, 2 * program->n + 1);
    size_t depth = 0;
    stack[depth++] = 0;
    while (depth > 0) {
        uint32_t at = stack[--depth];
        const struct instruction *code = &program->code[at];
        if (seen[at])
            continue;
        seen[at] = true;
        if (code->op == OP_SET)
            mark_first_bytes(program, code->set);
        else if (code->op == OP_ASSERT)
            stack[depth++] = at + 1;
        else if (code->op == OP_JUMP)
            stack[depth++] = code->x;
        else if (code->op == OP_SPLIT) {
            stack[depth++] = code->x;
            stack[depth++] = code->y;
        }
    }
}

int regex_program_build(struct arena *arena, const struct regex_node *root, const struct regex_program **ret_program,
                        struct vsr_err *err) {
    struct regex_program *program = ARENA_NEW(arena, struct regex_program);
    struct writer w = { .arena = arena, .program = program };
    emit_node(&w, root);
    emit(&w, OP_MATCH);
    if (w.too_big)
        return err_set(err, VSR_E_LIMIT, "the pattern is too large once its repeats are written out");
    find_first_bytes(arena, program);
    *ret_program = program;
    return 0;
}

/* ---- running it */

struct threads {
    uint32_t *items; /* in order of preference */
    size_t n;
};

struct run {
    const struct regex_program *program;
    vsr_str text;
    struct threads now, next;
    uint32_t *seen; /* per instruction: the step that visited it */
    uint32_t step;
    uint32_t *stack;
    size_t cost, cost_max;
};

static bool is_ascii_word(char c) {
    return ascii_is_digit(c) || c == '_' || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

static bool assertion_holds(enum regex_assert assert, vsr_str text, size_t pos) {
    bool before = pos > 0 && is_ascii_word(text.ptr[pos - 1]);
    bool behind = pos < text.len && is_ascii_word(text.ptr[pos]);
    switch (assert) {
    case ASSERT_BEGIN_TEXT:
        return pos == 0;
    case ASSERT_END_TEXT:
        return pos == text.len;
    case ASSERT_BEGIN_LINE:
        return pos == 0 || text.ptr[pos - 1] == '\n';
    case ASSERT_END_LINE:
        return pos == text.len || text.ptr[pos] == '\n';
    case ASSERT_WORD:
        return before != behind;
    case ASSERT_NOT_WORD:
        return before == behind;
    }
    return false;
}

/* Follows everything that consumes nothing, preferred branch first, and appends the threads that remain. */
static void add_thread(struct run *run, struct threads *list, uint32_t start, size_t pos) {
    size_t depth = 0;
    run->stack[depth++] = start;
    while (depth > 0) {
        uint32_t at = run->stack[--depth];
        const struct instruction *code = &run->program->code[at];
        if (run->seen[at] == run->step)
            continue;
        run->seen[at] = run->step;
        run->cost++;
        switch (code->op) {
        case OP_JUMP:
            run->stack[depth++] = code->x;
            break;
        case OP_SPLIT:
            run->stack[depth++] = code->y;
            run->stack[depth++] = code->x;
            break;
        case OP_ASSERT:
            if (assertion_holds((enum regex_assert)code->x, run->text, pos))
                run->stack[depth++] = at + 1;
            break;
        case OP_FAIL:
            break;
        case OP_SET:
        case OP_MATCH:
            list->items[list->n++] = at;
            break;
        }
    }
}

static bool set_has(const struct instruction *code, uint32_t cp) {
    if (cp < 0x80)
        return (code->ascii[cp / 64] >> (cp % 64)) & 1;
    return cp != UTF8_INVALID && charset_has(code->set, cp);
}

static void swap_threads(struct run *run) {
    struct threads old = run->now;
    run->now = run->next;
    run->next = old;
    run->next.n = 0;
}

static size_t skip(struct run *run, size_t pos) {
    size_t from = pos;
    while (pos < run->text.len && !run->program->first_bytes[(uint8_t)run->text.ptr[pos]])
        pos++;
    run->cost += (pos - from) / SKIPPED_PER_STEP;
    return pos;
}

/* Finds the leftmost match at or behind `pos`. Returns its end, or SIZE_MAX when there is none. */
static size_t find_match(struct run *run, size_t pos) {
    size_t end = SIZE_MAX;
    run->now.n = 0;
    run->step++;
    for (;;) {
        size_t behind = pos;
        uint32_t cp = UTF8_INVALID;
        if (end == SIZE_MAX) {
            if (run->now.n == 0)
                pos = skip(run, pos);
            add_thread(run, &run->now, 0, pos);
        }
        behind = pos;
        if (pos < run->text.len)
            cp = utf8_next(run->text, &behind);
        run->step++;
        for (size_t i = 0; i < run->now.n; i++) {
            const struct instruction *code = &run->program->code[run->now.items[i]];
            if (code->op == OP_MATCH) {
                end = pos;
                break;
            }
            if (pos < run->text.len && set_has(code, cp))
                add_thread(run, &run->next, run->now.items[i] + 1, behind);
        }
        swap_threads(run);
        if (pos >= run->text.len || (end != SIZE_MAX && run->now.n == 0) || run->cost > run->cost_max)
            return end;
        pos = behind;
    }
}

int regex_program_count(const struct regex_program *program, struct arena *arena, vsr_str text, size_t max,
                        size_t *steps, size_t *ret_count, struct vsr_err *err) {
    struct arena_mark mark = arena_mark(arena);
    struct run run = { .program = program, .text = text, .cost_max = *steps };
    size_t count = 0, pos = 0;
    run.now.items = ARENA_ARRAY(arena, uint32_t, program->n);
    run.next.items = ARENA_ARRAY(arena, uint32_t, program->n);
    run.seen = ARENA_ARRAY(arena, uint32_t, program->n);
    run.stack = ARENA_ARRAY(arena, uint32_t, 2 * program->n + 2);
    while (count < max && pos < text.len && run.cost <= run.cost_max) {
        size_t end = find_match(&run, pos);
        if (end == SIZE_MAX)
            break;
        if (end > pos) {
            count++;
            pos = end;
        } else { /* an empty match where the search began: not counted, and the search goes on behind it */
            (void)utf8_next(text, &pos);
        }
    }
    arena_rewind(arena, mark);
    *steps -= run.cost < *steps ? run.cost : *steps;
    if (run.cost > run.cost_max)
        return err_set(err, VSR_E_LIMIT, "counting the matches of a pattern takes too long on this text");
    *ret_count = count;
    return 0;
}
