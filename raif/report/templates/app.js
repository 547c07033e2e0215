"use strict";
(() => {
  const PAGE = 20;
  const KEPT_TEXT = 60e6; // characters of texts that stay unpacked
  const MARKS = { satisfied: ["good", "✓"], violated: ["bad", "✗"], blocked: ["", "⊘"], skipped: ["", "–"], unscored: ["", "?"] };
  const PARTS = { math_answer: "answer" };
  const FLAGS = ["truncated", "kept", "correct", "hard", "official", "well_formed", "direct"];
  const UNKNOWN = 0, NO = 1, YES = 2;
  const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
  const root = document.documentElement;
  const form = document.getElementById("filters");
  const ready = () => { root.dataset.ready = "true"; };
  if (!form) { ready(); return; }
  const list = document.getElementById("list");
  const pinned = document.getElementById("pinned");
  const title = document.getElementById("rollouts-title");
  const jump = document.querySelector(".jump input");
  const packed = {};
  for (const kind of ["tasks", "rollouts"]) packed[kind] = [...document.querySelectorAll(`script[data-pack="${kind}"]`)];
  let index = null, instruction = null, page = 0, found = [], latest = 0, drawn = 0, words = "", waiting;

  // ---- data: an index for filters, texts unpacked chunk by chunk when they are read --------------------------------

  const unpack = async (node) => {
    const bytes = Uint8Array.from(atob(JSON.parse(node.textContent)), (char) => char.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const text = await new Response(stream).text();
    return [JSON.parse(text), text.length];
  };
  const opened = new Map(); // the least recently used first
  let held = 0;
  const chunk = async (kind, number) => {
    const key = `${kind}${number}`;
    let entry = opened.get(key);
    opened.delete(key);
    if (!entry) {
      const [content, size] = await unpack(packed[kind][number]);
      entry = opened.get(key) || { content, size };
      if (!opened.has(key)) held += size;
    }
    opened.set(key, entry);
    for (const [old, { size }] of opened) {
      if (held <= KEPT_TEXT || old === key) break;
      opened.delete(old);
      held -= size;
    }
    return entry.content;
  };
  const entry = async (kind, number) => (await chunk(kind, Math.floor(number / index.chunk)))[number % index.chunk];
  const flag = (i, name) => Math.floor(index.flags[i] / 3 ** FLAGS.indexOf(name)) % 3;
  const slot = (i) => index.slots[index.slot[i]];
  const status = (code) => index.statuses[code % index.statuses.length];
  const type = (code) => index.types[Math.floor(code / index.statuses.length)];

  // ---- filters -----------------------------------------------------------------------------------------------------

  const change = (task) => {
    const [first, last] = [index.before.get(task), index.after.get(task)];
    return first === NO && last === YES ? "gained" : first === YES && last === NO ? "lost" : "";
  };
  const verdictMatches = (i, want) => {
    const [profile, name] = want.constraint ? JSON.parse(want.constraint) : ["strict", ""];
    return index.verdicts[i].some((code) => {
      const [of, called] = type(code);
      return of === profile && (!name || called === name) && (!want.status || status(code) === want.status);
    });
  };
  const kept = (i) => (flag(i, "direct") === YES ? "direct" : ["", "dropped", "kept"][flag(i, "kept")]);
  const parityMatches = (i, wanted) => {
    const [official, hard] = [flag(i, "official"), flag(i, "hard")];
    return wanted === "differs" ? official !== UNKNOWN && hard !== UNKNOWN && official !== hard : official === Number(wanted);
  };
  const matches = (i, want) =>
    (instruction === null || index.task[i] === instruction) &&
    (!want.run || slot(i).run === Number(want.run)) &&
    (!want.source || want.source === "all" || slot(i).name === want.source) &&
    (!(want.constraint || want.status) || verdictMatches(i, want)) &&
    (!want.hard || flag(i, "hard") === Number(want.hard)) &&
    (!want.parity || parityMatches(i, want.parity)) &&
    (!want.correct || flag(i, "correct") === Number(want.correct)) &&
    (!want.truncated || flag(i, "truncated") === Number(want.truncated)) &&
    (!want.kept || kept(i) === want.kept) &&
    index.facet_names.every((name, k) => !want[name] || index.facets[i][k] === want[name]) &&
    (!want.change || (index.change.includes(index.slot[i]) && change(index.task[i]) === want.change));

  const holds = (texts, text) => texts.some((part) => part && part.toLowerCase().includes(text));
  const containing = async (candidates, text, turn) => {
    const tasks = new Set();
    for (let number = 0; number < packed.tasks.length; number += 1) {
      const content = await chunk("tasks", number);
      content.forEach((task, k) => { if (holds([task.id, task.prompt], text)) tasks.add(number * index.chunk + k); });
    }
    const kept = [];
    for (const i of candidates) {
      if (tasks.has(index.task[i])) { kept.push(i); continue; }
      const r = await textOf(i);
      if (turn !== latest) return null;
      if (holds([r.prompt, r.thinking, r.answer, ...r.evidence], text)) kept.push(i);
    }
    return kept;
  };
  let nearest = [-1, null]; // the chunk of the last text, so that a scan waits once a chunk
  const textOf = (i) => {
    const number = Math.floor(i / index.chunk);
    if (nearest[0] === number) return nearest[1][i % index.chunk];
    return chunk("rollouts", number).then((content) => { nearest = [number, content]; return content[i % index.chunk]; });
  };
  const search = async () => {
    const turn = (latest += 1);
    const want = Object.fromEntries(new FormData(form));
    words = (want.text || "").trim().toLowerCase();
    let chosen = index.slot.map((_, i) => i).filter((i) => matches(i, want));
    if (words) {
      say("Searching …");
      chosen = await containing(chosen, words, turn);
      if (turn !== latest || chosen === null) return;
    }
    found = chosen;
    page = 0;
    await render();
  };

  // ---- cards -------------------------------------------------------------------------------------------------------

  // Every text below comes from a model: it only ever reaches the page as text of nodes.
  const make = (tag, name, ...children) => {
    const node = document.createElement(tag);
    if (name) node.className = name;
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  };
  const picture = (char) => {
    const code = char.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  };
  const shown = (text) => {
    const parts = [];
    let last = 0;
    for (const hit of text.matchAll(HIDDEN)) {
      parts.push(text.slice(last, hit.index), make("span", "control", picture(hit[0])));
      last = hit.index + hit[0].length;
    }
    return [...parts, text.slice(last)];
  };
  const said = (tag, name, text, hits = []) => {
    const node = make(tag, `said ${name}`);
    node.dir = "auto";
    let last = 0;
    for (const [first, end, kind, why] of spans(text, hits)) {
      const mark = make("mark", kind, ...shown(text.slice(first, end)));
      mark.title = why;
      node.append(...shown(text.slice(last, first)), mark);
      last = end;
    }
    node.append(...shown(text.slice(last)));
    return node;
  };
  // Where the wanted pieces occur, from left to right and without overlaps; at most 60 of each.
  const spans = (text, hits) => {
    const all = [], lower = text.toLowerCase();
    for (const [piece, kind, why] of hits) {
      const [where, what] = kind === "search" ? [lower, piece.toLowerCase()] : [text, piece];
      for (let at = where.indexOf(what), n = 0; at >= 0 && n < 60; at = where.indexOf(what, at + what.length), n += 1) {
        all.push([at, at + what.length, kind, why]);
      }
    }
    all.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
    const apart = [];
    for (const span of all) if (!apart.length || span[0] >= apart.at(-1)[1]) apart.push(span);
    return apart;
  };
  // Evidence quotes what it found ("the first is ','"): these pieces are marked in the answer.
  const QUOTED = /'((?:[^'\\]|\\.){1,120})'|"((?:[^"\\]|\\.){1,120})"/g;
  const UNQUOTED = { n: "\n", t: "\t", r: "\r" };
  const evidenced = (verdicts) => verdicts.flatMap(({ name, state, evidence }) => {
    const kind = MARKS[state] ? MARKS[state][0] : "";
    if (!kind) return [];
    return [...evidence.matchAll(QUOTED)].map((hit) => [
      (hit[1] ?? hit[2]).replace(/\\(.)/g, (_, char) => UNQUOTED[char] ?? char), kind, `${name}: ${state}`]);
  });
  const searched = () => (words ? [[words, "search", "searched text"]] : []);
  const number = (value) => (value === null || value === undefined ? "undecided" : String(Math.round(value * 1000) / 1000));
  const button = (label, action) => {
    const node = make("button", "", label);
    node.type = "button";
    node.addEventListener("click", action);
    return node;
  };
  const folded = (label, text, hits) => (text ? make("details", "", make("summary", "", label), said("div", "", text, hits)) : null);
  const tag = ([name, label]) => make("span", `tag ${name}`, label);
  const ANSWERS = {
    direct: [null, null, ["", "direct answer"]],
    hard: [["", "? not decided"], ["bad", "✗ not all satisfied"], ["good", "✓ all satisfied"]],
    official: [null, ["bad", "✗ parity: not all"], ["good", "✓ parity: all"]],
    correct: [null, ["bad", "✗ answer wrong"], ["good", "✓ answer correct"]],
    truncated: [["", "length unknown"], null, ["bad", "✂ truncated"]],
    kept: [null, ["bad", "dropped"], ["", "kept"]],
  };
  const tags = (i, r) => {
    const told = Object.entries(ANSWERS).filter(([name]) => !(r.unasked && name === "hard"));
    const all = told.map(([name, labels]) => labels[flag(i, name)]);
    if (flag(i, "well_formed") === NO && flag(i, "truncated") !== YES) all.push(["bad", "malformed"]);
    return all.filter(Boolean).map(tag);
  };
  const scores = (r, expected) => {
    const rows = [];
    if (r.reward !== undefined) rows.push(["reward", number(r.reward)]);
    for (const [name, value] of Object.entries(r.parts)) rows.push([PARTS[name] || name, number(value)]);
    if (r.soft !== undefined) rows.push(["satisfied share", number(r.soft)]);
    if (r.official_soft !== undefined) rows.push(["satisfied share (parity)", number(r.official_soft)]);
    if (r.advantage !== undefined) rows.push(["advantage", number(r.advantage)]);
    if (r.completion_tokens !== undefined) rows.push(["tokens", String(r.completion_tokens)]);
    if (r.thinking_tokens !== undefined) rows.push(["thinking tokens", String(r.thinking_tokens)]);
    if (r.sample) rows.push(["sample", String(r.sample)]);
    for (const [name, value] of Object.entries(r.labels)) rows.push([name, value]);
    if (expected !== null && expected !== undefined) rows.push(["expected answer", String(expected)]);
    return make("dl", "scores", ...rows.map(([name, value]) => make("div", "", make("dt", "", ...shown(name)), said("dd", "", value))));
  };
  const badge = (state) => tag([MARKS[state][0], `${MARKS[state][1]} ${state}`]);
  const verdict = ({ name, state, evidence, text }) => make("li", "", badge(state), said("span", "type", name),
    text ? said("span", "demand", text, searched()) : null, said("span", "evidence", evidence, searched()));
  const official = ([code, [loose, reason]]) => make("li", "", badge(status(code)),
    loose !== null && loose !== (status(code) === "satisfied") ? tag(["", loose ? "✓ loose" : "✗ loose"]) : null,
    said("span", "type", type(code)[1]), said("span", "evidence", reason || ""));
  const judged = (r, codes) => {
    const strict = codes.filter((code) => type(code)[0] === "strict");
    return strict.map((code, k) => ({ name: type(code)[1], state: status(code), evidence: r.evidence[k] || "", text: r.said && r.said[k] }));
  };
  const verdictLists = (verdicts, officials, unasked) => {
    const lists = [];
    if (verdicts.length) lists.push([unasked ? "Verdicts on constraints that its prompt does not ask for" : "Verdicts", verdicts.map(verdict)]);
    if (officials.length) lists.push(["Parity verdicts", officials.map(official)]);
    if (lists.length === 2) lists[0][0] = "Strict verdicts";
    return make("div", lists.length === 2 ? "profiles" : "", ...lists.map(([label, rows]) =>
      make("div", "", make("h4", "", label), make("ul", "verdicts", ...rows))));
  };

  const NAMES = { before: "Before", after: "After" };
  const place = (i, r) => {
    const { run, name, training } = slot(i);
    const label = training ? `Training, step ${r.step}` : NAMES[name] || name;
    return index.runs.length > 1 ? `${index.runs[run]}: ${label}` : label;
  };
  const card = async (i) => {
    const [r, task] = await Promise.all([textOf(i), entry("tasks", index.task[i])]);
    const codes = index.verdicts[i], verdicts = judged(r, codes);
    const officials = codes.filter((code) => type(code)[0] === "parity").map((code, k) => [code, r.official[k]]);
    const pin = instruction === null ? button("Show this item in all sources", () => show(index.task[i])) : null;
    if (pin) pin.className = "link";
    const missing = flag(i, "truncated") === YES ? "none: the cap came first" : "none";
    const bare = slot(i).name.endsWith("unconstrained") && task.bare;
    const prompt = r.prompt || bare || task.prompt, heading = make("h3", "", ...shown(place(i, r)));
    heading.dir = "auto";
    return make("article", "rollout",
      make("div", "top", heading, ...tags(i, r), pin),
      make("h4", "", "Prompt of ", said("bdi", "", task.id)), prompt ? said("div", "prompt", prompt, searched()) : make("div", "empty", "not in the folder"),
      folded(`Thinking (${(r.thinking || "").length.toLocaleString("en")} characters)`, r.thinking, searched()),
      make("h4", "", "Answer"),
      r.answer.trim() ? said("div", "answer", r.answer, [...searched(), ...evidenced(verdicts)]) : make("div", "answer empty", missing),
      verdictLists(verdicts, officials, r.unasked),
      folded("Reference answer that satisfies everything", task.witness),
      scores(r, task.expected));
  };

  // ---- the list ----------------------------------------------------------------------------------------------------

  const say = (text) => { for (const output of document.querySelectorAll(".pager output")) output.textContent = text; };
  const render = async () => {
    const turn = (drawn += 1);
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    const first = page * PAGE, here = found.slice(first, first + PAGE);
    const cards = await Promise.all(here.map(card));
    if (turn !== drawn) return;
    list.classList.toggle("pair", instruction !== null);
    list.replaceChildren(...(cards.length ? cards : [make("p", "absent", "No rollout matches; reset the filters to see all.")]));
    const count = (n) => n.toLocaleString("en");
    say(cards.length ? `${count(first + 1)} to ${count(first + cards.length)} of ${count(found.length)}, page ${count(page + 1)} of ${count(pages)}` : "0 rollouts");
    for (const turnButton of document.querySelectorAll("[data-turn]")) {
      turnButton.disabled = turnButton.dataset.turn < 0 ? page === 0 : page === pages - 1;
    }
    jump.max = pages;
    jump.value = page + 1;
    pinned.hidden = instruction === null;
    if (instruction !== null) pinned.querySelector("span").replaceChildren("Only item ", said("bdi", "", index.tasks[instruction]), ", in every source that has it.");
    ready();
  };
  const focusTop = () => {
    title.scrollIntoView();
    title.focus({ preventScroll: true });
  };
  const turnTo = async (wanted) => { page = wanted; await render(); focusTop(); };
  const apply = (wanted, task = null) => {
    for (const field of new Set([...form.elements].map((element) => element.name).filter(Boolean))) {
      form.elements[field].value = wanted[field] || (field === "source" ? "all" : "");
    }
    instruction = task;
    return search();
  };
  const latestSource = () => (index.slots.some(({ name }) => name === "after") ? "after" : "");
  const start = () => apply({ source: latestSource() });
  const show = async (task) => { await apply({}, task); focusTop(); };

  const fill = () => {
    const groups = { strict: make("optgroup"), parity: make("optgroup") };
    const options = index.types.map((each) => [...each]).sort((a, b) => (a[1] < b[1] ? -1 : 1));
    for (const [profile, name] of options) {
      const option = make("option", "", ...name);
      option.value = JSON.stringify([profile, name]);
      groups[profile].append(option);
    }
    const select = form.elements.constraint;
    if (!groups.parity.childElementCount) { select.append(...groups.strict.childNodes); return; }
    groups.strict.label = "strict profile";
    groups.parity.label = "parity profile";
    select.append(groups.strict, groups.parity);
  };
  const prepare = () => {
    index.before = new Map();
    index.after = new Map();
    index.slot.forEach((number, i) => {
      if (!index.change) return;
      if (number === index.change[0]) index.before.set(index.task[i], flag(i, "hard"));
      if (number === index.change[1]) index.after.set(index.task[i], flag(i, "hard"));
    });
    const official = index.flags.some((_, i) => flag(i, "official") !== UNKNOWN);
    for (const label of form.querySelectorAll("[data-if]")) label.hidden = !(label.dataset.if === "official" ? official : index.change);
    if (index.change) {
      const names = index.change.map((number) => index.slots[number]);
      const one = names[0].run === names[1].run;
      const called = names.map((each) => (one ? NAMES[each.name] || each.name : index.runs[each.run]));
      form.querySelector('[data-if="change"] span').textContent = `${called[0]} → ${called[1]}`;
    }
    fill();
  };
  const listen = () => {
    form.addEventListener("input", (event) => {
      clearTimeout(waiting);
      waiting = setTimeout(search, event.target.name === "text" ? 200 : 0);
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", (event) => { event.preventDefault(); start(); });
    pinned.querySelector("button").addEventListener("click", async () => { await start(); focusTop(); });
    for (const turn of document.querySelectorAll("[data-turn]")) {
      turn.addEventListener("click", () => turnTo(page + Number(turn.dataset.turn)));
    }
    jump.addEventListener("change", () => turnTo(Number(jump.value) - 1));
    for (const link of document.querySelectorAll("[data-item]")) {
      const task = index.tasks.indexOf(link.dataset.item);
      link.disabled = task < 0; // left out of this page
      link.addEventListener("click", () => show(task));
    }
    for (const link of document.querySelectorAll("[data-constraint]")) {
      link.addEventListener("click", async () => {
        const name = link.dataset.constraint;
        const [profile] = index.types.find((each) => each[1] === name) || ["strict"];
        await apply({ source: latestSource(), constraint: JSON.stringify([profile, name]), status: "violated" });
        focusTop();
      });
    }
  };
  const open = async () => {
    if (!("DecompressionStream" in window)) throw new Error("this browser cannot open compressed data (no DecompressionStream)");
    [index] = await unpack(document.getElementById("index"));
    prepare();
    listen();
    await start();
  };
  open().catch((error) => {
    list.replaceChildren(make("p", "absent", `The rollouts cannot be shown: ${error.message}.`));
    ready();
    throw error;
  });
})();
