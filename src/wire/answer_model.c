#include "wire/answer_model.h"

#include "core/arena.h"
#include "core/buf.h"

/* Texts that grow piece by piece. */
struct growing_tool {
    vsr_str id, name;
    struct buf arguments;
    bool server, ended;
};

enum growing_text { TEXT, REASONING, SUMMARY, REFUSAL, SIGNATURE, TEXTS };

struct growing_choice {
    struct buf texts[TEXTS];
    bool signature_open; /* the next piece belongs to the same signature */
    struct growing_tool *tools;
    size_t n_tools, tools_cap;
    struct answer_choice shown; /* filled when somebody looks */
    struct answer_tool *shown_tools;
    size_t shown_cap;
};

struct answer {
    struct arena *arena;
    struct answer_head head;
    size_t len, len_max;
    struct growing_choice **choices; /* ordered by index */
    size_t n_choices, choices_cap;
};

enum { NAME_LEN_MAX = 1024 }; /* of ids, models and functions; longer ones are cut */

static void free_texts(void *data) {
    struct answer *answer = data;
    for (size_t i = 0; i < answer->n_choices; i++) {
        struct growing_choice *choice = answer->choices[i];
        for (size_t k = 0; k < TEXTS; k++)
            buf_done(&choice->texts[k]);
        for (size_t k = 0; k < choice->n_tools; k++)
            buf_done(&choice->tools[k].arguments);
    }
}

struct answer *answer_new(struct arena *arena, size_t len_max) {
    struct answer *answer = ARENA_NEW(arena, struct answer);
    answer->arena = arena;
    answer->len_max = len_max;
    arena_on_free(arena, free_texts, answer);
    return answer;
}

/* ---- taking */

static vsr_str keep(struct answer *answer, vsr_str text) {
    return arena_str(answer->arena, str_sub(text, 0, NAME_LEN_MAX));
}

/* Whole pieces only: half a character would make the text no text. */
static void append(struct answer *answer, struct buf *out, vsr_str text) {
    if (text.len > answer->len_max - answer->len || buf_append(out, text) < 0) {
        answer->head.too_long = true;
        return;
    }
    answer->len += text.len;
}

static struct growing_choice *insert_choice(struct answer *answer, size_t at, uint32_t index) {
    struct growing_choice *choice = ARENA_NEW(answer->arena, struct growing_choice);
    choice->shown.index = index;
    for (size_t i = 0; i < TEXTS; i++)
        buf_init(&choice->texts[i], answer->len_max);
    answer->choices = arena_grow(answer->arena, answer->choices, sizeof(struct growing_choice *), answer->n_choices,
                                 &answer->choices_cap);
    for (size_t i = answer->n_choices++; i > at; i--)
        answer->choices[i] = answer->choices[i - 1];
    answer->choices[at] = choice;
    return choice;
}

/* NULL past the limit. */
static struct growing_choice *choice_of(struct answer *answer, uint32_t index) {
    size_t at = 0;
    while (at < answer->n_choices && answer->choices[at]->shown.index < index)
        at++;
    if (at < answer->n_choices && answer->choices[at]->shown.index == index)
        return answer->choices[at];
    if (answer->n_choices == ANSWER_CHOICES_MAX) {
        answer->head.too_long = true;
        return NULL;
    }
    return insert_choice(answer, at, index);
}

/* Calls are numbered in order of appearance, so a new one is always the next. */
static struct growing_tool *begin_tool(struct answer *answer, struct growing_choice *choice,
                                       const struct answer_delta *delta) {
    struct growing_tool *tool;
    if (choice->n_tools == ANSWER_TOOLS_MAX) {
        answer->head.too_long = true;
        return NULL;
    }
    choice->tools =
        arena_grow(answer->arena, choice->tools, sizeof(struct growing_tool), choice->n_tools, &choice->tools_cap);
    tool = &choice->tools[choice->n_tools++];
    *tool = (struct growing_tool){ .server = delta->server };
    buf_init(&tool->arguments, answer->len_max);
    tool->id = keep(answer, delta->id);
    tool->name = keep(answer, delta->name);
    return tool;
}

static void take_tool(struct answer *answer, struct growing_choice *choice, const struct answer_delta *delta) {
    if (delta->kind == DELTA_TOOL_BEGIN)
        (void)begin_tool(answer, choice, delta); /* too many: too_long says so */
    else if (delta->index >= choice->n_tools)
        answer->head.too_long = true;
    else if (delta->kind == DELTA_TOOL_ARGUMENTS)
        append(answer, &choice->tools[delta->index].arguments, delta->text);
    else
        choice->tools[delta->index].ended = true;
}

static void take_signature(struct answer *answer, struct growing_choice *choice, vsr_str text) {
    struct buf *signature = &choice->texts[SIGNATURE];
    if (!choice->signature_open) {
        answer->len -= signature->len;
        buf_reset(signature);
    }
    choice->signature_open = true;
    append(answer, signature, text);
}

static void take_finish(struct answer *answer, struct growing_choice *choice, const struct answer_delta *delta) {
    choice->shown.finished = true;
    choice->shown.finish = delta->finish;
    choice->shown.stop_sequence = keep(answer, delta->stop_sequence);
}

static void take_said(struct answer *answer, const struct answer_delta *delta) {
    struct growing_choice *choice = choice_of(answer, delta->choice);
    if (!choice)
        return;
    if (delta->kind != DELTA_REASONING_SIGNATURE)
        choice->signature_open = false;
    switch (delta->kind) {
    case DELTA_TEXT:
        append(answer, &choice->texts[TEXT], delta->text);
        break;
    case DELTA_REASONING:
        append(answer, &choice->texts[REASONING], delta->text);
        break;
    case DELTA_REASONING_SUMMARY:
        append(answer, &choice->texts[SUMMARY], delta->text);
        break;
    case DELTA_REFUSAL:
        append(answer, &choice->texts[REFUSAL], delta->text);
        break;
    case DELTA_REASONING_SIGNATURE:
        take_signature(answer, choice, delta->text);
        break;
    case DELTA_TOOL_BEGIN:
    case DELTA_TOOL_ARGUMENTS:
    case DELTA_TOOL_END:
        take_tool(answer, choice, delta);
        break;
    case DELTA_IMAGE:
        choice->shown.n_images++;
        break;
    case DELTA_FOREIGN:
    case DELTA_REASONING_REDACTED:
        choice->shown.n_foreign++;
        break;
    case DELTA_FINISH:
        take_finish(answer, choice, delta);
        break;
    default:
        break;
    }
}

static void take_error(struct answer *answer, const struct answer_error *error) {
    answer->head.error = (struct answer_error){
        .status = error->status ? error->status : 502,
        .type = keep(answer, error->type),
        .code = keep(answer, error->code),
        .message = keep(answer, error->message),
    };
}

void answer_take(struct answer *answer, const struct answer_delta *delta) {
    if (answer->head.ended)
        return;
    switch (delta->kind) {
    case DELTA_BEGIN:
        answer->head.id = keep(answer, delta->id);
        answer->head.model = keep(answer, delta->name);
        answer->head.created = delta->created;
        break;
    case DELTA_USAGE:
        answer->head.usage = *delta->usage;
        break;
    case DELTA_ERROR:
        take_error(answer, &delta->error);
        break;
    case DELTA_END:
        answer->head.ended = true;
        break;
    case DELTA_PING:
    case DELTA_LOGPROBS:
    case DELTA_CITATION:
        break;
    default:
        take_said(answer, delta);
    }
}

/* ---- looking */

const struct answer_head *answer_head(const struct answer *answer) {
    return &answer->head;
}

size_t answer_n_choices(const struct answer *answer) {
    return answer->n_choices;
}

static void show_tools(const struct answer *answer, struct growing_choice *choice) {
    if (choice->shown_cap < choice->n_tools) {
        choice->shown_tools = ARENA_ARRAY(answer->arena, struct answer_tool, choice->tools_cap);
        choice->shown_cap = choice->tools_cap;
    }
    for (size_t i = 0; i < choice->n_tools; i++)
        choice->shown_tools[i] = (struct answer_tool){
            .id = choice->tools[i].id,
            .name = choice->tools[i].name,
            .arguments = buf_str(&choice->tools[i].arguments),
            .server = choice->tools[i].server,
            .ended = choice->tools[i].ended,
        };
    choice->shown.tools = choice->shown_tools;
    choice->shown.n_tools = choice->n_tools;
}

const struct answer_choice *answer_choice(const struct answer *answer, size_t position) {
    struct growing_choice *choice;
    if (position >= answer->n_choices)
        return NULL;
    choice = answer->choices[position];
    choice->shown.text = buf_str(&choice->texts[TEXT]);
    choice->shown.reasoning = buf_str(&choice->texts[REASONING]);
    choice->shown.summary = buf_str(&choice->texts[SUMMARY]);
    choice->shown.refusal = buf_str(&choice->texts[REFUSAL]);
    choice->shown.signature = buf_str(&choice->texts[SIGNATURE]);
    show_tools(answer, choice);
    return &choice->shown;
}

static bool says_something(const struct answer_choice *choice) {
    return choice->text.len > 0 || choice->reasoning.len > 0 || choice->refusal.len > 0 || choice->n_tools > 0 ||
           choice->n_images > 0 || choice->n_foreign > 0;
}

bool answer_is_cacheable(const struct answer *answer) {
    const struct answer_head *head = &answer->head;
    if (!head->ended || head->too_long || head->error.status != 0 || answer->n_choices == 0)
        return false;
    if (head->id.len == 0 || head->model.len == 0 || head->created == 0)
        return false;
    for (size_t i = 0; i < answer->n_choices; i++) {
        const struct answer_choice *choice = answer_choice(answer, i);
        if (!choice->finished || choice->finish == FINISH_NONE || !says_something(choice))
            return false;
    }
    return true;
}
