// The explorer, and the pictures of the page. The page carries its data packed: an index, one chunk a
// task, one of prompts a task, and sheets of pictures. A chunk is unpacked when a reader needs it, a
// picture is shown when it comes near. What a dataset or a model wrote reaches the page as text nodes
// and attributes only.
(() => {
const root = document.getElementById("explorer");
const form = root.querySelector("form");
const list = root.querySelector(".cases");
const status = root.querySelector(".count");
const further = root.querySelector(".further");
const dialog = root.querySelector("dialog");
const index = JSON.parse(document.getElementById("explorer-index").textContent);
const PAGE = 20;
const LONG = 160;
const FIRST = 5;

const tasks = new Map();
let task, selection = [], order = [], shown = 0;
let state = {};

// ---- unpacking

async function unpack(id) {
  const text = atob(document.getElementById(id).textContent);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(inflated).text());
}

function open(number) {
  if (!tasks.has(number)) tasks.set(number, unpack(`explorer-task-${number}`).then((content) => {
    const facts = index.tasks[number];
    const documents = new Map(content.documents.map((one) => [one.key, one]));
    for (const query of content.queries) {
      query.of = new Map(query.answers.map((answer) => [answer.strategy, answer]));
    }
    const unknown = content.queries.some((query) => query.answers.some((answer) =>
      answer.hits.some((hit) => !documents.has(hit[0]))));
    return { number, ...facts, queries: content.queries, documents, unknown };
  }));
  return tasks.get(number);
}

const prompts = new Map();
function promptOf(number, place) {
  if (!prompts.has(number)) prompts.set(number, unpack(`explorer-prompts-${number}`));
  return prompts.get(number).then((all) => all[place]);
}

const KINDS = { "/": "jpeg", i: "png", R: "gif", U: "webp" };  // by a file's first bytes in base64
const sheets = new Map();
function source(picture) {
  const number = Math.floor(picture / index.sheet);
  if (!sheets.has(number)) {
    sheets.set(number, document.getElementById(`explorer-sheet-${number}`).textContent.split("\n"));
  }
  const data = sheets.get(number)[picture % index.sheet];
  return `data:image/${KINDS[data[0]]};base64,${data}`;
}

const near = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) load(entry.target);
}, { rootMargin: "800px" });

function load(image) {
  near.unobserve(image);
  image.src = source(Number(image.dataset.picture));
}

const unloaded = (scope) => scope.querySelectorAll("img[data-picture]:not([src])");

// ---- elements

function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function picture(number, alt) {
  const image = el("img", { alt, "data-picture": number });
  near.observe(image);
  return el("button", { type: "button", class: "enlarge" }, image);
}

const name = (text) => el("bdi", {}, text);

// A text's parts, those that match what is searched for marked.
function marked(text) {
  if (!state.pattern) return [text];
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(state.pattern)) {
    parts.push(text.slice(end, match.index), el("mark", {}, match[0]));
    end = match.index + match[0].length;
  }
  return [...parts, text.slice(end)];
}

const matches = (text) => Boolean(state.pattern) && text.search(state.pattern) >= 0;
const whole = (text) => (text && text.start !== undefined ? text.start : text);

// A text; a long one folded away, a cut one with what is missing.
function prose(text, limit = LONG) {
  const start = whole(text);
  const rest = start === text ? "" : ` … and ${text.more.toLocaleString("en")} more characters`;
  if (!start.trim()) return el("span", { class: "none" }, "empty text");
  if (start.length <= limit && !rest) return el("span", { class: "prose", dir: "auto" }, ...marked(start));
  const beginning = [...start].slice(0, limit).join("");
  const preview = el("span", { class: "preview", dir: "auto" }, ...marked(beginning), "…");
  const less = el("span", { class: "less" }, "Show less");
  return el("details", { class: "prose fold", open: matches(start) && !matches(beginning) }, el("summary", {}, preview, less),
    el("div", {}, el("span", { dir: "auto" }, ...marked(start)), rest && el("i", {}, rest)));
}

function who(strategy) {
  return el("span", { class: `who ${strategy.colour}` }, scatter.element("svg", { class: "dot", viewBox: "-6 -6 12 12", "aria-hidden": "true" }, scatter.element("use", { href: `#mark-${strategy.colour}` })), name(strategy.name),
    strategy.control && el("small", { class: "role" }, strategy.control));
}

// ---- values

function value(query, strategy, measure) {
  const answer = query.of.get(strategy);
  const score = answer ? answer.scores[measure] : null;
  return typeof score === "number" ? score : null;
}

// By how much a's value is better than b's; null where one of them has none.
function gain(query) {
  const [a, b] = [value(query, state.a, state.measure), value(query, state.b, state.measure)];
  return a === null || b === null ? null : task.measures[state.measure].lower ? b - a : a - b;
}

function written(measure, score) {
  return (score * measure.factor).toFixed(measure.places).replace(/^-/, "\u2212");
}

function failed(query) {
  return query.answers.some((answer) => answer.scores.some((score) => typeof score === "string")
    || answer.outputs.some((output) => output.error !== null));
}

// The query's place in a shuffled order: FNV-1a of the seed and the id.
function shuffled(id, seed) {
  let hash = 2166136261 ^ seed;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 16777619);
  return Math.imul(hash ^ (hash >>> 15), 2246822519) >>> 0;
}

// Larger comes first; what has no value comes last, in the order of the run.
const KEYS = {
  apart: (q) => (gain(q) === null ? -Infinity : Math.abs(gain(q))),
  failed: (q) => (failed(q) ? 1 : 0),
  worst: (q) => goodness(q, -1),
  best: (q) => goodness(q, 1),
  random: (q) => shuffled(q.id, state.seed),
};

// Which queries are shown.
const ONLY = {
  a: (q) => gain(q) > 0,
  b: (q) => gain(q) !== null && gain(q) < 0,
  ties: (q) => gain(q) === 0,
  failed,
};

function goodness(query, sign) {
  const score = value(query, state.a, state.measure);
  const lower = task.measures[state.measure] && task.measures[state.measure].lower ? -1 : 1;
  return score === null ? -Infinity : sign * lower * score;
}

function words(query) {
  query.words ??= [query.id, query.text, ...query.references,
    ...query.answers.flatMap((answer) => answer.outputs.map((output) => output.text ?? output.error)),
  ].filter(Boolean).map(whole).join("\n");
  return query.words;
}

function arrange() {
  const find = state.find.trim().toLowerCase();
  const key = KEYS[state.sort];
  selection = task.queries.filter((query) => (!state.slice || query.slices.includes(state.slice))
    && (!find || matches(words(query))));
  const chosen = selection.filter((query) => !state.only || ONLY[state.only](query));
  const first = (query) => (query.id === state.query ? 2 : find && query.id.toLowerCase() === find ? 1 : 0);
  order = chosen.map((query, place) => [first(query), key(query), place, query])
    .sort((a, b) => b[0] - a[0] || (b[1] > a[1]) - (b[1] < a[1]) || a[2] - b[2])
    .map((entry) => entry[3]);
  if (state.query && !chosen.some((query) => query.id === state.query)) {
    const linked = task.queries.find((query) => query.id === state.query);
    if (linked) order.unshift(linked);
  }
}

// ---- one query

function card(query) {
  const head = el("header", {},
    query.image !== null ? picture(query.image, `query ${query.id}`) : null,
    query.target !== null ? el("figure", {}, picture(query.target, `the real image for ${query.id}`),
      el("figcaption", {}, "the real image")) : null,
    el("div", {}, query.text !== null ? el("p", { class: "query-text" }, prose(query.text, 280)) : null,
      references(query), facts(query), verdict(query)));
  const answers = el("div", { class: "answers", tabindex: 0, role: "region", "aria-label": `Answers to ${query.id}` },
    ...columns(query).map((answer) => column(query, answer)));
  return el("article", { class: "case", tabindex: -1, "aria-label": `Query ${query.id}`, "data-query": query.id },
    head, answers);
}

// The chosen two come first, with an answer or without.
function columns(query) {
  const chosen = [...new Set([state.a, state.b])];
  const silent = { hits: [], total: 0, outputs: [], scores: [] };
  return [...chosen.map((strategy) => query.of.get(strategy) ?? { ...silent, strategy }),
    ...query.answers.filter((answer) => !chosen.includes(answer.strategy))];
}

function references(query) {
  if (!query.references.length) return null;
  const [first, ...others] = query.references;
  const kind = task.answers ? "right answer" : "reference";
  if (!others.length) return el("div", { class: "references" }, el("small", {}, kind), " ", prose(first));
  return el("details", { class: "references", open: others.some((text) => matches(whole(text))) },
    el("summary", {}, el("small", {}, `${query.references.length} ${kind}s`), " ",
      el("span", { dir: "auto" }, ...marked(whole(first).slice(0, LONG)))),
    el("ul", {}, ...query.references.map((text) => el("li", {}, prose(text)))));
}

function facts(query) {
  const link = el("a", { href: address({ query: query.id }), title: "a link to this query" }, el("code", {}, el("bdi", {}, ...marked(query.id))));
  const tags = query.slices.map((slice) => el("span", { class: "tag" }, name(slice)));
  const relevant = query.relevant === null ? ""
    : ` ${query.relevant.toLocaleString("en")} relevant${task.silver ? " (silver)" : ""}`;
  return el("p", { class: "facts" }, link, " ", ...tags, relevant);
}

// The chosen two's values of this query.
function verdict(query) {
  const measure = task.measures[state.measure];
  if (!measure) return null;
  const parts = [...new Set([state.a, state.b])].map((strategy) => {
    const score = value(query, strategy, state.measure);
    return el("span", {}, who(task.strategies[strategy]), " ",
      el("b", {}, score === null ? "not scored" : written(measure, score)));
  });
  return el("p", { class: "verdict" }, `${label(measure)} `, ...parts);
}

function column(query, answer) {
  const strategy = task.strategies[answer.strategy];
  const bare = answer.hits.length && !answer.hits.some((hit) => (task.documents.get(hit[0]) || { texts: [1] }).texts.length);
  const hits = (from, to) => el("ol", { class: bare ? "hits bare" : "hits" },
    ...answer.hits.slice(from, to).map((hit, place) => hitOf(hit, from + place)));
  const chosen = answer.strategy === state.a ? " chosen first" : answer.strategy === state.b ? " chosen second" : "";
  const setting = task.measures[state.measure]?.setting;
  const outputs = [...answer.outputs].sort((a, b) => (b.setting === setting) - (a.setting === setting));
  return el("section", { class: `answer${strategy.control ? " control" : ""}${chosen}` },
    el("h3", {}, who(strategy)),
    el("div", {}, scores(answer, null),
      answer.hits.length ? hits(0, FIRST) : el("p", { class: "none" }, "retrieves nothing"), remaining(answer, hits)),
    outputs.length ? el("div", { class: "outputs" }, ...outputs.map((one) => outputOf(query, answer, one))) : null);
}

// How many hits there are; those that are in the page, when they are asked for.
function remaining(answer, hits) {
  const shown = Math.min(FIRST, answer.hits.length);
  if (answer.total <= shown || !shown) return null;
  const count = `first ${shown} of ${answer.total.toLocaleString("en")} hits`;
  if (answer.hits.length === shown) return el("p", { class: "more" }, count);
  const rest = el("details", { class: "more" }, el("summary", {}, `${count}; show ${answer.hits.length - shown} more`));
  rest.addEventListener("toggle", () => rest.append(hits(shown)), { once: true });
  return rest;
}

function hitOf([id, score, relevant], place) {
  const stored = task.documents.get(id);
  const kind = !stored ? "" : stored.image === null ? "text" : stored.texts.length ? "pair" : "image";
  const about = el("small", { class: "score", title: stored ? stored.id : id },
    `${place + 1} `, relevant ? el("b", {}, "✓", el("span", { class: "sr" }, " relevant")) : null,
    kind ? el("i", {}, kind) : null, " ",
    el("span", { class: "value", title: "score" }, String(Number(score.toPrecision(3))).replace(/^-/, "\u2212")));
  const [text, ...others] = stored ? stored.texts : [];
  return el("li", { class: relevant ? "relevant" : null },
    stored && stored.image !== null ? picture(stored.image, `hit ${stored.id}`) : null,
    el("div", {}, about,
      text !== undefined ? prose(text, 90) : null,
      others.length ? el("details", { class: "others" }, el("summary", {}, `${others.length} more`),
        el("ul", {}, ...others.map((one) => el("li", {}, prose(one, 90))))) : null,
      !stored || (stored.image === null && text === undefined) ? el("code", {}, el("bdi", {}, ...marked(stored ? stored.id : id))) : null));
}

// Per-query scores under one setting; null is retrieval.
function scores(answer, setting) {
  const rows = task.measures.map((measure, number) => [measure, answer.scores[number], number])
    .filter(([measure, score]) => measure.setting === setting && score !== null);
  if (!rows.length) return null;
  return el("dl", { class: "scores" }, ...rows.map(([measure, score, number]) =>
    el("div", { class: number === state.measure ? "main" : null },
      el("dt", { title: measure.unit }, measure.name),
      typeof score === "string" ? el("dd", { class: "failed", title: score }, "failed") : el("dd", {}, written(measure, score)))));
}

function outputOf(query, answer, output) {
  const prompt = output.prompt === null ? null : el("details", { class: "prompt" }, el("summary", {}, "Prompt"));
  if (prompt) prompt.addEventListener("toggle", async () => {
    const text = await promptOf(task.number, output.prompt);
    const rest = whole(text) === text ? "" : `\n… and ${text.more.toLocaleString("en")} more characters`;
    prompt.append(el("pre", { dir: "auto", tabindex: 0 }, whole(text) + rest));
  }, { once: true });
  return el("div", { class: "output" },
    el("h4", {}, name(task.settings[output.setting].name)), scores(answer, output.setting), contentOf(query, output), prompt);
}

function contentOf(query, output) {
  if (output.error !== null) return el("p", { class: "failed" }, "failed: ", prose(output.error, 90));
  if (output.image !== null) return picture(output.image, `generated for ${query.id}`);
  if (output.text !== null) return el("p", {}, prose(output.text, 200));
  return el("p", { class: "none" }, output.missing ? "a picture that is not in the run folder" : "no output");
}

// ---- the list

function more() {
  const next = order.slice(shown, shown + PAGE).map(card);
  list.append(...next);
  shown += next.length;
  further.hidden = shown >= order.length;
  further.textContent = `Show ${Math.min(PAGE, order.length - shown)} more`;
  showCount();
  return next[0];
}

function showCount() {
  const count = order.length.toLocaleString("en");
  const some = order.length === task.queries.length ? "" : `${count} ${order.length === 1 ? "matches" : "match"}. `;
  const errors = state.sort === "failed" ? `${order.filter(failed).length.toLocaleString("en")} failed. ` : "";
  const instead = state.unscored ? `${state.unscored} has no value for a single query; sorted by ${label(task.measures[state.measure])}. ` : "";
  status.textContent = `${task.extent} ${instead}${some}${errors}${shown ? `Showing ${shown.toLocaleString("en")}.` : ""}`;
}

async function show() {
  task = await open(state.task);
  complete();
  arrange();
  unloaded(list).forEach((image) => near.unobserve(image));
  list.replaceChildren();
  shown = 0;
  more();
  showComparison();
  const silent = task.silent.flatMap(([strategy, reason], place) => [place ? "; " : "Without an answer: ", name(strategy), " (", name(reason), ")"]);
  root.querySelector(".after").replaceChildren(
    silent.length ? el("p", { class: "about" }, ...silent, ".") : "",
    task.unknown ? el("p", { class: "about" }, "Where a hit shows only its id, its document is not in this page: a report with --full has all of them, and a run with --full their pictures.") : "");
}

// ---- the chosen two, over all queries of the selection

function showComparison() {
  const measure = task.measures[state.measure];
  const gains = state.a === state.b || !measure ? [] : selection.map(gain).filter((own) => own !== null);
  const place = root.querySelector(".comparison");
  place.hidden = !gains.length;
  if (!gains.length) return;
  const count = (only, where) => {
    const n = gains.filter(where).length.toLocaleString("en");
    return n === "0" ? n : el("a", { href: address({ only, query: "" }) }, n);
  };
  place.querySelector(".outcome").replaceChildren(
    `${label(measure)} of ${gains.length.toLocaleString("en")} queries: `, who(task.strategies[state.a]), " is better on ",
    count("a", (own) => own > 0), ", as good on ", count("ties", (own) => own === 0), " and worse on ",
    count("b", (own) => own < 0), " than ", who(task.strategies[state.b]), ".");
  place.querySelector("figure").replaceChildren(plot(measure));
}

function plot(measure) {
  const axis = (number) => ({ ...task.strategies[number], label: `${task.strategies[number].name}: ${label(measure)}` });
  const points = selection.map((query) => ({ query, gain: gain(query) })).filter((point) => point.gain !== null).map((point) => ({
    ...point, x: value(point.query, state.b, state.measure) * measure.factor, y: value(point.query, state.a, state.measure) * measure.factor,
  }));
  const sides = (query) => [state.a, state.b].map((strategy) =>
    `${task.strategies[strategy].name} ${written(measure, value(query, strategy, state.measure))}`).join(", ");
  const title = `${label(measure)} by query: ${task.strategies[state.a].name} upwards, ${task.strategies[state.b].name} to the right`;
  return scatter.draw(points, { x: axis(state.b), y: axis(state.a), lower: measure.lower, title }, (group) => {
    const [{ query }] = group;
    const others = group.length > 1 ? `${group.length.toLocaleString("en")} queries, the first: ` : "";
    return { name: `${others}${query.id}; ${sides(query)}`, href: address({ query: query.id }) };
  });
}

// ---- the form and the address

const label = (measure) => measure.name + (measure.unit ? ` ${measure.unit}` : "")
  + (measure.setting === null ? "" : `, ${task.settings[measure.setting].name}`);

function options(select, names, chosen) {
  select.replaceChildren(...names.map(([key, text]) => el("option", { value: key }, text)));
  select.value = chosen;
}

// What the state leaves open gets its usual value; what does not exist in this task, too.
function complete() {
  const contenders = [...task.pair, ...task.strategies.map((one, i) => [one, i]).filter(([one]) => !one.control).map(([, i]) => i)];
  const known = (number, all) => Number.isInteger(number) && number >= 0 && number < all.length;
  if (!known(state.measure, task.measures)) state.measure = task.main;
  if (!known(state.a, task.strategies)) state.a = contenders[0] ?? 0;
  if (!known(state.b, task.strategies)) state.b = contenders.find((one) => one !== state.a) ?? 0;
  if (!task.slices.includes(state.slice)) state.slice = "";
  if (!(state.only in ONLY)) state.only = "";
  const find = state.find.trim();
  state.pattern = find ? new RegExp(find.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"), "giu") : null;
  if (!(state.sort in KEYS)) state.sort = task.measures.length && task.strategies.length > 1 ? "apart" : "failed";
  const strategies = task.strategies.map((one, number) => [number, one.name]);
  options(form.measure, task.measures.map((one, number) => [number, label(one)]), state.measure);
  options(form.a, strategies, state.a);
  options(form.b, strategies, state.b);
  options(form.slice, [["", "all queries"], ...task.slices.map((one) => [one, one])], state.slice);
  options(form.only, [["", "all"], ["a", `where ${task.strategies[state.a].name} is better`],
    ["b", `where ${task.strategies[state.b].name} is better`], ["ties", "ties"], ["failed", "failures"]], state.only);
  form.task.value = state.task;
  form.sort.value = state.sort;
  form.find.value = state.find;
  form.controls.checked = state.controls;
  root.classList.toggle("bare", !state.controls);
  form.querySelector(".task").hidden = index.tasks.length === 1;
  form.querySelector(".measure").hidden = !task.measures.length;
  form.querySelector(".slice").hidden = !task.slices.length;
  form.querySelector(".check").hidden = !task.strategies.some((one) => one.control);
  form.shuffle.hidden = state.sort !== "random";
}

// `#explorer?task=captioning&measure=CIDEr&...`: the fields of the report's links, then the explorer's own
// where they are not as usual. Names, not numbers, so that a link outlives a run.
function address(changed) {
  const now = { ...state, ...changed };
  const measure = task.measures[now.measure];
  const setting = measure && task.settings[measure.setting];
  const fields = {
    task: task.name, measure: measure && measure.name, setting: setting && setting.key,
    a: task.strategies[now.a].name, b: task.strategies[now.b].name, slice: now.slice, only: now.only, query: now.query,
    sort: now.sort === "apart" ? "" : now.sort, find: now.find,
    seed: now.sort === "random" ? now.seed : "", controls: now.controls ? 1 : "",
  };
  const entries = Object.entries(fields).filter(([, text]) => text !== "" && text !== undefined && text !== null);
  return `#explorer?${new URLSearchParams(entries)}`;
}

// The number of a measure under a setting; where the setting is not named, under any; where the measure
// has no value by query, the first of the setting.
function numbered(name, setting) {
  const key = (measure) => task.settings[measure.setting]?.key ?? "";
  const among = [(one) => one.name === name && key(one) === setting, (one) => one.name === name,
    (one) => setting && key(one) === setting];
  return among.map((fits) => task.measures.findIndex(fits)).find((number) => number >= 0) ?? -1;
}

async function read() {
  const fields = new URLSearchParams(location.hash.startsWith("#explorer?") ? location.hash.slice(10) : "");
  const number = Math.max(0, index.tasks.findIndex((one) => one.name === fields.get("task")));
  task = await open(number);
  const strategy = (key) => task.strategies.findIndex((one) => one.name === fields.get(key));
  const measure = fields.get("measure") ?? "";
  state = {
    task: number, sort: fields.get("sort"), measure: numbered(measure, fields.get("setting") ?? ""),
    unscored: task.measures.some((one) => one.name === measure) ? "" : measure,
    a: strategy("a"), b: strategy("b"), slice: fields.get("slice") ?? "", only: fields.get("only"), find: fields.get("find") ?? "",
    seed: Number(fields.get("seed")) || 0, controls: fields.has("controls"), query: fields.get("query") ?? "",
  };
  await show();
  const first = state.query ? list.firstElementChild : null;
  if (fields.size) (first ?? root).scrollIntoView();
  first?.focus({ preventScroll: true });
}

async function change() {
  await show();
  history.replaceState(null, "", address({}));
}

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", (event) => {
  const field = event.target;
  const numbers = ["task", "measure", "a", "b"];
  if (field.name === "find") return;
  state[field.name] = field.type === "checkbox" ? field.checked : numbers.includes(field.name) ? Number(field.value) : field.value;
  if (field.name === "task") state.measure = state.a = state.b = -1;
  state.query = state.unscored = "";
  change();
});
let pause;
form.find.addEventListener("input", () => {
  clearTimeout(pause);
  pause = setTimeout(() => { state.find = form.find.value; state.query = ""; change(); }, 150);
});
form.shuffle.addEventListener("click", () => { state.seed += 1; state.query = ""; change(); });
further.addEventListener("click", () => more()?.focus());

root.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea");
  const step = { j: 1, k: -1 }[event.key];
  if (!step || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const here = event.target.closest(".case");
  const next = here ? (step > 0 ? here.nextElementSibling : here.previousElementSibling) : list.firstElementChild;
  const target = next ?? (step > 0 && shown < order.length ? more() : null);
  if (target) { target.focus({ preventScroll: true }); target.scrollIntoView({ block: "start" }); }
});

// ---- a picture, larger

document.addEventListener("click", (event) => {
  const image = event.target.closest?.(".enlarge")?.querySelector("img[src]");
  if (!image) return;
  dialog.querySelector("img").src = image.src;
  dialog.querySelector("img").alt = image.alt;
  dialog.querySelector("figcaption").textContent = image.alt;
  dialog.showModal();
});
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

addEventListener("hashchange", () => { if (location.hash.startsWith("#explorer?")) read(); });
addEventListener("beforeprint", () => unloaded(document).forEach(load));
unloaded(document).forEach((image) => near.observe(image));

// ---- begin: when the page has been drawn, or at once where a link leads here

function begin() {
  options(form.task, index.tasks.map((one, number) => [number, one.name]), 0);
  form.hidden = false;
  read().catch((error) => { status.textContent = `The explorer could not be shown: ${error.message}`; });
}
if (typeof DecompressionStream === "undefined") {
  status.textContent = "The explorer needs a browser from 2023 or later (DecompressionStream); the rest of the page works.";
} else if (location.hash.startsWith("#explorer")) begin();
else requestAnimationFrame(() => setTimeout(begin));
})();
