#include "wire/responses_encoder.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "test.h"
#include "wire/decoder.h"
#include "wire/encoder.h"
#include "wire/responses_events.h"
#include "wire/responses_request.h"
#include "wire/sse.h"
#include "wire/warnings.h"

enum { DELTAS_MAX = 16 };

static const struct usage usage = { .prompt = 7, .completion = 5, .cached = 2, .reasoning = 1, .has = true };

#define SAY(what, words) \
    { .kind = (what), .text = VSR_STR_INIT(words) }
#define CALL(at, call, function) \
    { .kind = DELTA_TOOL_BEGIN, .index = (at), .id = VSR_STR_INIT(call), .name = VSR_STR_INIT(function) }
#define ARGUMENTS(at, words) \
    { .kind = DELTA_TOOL_ARGUMENTS, .index = (at), .text = VSR_STR_INIT(words) }
#define BEGIN \
    { .kind = DELTA_BEGIN, .id = VSR_STR_INIT("chatcmpl-1"), .name = VSR_STR_INIT("backend") }
#define FINISH(why) \
    { .kind = DELTA_FINISH, .finish = (why) }
#define USAGE \
    { .kind = DELTA_USAGE, .usage = &usage }

/* What deltas become: the types of the events without their common prefix, and the object's end as it is stored. */
static const struct {
    const char *name;
    struct answer_delta deltas[DELTAS_MAX]; /* up to END, which the test adds */
    const char *events, *status, *output;
    bool again; /* nothing is lost on the way through a decoder */
} cases[] = {
    { "text",
      { BEGIN, SAY(DELTA_TEXT, "Hel"), SAY(DELTA_TEXT, "lo \"\n"), FINISH(FINISH_STOP), USAGE },
      "created in_progress output_item.added content_part.added output_text.delta output_text.delta output_text.done "
      "content_part.done output_item.done completed",
      "completed",
      "[{\"id\":\"ID\",\"type\":\"message\",\"status\":\"completed\",\"role\":\"assistant\",\"content\":[{\"type\":"
      "\"output_text\",\"text\":\"Hello \\\"\\n\",\"annotations\":[],\"logprobs\":[]}]}]",
      true },
    { "reasoning, then text",
      { BEGIN, SAY(DELTA_REASONING, "hm"), SAY(DELTA_TEXT, "ok"), FINISH(FINISH_STOP), USAGE },
      "created in_progress output_item.added content_part.added reasoning_text.delta reasoning_text.done "
      "content_part.done output_item.done output_item.added content_part.added output_text.delta output_text.done "
      "content_part.done output_item.done completed",
      "completed",
      "[{\"id\":\"ID\",\"type\":\"reasoning\",\"status\":\"completed\",\"summary\":[],\"content\":[{\"type\":"
      "\"reasoning_text\",\"text\":\"hm\"}]},{\"id\":\"ID\",\"type\":\"message\",\"status\":\"completed\",\"role\":"
      "\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"ok\",\"annotations\":[],\"logprobs\":[]}]}]",
      false },
    { "parallel calls",
      { BEGIN, CALL(0, "c0", "f"), CALL(1, "c1", "g"), ARGUMENTS(0, "{"), ARGUMENTS(1, "{}"), ARGUMENTS(0, "}"),
        FINISH(FINISH_TOOL_CALLS), USAGE },
      "created in_progress output_item.added output_item.added function_call_arguments.delta "
      "function_call_arguments.delta function_call_arguments.delta function_call_arguments.done output_item.done "
      "function_call_arguments.done output_item.done completed",
      "completed",
      "[{\"id\":\"ID\",\"type\":\"function_call\",\"status\":\"completed\",\"call_id\":\"c0\",\"name\":\"f\","
      "\"arguments\":\"{}\"},{\"id\":\"ID\",\"type\":\"function_call\",\"status\":\"completed\",\"call_id\":\"c1\","
      "\"name\":\"g\",\"arguments\":\"{}\"}]",
      true },
    { "text, call, text",
      { BEGIN, SAY(DELTA_TEXT, "a"), CALL(0, "c0", "f"), SAY(DELTA_TEXT, "b"), FINISH(FINISH_STOP) },
      "created in_progress output_item.added content_part.added output_text.delta output_text.done content_part.done "
      "output_item.done output_item.added function_call_arguments.done output_item.done output_item.added "
      "content_part.added output_text.delta output_text.done content_part.done output_item.done completed",
      "completed",
      "[{\"id\":\"ID\",\"type\":\"message\",\"status\":\"completed\",\"role\":\"assistant\",\"content\":[{\"type\":"
      "\"output_text\",\"text\":\"a\",\"annotations\":[],\"logprobs\":[]}]},{\"id\":\"ID\",\"type\":\"function_call\","
      "\"status\":\"completed\",\"call_id\":\"c0\",\"name\":\"f\",\"arguments\":\"\"},{\"id\":\"ID\",\"type\":"
      "\"message\","
      "\"status\":\"completed\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"b\","
      "\"annotations\":[],\"logprobs\":[]}]}]",
      false },
    { "refusal behind text",
      { BEGIN, SAY(DELTA_TEXT, "I"), SAY(DELTA_REFUSAL, "no"), FINISH(FINISH_STOP) },
      "created in_progress output_item.added content_part.added output_text.delta content_part.added refusal.delta "
      "output_text.done content_part.done refusal.done content_part.done output_item.done completed",
      "completed",
      "[{\"id\":\"ID\",\"type\":\"message\",\"status\":\"completed\",\"role\":\"assistant\",\"content\":[{\"type\":"
      "\"output_text\",\"text\":\"I\",\"annotations\":[],\"logprobs\":[]},{\"type\":\"refusal\",\"refusal\":\"no\"}]}]",
      true },
    { "nothing",
      { BEGIN, FINISH(FINISH_STOP), USAGE },
      "created in_progress output_item.added content_part.added output_text.done content_part.done output_item.done "
      "completed",
      "completed",
      "[{\"id\":\"ID\",\"type\":\"message\",\"status\":\"completed\",\"role\":\"assistant\",\"content\":[{\"type\":"
      "\"output_text\",\"text\":\"\",\"annotations\":[],\"logprobs\":[]}]}]",
      true },
    { "length",
      { BEGIN, SAY(DELTA_TEXT, "a"), FINISH(FINISH_LENGTH) },
      "created in_progress output_item.added content_part.added output_text.delta output_text.done content_part.done "
      "output_item.done incomplete",
      "incomplete",
      "[{\"id\":\"ID\",\"type\":\"message\",\"status\":\"incomplete\",\"role\":\"assistant\",\"content\":[{\"type\":"
      "\"output_text\",\"text\":\"a\",\"annotations\":[],\"logprobs\":[]}]}]",
      true },
    { "broken",
      { BEGIN,
        SAY(DELTA_TEXT, "a"),
        { .kind = DELTA_ERROR, .error = { .status = 502, .message = VSR_STR_INIT("cut") } } },
      "created in_progress output_item.added content_part.added output_text.delta failed",
      "failed",
      "[{\"id\":\"ID\",\"type\":\"message\",\"status\":\"incomplete\",\"role\":\"assistant\",\"content\":[{\"type\":"
      "\"output_text\",\"text\":\"a\",\"annotations\":[],\"logprobs\":[]}]}]",
      false },
    { "image",
      { BEGIN, SAY(DELTA_IMAGE, "data:image/png;base64,QUJD"), FINISH(FINISH_STOP) },
      "created in_progress output_item.added image_generation_call.completed output_item.done completed",
      "completed",
      "[{\"id\":\"ID\",\"type\":\"image_generation_call\",\"status\":\"completed\",\"result\":\"QUJD\"}]",
      true },
    { "citations and logprobs",
      { BEGIN,
        SAY(DELTA_TEXT, "a"),
        { .kind = DELTA_LOGPROBS, .text = VSR_STR_INIT("[{\"token\":\"a\"}]") },
        { .kind = DELTA_CITATION,
          .text = VSR_STR_INIT("{\"type\":\"url_citation\",\"url_citation\":{\"url\":\"u\",\"start_index\":0}}") },
        FINISH(FINISH_STOP) },
      "created in_progress output_item.added content_part.added output_text.delta output_text.annotation.added "
      "output_text.done content_part.done output_item.done completed",
      "completed",
      "[{\"id\":\"ID\",\"type\":\"message\",\"status\":\"completed\",\"role\":\"assistant\",\"content\":[{\"type\":"
      "\"output_text\",\"text\":\"a\",\"annotations\":[{\"type\":\"url_citation\",\"url\":\"u\",\"start_index\":0}],"
      "\"logprobs\":[{\"token\":\"a\"}]}]}]",
      false },
};

static const char request_body[] =
    "{\"model\":\"auto\",\"input\":\"q\",\"temperature\":0.25,\"tools\":[{\"type\":\"function\",\"name\":\"f\"}]}";

/* One answer on its way. */
struct run {
    struct arena *arena;
    struct json_doc doc;
    struct responses_request request;
    struct response_meta meta;
    struct warnings warnings;
    struct encoder *encoder;
    struct buf out;
};

static void run_begin(struct run *run, bool streamed) {
    struct vsr_err err = VSR_ERR_NONE;
    struct encoder_options options = { .protocol = PROTOCOL_RESPONSES, .streamed = streamed, .now_s = 1700000001 };
    *run = (struct run){ .arena = arena_new(0, 0) };
    buf_init(&run->out, 1 << 24);
    warnings_init(&run->warnings, run->arena);
    CHECK_INT(json_parse(run->arena, str_from_c(request_body), &run->doc, &err), 0, "request");
    CHECK_INT(responses_read(run->arena, &run->doc, &run->request, &err), 0, "request");
    run->meta = (struct response_meta){ .id = VSR_STR("resp_1"),
                                        .created_s = 1700000000,
                                        .model = VSR_STR("auto"),
                                        .conversation_id = VSR_STR("conv_1"),
                                        .stores = true,
                                        .request = &run->request };
    options.response = &run->meta;
    options.warnings = &run->warnings;
    run->encoder = encoder_new(&options, run->arena, &run->out);
}

static void run_end(struct run *run) {
    encoder_free(run->encoder);
    buf_done(&run->out);
    arena_free(run->arena);
}

static void run_deltas(struct run *run, const struct answer_delta *deltas) {
    for (size_t i = 0; i < DELTAS_MAX && (i == 0 || deltas[i].kind != DELTA_BEGIN); i++)
        encoder_take(run->encoder, &deltas[i]);
    encoder_take(run->encoder, &(struct answer_delta){ .kind = DELTA_END });
}

/* The types of all events; each must be JSON that repeats its type and carries the next number. */
struct reading {
    struct arena *arena;
    vsr_str types;
    int64_t next;
};

static void on_event(void *user, const struct sse_event *event) {
    struct reading *reading = user;
    struct json_doc doc;
    int64_t number = -1;
    vsr_str type = event->type, prefix = VSR_STR("response.");
    CHECK(json_parse(reading->arena, event->data, &doc, NULL) == 0, "event");
    CHECK(json_str_eq(&doc, json_get(&doc, 0, VSR_STR("type")), type), "event");
    CHECK(responses_event_find(type) != RESPONSES_EVENT_UNKNOWN, "event");
    CHECK(json_i64(&doc, json_get(&doc, 0, VSR_STR("sequence_number")), &number), "event");
    CHECK_INT(number, reading->next++, "sequence_number");
    CHECK(str_starts(type, prefix), "event");
    reading->types = arena_printf(reading->arena, "%.*s%s%.*s", VSR_FMT(reading->types), reading->types.len ? " " : "",
                                  VSR_FMT(str_sub(type, prefix.len, type.len)));
}

static vsr_str types_of(struct arena *arena, vsr_str stream) {
    struct reading reading = { .arena = arena };
    struct sse_parser parser;
    sse_init(&parser, on_event, &reading);
    sse_feed(&parser, stream);
    sse_done(&parser);
    return reading.types;
}

/* The output with ids made equal. */
static vsr_str output_of(struct arena *arena, vsr_str object) {
    struct json_doc doc;
    vsr_str output;
    static const char *const prefixes[] = { "msg_", "rs_", "fc_", "ig_" };
    CHECK(json_parse(arena, object, &doc, NULL) == 0, "object");
    output = json_raw(&doc, json_get(&doc, 0, VSR_STR("output")));
    for (size_t i = 0; i < VSR_COUNT(prefixes); i++) {
        vsr_str prefix = str_from_c(prefixes[i]);
        ptrdiff_t at;
        while ((at = str_find(output, prefix)) >= 0)
            output = arena_printf(arena, "%.*sID%.*s", VSR_FMT(str_sub(output, 0, (size_t)at)),
                                  VSR_FMT(str_sub(output, (size_t)at + prefix.len + 24, output.len)));
    }
    return output;
}

TEST(streams) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct run run;
        run_begin(&run, true);
        run_deltas(&run, cases[i].deltas);
        CHECK_STR(types_of(run.arena, buf_str(&run.out)), cases[i].events, cases[i].name);
        CHECK_STR(str_from_c(response_status_name(responses_encoder_status(run.encoder))), cases[i].status,
                  cases[i].name);
        CHECK_STR(output_of(run.arena, responses_encoder_object(run.encoder)), cases[i].output, cases[i].name);
        CHECK(str_ends(buf_str(&run.out), arena_printf(run.arena, "\"response\":%.*s}\n\n",
                                                       VSR_FMT(responses_encoder_object(run.encoder)))),
              cases[i].name);
        run_end(&run);
    }
}

/* The whole object is the stream's last one. */
TEST(objects) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct run whole, stream;
        run_begin(&whole, false);
        run_begin(&stream, true);
        run_deltas(&whole, cases[i].deltas);
        run_deltas(&stream, cases[i].deltas);
        CHECK(str_eq(responses_encoder_object(whole.encoder), responses_encoder_object(stream.encoder)), cases[i].name);
        if (responses_encoder_status(whole.encoder) == RESPONSE_STATUS_FAILED) {
            CHECK_INT(encoder_error_status(whole.encoder), 502, cases[i].name);
            CHECK(str_starts(buf_str(&whole.out), VSR_STR("{\"error\":{\"message\":\"cut\"")), cases[i].name);
        } else {
            CHECK_INT(encoder_error_status(whole.encoder), 0, cases[i].name);
            CHECK(str_eq(buf_str(&whole.out), responses_encoder_object(whole.encoder)), cases[i].name);
        }
        run_end(&whole);
        run_end(&stream);
    }
}

TEST(object_text) {
    struct run run;
    const struct answer_delta deltas[DELTAS_MAX] = { BEGIN, SAY(DELTA_TEXT, "x"), FINISH(FINISH_STOP), USAGE };
    run_begin(&run, false);
    run_deltas(&run, deltas);
    CHECK_STR(
        str_sub(buf_str(&run.out), 0, 257),
        "{\"id\":\"resp_1\",\"object\":\"response\",\"created_at\":1700000000,\"status\":\"completed\",\"background\":"
        "false,\"completed_at\":1700000001,\"error\":null,\"incomplete_details\":null,\"instructions\":null,"
        "\"max_output_tokens\":null,\"max_tool_calls\":null,\"model\":\"auto\",\"output\":[{",
        "front");
    CHECK(str_ends(
              buf_str(&run.out),
              VSR_STR("\"output_text\":\"x\",\"parallel_tool_calls\":true,\"previous_response_id\":null,\"reasoning\":{"
                      "\"effort\":null,\"summary\":null},\"service_tier\":null,\"store\":true,\"temperature\":0.25,"
                      "\"text\":{\"format\":{\"type\":\"text\"}},\"tool_choice\":\"auto\",\"tools\":[{\"type\":"
                      "\"function\",\"name\":\"f\"}],\"top_logprobs\":0,\"top_p\":1.0,\"truncation\":\"disabled\","
                      "\"usage\":{\"input_tokens\":7,\"input_tokens_details\":{\"cached_tokens\":2},\"output_tokens\":"
                      "5,\"output_tokens_details\":{\"reasoning_tokens\":1},\"total_tokens\":12},\"user\":null,"
                      "\"metadata\":{},\"conversation_id\":\"conv_1\"}")),
          "end");
    run_end(&run);
}

static void take(void *user, const struct answer_delta *delta) {
    encoder_take(((struct run *)user)->encoder, delta);
}

/* Through the decoder and back, cut at every place: the same bytes. */
TEST(every_split) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct run first;
        vsr_str stream;
        run_begin(&first, true);
        run_deltas(&first, cases[i].deltas);
        stream = buf_str(&first.out);
        for (size_t cut = 0; cut <= stream.len; cut += cases[i].again ? 1 : 7) {
            struct run second;
            struct decoder *decoder;
            run_begin(&second, true);
            decoder = decoder_new(PROTOCOL_RESPONSES, true, take, &second);
            decoder_feed(decoder, str_sub(stream, 0, cut));
            decoder_feed(decoder, str_sub(stream, cut, stream.len));
            decoder_end(decoder, true);
            CHECK(decoder_ended(decoder), cases[i].name);
            if (cases[i].again)
                CHECK_MSG(str_eq(buf_str(&second.out), stream), "case \"%s\" cut at %zu: %.*s", cases[i].name, cut,
                          VSR_FMT(buf_str(&second.out)));
            else
                CHECK(output_of(second.arena, responses_encoder_object(second.encoder)).len > 2, cases[i].name);
            decoder_free(decoder);
            run_end(&second);
        }
        run_end(&first);
    }
}

TEST(whole_answers_again) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct run first, second;
        struct decoder *decoder;
        run_begin(&first, false);
        run_begin(&second, false);
        run_deltas(&first, cases[i].deltas);
        decoder = decoder_new(PROTOCOL_RESPONSES, false, take, &second);
        decoder_feed(decoder, buf_str(&first.out));
        decoder_end(decoder, true);
        if (cases[i].again)
            CHECK_MSG(str_eq(buf_str(&second.out), buf_str(&first.out)), "case \"%s\": %.*s", cases[i].name,
                      VSR_FMT(buf_str(&second.out)));
        decoder_free(decoder);
        run_end(&first);
        run_end(&second);
    }
}

/* A stream that ends early is a failure, wherever it is cut between events. */
TEST(cut_streams) {
    struct run first;
    run_begin(&first, true);
    run_deltas(&first, cases[1].deltas);
    for (size_t cut = 0; cut + 1 < first.out.len; cut += 7) {
        struct run second;
        struct decoder *decoder;
        run_begin(&second, true);
        decoder = decoder_new(PROTOCOL_RESPONSES, true, take, &second);
        decoder_feed(decoder, str_sub(buf_str(&first.out), 0, cut));
        decoder_end(decoder, false);
        CHECK_INT(responses_encoder_status(second.encoder), RESPONSE_STATUS_FAILED, "cut");
        CHECK(str_ends(types_of(second.arena, buf_str(&second.out)), VSR_STR("failed")), "cut");
        decoder_free(decoder);
        run_end(&second);
    }
    run_end(&first);
}

/* Items that only this family has, an error event, sealed reasoning: as other backends of this protocol send them. */
TEST(foreign_streams) {
    static const struct {
        const char *name, *stream, *output, *status;
    } streams[] = {
        { "search",
          "data: {\"type\":\"response.created\",\"response\":{\"id\":\"r\",\"model\":\"m\",\"created_at\":1.5}}\n\n"
          "data: {\"type\":\"response.web_search_call.searching\",\"output_index\":0}\n\n"
          "data: "
          "{\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\"type\":\"web_search_call\",\"id\":"
          "\"w\"}}\n\n"
          "data: {\"type\":\"response.brand_new\",\"x\":1}\n\n"
          "data: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\"}}\n\n",
          "[{\"type\":\"web_search_call\",\"id\":\"w\"}]", "completed" },
        { "only whole items",
          "data: "
          "{\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\"type\":\"reasoning\",\"summary\":[{"
          "\"type\":\"summary_text\",\"text\":\"s\"}],\"encrypted_content\":\"E\"}}\n\n"
          "data: {\"type\":\"response.output_item.done\",\"output_index\":1,\"item\":{\"type\":\"function_call\","
          "\"call_id\":\"c\",\"name\":\"f\",\"arguments\":\"{}\"}}\n\n"
          "data: {\"type\":\"response.completed\",\"response\":{}}\n\n",
          "[{\"id\":\"ID\",\"type\":\"reasoning\",\"status\":\"completed\",\"summary\":[{\"type\":\"summary_text\","
          "\"text\":"
          "\"s\"}],\"content\":[],\"encrypted_content\":\"E\"},{\"id\":\"ID\",\"type\":\"function_call\",\"status\":"
          "\"completed\",\"call_id\":\"c\",\"name\":\"f\",\"arguments\":\"{}\"}]",
          "completed" },
        { "error event",
          "event: error\ndata: {\"type\":\"error\",\"code\":\"rate_limit_exceeded\",\"message\":\"slow\"}\n\n", "[]",
          "failed" },
        { "failed",
          "data: "
          "{\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"server_error\",\"message\":\"x\"}}}\n\n",
          "[]", "failed" },
    };
    for (size_t i = 0; i < VSR_COUNT(streams); i++) {
        struct run run;
        struct decoder *decoder;
        run_begin(&run, true);
        decoder = decoder_new(PROTOCOL_RESPONSES, true, take, &run);
        decoder_feed(decoder, str_from_c(streams[i].stream));
        decoder_end(decoder, true);
        CHECK_STR(output_of(run.arena, responses_encoder_object(run.encoder)), streams[i].output, streams[i].name);
        CHECK_STR(str_from_c(response_status_name(responses_encoder_status(run.encoder))), streams[i].status,
                  streams[i].name);
        decoder_free(decoder);
        run_end(&run);
    }
}

RUN_TESTS(T(streams), T(objects), T(object_text), T(every_split), T(whole_answers_again), T(cut_streams),
          T(foreign_streams))
