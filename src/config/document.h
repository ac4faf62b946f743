/*
 * document - the structs of the `version: v0.3` contract, as decoded.
 *
 * One struct per block of config.md, filled by the tables in document.c. Everything lives in the snapshot's arena and
 * is read-only once loaded: any thread. Names are resolved by config_load (model references, reasoning families); what
 * belongs to a signal family is decoded by that family's own table, handed in through `struct config_families`.
 */
#ifndef VSR_CONFIG_DOCUMENT_H
#define VSR_CONFIG_DOCUMENT_H

#include "config/global.h"
#include "config/schema.h"

/* What `version` of a document says. */
#define CONFIG_CONTRACT "v0.3"

enum { CONFIG_FAMILIES_MAX = 32 };

struct config_document;
struct config_predicate;
struct config_rule;

/* What config/ must know of one signal family; the descriptors live above and are passed in at start. */
struct config_family {
    const char *type;            /* "keyword": `type` of a rule leaf */
    const char *list_key;        /* "keywords": key under routing.signals */
    const struct schema *schema; /* of one rule; its first field is `name` */
    /*
     * Optional: whether a leaf may name `name`, given all decoded rules of the family (NULL: it must equal a rule's
     * name).
     */
    bool (*declares)(const struct config_list *rules, vsr_str name);
    /* Optional, NULL-terminated: leaves and inputs name `<rule>:<level>`, never the rule alone. */
    const char *const *levels;
    /* Optional: checks across the rules of one recipe. `doc` is decoded; its references are not resolved yet. */
    void (*check)(const struct config_document *doc, const struct config_list *rules, struct arena *arena,
                  struct diag *diag);
    /* Optional: makes the rules of a recipe that declares none out of the names that its decisions use, sorted. */
    void (*imply)(const vsr_str *names, size_t n, struct arena *arena, struct config_list *rules);
    /* Optional: a rule tree inside a rule. Its leaves name other families' rules and no projection. */
    struct config_rule *(*tree)(const void *rule);
    bool partition_members; /* its rules may be members of a partition (signals.md §7.1) */
    /* Optional: whether a rule can be compared with others in a softmax. */
    bool (*competes)(const void *rule);
    /* Leaves name a `label`, carry a predicate and may say `on_error`; inputs name `<rule>:<label>`. */
    bool labels;
    /* With `labels`, optional: those of a rule. */
    const struct config_strings *(*labels_of)(const void *rule);
    /* With `labels`, optional: why this predicate cannot be used with the rule; NULL when it can. */
    const char *(*refuses)(const void *rule, const struct config_predicate *predicate);
};

struct config_families {
    const struct config_family *items;
    size_t n;
};

struct config_document;
struct config_decision;
struct config_scope;

/* Where a plugin or an algorithm stands, for the checks of its kind. */
struct config_site {
    const struct config_document *doc;
    const struct config_scope *scope;
    const struct config_decision *decision; /* its model references are resolved */
    struct arena *arena;
    struct diag *diag;
};

/*
 * What config/ must know of one kind of plugin, or of one selection algorithm; the descriptors live above and are
 * passed in at start.
 */
struct config_kind {
    const char *type;             /* "router_replay", "fusion" */
    const char *const *old_types; /* NULL-terminated: names that loading rewrites to it (alias.h); NULL: none */
    const struct schema *schema;  /* plugin: of `configuration`; algorithm: of the block named like it; NULL: none */
    bool block_required;          /* the configuration, or the block, must be written */
    bool ready;                   /* this build does what it says */
    bool unsafe;                  /* ignoring it would be unsafe: serving refuses while it is not ready */
    bool looper;                  /* algorithm: calls several models instead of selecting one */
    /* Optional: rules that need more than the block. `block` is NULL when none was written. */
    void (*check)(const struct config_site *site, const void *block);
    /* Optional, plugin: whether the configuration switches it on at all. Absent: always. */
    bool (*enabled)(const void *block);
    /* Optional, looper: the model that writes the final answer, when the configuration names it; else empty. */
    vsr_str (*final_model)(const void *block, const struct config_decision *decision);
};

struct config_kinds {
    const struct config_kind *items;
    size_t n;
};

/* ---- listeners */

enum config_client_auth { CLIENT_AUTH_NONE, CLIENT_AUTH_REQUEST, CLIENT_AUTH_REQUIRE };
enum config_tls_version { TLS_1_2, TLS_1_3 };

struct config_listener_tls {
    struct config_at at;
    vsr_str cert_file, key_file, client_ca_file;
    int client_auth; /* enum config_client_auth */
    int min_version; /* enum config_tls_version */
    struct config_strings alpn;
};

struct config_listener {
    struct config_at at;
    vsr_str name;
    vsr_str address;
    int64_t port;
    int64_t timeout_ms;
    struct config_strings api_keys; /* an empty entry matches nothing */
    struct config_strings api_key_envs;
    struct config_strings
        tokens; /* derived: api_keys, then the values of api_key_envs (empty when unset); `nodes` unset */
    bool trust_identity_headers;
    struct config_listener_tls *tls; /* NULL: plain */
};

/* ---- providers */

enum config_reasoning_type { REASONING_CHAT_TEMPLATE_KWARGS, REASONING_EFFORT, REASONING_TOP_LEVEL_EFFORT };

struct config_reasoning_family {
    struct config_at at;
    vsr_str name;
    int type; /* enum config_reasoning_type */
    vsr_str parameter;
};

struct config_provider_defaults {
    struct config_at at;
    vsr_str default_model;
    vsr_str default_reasoning_effort;
    struct config_list reasoning_families; /* struct config_reasoning_family */
};

struct config_pricing {
    struct config_at at;
    vsr_str currency;
    double prompt_per_1m, completion_per_1m, cached_input_per_1m, cache_write_per_1m;
    bool has_cached_input, has_cache_write; /* unset means the prompt rate */
};

enum config_lb_policy { LB_ROUND_ROBIN, LB_LEAST_REQUEST };

enum { /* tokens of retry_on */
       RETRY_CONNECT_FAILURE = 1u << 0,
       RETRY_RESET = 1u << 1,
       RETRY_GATEWAY_ERROR = 1u << 2,
       RETRY_5XX = 1u << 3,
       RETRY_RETRIABLE_4XX = 1u << 4,
};

struct config_hedge {
    struct config_at at;
    int64_t after_ms;
    int64_t max_percent;
};

/* Limits of each endpoint. */
struct config_circuit {
    struct config_at at;
    int64_t max_requests, max_pending, max_connections;
};

struct config_reliability {
    struct config_at at;
    int lb_policy; /* enum config_lb_policy */
    int64_t retry_count;
    vsr_str retry_on;
    unsigned retry_mask;       /* RETRY_*; from retry_on */
    uint64_t retry_status[10]; /* bit s of word s/64: status s named literally (100..599) */
    int64_t consecutive_5xx;
    int64_t base_ejection_time_ms;
    int64_t max_ejection_percent;
    vsr_str health_check_path;
    int64_t health_check_interval_ms;
    int64_t health_check_timeout_ms;
    struct config_hedge *hedge; /* NULL: a second attempt is never made beside the first */
    int64_t slow_start_ms;      /* 0: an endpoint that comes back has its whole weight at once */
    struct config_circuit circuit;
};

enum config_provider {
    PROVIDER_PLAIN, /* no `provider` written */
    PROVIDER_OPENAI,
    PROVIDER_ANTHROPIC,
    PROVIDER_AZURE_OPENAI,
    PROVIDER_BEDROCK,
    PROVIDER_GEMINI,
    PROVIDER_VERTEX_AI,
    PROVIDER_MINIMAX,
};

enum config_dialect { DIALECT_VLLM, DIALECT_OPENAI, DIALECT_DEEPSEEK, DIALECT_OPENROUTER, DIALECT_GENERIC };

enum config_api_format { API_OPENAI, API_ANTHROPIC, API_OPENAI_RESPONSES };

struct config_backend_tls {
    struct config_at at;
    vsr_str ca_file, cert_file, key_file, server_name;
    bool insecure_skip_verify;
};

struct config_backend_ref {
    struct config_at at;
    vsr_str name;
    vsr_str endpoint;
    vsr_str base_url;
    int protocol; /* 0 http, 1 https; as written */
    int64_t weight;
    vsr_str type;
    int provider; /* enum config_provider */
    vsr_str auth_header;
    vsr_str auth_prefix;
    struct config_pairs extra_headers;
    vsr_str api_version;
    vsr_str chat_path;
    vsr_str api_key;
    vsr_str api_key_env;
    struct config_backend_tls *tls_options; /* key `tls`; NULL: not written */
    vsr_str proxy;                          /* http://[user:password@]host:port; empty: reached directly */

    /* Derived by config_load, per endpoint (config.md §6.3): */
    bool profiled;
    int api; /* enum config_api_format: what it speaks */
    bool tls;
    vsr_str host; /* without brackets */
    uint16_t port;
    vsr_str unix_path; /* of a socket in the file system; `host` is localhost then. Empty: none */
    struct config_proxy {
        vsr_str host; /* empty: no proxy */
        uint16_t port;
        vsr_str authorization; /* what it is told of who asks; empty: nothing */
    } via;                     /* `proxy`, read */
    vsr_str authority;         /* Host header */
    vsr_str path_prefix;       /* replaces a leading `/v1` segment of the client's path; empty: path unchanged */
    vsr_str chat_full_path;    /* path and query of a chat completion; empty on plain endpoints: client's path, with
                                  path_prefix */
    vsr_str key;               /* resolved secret; empty when there is none */
    bool wants_key;            /* a key is configured, whether or not its variable is set */
    vsr_str key_source;        /* where the key is said to come from, for logs: a variable or its reference */
    vsr_str key_prefix;        /* word before a key; empty: none */
    vsr_str auth_name;         /* header that carries the key */
    vsr_str auth_value;        /* prefix and key; empty without a key */
    vsr_str model_id;          /* `model` sent to this endpoint */
    int dialect;               /* enum config_dialect */
};

struct config_provider_model {
    struct config_at at;
    vsr_str name;
    vsr_str provider_model_id;
    struct config_pairs external_model_ids;
    vsr_str reasoning_family;
    int api_format; /* enum config_api_format */
    struct config_pricing *pricing;
    struct config_reliability reliability;
    struct config_list backend_refs;              /* struct config_backend_ref */
    const struct config_reasoning_family *family; /* resolved; NULL: none */
};

struct config_providers {
    struct config_at at;
    struct config_provider_defaults defaults;
    struct config_list models; /* struct config_provider_model */
};

/* ---- routing */

struct config_lora {
    struct config_at at;
    vsr_str name, description;
};

struct config_model_card {
    struct config_at at;
    vsr_str name, param_size, description, modality;
    int64_t context_window_size;
    double quality_score;
    struct config_strings capabilities, tags;
    struct config_list loras;                     /* struct config_lora */
    const struct config_provider_model *provider; /* resolved; NULL: not routable */
};

struct config_signals {
    struct config_at at;
    struct config_list rules[CONFIG_FAMILIES_MAX]; /* by index in config_families */
};

struct config_partition {
    struct config_at at;
    vsr_str name;
    int semantics; /* 0 exclusive, 1 softmax_exclusive */
    double temperature;
    struct config_strings members;
    vsr_str fallback; /* key `default` */
    int family;       /* derived: index in config_families of the members */
};

enum config_value_source {
    VALUE_SOURCE_UNSET,
    VALUE_SOURCE_BINARY,
    VALUE_SOURCE_CONFIDENCE,
    VALUE_SOURCE_RAW,
    VALUE_SOURCE_SCORE
};

/* Instead of a family's index: the type is `projection`, or `kb_metric`, which only inputs of scores are. */
enum { CONFIG_PROJECTION = -1, CONFIG_KB_METRIC = -3 };

struct config_score_input {
    struct config_at at;
    vsr_str type, name, kb, metric;
    double weight, match, miss;
    int value_source; /* enum config_value_source */
    int family;       /* derived: index in config_families, or CONFIG_*; `type` is in lower case */
};

struct config_score {
    struct config_at at;
    vsr_str name;
    int method;                /* 0 weighted_sum */
    struct config_list inputs; /* struct config_score_input */
};

enum { BOUND_LT = 1, BOUND_LTE = 2, BOUND_GT = 4, BOUND_GTE = 8 };

struct config_predicate {
    struct config_at at;
    double gt, gte, lt, lte;
    unsigned bounds; /* BOUND_*: which were written; set by the table's check */
};

struct config_mapping_output {
    struct config_at at;
    vsr_str name;
    double gt, gte, lt, lte;
    unsigned bounds;
};

struct config_calibration {
    struct config_at at;
    int method; /* 0 sigmoid_distance */
    double slope;
};

struct config_mapping {
    struct config_at at;
    vsr_str name, source;
    int method; /* 0 threshold_bands, 1 multi_emit */
    struct config_calibration calibration;
    struct config_list outputs; /* struct config_mapping_output */
};

struct config_projections {
    struct config_at at;
    struct config_list partitions, scores, mappings;
};

enum config_operator { OPERATOR_NONE, OPERATOR_AND, OPERATOR_OR, OPERATOR_NOT };
enum config_on_unknown { ON_UNKNOWN_UNSET, ON_UNKNOWN_MATCH, ON_UNKNOWN_NO_MATCH, ON_UNKNOWN_UNKNOWN };

struct config_rule {
    struct config_at at;
    vsr_str type, name, label;
    struct config_predicate *predicate;
    int on_error;                  /* 0 unset, 1 match, 2 no_match */
    int on_unknown;                /* enum config_on_unknown */
    bool negated;                  /* key `not`: sugar for a NOT around this node */
    int op;                        /* enum config_operator */
    struct config_list conditions; /* struct config_rule */
    int family;                    /* derived, leaf: index in config_families, or CONFIG_PROJECTION */
};

struct config_model_ref {
    struct config_at at;
    vsr_str model, lora_name;
    double weight;
    bool use_reasoning;
    vsr_str reasoning_effort, reasoning_description;
    const struct config_model_card *card;         /* resolved; base card of a LoRA */
    const struct config_provider_model *provider; /* resolved; NULL in evaluation-only documents */
};

enum { CONFIG_ALGORITHMS_MAX = 32 };

struct config_algorithm {
    struct config_at at;
    vsr_str type;
    vsr_str on_error;
    void *blocks[CONFIG_ALGORITHMS_MAX]; /* by index in config_kinds; NULL: not written */
    int kind;                            /* derived: index in config_kinds */
    const struct config_kind *info;      /* derived */
    const void *block;                   /* derived: its own block, or NULL */
};

struct config_plugin {
    struct config_at at;
    vsr_str type;
    void *configuration;            /* struct of the kind; of defaults when it is not written */
    const struct config_kind *info; /* derived */
};

/* How far learning may change what the decision chooses. A component's mode is never wider than the decision's. */
enum config_adaptation_mode { ADAPTATION_APPLY, ADAPTATION_OBSERVE, ADAPTATION_BYPASS };

struct config_adaptation {
    struct config_at at;
    int mode;          /* enum config_adaptation_mode; that of the decision when it is not written */
    int candidate_set; /* 0 decision, 1 tier, 2 global */
};

struct config_protection {
    struct config_at at;
    int mode; /* enum config_adaptation_mode */
    double stability_weight, switch_margin;
};

struct config_adaptations {
    struct config_at at;
    int mode; /* enum config_adaptation_mode */
    struct config_adaptation adaptation;
    struct config_protection protection;
};

enum config_contract_type { CONTRACT_NONE, CONTRACT_CHOICE, CONTRACT_STRUCTURED_JSON, CONTRACT_REFERENCE_SELECTION };

struct config_choice_set {
    struct config_at at;
    struct config_strings values;
};

struct config_contract_schema {
    struct config_at at;
    int schema_ref; /* 0 terminal_action_v1 */
};

struct config_contract_reference {
    struct config_at at;
    int source;    /* 0 candidate_responses */
    int id_format; /* 0 index, 1 reference_number */
};

struct config_contract_render {
    struct config_at at;
    int mode; /* 0 value, 1 template */
    vsr_str template;
};

struct config_contract_extract {
    struct config_at at;
    int mode; /* 0 exact, 1 json_object */
    struct config_strings sources;
};

struct config_contract_normalize {
    struct config_at at;
    struct config_strings field_order;
    struct config_pairs defaults;
};

struct config_contract_violation {
    struct config_at at;
    bool repair;
    vsr_str fallback;
};

struct config_contract_step {
    struct config_at at;
    int type; /* 0 dereference_selected_reference */
};

/* decisions.md §2.10 */
struct config_output_contract {
    struct config_at at;
    int type; /* enum config_contract_type */
    struct config_choice_set choice_set;
    struct config_contract_schema json_schema;
    struct config_contract_reference reference;
    struct config_contract_render render;
    struct config_contract_extract extract;
    struct config_contract_normalize normalize;
    struct config_contract_violation on_violation;
    struct config_list postprocess; /* struct config_contract_step */
};

struct config_iteration_output {
    struct config_at at;
    int type; /* 0 model */
    vsr_str value;
};

struct config_iteration_model {
    struct config_at at;
    vsr_str model, lora_name;
};

struct config_candidate_iteration {
    struct config_at at;
    vsr_str variable;
    int source;                 /* 0 decision.candidates, 1 models */
    struct config_list models;  /* struct config_iteration_model */
    struct config_list outputs; /* struct config_iteration_output */
};

/* Every field counts only when it was written (decisions.md §2.11). */
struct config_retention {
    struct config_at at;
    bool drop, keep_current_model, prefer_prefix_retention;
    int64_t ttl_turns;
};

struct config_emit {
    struct config_at at;
    int kind; /* 0 retention */
    struct config_retention retention;
};

struct config_decision {
    struct config_at at;
    vsr_str name, description;
    int64_t priority, tier;
    struct config_rule *rules;     /* NULL: unconditional */
    struct config_list model_refs; /* struct config_model_ref */
    struct config_algorithm *algorithm;
    struct config_list plugins; /* struct config_plugin */
    int on_unknown;             /* enum config_on_unknown */
    struct config_pairs annotations;
    struct config_adaptations adaptations;
    vsr_str output_contract;
    struct config_output_contract *output_contract_spec;
    struct config_list candidate_iterations; /* struct config_candidate_iteration */
    struct config_list emits;                /* struct config_emit */
    bool fallback;                           /* the next candidate may answer when all endpoints of one failed */
};

/* The decision's plugin of that type, or NULL. */
const struct config_plugin *config_decision_plugin(const struct config_decision *decision, vsr_str type);
/* Type of its algorithm; `static` without one. */
vsr_str config_decision_algorithm(const struct config_decision *decision);
/* What is called when the reference is chosen: its LoRA, else its model. */
vsr_str config_ref_name(const struct config_model_ref *ref);

enum config_strategy { STRATEGY_UNSET, STRATEGY_PRIORITY, STRATEGY_CONFIDENCE };

/* A routing profile. The catalogue of models is written only at the top level and shared by all. */
struct config_routing {
    struct config_at at;
    int strategy; /* enum config_strategy; UNSET never after loading */
    bool untiered_first;
    int untiered;                   /* 0 last, 1 first */
    struct config_list model_cards; /* struct config_model_card; top level only */
    struct config_signals signals;
    struct config_projections projections;
    struct config_list decisions;
};

/* ---- recipes and entrypoints */

struct config_recipe {
    struct config_at at;
    vsr_str name, description;
    struct config_routing routing;
};

struct config_entrypoint {
    struct config_at at;
    struct config_strings model_names; /* trimmed, each once */
    vsr_str recipe;
    int64_t priority;                 /* effective: the router's default_priority where none was written */
    const struct config_scope *scope; /* resolved */
};

/*
 * One recipe as an isolation scope: names of signals, projections and decisions are looked up in it alone. The first
 * scope of a document is `default`: the top-level profile, or the recipe of that name.
 */
struct config_scope {
    vsr_str name, description;
    vsr_str path;   /* of its profile: `routing`, `recipes[economy].routing` */
    vsr_str prefix; /* of its local names where all recipes meet (metrics, caches): empty for `default`, `economy::` */
    struct config_routing *routing;
};

struct config_document {
    struct config_at at;
    vsr_str version;
    struct config_list listeners; /* struct config_listener; at least one after loading */
    struct config_providers providers;
    bool has_providers; /* false: evaluation-only document */
    struct config_routing routing;
    struct config_list entrypoints; /* struct config_entrypoint */
    struct config_list recipes;     /* struct config_recipe */
    struct config_global global;
    const struct yaml_node *setup;    /* opaque */
    struct config_scope *scopes;      /* derived: the recipes, `default` first */
    size_t n_scopes;                  /* at least one after loading */
    vsr_str hash;                     /* SHA-256 of the document's bytes, in hex */
    vsr_str base_hash;                /* of the file that it is put into; empty: it stands for itself */
    vsr_str base_dir;                 /* where relative paths begin; empty: there is none (a text without a file) */
    const struct config_index *index; /* names to structs, for the lookups below */
};

/* A name as one part of a namespaced key: bytes other than letters, digits and -_.~ percent-encoded, a blank as +. */
vsr_str config_scope_escape(struct arena *arena, vsr_str name);
/* NULL: no recipe of that name. */
const struct config_scope *config_scope(const struct config_document *doc, vsr_str name);

/* Lookups over a loaded document, hashed. NULL when absent. */
const struct config_model_card *config_card(const struct config_document *doc, vsr_str name);
/* The card that lists a LoRA of that name first. */
const struct config_model_card *config_lora_card(const struct config_document *doc, vsr_str name);
const struct config_provider_model *config_provider_model(const struct config_document *doc, vsr_str name);

/* Texts that are more than texts. */
enum config_text { CONFIG_TEXT_PATTERN, CONFIG_TEXT_HEADER_NAME, CONFIG_TEXT_HEADER_VALUE };

/* What the upper floors hand down. */
struct config_parts {
    struct config_families families;
    struct config_kinds algorithms; /* at most CONFIG_ALGORITHMS_MAX */
    struct config_kinds plugins;
    /* Optional, for whoever judges a text that is no document yet: what it is instead, in `arena` or static. NULL: it
     * is one of that kind. */
    const char *(*text_fault)(struct arena *arena, enum config_text kind, vsr_str text);
    /* Optional: whether the engine can be built for a document that is in order: what keeps it from that goes to
     * `diag`, whose texts may live in `arena`. */
    void (*try_build)(struct arena *arena, const struct config_document *doc, struct diag *diag);
};

/*
 * The table of the whole document: `routing.signals` has one list for each family, an algorithm one block for each that
 * takes one, a plugin the configuration of its kind. Lives in `arena`, keeps `parts`. The static one knows none of
 * them.
 */
const struct schema *config_schema(struct arena *arena, const struct config_parts *parts);

extern const struct schema config_document_schema;
extern const struct schema config_predicate_schema; /* for families whose rules carry a predicate */
extern const struct schema config_rule_schema;      /* for those whose rules carry a rule tree */

#endif
