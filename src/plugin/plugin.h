/*
 * plugin - what a plugin is: one descriptor per type of `plugins[]`, the behaviour that a decision adds to requests and
 * answers (plugins.md).
 *
 * A plugin owns the config struct and table of its `configuration`, and the rules that hold for it. Descriptors are
 * constant: any thread. plugins.c lists them all. One that says `ready: false` is validated in full and not executed:
 * loading names it, and serving refuses when leaving it out would be unsafe.
 */
#ifndef VSR_PLUGIN_PLUGIN_H
#define VSR_PLUGIN_PLUGIN_H

#include "config/document.h"

/* All plugins, in the order in which requests meet them. Static. */
struct config_kinds plugin_kinds(void);

#endif
