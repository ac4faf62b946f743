/*
 * term - colour, a spinner and a progress bar, only where somebody looks at them.
 *
 * Both need a terminal; neither appears with NO_COLOR set to anything, nor with TERM=dumb. Any thread.
 */
#ifndef VSR_CLI_TERM_H
#define VSR_CLI_TERM_H

#include <stdbool.h>
#include <stddef.h>

/* Whether `fd` is a terminal that wants colour. */
bool term_colour(int fd);

#define TERM_BOLD "\033[1m"
#define TERM_DIM "\033[2m"
#define TERM_RED "\033[31m"
#define TERM_GREEN "\033[32m"
#define TERM_YELLOW "\033[33m"
#define TERM_CYAN "\033[36m"
#define TERM_RESET "\033[0m"

/* The sequence when `on`, else "". */
static inline const char *term_if(bool on, const char *sequence) {
    return on ? sequence : "";
}

/*
 * Turns while something slow runs, on stderr, from TERM_SPINNER_DELAY_MS on, and leaves no trace. `text` is kept. NULL
 * when stderr is no terminal; the stop function accepts that.
 */
struct spinner;
enum { TERM_SPINNER_DELAY_MS = 300, TERM_SPINNER_STEP_MS = 80 };
struct spinner *spinner_start(const char *text);
void spinner_stop(struct spinner *spinner);

/*
 * Draws how far something is, on stderr, in place of what it drew before; gone once `done` is `total`. Does nothing
 * when stderr is no terminal. One thread at a time.
 */
void term_progress(const char *text, size_t done, size_t total);

#endif
