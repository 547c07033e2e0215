"use strict";
(() => {
  const PAGE = 20;
  const MARKS = { satisfied: ["good", "✓"], violated: ["bad", "✗"], blocked: ["", "⊘"], skipped: ["", "–"], unscored: ["", "?"] };
  const PARTS = { math_answer: "answer" };
  const form = document.getElementById("filters");
  if (!form) { document.documentElement.dataset.ready = "true"; return; }
  const { rollouts, instructions } = JSON.parse(document.getElementById("data").textContent);
  const list = document.getElementById("list");
  const pinned = document.getElementById("pinned");
  const title = document.getElementById("rollouts-title");
  let instruction = null, page = 0, found = [];

  // Every text below comes from a model: it only ever reaches the page as textContent.
  const make = (tag, name, ...children) => {
    const node = document.createElement(tag);
    if (name) node.className = name;
    node.append(...children.filter((child) => child !== null));
    return node;
  };
  const visible = (text) => text.replace(/[\u0000-\u0008\u000b-\u001f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)));
  const said = (tag, name, text) => {
    const node = make(tag, `said ${name}`);
    node.dir = "auto";
    node.textContent = visible(text);
    return node;
  };
  const number = (value) => (value === null ? "undecided" : String(Math.round(value * 1000) / 1000));
  const button = (label, action) => {
    const node = make("button", "", label);
    node.type = "button";
    node.addEventListener("click", action);
    return node;
  };
  const folded = (label, text) => (text ? make("details", "", make("summary", "", label), said("div", "", text)) : null);

  const hard = { before: new Map(), after: new Map() };
  for (const r of rollouts) {
    if (hard[r.source]) hard[r.source].set(r.id, r.hard);
    const prompt = (instructions[r.id] || {}).prompt || "";
    r.haystack = [r.id, prompt, r.thinking || "", r.answer, ...r.verdicts.flat()].join("\n").toLowerCase();
  }
  const change = (id) => {
    const first = hard.before.get(id), last = hard.after.get(id);
    return first === false && last === true ? "gained" : first === true && last === false ? "lost" : "";
  };

  const matches = (r, want) =>
    (instruction === null || r.id === instruction) &&
    (want.source === "all" || r.source === want.source) &&
    (!(want.constraint || want.status) ||
      r.verdicts.some(([type, status]) => (!want.constraint || type === want.constraint) && (!want.status || status === want.status))) &&
    (!want.truncated || r.truncated === (want.truncated === "yes")) &&
    (!want.kept || (r.direct ? "direct" : r.kept === null ? "" : r.kept ? "kept" : "dropped") === want.kept) &&
    (!want.change || (r.source !== "training" && change(r.id) === want.change)) &&
    (!want.text || r.haystack.includes(want.text.toLowerCase()));

  const tags = (r) => [
    r.direct ? ["", "direct answer"] : null,
    r.hard === null ? ["", "not decided"] : r.hard ? ["good", "all satisfied"] : ["bad", "not all satisfied"],
    r.correct === null ? null : r.correct ? ["good", "answer correct"] : ["bad", "answer wrong"],
    r.truncated ? ["bad", "truncated"] : null,
    r.well_formed || r.truncated ? null : ["bad", "malformed"],
    r.kept === null ? null : r.kept ? ["", "kept"] : ["bad", "dropped"],
  ].filter(Boolean).map(([name, label]) => make("span", `tag ${name}`, label));

  const scores = (r, expected) => {
    const rows = [["reward", number(r.reward)]];
    for (const [name, value] of Object.entries(r.parts)) rows.push([PARTS[name] || name, number(value)]);
    if (r.soft !== null) rows.push(["satisfied share", number(r.soft)]);
    if (r.advantage !== null) rows.push(["advantage", number(r.advantage)]);
    rows.push(["tokens", String(r.tokens)]);
    if (expected) rows.push(["expected answer", expected]);
    return make("dl", "scores", ...rows.map(([name, value]) => make("div", "", make("dt", "", name), make("dd", "", value))));
  };

  const verdict = ([type, status, evidence]) => {
    const [name, mark] = MARKS[status] || ["", "?"];
    return make("li", "", make("span", `tag ${name}`, `${mark} ${status}`), make("span", "type", type), said("span", "", evidence));
  };

  const card = (r) => {
    const task = instructions[r.id] || {};
    const place = r.source === "training" ? `Training, step ${r.step}` : r.source === "before" ? "Before" : "After";
    const pin = instruction === null ? button("Show this instruction in all sources", () => show(r.id)) : null;
    if (pin) pin.className = "link";
    const missing = r.truncated ? "none: the cap came first" : "none";
    return make("article", `rollout ${r.source}`,
      make("div", "top", make("h3", "", place), ...tags(r), pin),
      make("h4", "", `Prompt of ${r.id}`), task.prompt ? said("div", "", task.prompt) : make("div", "empty", "not in the data folder"),
      folded(`Thinking (${(r.thinking || "").length} characters)`, r.thinking),
      make("h4", "", "Answer"), r.answer.trim() ? said("div", "answer", r.answer) : make("div", "answer empty", missing),
      r.verdicts.length ? make("h4", "", "Verdicts") : null,
      make("ul", "verdicts", ...r.verdicts.map(verdict)),
      folded("Reference answer that satisfies everything", task.witness),
      scores(r, task.expected));
  };

  const render = () => {
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    const first = page * PAGE, shown = found.slice(first, first + PAGE);
    list.classList.toggle("pair", instruction !== null);
    list.replaceChildren(...(shown.length ? shown.map(card) : [make("p", "absent", "No rollout matches; reset the filters to see all.")]));
    const text = shown.length ? `${first + 1} to ${first + shown.length} of ${found.length}, page ${page + 1} of ${pages}` : "0 rollouts";
    for (const pager of document.querySelectorAll(".pager")) {
      pager.querySelector("output").textContent = text;
      for (const turn of pager.querySelectorAll("button")) turn.disabled = turn.dataset.turn < 0 ? page === 0 : page === pages - 1;
    }
    pinned.hidden = instruction === null;
    pinned.querySelector("span").textContent = `Only instruction ${instruction}, in every source that has it.`;
  };
  const search = () => {
    const want = Object.fromEntries(new FormData(form));
    found = rollouts.filter((r) => matches(r, want));
    page = 0;
    render();
  };
  const focusTop = () => {
    title.scrollIntoView();
    title.focus({ preventScroll: true });
  };
  const apply = ({ source = "all", ...wanted }, id = null) => {
    form.elements.source.value = source;
    for (const name of ["constraint", "status", "truncated", "kept", "change", "text"]) {
      form.elements[name].value = wanted[name] || "";
    }
    instruction = id;
    search();
  };
  const start = () => apply({ source: rollouts.some((r) => r.source === "after") ? "after" : "all" });
  const show = (id) => { apply({}, id); focusTop(); };

  const types = [...new Set(rollouts.flatMap((r) => r.verdicts.map(([type]) => type)))].sort();
  form.elements.constraint.append(...types.map((type) => make("option", "", type)));
  form.addEventListener("input", search);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => { event.preventDefault(); start(); });
  pinned.querySelector("button").addEventListener("click", () => { start(); focusTop(); });
  for (const turn of document.querySelectorAll("[data-turn]")) {
    turn.addEventListener("click", () => { page += Number(turn.dataset.turn); render(); focusTop(); });
  }
  for (const link of document.querySelectorAll("[data-constraint]")) {
    link.addEventListener("click", () => {
      apply({ source: "after", constraint: link.dataset.constraint, status: "violated" });
      focusTop();
    });
  }
  start();
  document.documentElement.dataset.ready = "true";
})();
