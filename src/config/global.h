/*
 * global - the structs of the block `global`: settings of the process (config.md §9).
 *
 * One struct per block, named config_<block>, in the header of its part and filled by the tables in the .c of that name
 * (shared pieces: global_stores.c); the built-in defaults are those of the tables, so a block that is absent reads like
 * one that is empty. What checks add is marked `derived`. Everything lives in the document's arena and is read-only
 * once loaded: any thread.
 *
 * A block whose feature this build does not have is decoded and checked like any other; features.h says which those
 * are.
 */
#ifndef VSR_CONFIG_GLOBAL_H
#define VSR_CONFIG_GLOBAL_H

#include "config/global_catalog.h"
#include "config/global_integrations.h"
#include "config/global_router.h"
#include "config/global_services.h"
#include "config/global_stores.h"

struct config_global {
    struct config_at at;
    struct config_router router;
    struct config_services services;
    struct config_stores stores;
    struct config_integrations integrations;
    struct config_model_catalog model_catalog;
};

#endif
