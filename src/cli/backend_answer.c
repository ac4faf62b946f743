#include "cli/backend_answer.h"

#include "cli/backend_schema.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "core/utf8.h"

enum {
    TOKEN_LEN_MAX = 24,  /* a longer word is several tokens, as with a real tokenizer */
    BYTES_PER_TOKEN = 4, /* of a prompt */
    THOUGHT_LEN_MAX = 64 << 20,
    VALUE_LEN_MAX = 1 << 20,
};

/* Words that pad an answer to the asked length. */
static const vsr_str padding[] = {
    VSR_STR_INIT("and "),    VSR_STR_INIT("so "),   VSR_STR_INIT("the "),  VSR_STR_INIT("answer "),
    VSR_STR_INIT("goes "),   VSR_STR_INIT("on "),   VSR_STR_INIT("for "),  VSR_STR_INIT("a "),
    VSR_STR_INIT("while, "), VSR_STR_INIT("as "),   VSR_STR_INIT("long "), VSR_STR_INIT("as "),
    VSR_STR_INIT("nobody "), VSR_STR_INIT("asks "), VSR_STR_INIT("it "),   VSR_STR_INIT("to "),
    VSR_STR_INIT("stop. "),
};

/* ---- words */

/* Cuts the next token from the front: a word with the blank behind it, or a piece of a very long one. */
static vsr_str cut_token(vsr_str *text) {
    ptrdiff_t blank = str_find_char(*text, ' ');
    size_t len = blank < 0 ? text->len : (size_t)blank + 1;
    vsr_str token = str_sub(*text, 0, len);
    if (token.len > TOKEN_LEN_MAX)
        token = utf8_cut(token, TOKEN_LEN_MAX);
    *text = str_sub(*text, token.len, text->len);
    return token;
}

uint64_t backend_count_tokens(vsr_str text) {
    uint64_t n = 0;
    while (text.len > 0) {
        (void)cut_token(&text);
        n++;
    }
    return n;
}

uint64_t backend_prompt_tokens(size_t len) {
    return 1 + (uint64_t)len / BYTES_PER_TOKEN;
}

/* The token at `index`, of the text while there is some and then of the padding. */
static vsr_str next_token(const struct backend_answer *answer, vsr_str *left, uint64_t index) {
    if (left->len > 0)
        return cut_token(left);
    return padding[(index + answer->options.seed) % VSR_COUNT(padding)];
}

void backend_part_write(const struct backend_answer *answer, size_t part, struct buf *out) {
    vsr_str left = answer->parts[part].text;
    for (uint64_t i = 0; i < answer->parts[part].n_tokens && !buf_failed(out); i++)
        buf_append(out, next_token(answer, &left, i));
}

void backend_part_quote(const struct backend_answer *answer, size_t part, struct buf *out) {
    vsr_str left = answer->parts[part].text;
    buf_append_char(out, '"');
    for (uint64_t i = 0; i < answer->parts[part].n_tokens; i++) {
        size_t start = out->len;
        json_quote(out, next_token(answer, &left, i));
        if (buf_failed(out))
            return;
        /* Without the quotes of the single token. */
        memmove(out->ptr + start, out->ptr + start + 1, out->len - start - 2);
        out->len -= 2;
    }
    buf_append_char(out, '"');
}

vsr_str backend_signature(struct arena *arena, vsr_str thought) {
    return arena_printf(arena, "c2lnbmVk%016llx%016llx", (unsigned long long)str_hash(thought, 1),
                        (unsigned long long)str_hash(thought, 2));
}

vsr_str backend_part_signature(struct arena *arena, const struct backend_answer *answer, size_t part) {
    struct buf thought;
    vsr_str signature;
    buf_init(&thought, THOUGHT_LEN_MAX);
    backend_part_write(answer, part, &thought);
    signature = backend_signature(arena, buf_str(&thought));
    buf_done(&thought);
    return signature;
}

/* ---- choosing */

static struct backend_part *add_part(struct backend_answer *answer, enum backend_part_kind kind, vsr_str text) {
    struct backend_part *part = &answer->parts[answer->n_parts++];
    *part = (struct backend_part){ .kind = kind, .text = text, .n_tokens = backend_count_tokens(text) };
    return part;
}

static vsr_str sample(struct arena *arena, const struct backend_question *question, json_ref schema) {
    struct json_writer w;
    struct buf out;
    vsr_str value;
    buf_init(&out, VALUE_LEN_MAX);
    json_write_init(&w, &out);
    backend_schema_write(arena, &question->doc, schema, &w);
    value = buf_failed(&out) ? VSR_STR("{}") : arena_str(arena, buf_str(&out));
    buf_done(&out);
    return value;
}

static bool wants_tool(const struct backend_question *question, const struct behaviour *behaviour) {
    if (question->n_tools == 0)
        return false;
    switch (question->tool_choice) {
    case TOOL_CHOICE_NONE:
        return false;
    case TOOL_CHOICE_REQUIRED:
    case TOOL_CHOICE_NAMED:
        return true;
    case TOOL_CHOICE_AUTO:
        break;
    }
    return question->user_last && (behaviour->parallel_tools > 0 || str_find(question->said, VSR_STR("tool")) >= 0);
}

static size_t named_tool(const struct backend_question *question) {
    size_t i = 0;
    while (i < question->n_tools && !str_eq(question->tools[i].name, question->tool_name))
        i++;
    return i;
}

/* The first tool, or the one that is named, or several of them in turn. False: no such tool. */
static bool choose_tools(struct arena *arena, const struct backend_question *question, struct backend_answer *answer) {
    const struct behaviour *behaviour = &answer->options.behaviour;
    bool named = question->tool_choice == TOOL_CHOICE_NAMED;
    size_t first = named ? named_tool(question) : 0;
    uint64_t n = behaviour->parallel_tools > 1 && !question->one_tool ? behaviour->parallel_tools : 1;
    if (!wants_tool(question, behaviour) || first == question->n_tools)
        return false;
    for (uint64_t i = 0; i < n; i++) {
        const struct backend_tool *tool = &question->tools[named ? first : i % question->n_tools];
        add_part(answer, BACKEND_TOOL, sample(arena, question, tool->schema))->name = tool->name;
    }
    answer->finish = BACKEND_FINISH_TOOL_CALLS;
    return true;
}

static vsr_str say(struct arena *arena, const struct backend_question *question) {
    vsr_str echo = utf8_cut(question->said, BACKEND_ECHO_LEN_MAX);
    vsr_str images = VSR_STR("");
    if (question->n_images > 0)
        images = arena_printf(arena, " about %u image%s", question->n_images, question->n_images == 1 ? "" : "s");
    return arena_printf(arena, "model %.*s answering%s%.*s: %.*s%s", VSR_FMT(question->model),
                        question->after_tool ? " with the tool's result" : "", VSR_FMT(images), VSR_FMT(echo),
                        echo.len < question->said.len ? "..." : "");
}

/* Ends the text before the first of the client's stop sequences that occurs in it. */
static vsr_str cut_at_stop(const struct backend_question *question, struct backend_answer *answer, vsr_str text) {
    for (size_t i = 0; i < question->n_stops; i++) {
        ptrdiff_t at = question->stops[i].len > 0 ? str_find(text, question->stops[i]) : -1;
        if (at < 0)
            continue;
        text = str_sub(text, 0, (size_t)at);
        answer->stop_sequence = question->stops[i];
        answer->finish = BACKEND_FINISH_STOP_SEQUENCE;
    }
    return text;
}

static void choose_text(struct arena *arena, const struct backend_question *question, struct backend_answer *answer) {
    uint64_t wanted = answer->options.behaviour.tokens, natural;
    struct backend_part *part;
    vsr_str text = question->wants_json ? question->answer_schema == JSON_NONE
                                              ? VSR_STR("{\"answer\":true}")
                                              : sample(arena, question, question->answer_schema)
                                        : cut_at_stop(question, answer, say(arena, question));
    part = add_part(answer, BACKEND_TEXT, text);
    natural = part->n_tokens;
    if (wanted > 0 && !question->wants_json)
        part->n_tokens = wanted;
    if (question->ceiling > 0 && question->ceiling < part->n_tokens)
        part->n_tokens = question->ceiling;
    if (part->n_tokens < natural || (question->ceiling > 0 && wanted > part->n_tokens))
        answer->finish = BACKEND_FINISH_LENGTH;
}

static void choose_thoughts(struct arena *arena, const struct backend_question *question,
                            struct backend_answer *answer) {
    const struct behaviour *behaviour = &answer->options.behaviour;
    uint64_t n = behaviour->thinking ? behaviour->thinking : question->thinking;
    vsr_str echo = utf8_cut(question->said, BACKEND_ECHO_LEN_MAX);
    if (answer->options.no_thoughts)
        return;
    if (behaviour->redacted && !answer->options.no_redacted)
        add_part(answer, BACKEND_REDACTED, VSR_STR("cmVkYWN0ZWQgdGhvdWdodA=="));
    if (n > 0)
        add_part(answer, BACKEND_THINKING, arena_printf(arena, "They say: %.*s ", VSR_FMT(echo)))->n_tokens = n;
}

static void choose_counts(struct backend_answer *answer) {
    const struct behaviour *behaviour = &answer->options.behaviour;
    answer->cached_tokens = behaviour->cached;
    answer->cache_write_tokens = behaviour->cache_write;
    answer->prompt_tokens = answer->question->prompt_tokens;
    if (answer->prompt_tokens <= behaviour->cached + behaviour->cache_write)
        answer->prompt_tokens = behaviour->cached + behaviour->cache_write + 1;
    for (size_t i = 0; i < answer->n_parts; i++) {
        answer->n_tokens += answer->parts[i].n_tokens;
        if (answer->parts[i].kind == BACKEND_THINKING)
            answer->thinking_tokens += answer->parts[i].n_tokens;
    }
}

static void choose_finish(struct backend_answer *answer) {
    static const enum backend_finish told[] = {
        [FINISH_WITH_STOP] = BACKEND_FINISH_STOP,
        [FINISH_WITH_LENGTH] = BACKEND_FINISH_LENGTH,
        [FINISH_WITH_TOOL_CALLS] = BACKEND_FINISH_TOOL_CALLS,
        [FINISH_WITH_CONTENT_FILTER] = BACKEND_FINISH_CONTENT_FILTER,
        [FINISH_WITH_REFUSAL] = BACKEND_FINISH_REFUSAL,
        [FINISH_WITH_STOP_SEQUENCE] = BACKEND_FINISH_STOP_SEQUENCE,
        [FINISH_WITH_PAUSE_TURN] = BACKEND_FINISH_PAUSE_TURN,
    };
    if (answer->options.behaviour.finish != FINISH_AS_IT_IS)
        answer->finish = told[answer->options.behaviour.finish];
}

void backend_answer_begin(struct arena *arena, const struct backend_question *question,
                          const struct backend_answer_options *options, struct backend_answer *ret_answer) {
    *ret_answer = (struct backend_answer){ .options = *options, .question = question };
    choose_thoughts(arena, question, ret_answer);
    if (options->behaviour.refusal) {
        add_part(ret_answer, BACKEND_REFUSAL, VSR_STR("I will not answer that."));
        ret_answer->finish = BACKEND_FINISH_REFUSAL;
    } else if (!choose_tools(arena, question, ret_answer)) {
        choose_text(arena, question, ret_answer);
    }
    choose_counts(ret_answer);
    choose_finish(ret_answer);
}

size_t backend_answer_find(const struct backend_answer *answer, enum backend_part_kind kind) {
    size_t i = 0;
    while (i < answer->n_parts && answer->parts[i].kind != kind)
        i++;
    return i;
}

size_t backend_part_ordinal(const struct backend_answer *answer, size_t part) {
    size_t n = 0;
    for (size_t i = 0; i < part; i++)
        n += answer->parts[i].kind == answer->parts[part].kind;
    return n;
}

/* ---- streaming */

static void enter_part(struct backend_answer *answer, size_t part) {
    answer->part = part;
    answer->spoken = 0;
    answer->left = answer->parts[part].text;
}

/* Behind the last token of a part. */
static void leave_tokens(struct backend_answer *answer) {
    answer->at = BACKEND_STEP_PART_END;
    answer->over = answer->options.behaviour.no_terminal && answer->part + 1 == answer->n_parts;
}

static void step_token(struct backend_answer *answer, struct backend_step *ret_step) {
    ret_step->token = next_token(answer, &answer->left, answer->spoken++);
    answer->said++;
    if (answer->spoken == answer->parts[answer->part].n_tokens)
        leave_tokens(answer);
}

static void step_part_end(struct backend_answer *answer) {
    if (answer->part + 1 == answer->n_parts) {
        answer->at = BACKEND_STEP_FINISH;
        return;
    }
    enter_part(answer, answer->part + 1);
    answer->at = BACKEND_STEP_PART;
}

bool backend_answer_step(struct backend_answer *answer, struct backend_step *ret_step) {
    *ret_step = (struct backend_step){ .kind = answer->at, .part = answer->part };
    if (answer->over)
        return false;
    if (answer->said >= answer->options.behaviour.error_event && answer->at != BACKEND_STEP_BEGIN) {
        ret_step->kind = BACKEND_STEP_ERROR;
        answer->over = true;
        return true;
    }
    switch (answer->at) {
    case BACKEND_STEP_BEGIN:
        enter_part(answer, 0);
        answer->at = BACKEND_STEP_PART;
        break;
    case BACKEND_STEP_PART:
        answer->at = BACKEND_STEP_TOKEN;
        if (answer->parts[answer->part].n_tokens == 0)
            leave_tokens(answer);
        break;
    case BACKEND_STEP_TOKEN:
        step_token(answer, ret_step);
        break;
    case BACKEND_STEP_PART_END:
        step_part_end(answer);
        break;
    case BACKEND_STEP_FINISH:
        answer->at = BACKEND_STEP_USAGE;
        break;
    case BACKEND_STEP_USAGE:
        answer->at = BACKEND_STEP_END;
        answer->over = answer->options.behaviour.no_done;
        break;
    case BACKEND_STEP_END:
    case BACKEND_STEP_ERROR:
        answer->over = true;
        break;
    }
    return true;
}
