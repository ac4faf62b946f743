#include "dsl/generate.h"

#include "core/arena.h"
#include "core/buf.h"
#include "dsl/format.h"

enum { TEXT_LEN_MAX = 64 << 20 };

/* ---- telling what goes on */

static void tell(const struct generate_options *options, enum generate_phase phase, unsigned attempt, vsr_str text) {
    size_t end = text.len < GENERATE_PROGRESS_LEN_MAX ? text.len : GENERATE_PROGRESS_LEN_MAX;
    while (end < text.len && end > 0 && ((unsigned char)text.ptr[end] & 0xC0) == 0x80)
        end--; /* no half of a character */
    if (options->progress)
        options->progress(options->owner, phase, attempt, str_sub(text, 0, end));
}

/* ---- drafts compared */

static vsr_str feedback(struct arena *arena, const struct generate_draft *draft) {
    struct buf out;
    vsr_str text;
    buf_init(&out, TEXT_LEN_MAX);
    generate_feedback(draft, &out);
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

static bool is_stuck(struct arena *arena, const struct generate_draft *draft, const struct generate_draft *before) {
    if (draft->syntax.n_of[FINDING_ERROR] > 0)
        return false;
    return str_eq(draft->text, before->text) || str_eq(feedback(arena, draft), feedback(arena, before));
}

/* ---- the result */

static vsr_str formatted(struct arena *arena, const struct language *language, const struct generate_draft *draft) {
    struct buf out;
    vsr_str text;
    buf_init(&out, TEXT_LEN_MAX);
    dsl_format(language, &draft->parsed, &out);
    text = buf_failed(&out) ? draft->text : arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

static void finish(struct arena *arena, const struct language *language, const struct yaml_node *base,
                   const struct generate_options *options, struct generate_result *result) {
    bool parses = result->draft.syntax.n_of[FINDING_ERROR] == 0;
    result->parse_error = generate_parse_error(arena, &result->draft);
    result->final = result->draft;
    if (parses && !options->unformatted)
        generate_judge_text(arena, language, base, formatted(arena, language, &result->draft), &result->final);
    result->text = result->final.text;
    tell(options, GENERATE_COMPLETE, result->attempts, parses ? VSR_STR("done") : result->parse_error);
}

/* ---- the loop */

static int ask(struct arena *arena, const struct language *language, const struct generate_task *task,
               const struct generate_options *options, const struct generate_draft *bad, unsigned attempt,
               struct generate_draft *ret_draft, struct vsr_err *err) {
    struct generate_message messages[GENERATE_MESSAGES];
    struct generate_reply reply = { 0 };
    vsr_str wrong = bad ? feedback(arena, bad) : VSR_STR("");
    generate_prompt(arena, language, task, bad, messages);
    if (bad)
        tell(options, GENERATE_REPAIR, attempt, wrong);
    tell(options, GENERATE_ASK, attempt, VSR_STR("asking the model"));
    if (options->ask(options->owner, messages, arena, &reply, err) < 0)
        return err_wrap(err, "attempt %u", attempt);
    tell(options, GENERATE_PARSE, attempt, VSR_STR("reading the answer"));
    generate_judge(arena, language, task->base, reply.text, reply.cut_off, ret_draft);
    return 0;
}

int generate(struct arena *arena, const struct language *language, const struct generate_task *task,
             const struct generate_options *options, struct generate_result *ret_result, struct vsr_err *err) {
    struct generate_result result = { 0 };
    struct generate_draft before = { 0 }, draft = { 0 };
    for (;;) {
        const struct generate_draft *bad = result.attempts > 0 ? &before : NULL;
        if (ask(arena, language, task, options, bad, result.attempts + 1, &draft, err) < 0)
            return err->code;
        result.attempts++;
        if (!bad || !generate_is_better(&result.draft, &draft))
            result.draft = draft;
        if (generate_faults(&draft) == 0 || result.attempts > options->retries)
            break;
        result.gave_up = bad && is_stuck(arena, &draft, &before);
        if (result.gave_up)
            break;
        before = draft;
    }
    finish(arena, language, task->base, options, &result);
    *ret_result = result;
    return 0;
}
