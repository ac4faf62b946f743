#include "cli/term.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/str.h"

bool term_colour(int fd) {
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if (no_color && *no_color)
        return false;
    return isatty(fd) && term && strcmp(term, "dumb") != 0;
}

struct spinner {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    bool stop;
    const char *text;
};

static const char *const frames[] = { "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏" };

/* What cannot be written to a terminal is lost; nobody needs it. */
static void draw(const char *text) {
    ssize_t n = write(STDERR_FILENO, text, strlen(text));
    (void)n;
}

/* With the lock held. False when the spinner was stopped meanwhile. */
static bool sleep_or_stop(struct spinner *spinner, long ms) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (!spinner->stop && pthread_cond_timedwait(&spinner->stopped, &spinner->lock, &until) == 0)
        continue;
    return !spinner->stop;
}

static void *turn(void *data) {
    struct spinner *spinner = data;
    char line[160];
    size_t frame = 0;
    pthread_mutex_lock(&spinner->lock);
    for (long ms = TERM_SPINNER_DELAY_MS; sleep_or_stop(spinner, ms); ms = TERM_SPINNER_STEP_MS) {
        (void)snprintf(line, sizeof(line), "\r" TERM_CYAN "%s" TERM_RESET " %s", frames[frame++ % VSR_COUNT(frames)],
                       spinner->text);
        draw(line);
    }
    pthread_mutex_unlock(&spinner->lock);
    if (frame > 0)
        draw("\r\033[K");
    return NULL;
}

struct spinner *spinner_start(const char *text) {
    struct spinner *spinner;
    pthread_condattr_t attr;
    if (!term_colour(STDERR_FILENO))
        return NULL;
    spinner = MEM_NEW(struct spinner);
    spinner->text = text;
    pthread_mutex_init(&spinner->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&spinner->stopped, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&spinner->thread, NULL, turn, spinner) == 0)
        return spinner;
    pthread_cond_destroy(&spinner->stopped);
    pthread_mutex_destroy(&spinner->lock);
    mem_free(spinner);
    return NULL;
}

void spinner_stop(struct spinner *spinner) {
    if (!spinner)
        return;
    pthread_mutex_lock(&spinner->lock);
    spinner->stop = true;
    pthread_cond_signal(&spinner->stopped);
    pthread_mutex_unlock(&spinner->lock);
    pthread_join(spinner->thread, NULL);
    pthread_cond_destroy(&spinner->stopped);
    pthread_mutex_destroy(&spinner->lock);
    mem_free(spinner);
}

enum { BAR_CELLS = 32 };

void term_progress(const char *text, size_t done, size_t total) {
    char line[240], bar[BAR_CELLS + 1];
    size_t filled = total ? done * BAR_CELLS / total : 0;
    if (!term_colour(STDERR_FILENO))
        return;
    if (done >= total) {
        draw("\r\033[K");
        return;
    }
    memset(bar, '-', BAR_CELLS);
    memset(bar, '#', filled);
    bar[BAR_CELLS] = 0;
    (void)snprintf(line, sizeof(line), "\r" TERM_CYAN "[%s]" TERM_RESET " %s %zu/%zu", bar, text, done, total);
    draw(line);
}
