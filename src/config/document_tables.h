/*
 * document_tables - the tables of the document's blocks, for those who put them together or check them. Internal to
 * config/.
 */
#ifndef VSR_CONFIG_DOCUMENT_TABLES_H
#define VSR_CONFIG_DOCUMENT_TABLES_H

#include "config/global_tables.h"
#include "config/schema.h"

extern const struct schema config_listener_schema;
extern const struct schema config_listener_tls_schema;
extern const struct schema config_providers_schema;
extern const struct schema config_provider_defaults_schema;
extern const struct schema config_provider_model_schema;
extern const struct schema config_reliability_schema;
extern const struct schema config_hedge_schema;
extern const struct schema config_backend_ref_schema;
extern const struct schema config_backend_tls_schema;
extern const struct schema config_routing_schema;
extern const struct schema config_model_card_schema;
extern const struct schema config_lora_schema;
extern const struct schema config_signals_schema; /* without families: no field at all */
extern const struct schema config_partition_schema;
extern const struct schema config_score_schema;
extern const struct schema config_score_input_schema;
extern const struct schema config_mapping_schema;
extern const struct schema config_mapping_output_schema;
extern const struct schema config_model_ref_schema;
extern const struct schema config_decision_schema;
extern const struct schema config_adaptations_schema;
extern const struct schema config_output_contract_schema;
extern const struct schema config_candidate_iteration_schema;
extern const struct schema config_emit_schema;
extern const struct schema config_algorithm_schema; /* without blocks */
extern const struct schema config_plugin_schema;    /* without kinds */
extern const struct schema config_recipe_routing_schema;
extern const struct schema config_recipe_schema;
extern const struct schema config_entrypoint_schema;

/* Names of `provider`, by enum config_provider; the first is empty. NULL-terminated. */
extern const char *const config_provider_names[];

#endif
