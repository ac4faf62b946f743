#include "signal/request.h"

#include "text/window.h"

/* Both texts are the same as long as nothing shortens one of them; then they share everything. */
static size_t view_index(const struct signal_request *request, enum signal_text which) {
    (void)request;
    (void)which;
    return SIGNAL_TEXT_FULL;
}

int signal_request_text(struct signal_request *request, enum signal_text which, vsr_str *ret_text,
                        struct vsr_err *err) {
    (void)which;
    (void)err;
    *ret_text = request->facts->eval_text;
    return 0;
}

static int make_window(struct signal_request *request, enum signal_text which, struct signal_view *view,
                       struct vsr_err *err) {
    vsr_str text;
    int rc = signal_request_text(request, which, &text, err);
    if (rc < 0)
        return rc;
    view->window = window_text(request->arena, text, request->window_max);
    return view->window.ptr || text.len == 0 ? 0 : VSR_E_NOMEM;
}

int signal_request_window(struct signal_request *request, enum signal_text which, vsr_str *ret_text,
                          struct vsr_err *err) {
    struct signal_view *view = &request->views[view_index(request, which)];
    if (!view->windowed) {
        view->windowed = true;
        view->window_rc = make_window(request, which, view, NULL);
    }
    if (view->window_rc < 0)
        return err_set(err, view->window_rc, "no memory for the part of the text that is read");
    *ret_text = view->window;
    return 0;
}

/* Confirming hits may take half of the steps that are left, so that it leaves counting something. */
static int search(struct signal_request *request, enum signal_text which, struct signal_view *view) {
    size_t share = request->regex_steps / 2, left = share;
    vsr_str text;
    int rc = signal_request_text(request, which, &text, NULL);
    if (rc < 0)
        return rc;
    rc = pattern_set_scan(request->patterns, request->scratch, request->arena, text, &left, &view->hits, NULL);
    request->regex_steps -= share - left;
    return rc;
}

int signal_request_hits(struct signal_request *request, enum signal_text which, const struct pattern_hits **ret_hits,
                        struct vsr_err *err) {
    struct signal_view *view = &request->views[view_index(request, which)];
    if (!view->searched) {
        view->searched = true;
        if (pattern_set_count(request->patterns) > 0)
            view->hits_rc = search(request, which, view);
    }
    if (view->hits_rc < 0)
        return err_set(err, view->hits_rc, "the patterns could not be searched for");
    *ret_hits = &view->hits;
    return 0;
}

const struct pattern_hits *signal_request_hits_so_far(const struct signal_request *request, enum signal_text which) {
    const struct signal_view *view = &request->views[view_index(request, which)];
    return view->searched && view->hits_rc == 0 && view->hits.found ? &view->hits : NULL;
}
