/* Tables of `global.integrations` (config.md §9.4). */
#include "config/global_integrations.h"

#include "config/check.h"
#include "config/global_tables.h"
#include "config/rows.h"
#include "core/arena.h"

/* ---- tools */

#define T struct config_tool_weights
static const struct field tool_weights_fields[] = {
    { ROW(embed, NUMBER), UNIT, .help = "Weight of the similarity of meaning." },
    { ROW(lexical, NUMBER), UNIT, .help = "Weight of common words." },
    { ROW(tag, NUMBER), UNIT, .help = "Weight of tags." },
    { ROW(name, NUMBER), UNIT, .help = "Weight of the tool's name." },
    { ROW(category, NUMBER), UNIT, .help = "Weight of the category." },
};
#undef T
static const struct schema tool_weights_schema = SCHEMA("weights", struct config_tool_weights, tool_weights_fields);

#define T struct config_tool_history
static const struct field tool_history_fields[] = {
    { ROW(history_horizon, INT), COUNT_FROM(1), .fallback = "8", .help = "Earlier calls looked at." },
    { ROW(min_history_steps, INT), COUNT, .help = "Calls before history counts." },
    { ROW(history_confidence_threshold, NUMBER), UNIT, .help = "Least confidence at which history counts." },
    { ROW(weight_semantic, NUMBER), UNIT, .help = "Weight of the similarity of meaning." },
    { ROW(weight_history_transition, NUMBER), UNIT, .help = "Weight of what usually follows." },
    { ROW(weight_decision_prior, NUMBER), UNIT, .help = "Weight of what the decision usually calls." },
    { ROW(repetition_penalty_strength, NUMBER), UNIT, .help = "Penalty for calling the same tool again." },
};
#undef T
static const struct schema tool_history_schema =
    SCHEMA("hybrid_history", struct config_tool_history, tool_history_fields);

static const char *const retrieval_strategies[] = { "weighted", "hybrid_history", NULL };

#define T struct config_tool_filtering
static const struct field tool_filtering_fields[] = {
    { ROW(enabled, BOOL), .help = "Rank tools by more than their meaning." },
    { ROW(retrieval_strategy, ENUM), .fallback = "weighted", .choices = retrieval_strategies,
      .help = "How tools are ranked." },
    { ROW(candidate_pool_size, INT), COUNT, .help = "Tools that are ranked; 0: all." },
    { ROW(min_lexical_overlap, INT), COUNT, .help = "Least number of common words." },
    { ROW(min_combined_score, NUMBER), UNIT, .help = "Least score of a tool." },
    { BLOCK(weights, tool_weights_schema), .help = "What counts how much; all zero: the built-in weights." },
    { ROW(use_category_filter, BOOL), .help = "Keep to tools of the request's category." },
    { ROW(category_confidence_threshold, NUMBER), UNIT, .help = "Least confidence in the category for that." },
    { ROW(allow_tools, STRINGS), .help = "Tools that may be offered; empty: all." },
    { ROW(block_tools, STRINGS), .help = "Tools that are never offered." },
    { BLOCK(hybrid_history, tool_history_schema), .help = "Ranking by earlier calls." },
};
#undef T
const struct schema config_tool_filtering_schema =
    SCHEMA("advanced_filtering", struct config_tool_filtering, tool_filtering_fields);

#define T struct config_tools
static const struct field tools_fields[] = {
    { ROW(enabled, BOOL), .help = "Offer tools of a database to models that ask for any." },
    { ROW(top_k, INT), COUNT, .fallback = "3", .help = "Most tools offered." },
    { ROW(similarity_threshold, NUMBER), UNIT, .help = "Least similarity of a tool; unset: none." },
    { ROW(tools_db_path, STRING), .fallback = "config/tools_db.json", .help = "The database of tools, in JSON." },
    { ROW(fallback_to_empty, BOOL), .fallback = "true", .help = "Offer none when none fits, instead of failing." },
    { BLOCK(advanced_filtering, config_tool_filtering_schema), .help = "How tools are ranked." },
};
#undef T
const struct schema config_tools_schema = SCHEMA("tools", struct config_tools, tools_fields);

/* ---- looper */

/* `names` is the object's list `model_names`. */
static void check_names(const void *object, const struct config_strings *names, struct arena *arena,
                        struct diag *diag) {
    const struct config_at *at = object;
    vsr_str path = schema_path(arena, at->path, VSR_STR("model_names"));
    for (size_t i = 0; i < names->n; i++)
        if (str_trim(names->items[i]).len == 0)
            diag_error(diag, "E_REQUIRED",
                       (struct diag_at){ names->nodes[i]->line, names->nodes[i]->col,
                                         arena_printf(arena, "%.*s[%zu]", VSR_FMT(path), i) },
                       VSR_STR(""), "must not be blank");
}

static void check_looper_names(const void *object, struct arena *arena, struct diag *diag) {
    check_names(object, &((const struct config_looper_names *)object)->model_names, arena, diag);
}

static void check_looper_flow(const void *object, struct arena *arena, struct diag *diag) {
    check_names(object, &((const struct config_looper_flow *)object)->model_names, arena, diag);
}

#define T struct config_looper_names
static const struct field looper_names_fields[] = {
    { ROW(model_names, STRINGS), .help = "Model names that run it; unset: its name behind vllm-sr/." },
};
#undef T
const struct schema config_looper_names_schema =
    SCHEMA("looper names", struct config_looper_names, looper_names_fields, .check = check_looper_names);

#define T struct config_flow_file
static const struct field flow_file_fields[] = {
    { ROW(directory, STRING), .help = "Folder of the files; unset: one in the state directory." },
};
#undef T
static const struct schema flow_file_schema = SCHEMA("file", struct config_flow_file, flow_file_fields);

static void check_flow_state(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_flow_state *state = object;
    if (state->store_backend == BACKEND_REDIS && str_trim(state->redis.address).len == 0)
        diag_error(diag, "E_REQUIRED", schema_field_at(&config_flow_state_schema, object, "store_backend", arena),
                   VSR_STR(""), "the backend redis needs redis.address");
}

/* By enum config_backend; an empty name is not allowed here. */
static const char *const flow_stores[] = { "", "memory", "sqlite", "file", "", "redis", NULL };

#define T struct config_flow_state
static const struct field flow_state_fields[] = {
    { ROW(store_backend, ENUM), .fallback = "file", .choices = flow_stores, .help = "Where running flows are kept." },
    { ROW(ttl_seconds, INT), SECONDS, .fallback = "1800", .help = "How long a flow that waits is kept." },
    { BLOCK(file, flow_file_schema), .help = "The folder of the backend file." },
    { BLOCK(redis, config_redis_schema), .help = "The server of the backend redis." },
};
#undef T
const struct schema config_flow_state_schema =
    SCHEMA("state", struct config_flow_state, flow_state_fields, .check = check_flow_state);

#define T struct config_looper_flow
static const struct field looper_flow_fields[] = {
    { ROW(model_names, STRINGS), .help = "Model names that run it; unset: vllm-sr/flow." },
    { BLOCK(state, config_flow_state_schema), .help = "Flows that wait for tools." },
};
#undef T
const struct schema config_looper_flow_schema =
    SCHEMA("flow", struct config_looper_flow, looper_flow_fields, .check = check_looper_flow);

#define T struct config_looper
static const struct field looper_fields[] = {
    { ROW(endpoint, STRING), .help = "No effect: sub-requests run inside the process." },
    { ROW(grpc_max_msg_size_mb, INT), COUNT_FROM(1), .fallback = "4",
      .help = "No effect; kept for published documents." },
    { ROW(max_response_bytes_mb, INT), COUNT_FROM(1), .fallback = "32",
      .help = "Largest answer of one model, in MiB." },
    { ROW(timeout_seconds, INT), BETWEEN(-1, 315360000), .fallback = "1200",
      .help = "Longest time for one answer; 0 or less is 30." },
    { ROW(retry_count, INT), BETWEEN(0, 100), .fallback = "0", .help = "Attempts after the first." },
    { ROW(headers, PAIRS), SECRET, .help = "Headers added to sub-requests." },
    { BLOCK(remom, config_looper_names_schema), .help = "Names of the algorithm remom." },
    { BLOCK(fusion, config_looper_names_schema), .help = "Names of the algorithm fusion." },
    { BLOCK(flow, config_looper_flow_schema), .help = "Names and state of workflows." },
};
#undef T
static const struct schema looper_schema = SCHEMA("looper", struct config_looper, looper_fields);

/* ---- integrations */

#define T struct config_integrations
static const struct field integrations_fields[] = {
    { BLOCK(tools, config_tools_schema), .help = "Tools of a database." },
    { BLOCK(looper, looper_schema), .help = "Calls of several models for one request." },
};
#undef T
const struct schema config_integrations_schema =
    SCHEMA("integrations", struct config_integrations, integrations_fields);
