// All that a page does when it is clicked; without it the page shows the same.

// A table is ordered by the column whose head is clicked.
for (const head of document.querySelectorAll(".sortable th")) {
  head.tabIndex = 0;
  head.onclick = () => {
    const body = head.closest("table").tBodies[0], down = head.getAttribute("aria-sort") !== "descending";
    const text = (row) => row.cells[head.cellIndex].textContent, number = (row) => parseFloat(text(row));
    const order = (a, b) => isNaN(number(a) - number(b)) ? text(b).localeCompare(text(a)) : number(b) - number(a);
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    body.append(...[...body.rows].sort((a, b) => down ? order(a, b) : order(b, a)));
  };
  head.onkeydown = (event) => { if (event.key === "Enter") head.onclick(); };
}

// A picture opens at 1:1, a small one at a whole multiple; a click or Escape closes it.
const view = document.querySelector("dialog");
const enlarge = (figure) => {
  const large = figure.cloneNode(true), { naturalWidth: width, naturalHeight: height } = figure.querySelector("img");
  const times = Math.max(1, Math.floor(Math.min(0.95 * innerWidth / width, 0.8 * innerHeight / height)));
  for (const image of large.querySelectorAll("img")) {
    image.removeAttribute("tabindex");
    image.removeAttribute("role");
    image.style.width = `${times * width}px`;
  }
  large.querySelector("figcaption").append(times > 1 ? `, each pixel ${times} × ${times}` : ", 1:1");
  view.replaceChildren(large);
  view.showModal();
};
view.onclick = () => view.close();
for (const image of document.querySelectorAll(".strip img")) {
  const open = () => enlarge(image.closest("figure"));
  image.tabIndex = 0;
  image.role = "button";
  image.onclick = open;
  image.onkeydown = (event) => { if (event.key === "Enter") open(); };
}
