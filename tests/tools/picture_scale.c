/* links: nn */
/*
 * picture_scale - a picture as a model sees it: `picture_scale FILE SIDE` writes SIDE x SIDE x 3 bytes of RGB.
 */
#include <stdio.h>
#include <stdlib.h>

#include "nn/picture.h"
#include "nn/picture_scale.h"

int main(int argc, char **argv) {
    struct vsr_err err = VSR_ERR_NONE;
    size_t side = argc == 3 ? strtoul(argv[2], NULL, 10) : 0, len = 0;
    FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;
    char *bytes = malloc((size_t)PICTURE_LEN_MAX + 1);
    uint8_t *rgb = malloc(side * side * PICTURE_CHANNELS + 1);
    if (!file || !bytes || !rgb) {
        (void)fprintf(stderr, "usage: picture_scale FILE SIDE\n");
        return 2;
    }
    len = fread(bytes, 1, (size_t)PICTURE_LEN_MAX + 1, file);
    if (picture_scale(str_make(bytes, len), side, side, rgb, &err) < 0) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    (void)fwrite(rgb, PICTURE_CHANNELS, side * side, stdout);
    (void)fclose(file);
    free(bytes);
    free(rgb);
    return 0;
}
