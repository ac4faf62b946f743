/*
 * compression - what the configuration says about shortening prompts for signals (signals.md §8).
 */
#ifndef VSR_SIGNAL_COMPRESSION_H
#define VSR_SIGNAL_COMPRESSION_H

#include <stdbool.h>

#include "config/global_modules.h"
#include "signal/request.h"
#include "text/compress.h"

/* The profile's numbers, with those that are written above zero over them. False: nothing is to be shortened. */
bool compress_options_from(const struct config_prompt_compression *config, struct compress_options *ret_options);

/* Which text the families of that type read. */
enum signal_text compression_text_of(const struct config_prompt_compression *config, vsr_str family);

#endif
