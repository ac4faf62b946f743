/*
 * text_fault - what is wrong with a text of a configuration that only the engine can judge: patterns, by the engine of
 * regular expressions that searches them, and headers, by the rules of the protocol. Any thread.
 */
#ifndef VSR_ROUTE_TEXT_FAULT_H
#define VSR_ROUTE_TEXT_FAULT_H

#include "config/document.h"

struct arena;

/* For config_parts.text_fault. */
const char *route_text_fault(struct arena *arena, enum config_text kind, vsr_str text);

#endif
