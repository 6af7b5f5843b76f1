// Runs live.js with the engine and a pack: node live_runner.mjs live.js engine.wasm pack < scenarios.json > results.json
import fs from "node:fs";
import {createRequire} from "node:module";
const [script, wasm, pack] = process.argv.slice(2);
const {SchildEngine} = createRequire(import.meta.url)(script);
const engine = await SchildEngine.load(fs.readFileSync(wasm), fs.readFileSync(pack));
const asked = JSON.parse(fs.readFileSync(0, "utf8"));
const plain = (r) => r.outputs ? Object.fromEntries(Object.entries(r.outputs).map(([k, v]) => [k, Array.from(v)])) : r;
const t0 = performance.now();
const found = asked.map((s) => plain(s.challenge ? engine.block(s) : engine.run(s)));
console.error(((performance.now() - t0) / asked.length).toFixed(2), "ms each");
console.log(JSON.stringify(found));
