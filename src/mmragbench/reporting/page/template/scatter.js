// A plot of one strategy's values by query against another's. Queries whose values lie close together
// share a mark, larger and darker the more they are; each mark is a link to the first of them.
const scatter = (() => {
const SIDE = 330, LEFT = 52, TOP = 30, FOOT = 60, RIGHT = 10;
const CELLS = 40;

function svg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// About `count` round numbers within a range.
function ticks(low, high, count) {
  const rough = (high - low) / count;
  const tens = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((size) => size * tens).find((size) => size >= rough * 0.999);
  const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, place) => Number(((first + place) * step).toPrecision(6)));
}

// Points by the cell of a grid in which they lie, as fine as the values are but of at most CELLS rows.
function grouped(points, low, high) {
  const distinct = ["x", "y"].map((axis) => new Set(points.map((point) => point[axis])).size);
  const cells = Math.min(CELLS, Math.max(2, ...distinct));
  const cell = (value) => Math.round((value - low) / (high - low) * (cells - 1));
  const groups = new Map();
  for (const point of points) {
    const key = cell(point.y) * cells + cell(point.x);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(point);
  }
  return { groups: [...groups.values()], radius: Math.min(22, Math.max(4.5, 0.42 * SIDE / cells)) };
}

// A text of at most the plot's width: a longer one is set narrower.
function line(attributes, text) {
  const element = svg("text", attributes, text);
  if (text.length > 50) for (const [name, value] of [["textLength", SIDE], ["lengthAdjust", "spacingAndGlyphs"]]) element.setAttribute(name, value);
  return element;
}

const mean = (group, axis) => group.reduce((sum, point) => sum + point[axis], 0) / group.length;
const minus = (number) => String(number).replace("-", "\u2212");

// What most queries of a group say: y's strategy is better, x's is, or both are as good.
function side(group, x, y) {
  const wins = group.filter((point) => point.gain > 0).length, losses = group.filter((point) => point.gain < 0).length;
  const ties = group.length - wins - losses;
  return ties >= wins && ties >= losses ? "tied" : wins >= losses ? y.colour : x.colour;
}

function frame({ x, y, lower }, low, high, scale) {
  const parts = [svg("path", { class: "grid", d: `M${LEFT} ${TOP}v${SIDE}h${SIDE}` }),
    svg("path", { class: "zero", d: `M${scale.x(low)} ${scale.y(low)}L${scale.x(high)} ${scale.y(high)}` })];
  for (const value of ticks(low, high, 4)) {
    parts.push(
      svg("text", { class: "tick", x: scale.x(value), y: TOP + SIDE + 15, "text-anchor": "middle" }, minus(value)),
      svg("text", { class: "tick", x: LEFT - 6, y: scale.y(value) + 4, "text-anchor": "end" }, minus(value)));
  }
  const middle = TOP + SIDE / 2;
  const [above, below] = lower ? [x, y] : [y, x];  // outside of the frame, where no mark lies
  parts.push(
    line({ class: `name ${above.colour}`, x: 0, y: TOP - 14 }, `${above.name} better`),
    line({ class: `name ${below.colour}`, x: LEFT + SIDE + RIGHT, y: TOP + SIDE + 54, "text-anchor": "end" }, `${below.name} better`),
    line({ class: "tick", x: LEFT + SIDE / 2, y: TOP + SIDE + 34, "text-anchor": "middle" }, x.label),
    line({ class: "tick", x: 12, y: middle, "text-anchor": "middle", transform: `rotate(-90 12 ${middle})` }, y.label));
  return parts;
}

// One group of queries: `name` says what they are, `href` leads to the first.
function mark(group, place, share, radius, colour, describe) {
  const { name, href } = describe(group);
  const r = Math.max(2.4, radius * Math.sqrt(share));
  const parts = [svg("title", {}, name),
    svg("circle", { cx: place.x, cy: place.y, r: r.toFixed(1), "fill-opacity": (0.4 + 0.5 * Math.sqrt(share)).toFixed(2) })];
  if (r >= 10) parts.push(svg("text", { class: "amount", x: place.x, y: place.y + 4, "text-anchor": "middle" }, group.length.toLocaleString("en")));
  return svg("a", { href, class: `point ${colour}`, tabindex: -1 }, ...parts);
}

// Left and right go from mark to mark, so that all of them are one stop of the tab key.
function walk(event) {
  const step = { ArrowRight: "nextElementSibling", ArrowDown: "nextElementSibling", ArrowLeft: "previousElementSibling", ArrowUp: "previousElementSibling" }[event.key];
  const next = step && event.target.closest("a")?.[step];
  if (!next) return;
  event.preventDefault();
  event.target.closest("a").tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

// `points` have x, y and a gain: above 0 where y's strategy is the better one. The axes x and y have a
// strategy's name, a label and a colour's class; `lower` says that lower values are better.
function draw(points, { x, y, lower, title }, describe) {
  const values = points.flatMap((point) => [point.x, point.y]);
  const lowest = values.reduce((a, b) => Math.min(a, b)), highest = values.reduce((a, b) => Math.max(a, b));
  const pad = (highest - lowest) * 0.07 || 1;
  const low = lowest - pad, high = highest + pad;
  const share = (value) => (value - low) / (high - low);
  const scale = { x: (value) => Number((LEFT + share(value) * SIDE).toFixed(1)), y: (value) => Number((TOP + (1 - share(value)) * SIDE).toFixed(1)) };
  const { groups, radius } = grouped(points, lowest, highest > lowest ? highest : lowest + 1);
  const most = groups.reduce((size, group) => Math.max(size, group.length), 1);
  groups.sort((a, b) => mean(a, "x") - mean(b, "x") || mean(a, "y") - mean(b, "y"));
  const marks = svg("g", {}, ...groups.map((group) => {
    const place = { x: scale.x(mean(group, "x")), y: scale.y(mean(group, "y")) };
    return mark(group, place, group.length / most, radius, side(group, x, y), describe);
  }));
  marks.firstElementChild.tabIndex = 0;
  marks.addEventListener("keydown", walk);
  return svg("svg", { viewBox: `0 0 ${LEFT + SIDE + RIGHT} ${TOP + SIDE + FOOT}`, role: "group", "aria-label": title },
    ...frame({ x, y, lower }, low, high, scale), marks);
}

return { draw, element: svg };
})();
