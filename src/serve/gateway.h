/*
 * gateway - the serving process: workers, configuration generations, signals, metrics socket.
 *
 * gateway_run() turns the calling thread into the control thread and returns when the process should end. SIGHUP loads
 * the configuration again, SIGTERM and SIGINT drain, a second one cuts.
 */
#ifndef VSR_SERVE_GATEWAY_H
#define VSR_SERVE_GATEWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "config/load.h"
#include "core/err.h"
#include "core/str.h"

struct gateway_options {
    const char *config_file; /* NULL: `config_text` */
    vsr_str config_text;
    vsr_str config_name; /* of the text, for messages */
    struct config_load_options load;
    unsigned workers;        /* 0: one per core */
    vsr_str metrics_address; /* empty: no metrics socket */
    uint16_t metrics_port;
    uint64_t drain_ms;
    bool colour; /* of diagnostics on stderr */
};

/* 0 after an orderly end, else VSR_E_INVALID (configuration; diagnostics went to stderr) or another code with `err`. */
int gateway_run(const struct gateway_options *options, struct vsr_err *err) VSR_MUST_CHECK;

#endif
