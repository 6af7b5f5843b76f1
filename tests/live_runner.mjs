// Runs live.js with the engine and a pack: node live_runner.mjs live.js engine.wasm pack < scenarios.json > results.json
import fs from "node:fs";
import {createRequire} from "node:module";
const [script, wasm, pack] = process.argv.slice(2);
const {SchildEngine} = createRequire(import.meta.url)(script);
const engine = await SchildEngine.load(fs.readFileSync(wasm), fs.readFileSync(pack));
const asked = JSON.parse(fs.readFileSync(0, "utf8"));
const courses = (r) => Object.fromEntries(Object.entries(r.outputs).map(([k, v]) => [k, Array.from(v)]));
function answer(s) {
  const {run, results} = engine.live(s);
  return {courses: courses(run), results, ...(s.banded && {band: engine.band(s)})};
}
const t0 = performance.now();
const found = asked.map(answer);
console.error(((performance.now() - t0) / asked.length).toFixed(2), "ms each");
console.log(JSON.stringify(found));
