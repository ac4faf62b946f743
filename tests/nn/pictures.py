#!/usr/bin/python3
"""Makes tests/fixtures/pictures: small files of every kind that vsr reads, and what Pillow makes of them at 16 x 16.

`NAME.rgb` beside a file holds 16 x 16 x 3 bytes. Needs NumPy and Pillow (Debian: python3-numpy, python3-pil); the unit test
that reads the fixtures needs neither. tests/integration/pictures.test.mjs draws larger ones with the functions below.
"""
import io
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, PngImagePlugin

TARGET = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "pictures"
SIDE = 16
PngImagePlugin.MAX_TEXT_CHUNK = 8 << 20  # of one picture below


def scaled(image, side):
    """As the model's training did it, but for transparency, which is dropped."""
    if image.mode == "P":
        image = image.convert("RGBA")  # the colours under what is transparent
    if image.mode in ("RGBA", "LA"):
        image = Image.merge("RGB", (image.convert("RGBA")).split()[:3])
    return image.convert("RGB").resize((side, side), Image.Resampling.BICUBIC)


def drawn(width, height, seed):
    """Waves, an edge and some noise: something for every frequency."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    waves = [127 + 90 * np.sin(x / (3 + c) + c) * np.cos(y / (4 + 2 * c)) + 60 * ((x + y) % (7 + c) < 3) for c in range(3)]
    return np.clip(np.stack(waves, -1) + rng.normal(0, 12, (height, width, 3)), 0, 255).astype(np.uint8)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(header, rows, *before):
    parts = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), *before, chunk(b"IDAT", zlib.compress(rows, 9)), chunk(b"IEND", b"")]
    return b"".join(parts)


def interlaced(pixels):
    """Adam7, which Pillow does not write."""
    height, width = pixels.shape[:2]
    rows = b""
    for y0, x0, dy, dx in ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)):
        part = pixels[y0::dy, x0::dx]
        if part.shape[0] and part.shape[1]:
            rows += b"".join(b"\0" + row.tobytes() for row in part)
    return png(struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1), rows)


def noted(pixels):
    """With notes: one of 4 KB that unpacks to 4 MB, which nobody needs."""
    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    long = chunk(b"zTXt", b"much\0\0" + zlib.compress(bytes(4 << 20), 9))
    return png(struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), rows, chunk(b"tEXt", b"a\0note"), long)


def deep(pixels):
    """16 bits for each colour."""
    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + (row.astype(">u2") * 257).tobytes() for row in pixels)
    return png(struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0), rows)


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def within(gif, width, height):
    """The same frame two pixels from the left and one from the top of a larger screen."""
    at = gif.index(b",", 13 + 3 * 2 ** ((gif[10] & 7) + 1))
    size = struct.pack("<HH", width, height)
    return gif[:6] + size + gif[10:at + 1] + struct.pack("<HH", 2, 1) + gif[at + 5 :]


def files():
    wide, tall, small = (Image.fromarray(drawn(*size, n)) for n, size in enumerate(((53, 31), (17, 60), (5, 7))))
    clear = wide.copy()
    clear.putalpha(Image.fromarray(drawn(53, 31, 9)[:, :, 0]))
    few = wide.quantize(13)
    hidden = saved(few, "PNG", transparency=3)
    yield "rgb.png", saved(wide, "PNG")
    yield "small.png", saved(small, "PNG")
    yield "one.png", saved(Image.new("RGB", (1, 1), (200, 3, 90)), "PNG")
    yield "alpha.png", saved(clear, "PNG")
    yield "grey.png", saved(tall.convert("L"), "PNG")
    yield "grey-alpha.png", saved(clear.convert("LA"), "PNG")
    yield "bits.png", saved(wide.convert("1"), "PNG")
    yield "palette.png", saved(few, "PNG")
    yield "palette-alpha.png", hidden
    yield "interlaced.png", interlaced(drawn(53, 31, 0))
    yield "deep.png", deep(drawn(23, 11, 4))
    yield "noted.png", noted(drawn(23, 11, 4))
    yield "plain.jpg", saved(wide, "JPEG", quality=85)
    yield "progressive.jpg", saved(wide, "JPEG", quality=80, progressive=True)
    yield "full.jpg", saved(tall, "JPEG", quality=95, subsampling=0)
    yield "grey.jpg", saved(tall.convert("L"), "JPEG", quality=85)
    yield "inks.jpg", saved(wide.convert("CMYK"), "JPEG", quality=90)
    yield "lossy.webp", saved(wide, "WEBP", quality=80)
    yield "lossless.webp", saved(tall, "WEBP", lossless=True)
    yield "plain.gif", saved(wide, "GIF", interlace=0)
    yield "woven.gif", saved(tall, "GIF", interlace=1)
    yield "few.gif", saved(wide.quantize(5), "GIF", interlace=0)
    yield "clear.gif", saved(few, "GIF", transparency=3)
    yield "inner.gif", within(saved(small, "GIF", interlace=0), 11, 9)
    yield "noise.gif", saved(Image.fromarray(np.random.default_rng(7).integers(0, 256, (90, 70, 3), np.uint8)), "GIF")
    yield "alpha.webp", saved(clear, "WEBP", lossless=True, exact=True)


def refused():
    frames = [Image.fromarray(drawn(9, 9, n)) for n in range(3)]
    yield "moving.png", saved(frames[0], "PNG", save_all=True, append_images=frames[1:])
    yield "moving.webp", saved(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    yield "moving.gif", saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    yield "vast.png", png(struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0), b"\0")
    yield "broad.png", png(struct.pack(">IIBBBBB", (1 << 28) - 1, 1, 8, 2, 0, 0, 0), b"\0")
    yield "surplus.png", png(struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0), bytes(40 << 20))  # one pixel, and 40 MB behind it


def generate():
    TARGET.mkdir(exist_ok=True)
    for name, data in files():
        (TARGET / name).write_bytes(data)
        (TARGET / (name + ".rgb")).write_bytes(scaled(Image.open(io.BytesIO(data)), SIDE).tobytes())
    for name, data in refused():
        (TARGET / name).write_bytes(data)


if __name__ == "__main__":
    generate()
