/*
 * stage_limit - what callers may have: asked before the body is read, asked again once the model is known, settled at
 * the end (provider/limit.h).
 */
#include "core/arena.h"
#include "core/clock.h"
#include "core/log.h"
#include "provider/pricing.h"
#include "serve/run_front.h"
#include "serve/stages.h"
#include "serve/worker.h"
#include "signal/token_count.h"
#include "wire/answer_model.h"

/* Those that make a backend or a model work. */
static bool is_counted(enum endpoint_kind kind) {
    switch (kind) {
    case ENDPOINT_CHAT:
    case ENDPOINT_MESSAGES:
    case ENDPOINT_RESPONSES:
    case ENDPOINT_COMPLETIONS:
    case ENDPOINT_EMBEDDINGS:
    case ENDPOINT_IMAGES:
        return true;
    default:
        return false;
    }
}

/* ---- what the client is told */

/* Requests and tokens are whole numbers; money is told to the hundredth of a cent. */
static vsr_str number(struct arena *arena, const struct limit_verdict *verdict, double value) {
    if (verdict->kind == LIMIT_COST)
        return arena_printf(arena, "%.4f", value);
    return arena_printf(arena, "%.0f", value < 1e15 ? (double)(int64_t)(value + 1e-6) : value);
}

static void add_fields(struct request *request, const struct limit_verdict *verdict) {
    struct arena *arena = request->arena;
    if (!verdict->has)
        return;
    request_add_field(request, VSR_STR("x-ratelimit-limit"), number(arena, verdict, verdict->limit));
    request_add_field(request, VSR_STR("x-ratelimit-remaining"), number(arena, verdict, verdict->remaining));
    request_add_field(request, VSR_STR("x-ratelimit-reset"), arena_printf(arena, "%lld", (long long)verdict->reset_s));
}

static void count_denial(const struct request *request, const struct limit_verdict *verdict) {
    const vsr_str labels[] = { verdict->rule ? verdict->rule->config->name : verdict->provider->name,
                               str_from_c(limit_kind_names[verdict->kind]) };
    if (verdict->failed)
        LOG_WARN("a request was refused because its limits could not be looked up",
                 LOG_S("request_id", request->request_id), LOG_S("provider", verdict->provider->name));
    else
        metric_inc(metric_with(request->worker->telemetry->rate_limited, labels, VSR_COUNT(labels)));
}

static enum stage_result deny(struct request *request, const struct limit_ticket *ticket) {
    const struct limit_verdict *verdict = &ticket->verdict;
    long long retry_s = (long long)verdict->retry_after_s;
    vsr_str message = verdict->too_large
                          ? arena_printf(request->arena, "The request needs more than the whole rate limit of %.*s %s.",
                                         VSR_FMT(number(request->arena, verdict, verdict->limit)),
                                         verdict->kind == LIMIT_COST ? "(cost)" : limit_kind_names[verdict->kind])
                          : arena_printf(request->arena, "Rate limit exceeded. Retry after %lld seconds.", retry_s);
    count_denial(request, verdict);
    request_error(request, 429, TELEMETRY_REASON_rate_limited, NULL, message);
    request->reply.path = RESPONSE_RATE_LIMITED;
    add_fields(request, verdict);
    request_add_field(request, VSR_STR("retry-after"), arena_printf(request->arena, "%lld", retry_s));
    return STAGE_FAIL;
}

/* ---- asking */

/* Also when the request was let through. */
static void count_failure(struct request *request, struct limit_ticket *ticket) {
    if (ticket->failed)
        metric_inc(metric_with(request->worker->telemetry->limit_errors, &ticket->failed->name, 1));
    ticket->failed = NULL;
}

static void on_answer(void *owner) {
    pipeline_resume(owner);
}

static struct limit_subject subject_of(const struct request *request, const struct snapshot_model *model,
                                       vsr_str model_name) {
    const struct identity *identity = &request->identity;
    struct limit_subject subject = {
        .user = identity->user,
        .tenant = identity->tenant,
        .key = identity->key,
        .groups = identity->groups.items,
        .n_groups = identity->groups.n,
        .requested_model = request->facts.model,
        .selected_model = model_name,
    };
    if (model && pricing_configured(model->provider->config->pricing))
        subject.currency = pricing_currency(model->provider->config->pricing);
    return subject;
}

/* Asks for what that model takes to read a prompt of so many tokens. */
static struct limit_ask routed_ask(const struct request *request, const struct snapshot_model *model,
                                   vsr_str model_name, int64_t tokens) {
    const struct usage prompt = { .has = true, .prompt = tokens };
    return (struct limit_ask){ .set = request->snapshot->limits,
                               .phase = LIMIT_ROUTED,
                               .subject = subject_of(request, model, model_name),
                               .tokens = (double)tokens,
                               .cost = model ? pricing_cost(model->provider->config->pricing, &prompt) : 0,
                               .arena = request->arena };
}

/* One stage asks twice when it had to wait: the second time there is an answer. */
static enum stage_result ask(struct request *request, struct limit_ticket *ticket, const struct limit_ask *asked) {
    enum limit_answer answer = ticket->answer;
    if (!request->limit_waits) {
        request->limit_ask = *asked;
        answer = limit_take(request->worker->limits, &request->limit_ask, ticket, on_answer, request);
    }
    request->limit_waits = answer == LIMIT_WAITING;
    if (answer == LIMIT_WAITING)
        return STAGE_WAIT;
    count_failure(request, ticket);
    if (answer == LIMIT_DENIED)
        return deny(request, ticket);
    add_fields(request, &ticket->verdict);
    return STAGE_NEXT;
}

static bool is_limited(const struct request *request) {
    return request->snapshot->limits && is_counted(request->endpoint) && !request->front.ops->watches;
}

enum stage_result stage_limit(struct request *request) {
    identity_read(request);
    /* What runs in the background was counted when its client asked for it, and has that one's place. */
    if (!is_limited(request) || run_of(request))
        return STAGE_NEXT;
    return ask(request, &request->ticket,
               &(struct limit_ask){ .set = request->snapshot->limits,
                                    .phase = LIMIT_EARLY,
                                    .subject = subject_of(request, request->model, request->selected_model),
                                    .arena = request->arena });
}

/* What is no chat has no facts: its bytes are an estimate good enough to be corrected. */
static uint64_t estimate_prompt(const struct request *request) {
    double ratio = token_estimate_ratio(request->worker->token_estimate);
    if (request->as_chat || request->embeddings)
        return signal_token_count(&request->facts, ratio, false);
    return token_estimate_tokens(request->body.len, ratio);
}

enum stage_result stage_budget(struct request *request) {
    struct limit_ask asked;
    if (!is_limited(request))
        return STAGE_NEXT;
    request->prompt_tokens = (int64_t)estimate_prompt(request);
    asked = routed_ask(request, request->model, request->selected_model, request->prompt_tokens);
    return ask(request, &request->ticket, &asked);
}

enum stage_result limit_beside(struct request *request, const struct snapshot_model *model, vsr_str model_name,
                               int64_t prompt_tokens) {
    struct limit_ask asked;
    enum stage_result result;
    if (!is_limited(request))
        return STAGE_NEXT;
    if (!request->limit_waits)
        request->beside.verdict = request->ticket.verdict; /* the nearer of the two is what the client is told */
    asked = routed_ask(request, model, model_name, prompt_tokens);
    asked.beside = &request->ticket;
    result = ask(request, &request->beside, &asked);
    if (result == STAGE_FAIL)
        limit_refund(request->worker->limits, &request->ticket);
    return result;
}

static void drop_field(struct request *request, vsr_str name) {
    for (size_t i = 0; i < request->n_fields; i++)
        if (str_eq(request->fields[i].name, name))
            request->fields[i].value = VSR_STR("");
}

/* What was said of the first model. */
static void drop_fields(struct request *request) {
    drop_field(request, VSR_STR("x-ratelimit-limit"));
    drop_field(request, VSR_STR("x-ratelimit-remaining"));
    drop_field(request, VSR_STR("x-ratelimit-reset"));
    drop_field(request, VSR_STR("retry-after"));
}

enum limit_answer limit_again(struct request *request) {
    enum limit_answer answer;
    if (!is_limited(request))
        return LIMIT_PASSED;
    limit_reroute(request->worker->limits, &request->ticket);
    drop_fields(request);
    request->limit_ask = routed_ask(request, request->model, request->selected_model, request->prompt_tokens);
    request->limit_ask.again = true;
    answer = limit_take(request->worker->limits, &request->limit_ask, &request->ticket, on_answer, request);
    request->limit_waits = answer == LIMIT_WAITING;
    if (answer == LIMIT_WAITING)
        return answer;
    count_failure(request, &request->ticket);
    if (answer == LIMIT_DENIED)
        limit_reroute(request->worker->limits, &request->ticket);
    add_fields(request, &request->ticket.verdict);
    return answer;
}

/* ---- the end */

void limit_note_delta(struct request *request, const struct answer_delta *delta) {
    switch (delta->kind) {
    case DELTA_TEXT:
    case DELTA_REASONING:
    case DELTA_REFUSAL:
    case DELTA_TOOL_BEGIN:
    case DELTA_TOOL_ARGUMENTS:
        request->said_len += delta->text.len + delta->name.len;
        request->n_said++;
        break;
    default:
        break;
    }
}

/*
 * Tokens of what has come of the answer so far: a piece or a frame holds one, at the least. Of a whole answer that
 * nobody read along its bytes are counted, wrapping included: rather too much than nothing at all.
 */
static int64_t tokens_said(const struct request *request) {
    uint64_t tokens = token_estimate_tokens(request->said_len, token_estimate_ratio(request->worker->token_estimate));
    if (!request->said && request->streaming)
        return (int64_t)request->relay.stream.n_frames;
    if (!request->said && !request->as_chat)
        return 0; /* vectors and pictures are no text */
    return (int64_t)(tokens > request->n_said ? tokens : request->n_said);
}

/* What the request took when no backend said so. */
static struct usage guess_usage(const struct request *request) {
    struct usage usage = { .has = true };
    bool failed = request->reply.status >= 400 || request->upstream_status >= 400;
    if (!request->dispatched_ns || (failed && !request->aborted))
        return usage; /* no backend has worked for it, or none that charges for it */
    usage.prompt = request->prompt_tokens;
    usage.completion = tokens_said(request);
    return usage;
}

static double above_zero(int64_t n) {
    return n > 0 ? (double)n : 0;
}

static void settle(struct request *request, struct limit_ticket *ticket, const struct snapshot_model *model,
                   const struct usage *usage) {
    limit_settle(request->worker->limits, ticket, above_zero(usage->prompt) + above_zero(usage->completion),
                 model ? pricing_cost(model->provider->config->pricing, usage) : 0);
}

void limit_beside_ends(struct request *request, const struct snapshot_model *model, const struct usage *usage) {
    settle(request, &request->beside, model, usage);
}

void limit_part_ends(struct request *request) {
    settle(request, &request->ticket, NULL, &(struct usage){ 0 });
}

void limit_request_ends(struct request *request, const struct usage *reported, bool cut) {
    struct usage usage;
    settle(request, &request->beside, NULL, &(struct usage){ 0 }); /* what that took is settled by who asked for it */
    if (!request->ticket.n_held && !request->ticket.wait)
        return;
    usage = reported ? *reported : guess_usage(request);
    /* Some protocols begin with a usage that knows nothing of the answer yet. */
    if (reported && cut && usage.completion < tokens_said(request))
        usage.completion = tokens_said(request);
    settle(request, &request->ticket, request->model, &usage);
}
