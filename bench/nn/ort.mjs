// Times ONNX Runtime on one model: node ort.mjs MODEL.onnx THREADS LENGTHS SECONDS [FOLDER]
//
// Prints one JSON object {"<tokens>": {"ms": ..., "wall_ms": ...}}: medians of single passes, warmed up, of as many as
// fit in SECONDS for each length (at least three; one of what takes seconds itself). "ms" is processor time of the
// process, which on an idle machine is "wall_ms" when there is one thread; others that run in between do not count.
// With FOLDER, the last output of each length is written to FOLDER/<tokens>.f32. bench_nn.c does the same for vsr, with
// the same tokens.
import { writeFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';

const [file, threads, lengths, seconds, folder] = process.argv.slice(2);
const VOCABULARY = 4096;
const [ROUNDS_MIN, ROUNDS_MAX, SLOW_MS] = [3, 1001, 5000];

const tokens = (n) =>
    new ort.Tensor('int64', BigInt64Array.from({ length: n }, (_, i) => BigInt((i * 7919 + 13) % VOCABULARY)), [1, n]);

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

const cpuMs = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e3;
};

async function measure(session, n) {
    const feeds = { input_ids: tokens(n) };
    const cpu = [];
    const wall = [];
    let output;
    const once = async () => {
        const cpuBegin = cpuMs();
        const wallBegin = performance.now();
        output = await session.run(feeds);
        wall.push(performance.now() - wallBegin);
        cpu.push(cpuMs() - cpuBegin);
        return wall.at(-1);
    };
    let rounds = 1;
    if ((await once()) <= SLOW_MS)
        rounds = Math.max(ROUNDS_MIN, Math.min(ROUNDS_MAX, Math.floor((Number(seconds) * 1e3) / (await once()))));
    cpu.length = wall.length = 0; // that was to warm up
    for (let i = 0; i < rounds; i++) await once();
    if (folder) writeFileSync(`${folder}/${n}.f32`, output.hidden.data);
    return { ms: median(cpu), wall_ms: median(wall), rounds };
}

const session = await ort.InferenceSession.create(file, {
    intraOpNumThreads: Number(threads),
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
});
const result = {};
for (const n of lengths.split(',').map(Number)) result[n] = await measure(session, n);
console.log(JSON.stringify(result));
