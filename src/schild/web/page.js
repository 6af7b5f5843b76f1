/* Controls, sentence and chart of each scene of a page. Without this script a page keeps its sentences and figures.
   start.js or notebook.js unpacks it and gives it two functions, bytes of an element of the page and what unpacks them,
   and where its scenes stand: `root`, whose `changed`, where it has one, is told of each setting. */
/* global bytes, unzip, root */

(async () => {
  const wasm = await unzip(bytes("schild-engine")).arrayBuffer(), packed = bytes("schild-pack");
  const engine = await SchildEngine.load(wasm, packed);
  const {header} = engine;
  const NUMBERS = ["mg", "n", "every_h", "until_h", "weight_kg", "crcl_ml_min", "at_h"];
  const DEFAULTS = {missed: "", weight_kg: 70, liver: "normal", crcl_ml_min: 100, challenge: "", at_h: 24};
  const FIELDS = ["give", "mg", "n", "every_h", "until_h", ...Object.keys(DEFAULTS)];

  /* A chart that cannot be computed says so, on the page and in the console. */
  function failed(why) {
    for (const note of root.querySelectorAll("[data-scene] .note")) note.textContent = `The engine stopped: ${why}`;
    console.error(why);
  }

  /* Asks an engine in a worker, one job at a time, of each scene the one that came last; without a worker in this thread. */
  function helper(method) {
    const waiting = new Map();
    let worker, busy, alone = false;
    function pump() {
      const [first] = waiting;
      if (busy || !first) return;
      waiting.delete(first[0]);
      busy = first[1];
      if (alone) here();
      else worker.postMessage(busy.asked);
    }
    function answer(found) {
      const job = busy;
      busy = null;
      if (found.failed) failed(found.failed);
      else job.done(found);
      pump();
    }
    function refused() {
      alone = true;
      if (busy) here();
    }
    function here() {
      let found;
      try { found = engine[method](busy.asked); } catch (error) { found = {failed: error.message}; }
      answer(found);
    }
    return (key, asked, done) => {
      waiting.set(key, {asked, done});
      if (!worker && !alone) {
        const script = `${SchildEngine};let engine;onmessage = async ({data}) => {
          if (data.wasm) engine = SchildEngine.load(data.wasm, data.packed);
          else try { postMessage((await engine).${method}(data)); } catch (error) { postMessage({failed: error.message}); }};`;
        try {
          worker = new Worker(URL.createObjectURL(new Blob([script], {type: "text/javascript"})));
          worker.onmessage = ({data}) => answer(data);
          worker.onerror = refused;
          worker.postMessage({wasm, packed});
        } catch { refused(); }
      }
      pump();
    };
  }
  const live = helper("live"), band = helper("band");

  /* A scenario of a link, checked against the pack. */
  function read(text) {
    const s = {...DEFAULTS};
    for (const [name, value] of new URLSearchParams(text)) if (FIELDS.includes(name)) s[name] = value;
    for (const name of NUMBERS) s[name] = Number(s[name]);
    const d = engine.dosing(s.give);
    const sound = s.mg >= 0 && s.mg <= d.high_mg && s.n >= 1 && s.n <= d.most && s.until_h > 0 && s.every_h > 0;
    if (!sound) throw new RangeError("The link is outside what this page offers.");
    return s;
  }
  const missed = (s) => s.missed.split(",").filter(Boolean).map(Number).sort((a, b) => a - b);
  const write = (s) => FIELDS.filter((f) => s[f] !== DEFAULTS[f])
    .map((f) => `${f}=${encodeURIComponent(s[f]).replace(/%20/g, "+").replace(/%2C/g, ",")}`)
    .concat(`version=${header.version}`).join("&");
  const taken = (s) => Array.from({length: s.n}, (_, k) => k).filter((k) => !missed(s).includes(k + 1));
  const asked = (s) => ({
    dosing: s.give, amounts: taken(s).map((k) => [k * s.every_h, s.mg]), until: s.until_h, points: 337,
    due: s.n * s.every_h, seen: Math.max(4, ((missed(s)[0] ?? 1) - 1) * s.every_h), challenge: s.challenge, at: s.at_h,
    person: {weight_kg: s.weight_kg, liver: s.liver, crcl_ml_min: s.crcl_ml_min},
  });
  const words = (s) => {
    const dose = engine.dosing(s.give).words.replace("{amount:g}", s.mg);
    if (s.missed) return taken(s).map((k) => dose + (k ? ` at ${k * s.every_h} h` : ""));
    return [s.n === 1 ? dose : `${dose} q${s.every_h}h x${s.n}`];
  };
  const runFile = (s) => [
    `[run]\nuntil = "${s.until_h} h"\n`,
    `[subject]\nweight = "${s.weight_kg} kg"\nliver = "${s.liver}"\ncrcl = "${s.crcl_ml_min} mL/min"\n`,
    ...words(s).map((w) => `[[dose]]\nregimen = "${w}"\n`)].join("\n");
  const python = (s) => `from schild.web.scenario import Scenario\n\nscenario = Scenario.of("${write(s)}")\n`
    + "print(scenario.results(), scenario.band().results)\nscenario.simulate().plot()\n";

  /* Numbers as schild.web.scenes writes them. */
  function shown(name, s, results) {
    const gone = missed(s);
    if (name === "missed_count") return ["None is", `Number ${gone[0]} is`][gone.length] ?? `${gone.length} are`;
    if (name === "challenge") return header.challenges.find((c) => c.name === s.challenge)?.says ?? "nothing";
    if (name === "give") return engine.dosing(s.give).says;
    if (name === "each") return s.every_h === 24 ? "a day" : `every ${s.every_h / 24} days`;
    const control = header.controls[name], value = name in s ? s[name] : results[name];
    if (value === undefined) return "…";
    if (name in s) return typeof value === "number" ? String(value / (control?.hours ?? 1)) : String(value);
    return result(name, value);
  }
  function result(name, value) {
    if (name.endsWith("_h")) return value >= 10 || value < 0.05 ? value.toFixed(0) : value.toFixed(1);
    if (name.endsWith("ng_ml")) return value >= 0.05 ? value.toPrecision(2) : "too little to measure";
    return value < 1 ? "less than 1" : value > 99 ? "more than 99" : value.toFixed(0);
  }

  const spread = (names, ends) => `90 % of ${header.band} virtual people like this one: ` + Object.entries(header.results)
    .filter(([name]) => names.includes(name))
    .map(([name, of]) => `${of.words} ${ends[name].map((v) => result(name, v)).join(" to ")} ${of.unit}`).join("; ") + ".";

  /* Text is laid out again only where it changes. */
  const put = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  const make = (tag, attributes = {}, ...children) => {
    const e = document.createElement(tag);
    for (const [k, v] of Object.entries(attributes)) k === "text" ? (e.textContent = v) : e.setAttribute(k, v);
    e.append(...children);
    return e;
  };

  /* One control; bounds are those of the pack. */
  function control(name, s, id, change, gives) {
    const of = header.controls[name], d = engine.dosing(s.give), hours = of.hours ?? 1;
    const box = make("div", {class: "control"});
    if (name === "missed") {
      const group = make("fieldset", {class: "doses"}, make("legend", {text: of.words}));
      for (let k = 2; k <= s.n; k++) {
        const tick = make("input", {type: "checkbox", value: k});
        tick.checked = missed(s).includes(k);
        tick.onchange = () => change("missed", [...group.querySelectorAll(":checked")].map((c) => c.value).join(","));
        group.append(make("label", {}, tick, String(k)));
      }
      box.append(group);
      return box;
    }
    const offered = name === "challenge" ? header.challenges.map((c) => [c.name, c.says])
      : name === "give" ? gives.map((key) => [key, engine.dosing(key).says])
      : header.people[name]?.map((v) => [v, `${v}${of.unit ? " " + of.unit : ""}`]);
    const label = make("label", {for: id, text: of.words + " "});
    if (offered) {
      const select = make("select", {id}, ...offered.map(([v, text]) => make("option", {value: v, text})));
      select.value = s[name];
      select.onchange = () => change(name, NUMBERS.includes(name) ? Number(select.value) : select.value);
      box.append(label, select);
      return box;
    }
    const [low, high, step] = name === "mg" ? [d.low_mg, d.high_mg, d.step_mg]
      : name === "n" ? [1, d.most, 1] : [of.low, of.high, of.step];
    const slider = make("input", {id, type: "range", min: low, max: high, step, value: s[name] / hours});
    const value = make("output", {for: id});
    const say = () => {
      value.textContent = `${slider.value}${of.unit ? " " + of.unit : ""}`;
      slider.setAttribute("aria-valuetext", value.textContent);
    };
    slider.oninput = () => { say(); change(name, Number(slider.value) * hours); };
    say();
    box.append(label, slider, value);
    return box;
  }

  /* The chart: occupancy of three receptors over time, drawn for the width there is. Axes stay while they hold. */
  const LINES = [["mor", "mu", "#0072b2", ""], ["kor", "kappa", "#d55e00", "6 3"], ["dor", "delta", "#009e73", "2 3"]];
  const HIGH = 264, LEFT = 44, RIGHT = 12, TOP = 28, BOTTOM = 72, FLOOR = HIGH - BOTTOM;
  const tenth = (v) => Math.round(10 * v) / 10;
  const y = (v) => tenth(TOP + (FLOOR - TOP) * (1 - v));
  function axes(wide, end, x) {
    const text = (across, down, said, anchor = "middle") =>
      `<text x="${across}" y="${down}" text-anchor="${anchor}" fill="currentColor" font-size="12">${said}</text>`;
    const rule = (v) => `<line x1="${LEFT}" x2="${wide - RIGHT}" y1="${y(v)}" y2="${y(v)}" stroke="currentColor" `
      + `stroke-opacity=".18"/>` + text(LEFT - 6, y(v) + 4, `${100 * v} %`, "end");
    const step = [0.5, 1, 2, 5, 7, 14, 28, 56].find((d) => end / d <= 7) ?? 112;
    let svg = [0, 0.5, 0.8, 1].map(rule).join("");
    for (let d = 0; d <= end + 1e-9; d += step) svg += text(x(24 * d), FLOOR + 18, d);
    svg += text((LEFT + wide - RIGHT) / 2, FLOOR + 33, "days after the first dose");
    svg += `<path data-of="doses" stroke="currentColor"/><path data-of="band" fill="${LINES[0][2]}" fill-opacity=".18"/>`;
    LINES.forEach(([r, name, ink, dashes], k) => {
      svg += `<path data-of="${r}" fill="none" stroke="${ink}" stroke-width="2" stroke-dasharray="${dashes}"/>`;
      svg += `<path d="M${LEFT + k * 84} ${HIGH - 26}h22" stroke="${ink}" stroke-width="2" stroke-dasharray="${dashes}"/>`
        + text(LEFT + 27 + k * 84, HIGH - 22, name, "start");
    });
    svg += `<path data-of="challenge" stroke="currentColor" stroke-dasharray="3 3"/>`;
    svg += text(0, 14, "", "start") + text(0, HIGH - 4, `schild ${header.version}, ${header.address}`, "start");
    return `<svg viewBox="0 0 ${wide} ${HIGH}" width="${wide}" height="${HIGH}" role="img">${svg}</svg>`;
  }
  function chart(figure, width, s, run, ends) {
    const wide = Math.max(280, Math.min(width || 340, 640)), end = s.until_h / 24;
    const x = (t) => tenth(LEFT + (wide - LEFT - RIGHT) * t / s.until_h);
    if (figure.drawn !== `${wide} ${end}`) {
      figure.drawn = `${wide} ${end}`;
      figure.querySelector(".chart").innerHTML = axes(wide, end, x);
      figure.paths = Object.fromEntries([...figure.querySelectorAll("[data-of]")].map((path) => [path.dataset.of, path]));
      figure.across = Array.from(run.time, x);
    }
    const at = figure.across, edge = (values) => Array.from(values, (v, i) => `${at[i]} ${y(v)}`);
    const draw = (name, d) => figure.paths[name].setAttribute("d", d);
    for (const [r] of LINES) draw(r, `M${edge(run.outputs[`${r}_pet_occupancy`]).join("L")}`);
    draw("doses", taken(s).map((k) => `M${x(k * s.every_h)} ${FLOOR}v-7`).join(""));
    draw("band", ends ? `M${[...edge(ends.low), ...edge(ends.high).reverse()].join("L")}z` : "");
    draw("challenge", s.challenge ? `M${x(s.at_h)} ${TOP}V${FLOOR}` : "");
    const dose = `${s.mg} mg of ${engine.dosing(s.give).says}`, all = taken(s).length;
    const given = s.n === 1 ? dose : `${all}${all < s.n ? ` of ${s.n}` : ""} doses of ${dose}`;
    const said = `Receptors occupied after ${given}${s.n === 1 ? "" : `, one ${shown("each", s)}`}`;
    const svg = figure.querySelector(".chart > svg");
    svg.setAttribute("aria-label", `${said}: mu, kappa and delta over ${end} days.`);
    put(svg.querySelector("text:nth-last-of-type(2)"), given);
    put(figure.querySelector("figcaption"), `${said}. Lines: a typical person of ${s.weight_kg} kg, liver ${s.liver}, `
      + `creatinine clearance ${s.crcl_ml_min} mL/min. ` + `Band, of mu: 90 % of ${header.band} virtual people like this one${ends ? "" : ", to follow"}. `
      + `Computed in this page by schild ${header.version}.`);
    if (!figure.querySelector("details").open) return;
    const rows = [0, 48, 96, 144, 192, 240, 288, 336].map((k) => [(run.time[k] / 24).toFixed(end < 4 ? 2 : 1),
      ...LINES.map(([r]) => (100 * run.outputs[`${r}_pet_occupancy`][k]).toFixed(0))]);
    figure.querySelector("tbody").replaceChildren(...rows.map((row) => make("tr", {}, ...row.map((v) => make("td", {text: v})))));
  }

  function save(name, text, type) {
    const link = make("a", {download: name, href: URL.createObjectURL(new Blob([text], {type}))});
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  function start(section) {
    const key = section.dataset.scene, names = section.dataset.controls.split(" ");
    const linked = new URLSearchParams(location.hash.slice(1)).get("scene") === key;
    let s = read(section.dataset.scenario);
    if (linked) {
      try { s = read(location.hash.slice(1)); } catch (error) { section.querySelector(".note").textContent = error.message; }
    }
    const figure = section.querySelector("figure"), sentence = section.querySelector(".says");
    const places = [...sentence.querySelectorAll("[data-value]")], first = s.give;
    const box = make("div", {class: "controls"});
    let still = 0, told = linked ? null : s, banded, ends, last; // told: of the text; banded: of the ends
    let wide = figure.clientWidth;
    /* While a control moves the engine is asked for coarser steps; at rest it is asked again, and for the band. */
    function draw(moving = false) {
      const own = s, note = section.querySelector(".spread"), doses = box.querySelector(".doses");
      if (!moving && doses && doses.querySelectorAll("input").length !== s.n - 1) {
        doses.parentNode.replaceWith(control("missed", s, `${key}-missed`, change));
      }
      live(key, {...asked(own), moving}, ({run, results}) => {
        if (told !== own) note.style.visibility = "hidden"; // it keeps its place: what stands below must not move
        [told, last] = [own, run];
        chart(figure, wide, own, run, banded === own ? ends : null);
        for (const span of places) put(span, shown(span.dataset.value, own, results));
        section.dataset[moving ? "moving" : "done"] = JSON.stringify(results);
        clearTimeout(still);
        if (moving) still = setTimeout(() => draw(), 200);
        else if (banded !== own && own === s && wide) band(key, asked(own), (found) => {
          if (own !== s) return;
          [banded, ends] = [own, found];
          chart(figure, wide, own, run, ends);
          note.textContent = spread(places.map((span) => span.dataset.value), ends.results);
          note.style.visibility = "";
        });
      });
    }
    const change = (name, value) => {
      s = {...s, [name]: value};
      if (name === "give") { // another way of giving has its own amounts, interval and course
        const d = engine.dosing(value), n = s.n === 1 ? 1 : d.course;
        s = {...s, mg: d.usual_mg, every_h: d.every_h, n, until_h: n * d.every_h + d.after_h, missed: s.missed && String((n >> 1) + 1)};
        build();
        box.querySelector("select").focus();
      }
      root.changed?.(write(s));
      if (name === "n") { // the course is as long as its doses, and only those can be missed
        const d = engine.dosing(s.give);
        s = {...s, until_h: value * s.every_h + d.after_h, missed: missed(s).filter((k) => k <= value).join(",")};
      }
      for (const miss of section.querySelectorAll(".claimed")) miss.hidden = s.give !== first;
      draw(true);
    };
    const own = make("div");
    const build = () => own.replaceChildren(
      ...names.map((name) => control(name, s, `${key}-${name}`, change, section.dataset.gives.split(","))));
    box.append(own);
    build();
    const button = (said, act) => {
      const b = make("button", {type: "button", text: said});
      b.onclick = act;
      return b;
    };
    const copy = (said, text) => button(said, async () => {
      try { await navigator.clipboard.writeText(text()); section.querySelector(".note").textContent = "Copied."; }
      catch { save(`${key}.txt`, text(), "text/plain"); }
    });
    const link = () => `${location.href.split("#")[0]}#scene=${key}&${write(s)}`;
    box.append(make("div", {class: "buttons"},
      copy("Copy link", () => { history.replaceState(null, "", link()); return link(); }),
      copy("Copy as run file", () => runFile(s)), copy("Copy as Python", () => python(s)),
      button("CSV", () => {
        const columns = Object.entries(last.outputs);
        const lines = Array.from(last.time, (t, k) => [t, ...columns.map(([, v]) => v[k])].join(","));
        save(`${key}.csv`, ["time_h," + columns.map(([n]) => n).join(","), ...lines].join("\n") + "\n", "text/csv");
      })));
    section.querySelector(".controls-place").replaceChildren(box);
    for (const span of places) {
      const id = `#${CSS.escape(`${key}-${span.dataset.value}`)}`;
      if (!box.querySelector(id)) continue;
      span.classList.add("changes");
      span.onclick = () => { section.querySelector("details").setAttribute("open", ""); box.querySelector(id).focus(); };
    }
    figure.hidden = false;
    figure.querySelector("details").ontoggle = () => draw(); // its table is written where it is seen
    new ResizeObserver(() => {
      if (figure.clientWidth === wide) return;
      wide = figure.clientWidth;
      draw();
    }).observe(figure);
    draw();
    if (linked) { section.querySelector("details")?.setAttribute("open", ""); section.scrollIntoView(); }
  }
  root.querySelectorAll("[data-scene]").forEach(start);
  (root.documentElement ?? root).dataset.engine = "ready";
})();
