/*
 * help - the pages of `vsr help`, printed from the command table. Any thread.
 */
#ifndef VSR_CLI_HELP_H
#define VSR_CLI_HELP_H

#include <stdbool.h>

struct buf;
struct command;

/* `vsr help`: what there is. */
void help_main(struct buf *out, bool colour);
/* `vsr help COMMAND`, `vsr COMMAND --help`. */
void help_command(struct buf *out, const struct command *command, bool colour);
/* `vsr help exit-codes`. */
void help_exit_codes(struct buf *out, bool colour);

#endif
