#include "text/edit_distance.h"

#include "core/assert.h"

/*
 * The table's row i holds the distances of a's first i characters to prefixes of b. Only cells at most `max` off the
 * diagonal can stay within `max`; cell (i, j) is kept at band position j - i + max, so that its neighbours are
 *
 *     (i-1, j-1)  same position, row before            (i-1, j)  position + 1, row before
 *     (i, j-1)    position - 1, this row               (i-2, j-2)  same position, two rows before
 */
enum { BAND_MAX = 2 * EDIT_DISTANCE_MAX + 1 };

struct band {
    const uint32_t *a, *b;
    size_t b_len, max;
    uint16_t rows[3][BAND_MAX + 2]; /* one cell beside each end, never within `max` */
};

static uint16_t least(uint16_t x, uint16_t y) {
    return x < y ? x : y;
}

/* Fills row i (at least 1); returns its smallest cell. */
static uint16_t fill_row(struct band *band, size_t i) {
    size_t max = band->max;
    uint16_t far = (uint16_t)(max + 1), smallest = far;
    uint16_t *row = band->rows[i % 3] + 1, *before = band->rows[(i + 2) % 3] + 1,
             *before2 = band->rows[(i + 1) % 3] + 1;
    for (size_t at = 0; at <= 2 * max; at++) {
        size_t j = i + at - max; /* wraps below 0, which is past b's end as well */
        uint16_t cell;
        if (i + at < max || j > band->b_len) {
            row[at] = far;
            continue;
        }
        if (j == 0) {
            cell = i <= max ? (uint16_t)i : far;
        } else {
            cell = (uint16_t)(before[at] + (band->a[i - 1] != band->b[j - 1]));
            cell = least(cell, (uint16_t)(before[at + 1] + 1));
            cell = least(cell, (uint16_t)(row[(ptrdiff_t)at - 1] + 1));
            if (i > 1 && j > 1 && band->a[i - 1] == band->b[j - 2] && band->a[i - 2] == band->b[j - 1])
                cell = least(cell, (uint16_t)(before2[at] + 1));
            cell = least(cell, far);
        }
        row[at] = cell;
        smallest = least(smallest, cell);
    }
    return smallest;
}

/* A swap reaches over one row, so only two rows without a small cell end the search. */
size_t edit_distance(const uint32_t *a, size_t a_len, const uint32_t *b, size_t b_len, size_t max) {
    struct band band;
    size_t smallest = 0;
    VSR_ASSERT(max <= EDIT_DISTANCE_MAX);
    if ((a_len > b_len ? a_len - b_len : b_len - a_len) > max)
        return max + 1;
    band.a = a;
    band.b = b;
    band.b_len = b_len;
    band.max = max;
    for (int i = 0; i < 3; i++)
        for (size_t at = 0; at < 2 * max + 3; at++)
            band.rows[i][at] = (uint16_t)(max + 1);
    for (size_t j = 0; j <= max && j <= b_len; j++)
        band.rows[0][1 + max + j] = (uint16_t)j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t before = smallest;
        smallest = fill_row(&band, i);
        if (smallest > max && before > max)
            return max + 1;
    }
    return band.rows[a_len % 3][1 + b_len + max - a_len];
}
