"use strict";
document.querySelectorAll("[data-board]").forEach((board) => {
  const table = board.querySelector("table");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const heads = Array.from(table.tHead.rows[0].cells);
  const number = (cell) => {
    const text = cell.textContent.replace(/\u2212/g, "-").replace(/[,%+]/g, "").trim();
    return Number.parseFloat(text);
  };
  const compare = (column, numeric, sign) => (a, b) => {
    const [x, y] = [a.cells[column], b.cells[column]];
    if (!numeric) return sign * x.textContent.trim().localeCompare(y.textContent.trim());
    const [p, q] = [number(x), number(y)];
    return Number.isNaN(p) - Number.isNaN(q) || sign * (p - q) || rows.indexOf(a) - rows.indexOf(b);
  };
  heads.forEach((head, column) => {
    const kind = head.dataset.sort;
    if (!kind) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const first = kind === "number" ? "descending" : "ascending";
      const other = first === "descending" ? "ascending" : "descending";
      const order = head.getAttribute("aria-sort") === first ? other : first;
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const sorted = rows.slice().sort(compare(column, kind === "number", order === "ascending" ? 1 : -1));
      body.append(...sorted);
    });
  });
  const tools = board.querySelector(".tools");
  const input = tools.querySelector("input");
  const output = tools.querySelector("output");
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    rows.forEach((row) => {
      row.hidden = !row.cells[1].textContent.toLowerCase().includes(wanted);
      row.style.display = row.hidden ? "none" : "";
      shown += row.hidden ? 0 : 1;
    });
    output.textContent = wanted ? `${shown} of ${rows.length} models` : "";
  });
  tools.hidden = false;
});
