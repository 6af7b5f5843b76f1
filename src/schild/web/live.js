/* The engine of schild in a page: a pack (schild.web.pack) and the kernel (engine.wasm) to outputs over time.

   const engine = await SchildEngine.load(wasmBytes, packBytes)
   engine.run({dosing: "naltrexone tablet", amounts: [[0, 50], [24, 50]], person: {weight_kg: 70}, until: 168, points: 337})
   engine.block({dosing: ..., amounts: ..., person: ..., challenge: "heroin", at: 24})

   Amounts are pairs of time [h] and amount [mg] of the antagonist. The dose of a challenge is fixed in the pack. */
"use strict";

class SchildEngine {
  static async load(wasm, packed) {
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const whole = new Uint8Array(await new Response(stream).arrayBuffer());
    const length = new DataView(whole.buffer).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(whole.subarray(4, 4 + length)));
    const engine = new SchildEngine(header, whole.buffer, 4 + length);
    const env = {
      exp: Math.exp, expm1: Math.expm1, NRT_MemInfo_call_dtor() {},
      NRT_MemInfo_alloc_aligned: (size) => engine.counted(Number(size)),
    };
    engine.instance = (await WebAssembly.instantiate(wasm, {env})).instance;
    return engine;
  }

  constructor(header, buffer, base) {
    Object.assign(this, {header, buffer, base, models: new Map(header.models.map((m) => [m.key, m]))});
  }

  /* An array of the pack. */
  array(of) {
    const kinds = {f8: Float64Array, f4: Float32Array, i8: BigInt64Array, b1: Uint8Array};
    return new kinds[of.kind](this.buffer, this.base + of.at, of.shape.reduce((a, b) => a * b, 1));
  }

  room(size) {
    const memory = this.instance.exports.memory, place = (this.free + 63) & ~63;
    this.free = place + size;
    const missing = this.free - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / 65536) + 16);
    return place;
  }

  /* What Numba counts the references of: the count comes first, the address of the data twice. */
  counted(size) {
    const record = this.room(64), data = this.room(Math.max(size, 8));
    const view = new DataView(this.instance.exports.memory.buffer);
    view.setBigInt64(record, 1n, true);
    view.setUint32(record + 16, data, true);
    view.setUint32(record + 24, data, true);
    return record;
  }

  tick(hours) { return Math.round(hours * this.header.ticks_per_hour); }

  /* Number of a person among those of the pack; a covariate that is not offered is refused. */
  person(who = {}) {
    let k = 0;
    for (const [name, offered] of Object.entries(this.header.people)) {
      const at = who[name] === undefined ? offered.indexOf({weight_kg: 70, liver: "normal", crcl_ml_min: 100}[name])
        : offered.indexOf(who[name]);
      if (at < 0) throw new RangeError(`${name} is ${who[name]}; offered: ${offered.join(", ")}.`);
      k = k * offered.length + at;
    }
    return k;
  }

  /* Numbers of a person of the pack: of the typical one, or of one of a band. */
  numbers(model, person, of) {
    const wide = model.columns, row = Number(this.array(model.person)[person]);
    const found = this.array(model.rows).slice(row * wide, (row + 1) * wide);
    if (of === undefined) return found;
    const lengths = Object.values(this.header.people).map((offered) => offered.length);
    const places = [Math.floor(person / lengths[1] / lengths[2]), Math.floor(person / lengths[2]) % lengths[1],
      person % lengths[2]];
    for (const b of model.band) {
      for (const part of b.parts) {
        const at = places.reduce((k, place, axis) => k * part.shape[axis] + (part.shape[axis] > 1 ? place : 0), 0);
        found[b.column] *= this.array(part)[at * part.shape[3] + of];
      }
    }
    return found;
  }

  /* Events of the kernel, sorted as Python sorts them: by time, kind, number of the dose. */
  events(model, amounts, dosing, at) {
    const rows = [];
    amounts.forEach(([hours, mg], number) => {
      if (!(mg >= 0 && mg <= dosing.high_mg)) throw new RangeError(`${mg} mg; offered: up to ${dosing.high_mg} mg.`);
      for (const e of model.per_mg) rows.push({...e, tick: this.tick(hours) + e.tick, amount: e.amount * mg, number});
    });
    for (const e of model.fixed) rows.push({...e, tick: this.tick(at) + e.tick, number: amounts.length});
    return rows.sort((a, b) => a.tick - b.tick || a.kind - b.kind || a.number - b.number);
  }

  /* Solve; the signals of the outputs at times given in ticks. While a control moves, steps are longer and coarser. */
  solve(model, rows, numbers, ticks, moving) {
    const hour = this.header.ticks_per_hour, how = moving ? this.header.moving : this.header;
    const first = rows.length ? Math.min(rows[0].tick, ticks[0]) : ticks[0];
    const times = Float64Array.from(first < ticks[0] ? [first, ...ticks] : ticks, (t) => t / hour);
    const half = times.subarray(times.length >> 1);
    const dense = half.length > 1 && (half.at(-1) - half[0]) / (half.length - 1) < this.header.dense_h;
    const signals = [...new Set(model.outputs.flatMap((o) => o.signals))];
    const column = (name, kind = Float64Array) =>
      kind === BigInt64Array ? BigInt64Array.from(rows, (e) => BigInt(e[name])) : Float64Array.from(rows, (e) => e[name]);
    const none = new Float64Array(rows.length);
    const given = {
      first_subject: 0, stop_subject: 1, out_base: 0,
      rows: [numbers, [1, numbers.length]],
      status_in: [new BigInt64Array(1), [1]], start_states: [new Float64Array(0), [0, 0, 0]],
      "events.time": Float64Array.from(rows, (e) => e.tick / hour), "events.kind": column("engine", BigInt64Array),
      "events.port": column("port", BigInt64Array), "events.amount": column("amount"),
      "events.scale": column("scale", BigInt64Array), "events.offset": none, "events.offset2": none.map(() => -1),
      "events.ii": none, "events.count": none, "events.cap": column("cap"),
      "events.first": new BigInt64Array(1), "events.last": BigInt64Array.of(BigInt(rows.length)),
      "task.times": times, "task.signals": BigInt64Array.from(signals, BigInt), "task.reduced": new BigInt64Array(0),
      "task.thresholds": new Float64Array(0), "task.window": Float64Array.of(ticks[0] / hour, ticks.at(-1) / hour),
      "task.rtol": how.rtol, "task.h_max": dense ? this.header.h_max : how.h_free, "task.max_steps": this.header.max_steps,
      "task.dense": dense ? 1 : 0,
      "found.out": [new Float64Array(signals.length * times.length), [1, signals.length, times.length]],
      "found.reduced": [new Float64Array(0), [1, 0, 5]], "found.status": new BigInt64Array(1),
      "found.counts": [new BigInt64Array(2), [1, 2]],
    };
    this.free = this.instance.exports.__heap_base.value;
    const passed = [this.room(16), this.room(16)], places = {};
    for (const [name, kind, dimensions] of this.header.arguments) {
      const own = name.startsWith("structure.") ? model.structure[name.slice(10)] : given[name];
      if (!dimensions) { passed.push(kind === "float" ? own : BigInt(own)); continue; }
      const [values, shape] = Array.isArray(own) ? own : own.at === undefined || ArrayBuffer.isView(own)
        ? [own, [own.length]] : [this.array(own), own.shape];
      const place = this.room(Math.max(values.byteLength, 8)), size = values.BYTES_PER_ELEMENT;
      new Uint8Array(this.instance.exports.memory.buffer, place, values.byteLength)
        .set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      const strides = shape.map((_, k) => size * shape.slice(k + 1).reduce((a, b) => a * b, 1));
      passed.push(0, 0, BigInt(values.length), BigInt(size), place, ...shape.map(BigInt), ...strides.map(BigInt));
      places[name] = place;
    }
    const failed = this.instance.exports.run_groups(...passed), memory = this.instance.exports.memory.buffer;
    const status = new BigInt64Array(memory, places["found.status"], 1)[0];
    if (failed || status) throw new Error(`The engine stopped with status ${status}.`);
    const skip = times.length - ticks.length;
    const out = new Float64Array(memory, places["found.out"], signals.length * times.length);
    const of = new Map(signals.map((s, k) => [s, out.slice(k * times.length + skip, (k + 1) * times.length)]));
    return {time: Float64Array.from(ticks, (t) => t / hour), signal: (s) => of.get(s)};
  }

  /* One output from signals: as schild.simulation.registry and schild.pharmacology.effects say. */
  output(o, signal) {
    if (o.form === "scale") return signal(o.signals[0]).map((v) => v * o.factor);
    if (o.form === "pet") return signal(o.signals[0]).map((v) => 1 - v * (1 + o.e0));
    const stimulus = new Float64Array(signal(o.signals[0]).length);
    o.signals.forEach((s, k) => signal(s).forEach((v, i) => {
      stimulus[i] += o.ratio[k] * (o.factor[k] * v) / (1 + (o.factor[k] - 1) * v);
    }));
    const response = stimulus.map((s) => s ** o.slope / (1 + s ** o.slope));
    return o.form === "rise" ? response.map((r) => o.size * r) : response.map((r) => 1 - r);
  }

  dosing(name) {
    const found = this.header.dosings.find((d) => d.key === name);
    if (!found) throw new RangeError(`${name} is not offered.`);
    return found;
  }

  /* Plasma and receptors over time, without a challenge; of the typical person, or of one of a band. */
  run({dosing, amounts, person, until, points, moving}, of) {
    const model = this.models.get(dosing), rows = this.events(model, amounts, this.dosing(dosing), 0);
    const last = this.tick(until);
    const ticks = Array.from({length: points}, (_, k) => Math.round(k * last / (points - 1)));
    const found = this.solve(model, rows, this.numbers(model, this.person(person), of), ticks, moving);
    const outputs = Object.fromEntries(model.outputs.map((o) => [o.name, this.output(o, found.signal)]));
    return {time: found.time, outputs};
  }

  /* What a scene shows: the typical person's run, and what is said of it. */
  live(asked) {
    const run = this.run(asked), results = this.results(asked, run);
    if (asked.challenge) {
      for (const [effect, share] of Object.entries(this.block(asked))) results[`block_${effect}`] = 100 * share;
    }
    return {run, results};
  }

  /* Where 90 % of the people of a band lie: occupancy of mu receptors over time, and each result. */
  band(asked) {
    const runs = Array.from({length: this.header.band}, (_, k) => this.run(asked, k));
    const results = runs.map((run) => this.results(asked, run));
    const ends = (values) => [0.05, 0.95].map((share) => SchildEngine.quantile(values, share));
    const course = Array.from(runs[0].time, (_, t) => ends(runs.map((run) => run.outputs.mor_pet_occupancy[t])));
    return {low: course.map((c) => c[0]), high: course.map((c) => c[1]),
      results: Object.fromEntries(Object.keys(results[0]).map((name) => [name, ends(results.map((r) => r[name]))]))};
  }

  /* As numpy.quantile. */
  static quantile(values, share) {
    const sorted = Float64Array.from(values).sort(), at = share * (sorted.length - 1), k = Math.floor(at);
    return sorted[k] + (at - k) * ((sorted[k + 1] ?? sorted[k]) - sorted[k]);
  }

  /* Share of each effect of a published challenge that is blocked. */
  block({dosing, amounts, person, challenge, at, moving}) {
    const model = this.models.get(`${dosing} + ${challenge}`), hour = this.header.ticks_per_hour;
    const fixed = this.header.challenges.find((c) => c.name === challenge), k = this.person(person);
    const rows = this.events(model, amounts, this.dosing(dosing), at), begin = this.tick(at);
    const ticks = Array.from({length: 361}, (_, i) => begin + Math.round(i / 60 * hour));
    const {signal} = this.solve(model, rows, this.numbers(model, k), ticks, moving), alone = this.array(model.alone);
    return Object.fromEntries(fixed.effects.map((name, e) => {
      const course = this.output(model.outputs.find((o) => o.name === name), signal);
      const change = course.reduce((most, v) => Math.max(most, Math.abs(v - course[0])), 0);
      return [name, 1 - change / alone[k * fixed.effects.length + e]];
    }));
  }

  /* What a page says of a scenario: as schild.web.scenario.Scenario.results. */
  results(scenario, run) {
    const {time, outputs} = run, mor = outputs.mor_pet_occupancy, d = this.dosing(scenario.dosing);
    const top = (name) => outputs[name].reduce((a, b) => Math.max(a, b));
    const found = {peak_ng_ml: top(`plasma_${d.drug}`), mor_end: 100 * mor.at(-1)};
    for (const r of ["mor", "kor", "dor"]) found[`${r}_peak`] = 100 * top(`${r}_pet_occupancy`);
    const seen = mor.filter((_, k) => time[k] >= scenario.seen && time[k] <= scenario.due);
    found.mor_lowest = 100 * (seen.length ? seen.reduce((a, b) => Math.min(a, b)) : mor.at(-1));
    found.above_80_h = 0;
    for (let k = 1; k < time.length; k++) {
      const a = Math.max(mor[k - 1], mor[k]) - 0.8, b = 0.8 - Math.min(mor[k - 1], mor[k]);
      found.above_80_h += (a <= 0 ? 0 : b <= 0 ? 1 : a / (a + b)) * (time[k] - time[k - 1]);
    }
    return found;
  }
}

if (typeof module !== "undefined") module.exports = {SchildEngine};
