// Comfort on top of a page that is whole without it: charts, sorting, finding, opening all, colours.
"use strict";
const root = document.documentElement;
const color = (name) => getComputedStyle(root).getPropertyValue(name).trim();
const charts = [];

function draw(figure) {
  const data = JSON.parse(figure.querySelector("script").textContent);
  for (const old of figure.querySelectorAll(".uplot")) old.remove();
  const axis = (label) => ({ label, stroke: color("--ink"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line") } });
  const strokes = [color("--one"), color("--two")];
  const options = {
    width: Math.max(280, Math.min(680, figure.parentElement.clientWidth)), height: 280,
    scales: { x: { time: false } },
    axes: [axis(data.xLabel), axis(data.yLabel)],
    series: [{ label: data.xLabel }, ...data.series.map((one, index) => ({
      label: one.name, stroke: strokes[index % 2], width: 2, points: { show: one.kind === "line", size: 7 },
      ...(one.kind === "bar" ? { paths: uPlot.paths.bars({ size: [0.5, 48] }), fill: strokes[index % 2] + "55" } : {}),
    }))],
  };
  new uPlot(options, [data.x, ...data.series.map((one) => one.values)], figure);
}

const drawn = new WeakSet();
function drawInside(element) {
  for (const figure of element.querySelectorAll("figure.chart")) {
    if (!drawn.has(figure)) { drawn.add(figure); charts.push(figure); draw(figure); }
  }
}
for (const details of document.querySelectorAll("details")) {
  if (details.open) drawInside(details);
  details.addEventListener("toggle", () => details.open && drawInside(details));
}
function redraw() { charts.forEach(draw); }
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
let waiting;
addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(redraw, 150); });

const theme = document.getElementById("theme");
const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
const nameTheme = () => { theme.textContent = isDark() ? "Change to light" : "Change to dark"; };
theme.hidden = false;
nameTheme();
theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; nameTheme(); redraw(); });

const all = document.getElementById("all");
all.hidden = !document.querySelector("details");
all.addEventListener("click", () => {
  const open = all.getAttribute("aria-pressed") !== "true";
  all.setAttribute("aria-pressed", String(open));
  for (const details of document.querySelectorAll("details")) details.open = open;
});
addEventListener("beforeprint", () => { for (const details of document.querySelectorAll("details")) details.open = true; });

const find = document.getElementById("find");
if (find) {
  find.closest(".find").hidden = false;
  const rows = [...document.querySelectorAll("section[aria-labelledby=models] tbody tr")];
  find.addEventListener("input", () => {
    const wanted = find.value.toLowerCase();
    let n = 0;
    for (const row of rows) { row.hidden = !row.textContent.toLowerCase().includes(wanted); n += !row.hidden; }
    document.getElementById("found").textContent = wanted ? `${n} of ${rows.length} models` : "";
  });
}

const number = (text) => { const found = text.replace(/[−]/g, "-").replace(/,/g, "").match(/[-+]?\d+(\.\d+)?/); return found ? parseFloat(found[0]) : NaN; };
for (const table of document.querySelectorAll(".scroll > table")) {
  if (table.tBodies[0].rows.length < 3) continue;
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if (head.tagName !== "TH") return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(table, head, column));
  });
}
function sort(table, head, column) {
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const numeric = head.classList.contains("right");
  const value = (row) => row.cells[column].textContent;
  const rows = [...table.tBodies[0].rows].sort((one, other) => {
    if (!numeric) return value(one).localeCompare(value(other));
    const [a, b] = [number(value(one)), number(value(other))];
    return Number.isNaN(a) - Number.isNaN(b) || a - b;
  });
  table.tBodies[0].append(...(down ? rows.reverse() : rows));
}
