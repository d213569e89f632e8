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
  for (const button of large.querySelectorAll("[role]")) for (const name of ["role", "tabindex"]) button.removeAttribute(name);
  for (const image of large.querySelectorAll("img")) image.style.width = `${times * width}px`;
  large.querySelector("figcaption").append(times > 1 ? `, each pixel ${times} × ${times}` : ", 1:1");
  view.replaceChildren(large);
  view.showModal();
};
view.onclick = (event) => { if (!event.target.matches("input")) view.close(); };
for (const figure of document.querySelectorAll(".strip figure")) {
  const button = figure.querySelector(".change") ?? figure.querySelector("img");
  button.tabIndex = 0;
  button.role = "button";
  button.onclick = () => enlarge(figure);
  button.onkeydown = (event) => { if (event.key === "Enter") enlarge(figure); };
}

// A slider uncovers one of two pictures; in the enlarged copy too.
document.documentElement.classList.add("live");
document.oninput = ({ target }) => target.previousElementSibling.style.setProperty("--at", `${target.value}%`);
