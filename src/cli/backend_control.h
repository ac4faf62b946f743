/*
 * backend_control - what a backend tells whoever steers a test. Any thread.
 */
#ifndef VSR_CLI_BACKEND_CONTROL_H
#define VSR_CLI_BACKEND_CONTROL_H

struct backend;
struct buf;

/* Appends `{"listeners":[{"address","requests","completed","cancelled"},...]}`. */
void backend_control_stats(struct backend *backend, struct buf *out);

#endif
