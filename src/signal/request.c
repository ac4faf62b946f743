#include "signal/request.h"

#include "text/compress.h"
#include "text/window.h"

static void compress(struct signal_request *request) {
    vsr_str text = request->facts->eval_text;
    request->compressed = true;
    request->compressed_text = text;
    if (request->compress)
        request->compress_rc = compress_text(request->arena, text, request->compress, &request->compressed_text, NULL);
}

int signal_request_text(struct signal_request *request, enum signal_text which, vsr_str *ret_text,
                        struct vsr_err *err) {
    if (which == SIGNAL_TEXT_COMPRESSED && !request->compressed)
        compress(request);
    if (which == SIGNAL_TEXT_COMPRESSED && request->compress_rc < 0)
        return err_set(err, request->compress_rc, "no memory to compress the text");
    *ret_text = which == SIGNAL_TEXT_FULL ? request->facts->eval_text : request->compressed_text;
    return 0;
}

/* A text that compression leaves alone shares everything with the other one. */
static enum signal_text view_index(const struct signal_request *request, enum signal_text which) {
    bool differs = request->compressed && request->compress_rc == 0 &&
                   request->compressed_text.ptr != request->facts->eval_text.ptr;
    return which == SIGNAL_TEXT_COMPRESSED && differs ? SIGNAL_TEXT_COMPRESSED : SIGNAL_TEXT_FULL;
}

int signal_request_window(struct signal_request *request, enum signal_text which, vsr_str *ret_text,
                          struct vsr_err *err) {
    struct signal_view *view;
    vsr_str text;
    int rc = signal_request_text(request, which, &text, err);
    if (rc < 0)
        return rc;
    view = &request->views[view_index(request, which)];
    if (!view->windowed) {
        view->windowed = true;
        view->window = window_text(request->arena, text, request->window_max);
        view->window_rc = view->window.ptr || text.len == 0 ? 0 : VSR_E_NOMEM;
    }
    if (view->window_rc < 0)
        return err_set(err, view->window_rc, "no memory for the part of the text that is read");
    *ret_text = view->window;
    return 0;
}

/* Confirming hits may take half of the steps that are left, so that it leaves counting something. */
static int search(struct signal_request *request, vsr_str text, struct pattern_hits *hits) {
    size_t share = request->regex_steps / 2, left = share;
    int rc;
    if (pattern_set_count(request->patterns) == 0)
        return 0;
    rc = pattern_set_scan(request->patterns, request->scratch, request->arena, text, &left, hits, NULL);
    request->regex_steps -= share - left;
    return rc;
}

int signal_request_hits(struct signal_request *request, enum signal_text which, const struct pattern_hits **ret_hits,
                        struct vsr_err *err) {
    struct signal_view *view;
    vsr_str text;
    int rc = signal_request_text(request, which, &text, err);
    if (rc < 0)
        return rc;
    view = &request->views[view_index(request, which)];
    if (!view->searched) {
        view->searched = true;
        view->hits_rc = search(request, text, &view->hits);
    }
    if (view->hits_rc < 0)
        return err_set(err, view->hits_rc, "the patterns could not be searched for");
    *ret_hits = &view->hits;
    return 0;
}

int signal_request_window_hits(struct signal_request *request, enum signal_text which,
                               const struct pattern_hits **ret_hits, struct vsr_err *err) {
    struct signal_view *view;
    vsr_str text, window;
    int rc = signal_request_text(request, which, &text, err);
    if (rc == 0)
        rc = signal_request_window(request, which, &window, err);
    if (rc < 0)
        return rc;
    if (window.ptr == text.ptr)
        return signal_request_hits(request, which, ret_hits, err);
    view = &request->views[view_index(request, which)];
    if (!view->window_searched) {
        view->window_searched = true;
        view->window_hits_rc = search(request, window, &view->window_hits);
    }
    if (view->window_hits_rc < 0)
        return err_set(err, view->window_hits_rc, "the patterns could not be searched for");
    *ret_hits = &view->window_hits;
    return 0;
}
