/*
 * messages_decoder - answers of Anthropic Messages backends.
 *
 * Blocks may overlap, as their index allows, though Anthropic sends one after the other. Calls of `server_tool_use` and
 * `mcp_tool_use` blocks are calls that the provider runs; results of such tools and blocks that are new to vsr are
 * DELTA_FOREIGN. The finish is said at `message_stop`, since `message_delta` may come more than once; a
 * stream without it has been cut.
 */
#include "core/arena.h"
#include "wire/decoder_kind.h"
#include "wire/members.h"

enum { OPEN_BLOCKS_MAX = 64, BLOCK_NOT_FOUND = OPEN_BLOCKS_MAX };

/* A block that has not been closed. */
struct messages_block {
    int64_t index;
    uint32_t number; /* of the call */
    bool is_tool, has_input;
};

struct messages_decoder {
    struct decoder base;
    struct messages_block open[OPEN_BLOCKS_MAX];
    size_t n_open;
    uint32_t n_tools;
    struct usage_messages usage;
    bool begun, stopped; /* a stop_reason has been seen */
    enum finish finish;
    vsr_str stop_sequence; /* in `stop_text` */
    char stop_text[1024];
};

static struct messages_decoder *self(struct decoder *decoder) {
    return (struct messages_decoder *)decoder;
}

static vsr_str member_text(struct messages_decoder *d, const struct json_doc *doc, json_ref object, vsr_str key) {
    return decoder_text(d->base.scratch, doc, json_get(doc, object, key));
}

/* ---- saying */

static void say_text(struct messages_decoder *d, enum delta_kind kind, uint32_t index, vsr_str text) {
    if (text.len > 0)
        decoder_say(&d->base, &(struct answer_delta){ .kind = kind, .index = index, .text = text });
}

static void say_raw(struct messages_decoder *d, enum delta_kind kind, uint32_t index, vsr_str name, vsr_str raw) {
    decoder_say(&d->base, &(struct answer_delta){
                              .kind = kind, .family = PROTOCOL_MESSAGES, .index = index, .name = name, .text = raw });
}

static void say_usage(struct messages_decoder *d, const struct json_doc *doc, json_ref object) {
    struct usage usage;
    usage_read_messages(doc, object, &d->usage);
    usage = usage_from_messages(&d->usage);
    if (json_is(doc, object, JSON_OBJECT) && usage.has)
        decoder_say(&d->base, &(struct answer_delta){ .kind = DELTA_USAGE, .usage = &usage });
}

static void begin(struct messages_decoder *d, const struct json_doc *doc, json_ref message) {
    struct answer_delta delta = { .kind = DELTA_BEGIN };
    if (d->begun)
        return;
    d->begun = true;
    delta.id = member_text(d, doc, message, VSR_STR("id"));
    delta.name = member_text(d, doc, message, VSR_STR("model"));
    decoder_say(&d->base, &delta);
}

/* ---- blocks */

static size_t find_open(const struct messages_decoder *d, int64_t index) {
    for (size_t i = 0; i < d->n_open; i++)
        if (d->open[i].index == index)
            return i;
    return BLOCK_NOT_FOUND;
}

static void say_input(struct messages_decoder *d, struct messages_block *block, vsr_str json) {
    block->has_input |= json.len > 0;
    say_text(d, DELTA_TOOL_ARGUMENTS, block->number, json);
}

/* A call without any input takes no arguments: clients parse `{}`, and fail on an empty text. */
static void close_block(struct messages_decoder *d, size_t at) {
    struct messages_block *block = &d->open[at];
    if (block->is_tool && !block->has_input)
        say_input(d, block, VSR_STR("{}"));
    if (block->is_tool)
        decoder_say(&d->base, &(struct answer_delta){ .kind = DELTA_TOOL_END, .index = block->number });
    memmove(block, block + 1, (d->n_open - at - 1) * sizeof(*block));
    d->n_open--;
}

static void close_all(struct messages_decoder *d) {
    while (d->n_open > 0)
        close_block(d, 0);
}

static void begin_tool(struct messages_decoder *d, const struct json_doc *doc, json_ref content,
                       struct messages_block *block, bool server) {
    json_ref input = json_get(doc, content, VSR_STR("input"));
    block->is_tool = true;
    block->number = d->n_tools++;
    decoder_say(&d->base, &(struct answer_delta){ .kind = DELTA_TOOL_BEGIN,
                                                  .index = block->number,
                                                  .id = member_text(d, doc, content, VSR_STR("id")),
                                                  .name = member_text(d, doc, content, VSR_STR("name")),
                                                  .server = server });
    if (json_is(doc, input, JSON_OBJECT) && json_first(doc, input) != JSON_NONE)
        say_input(d, block, json_raw(doc, input));
}

static void say_citations(struct messages_decoder *d, const struct json_doc *doc, json_ref content, uint32_t index) {
    json_ref citations = json_get(doc, content, VSR_STR("citations"));
    if (!json_is(doc, citations, JSON_ARRAY))
        return;
    for (json_ref c = json_first(doc, citations); c != JSON_NONE; c = json_next(doc, citations, c))
        say_raw(d, DELTA_CITATION, index, str_make(NULL, 0), json_raw(doc, c));
}

static bool is_call(vsr_str type) {
    return str_eq(type, VSR_STR("tool_use")) || str_eq(type, VSR_STR("server_tool_use")) ||
           str_eq(type, VSR_STR("mcp_tool_use"));
}

/* The block as it begins in a stream, or all of it in a whole answer. */
static void open_block(struct messages_decoder *d, const struct json_doc *doc, json_ref content, int64_t index) {
    vsr_str type = member_text(d, doc, content, VSR_STR("type"));
    uint32_t number = (uint32_t)index;
    struct messages_block *block;
    size_t at = find_open(d, index);
    if (at != BLOCK_NOT_FOUND)
        close_block(d, at);
    if (d->n_open == OPEN_BLOCKS_MAX)
        close_block(d, 0);
    block = &d->open[d->n_open++];
    *block = (struct messages_block){ .index = index };
    if (str_eq(type, VSR_STR("text"))) {
        say_text(d, DELTA_TEXT, number, member_text(d, doc, content, VSR_STR("text")));
        say_citations(d, doc, content, number);
    } else if (str_eq(type, VSR_STR("thinking"))) {
        say_text(d, DELTA_REASONING, number, member_text(d, doc, content, VSR_STR("thinking")));
        say_text(d, DELTA_REASONING_SIGNATURE, number, member_text(d, doc, content, VSR_STR("signature")));
    } else if (str_eq(type, VSR_STR("redacted_thinking"))) {
        say_text(d, DELTA_REASONING_REDACTED, number, member_text(d, doc, content, VSR_STR("data")));
    } else if (is_call(type)) {
        if (d->n_tools < ANSWER_TOOLS_MAX)
            begin_tool(d, doc, content, block, !str_eq(type, VSR_STR("tool_use")));
    } else if (type.len > 0) {
        say_raw(d, DELTA_FOREIGN, number, type, json_raw(doc, content));
    }
}

enum { DELTA_TYPE, DELTA_TEXT_MEMBER, THINKING, PARTIAL_JSON, SIGNATURE, CITATION, DELTA_MEMBERS };
static const vsr_str delta_members[DELTA_MEMBERS] = {
    [DELTA_TYPE] = VSR_STR_INIT("type"),     [DELTA_TEXT_MEMBER] = VSR_STR_INIT("text"),
    [THINKING] = VSR_STR_INIT("thinking"),   [PARTIAL_JSON] = VSR_STR_INIT("partial_json"),
    [SIGNATURE] = VSR_STR_INIT("signature"), [CITATION] = VSR_STR_INIT("citation"),
};

/* Each type has a member of its own. */
static void read_delta(struct messages_decoder *d, const struct json_doc *doc, json_ref delta, int64_t index) {
    json_ref m[DELTA_MEMBERS];
    uint32_t number = (uint32_t)index;
    vsr_str type;
    members_read(doc, delta, delta_members, DELTA_MEMBERS, m);
    type = decoder_text(d->base.scratch, doc, m[DELTA_TYPE]);
    if (str_eq(type, VSR_STR("text_delta"))) {
        say_text(d, DELTA_TEXT, number, decoder_text(d->base.scratch, doc, m[DELTA_TEXT_MEMBER]));
    } else if (str_eq(type, VSR_STR("thinking_delta"))) {
        say_text(d, DELTA_REASONING, number, decoder_text(d->base.scratch, doc, m[THINKING]));
    } else if (str_eq(type, VSR_STR("signature_delta"))) {
        say_text(d, DELTA_REASONING_SIGNATURE, number, decoder_text(d->base.scratch, doc, m[SIGNATURE]));
    } else if (str_eq(type, VSR_STR("input_json_delta"))) {
        size_t at = find_open(d, index);
        if (at != BLOCK_NOT_FOUND && d->open[at].is_tool)
            say_input(d, &d->open[at], decoder_text(d->base.scratch, doc, m[PARTIAL_JSON]));
    } else if (str_eq(type, VSR_STR("citations_delta"))) {
        if (m[CITATION] != JSON_NONE)
            say_raw(d, DELTA_CITATION, number, str_make(NULL, 0), json_raw(doc, m[CITATION]));
    }
}

/* ---- the end */

static enum finish finish_of(vsr_str reason) {
    static const struct {
        vsr_str name;
        enum finish finish;
    } reasons[] = {
        { VSR_STR_INIT("end_turn"), FINISH_STOP },
        { VSR_STR_INIT("max_tokens"), FINISH_LENGTH },
        { VSR_STR_INIT("tool_use"), FINISH_TOOL_CALLS },
        { VSR_STR_INIT("stop_sequence"), FINISH_STOP_SEQUENCE },
        { VSR_STR_INIT("pause_turn"), FINISH_PAUSE },
        { VSR_STR_INIT("refusal"), FINISH_REFUSAL },
        { VSR_STR_INIT("model_context_window_exceeded"), FINISH_CONTEXT },
    };
    for (size_t i = 0; i < VSR_COUNT(reasons); i++)
        if (str_eq(reasons[i].name, reason))
            return reasons[i].finish;
    return FINISH_NONE;
}

static void read_stop(struct messages_decoder *d, const struct json_doc *doc, json_ref object) {
    vsr_str reason = member_text(d, doc, object, VSR_STR("stop_reason"));
    vsr_str sequence = member_text(d, doc, object, VSR_STR("stop_sequence"));
    if (reason.len == 0)
        return;
    d->stopped = true;
    d->finish = finish_of(reason);
    if (sequence.len > 0 && sequence.len <= sizeof(d->stop_text)) {
        memcpy(d->stop_text, sequence.ptr, sequence.len);
        d->stop_sequence = str_make(d->stop_text, sequence.len);
    }
}

static void say_finish(struct messages_decoder *d) {
    close_all(d);
    decoder_say(&d->base,
                &(struct answer_delta){ .kind = DELTA_FINISH, .finish = d->finish, .stop_sequence = d->stop_sequence });
    decoder_say(&d->base, &(struct answer_delta){ .kind = DELTA_END });
}

static void fail(struct messages_decoder *d, const struct json_doc *doc, json_ref object) {
    struct answer_error error = { .status = 502 };
    decoder_read_error(d->base.scratch, doc, object == JSON_NONE ? 0 : object, &error);
    error.status = decoder_error_status(error.type, 502);
    decoder_fail(&d->base, &error);
}

/* ---- the kind */

enum { EVENT_TYPE, INDEX, DELTA, CONTENT_BLOCK, EVENT_MESSAGE, EVENT_USAGE, EVENT_ERROR, EVENT_MEMBERS };
static const vsr_str event_members[EVENT_MEMBERS] = {
    [EVENT_TYPE] = VSR_STR_INIT("type"),       [INDEX] = VSR_STR_INIT("index"),
    [DELTA] = VSR_STR_INIT("delta"),           [CONTENT_BLOCK] = VSR_STR_INIT("content_block"),
    [EVENT_MESSAGE] = VSR_STR_INIT("message"), [EVENT_USAGE] = VSR_STR_INIT("usage"),
    [EVENT_ERROR] = VSR_STR_INIT("error"),
};

static int64_t index_of(const struct json_doc *doc, json_ref given) {
    int64_t index;
    return json_i64(doc, given, &index) && index >= 0 && index <= UINT32_MAX ? index : 0;
}

/* False for events that belong to no block. */
static bool on_block_event(struct messages_decoder *d, vsr_str type, const struct json_doc *doc, const json_ref *m) {
    int64_t index = index_of(doc, m[INDEX]);
    if (!str_starts(type, VSR_STR("content_block_")))
        return false;
    d->begun = true; /* a message_start behind this comes too late */
    if (str_eq(type, VSR_STR("content_block_delta"))) {
        read_delta(d, doc, m[DELTA], index);
    } else if (str_eq(type, VSR_STR("content_block_start"))) {
        open_block(d, doc, m[CONTENT_BLOCK], index);
    } else if (str_eq(type, VSR_STR("content_block_stop"))) {
        size_t at = find_open(d, index);
        if (at != BLOCK_NOT_FOUND)
            close_block(d, at);
    }
    return true;
}

static void on_event(struct decoder *decoder, vsr_str event, const struct json_doc *doc) {
    struct messages_decoder *d = self(decoder);
    json_ref m[EVENT_MEMBERS];
    vsr_str type;
    members_read(doc, 0, event_members, EVENT_MEMBERS, m);
    type = decoder_text(decoder->scratch, doc, m[EVENT_TYPE]);
    if (type.len == 0)
        type = event;
    if (on_block_event(d, type, doc, m))
        return;
    if (str_eq(type, VSR_STR("message_start"))) {
        begin(d, doc, m[EVENT_MESSAGE]);
        say_usage(d, doc, json_get(doc, m[EVENT_MESSAGE], VSR_STR("usage")));
    } else if (str_eq(type, VSR_STR("message_delta"))) {
        read_stop(d, doc, m[DELTA]);
        say_usage(d, doc, m[EVENT_USAGE]);
    } else if (str_eq(type, VSR_STR("message_stop"))) {
        say_finish(d);
    } else if (str_eq(type, VSR_STR("ping"))) {
        decoder_say(decoder, &(struct answer_delta){ .kind = DELTA_PING });
    } else if (str_eq(type, VSR_STR("error"))) {
        fail(d, doc, m[EVENT_ERROR]);
    }
}

static void on_stop(struct decoder *decoder, bool done) {
    struct messages_decoder *d = self(decoder);
    if (done && d->stopped) /* some proxies end every stream with [DONE] */
        say_finish(d);
}

static void on_body(struct decoder *decoder, const struct json_doc *doc) {
    struct messages_decoder *d = self(decoder);
    json_ref content = json_get(doc, 0, VSR_STR("content")), error = json_get(doc, 0, VSR_STR("error"));
    int64_t index = 0;
    if (str_eq(member_text(d, doc, 0, VSR_STR("type")), VSR_STR("error")) || json_is(doc, error, JSON_OBJECT)) {
        fail(d, doc, error);
        return;
    }
    if (!json_is(doc, content, JSON_ARRAY)) {
        decoder_fail_format(decoder, "the answer has no content");
        return;
    }
    begin(d, doc, 0);
    for (json_ref block = json_first(doc, content); block != JSON_NONE; block = json_next(doc, content, block)) {
        open_block(d, doc, block, index++);
        close_all(d);
    }
    say_usage(d, doc, json_get(doc, 0, VSR_STR("usage")));
    read_stop(d, doc, 0);
    say_finish(d);
}

const struct decoder_kind decoder_messages = {
    .size = sizeof(struct messages_decoder),
    .on_event = on_event,
    .on_stop = on_stop,
    .on_body = on_body,
};
