/*
 * config_index - the names of a document's models, hashed. Internal to config/.
 */
#ifndef VSR_CONFIG_CONFIG_INDEX_H
#define VSR_CONFIG_CONFIG_INDEX_H

#include "core/map.h"

struct config_index {
    struct map cards;  /* name -> struct config_model_card; the first of a name */
    struct map loras;  /* name -> struct config_model_card that lists it first */
    struct map models; /* name -> struct config_provider_model; the first of a name */
};

#endif
