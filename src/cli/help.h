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
/*
 * `vsr help COMMAND`, `vsr COMMAND --help`. `family` is the one that the command is a member of, or NULL; with
 * `command` NULL the page is about the family.
 */
void help_command(struct buf *out, const struct command *family, const struct command *command, bool colour);
/* `vsr help exit-codes`. */
void help_exit_codes(struct buf *out, bool colour);

#endif
