// Pictures as a model sees them, beside Pillow: sizes of all proportions, every format, to the bit. Needs Pillow (Debian:
// python3-pil); without it nothing is compared, and the committed results of tests/unit/nn/test_picture.c stand alone.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const program = path.resolve(top, process.env.VSR_BUILD_DIR ?? 'build/debug', 'picture_scale');
const script = path.join(top, 'tests/nn/pictures.py');
const folder = mkdtempSync(path.join(os.tmpdir(), 'vsr-pictures-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const python = ['python3', '/usr/bin/python3'].find((name) => {
  try {
    execFileSync(name, ['-c', 'import numpy, PIL'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});

// Wider and higher than the model's side, narrower, much of both, a line, a point.
const sizes = [[1, 1], [1, 900], [900, 1], [31, 512], [512, 512], [513, 511], [640, 480], [1023, 769], [1500, 40]];
const endings = ['png', 'jpg', 'webp', 'gif'];
const sides = [16, 224, 512];

test('scaled as Pillow does it, to the bit', { skip: python ? false : 'no python3 with Pillow' }, () => {
  const code = `
import sys
sys.path.insert(0, ${JSON.stringify(path.dirname(script))})
from pictures import drawn, scaled
from PIL import Image
for n, (width, height) in enumerate(${JSON.stringify(sizes)}):
    image = Image.fromarray(drawn(width, height, n))
    for ending in ${JSON.stringify(endings)}:
        image.save(f"${folder}/{n}.{ending}")
        for side in ${JSON.stringify(sides)}:
            with open(f"${folder}/{n}.{ending}.{side}", "wb") as out:
                out.write(scaled(Image.open(f"${folder}/{n}.{ending}"), side).tobytes())
`;
  execFileSync(python, ['-c', code]);
  for (const [n, size] of sizes.entries()) {
    for (const ending of endings) {
      for (const side of sides) {
        const file = path.join(folder, `${n}.${ending}`);
        const got = execFileSync(program, [file, side], { maxBuffer: 1 << 24 });
        const want = readFileSync(`${file}.${side}`);
        assert.equal(got.length, side * side * 3);
        assert.ok(got.equals(want), `${size.join(' x ')} ${ending} at ${side}`);
      }
    }
  }
});
