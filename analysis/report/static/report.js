/* What a report can do: theme, sorting and filtering, copying, one population at a time. */
"use strict";

(() => {
  const words = new Intl.Collator(undefined, { numeric: true });
  const waiting = new Map();
  const seen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) if (entry.isIntersecting) reach(entry.target);
    },
    { rootMargin: "400px 0px" },
  );

  function reach(element) {
    const act = waiting.get(element);
    waiting.delete(element);
    seen.unobserve(element);
    if (act) act();
  }

  /** Do something once, when an element comes near the screen. */
  envolve.whenSeen = (element, act) => {
    waiting.set(element, act);
    seen.observe(element);
  };

  function themeButton() {
    const button = document.getElementById("theme");
    const other = () => (envolve.theme.now === "dark" ? "light" : "dark");
    const say = () => {
      button.textContent = other() === "dark" ? "Dark theme" : "Light theme";
    };
    button.addEventListener("click", () => envolve.theme.choose(other()));
    document.addEventListener("envolve-theme", say);
    say();
    button.hidden = false;
  }

  function sortable(table) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const ascending = head.getAttribute("aria-sort") !== "ascending";
        for (const each of heads) each.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
        sort(table.tBodies[0], column, head.dataset.kind === "number", ascending);
      });
    });
  }

  function sort(body, column, numbers, ascending) {
    const direction = ascending ? 1 : -1;
    const keyed = [...body.rows].map((row) => {
      const cell = row.cells[column];
      const key = cell.dataset.sort ?? cell.textContent.trim();
      return { row, key: numbers ? (key === "" ? NaN : Number(key)) : key };
    });
    keyed.sort((one, other) => {
      if (!numbers) return direction * words.compare(one.key, other.key);
      // What is missing comes last, whichever way.
      if (Number.isNaN(one.key) || Number.isNaN(other.key)) {
        return Number.isNaN(one.key) - Number.isNaN(other.key);
      }
      return direction * (one.key - other.key);
    });
    body.append(...keyed.map(({ row }) => row));
  }

  function filterable(table) {
    const input = document.getElementById("filter");
    const status = document.getElementById("filtered");
    const rows = [...table.tBodies[0].rows];
    const texts = rows.map((row) => row.textContent.toLowerCase());
    input.addEventListener("input", () => {
      const asked = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((row, place) => {
        row.hidden = !asked.every((word) => texts[place].includes(word));
        shown += row.hidden ? 0 : 1;
      });
      status.textContent = `${shown} of ${rows.length} members`;
    });
    input.closest(".filter").hidden = false;
  }

  function copyable(button) {
    const source = document.getElementById(button.dataset.copy);
    const says = button.firstChild;
    button.addEventListener("click", async () => {
      getSelection().selectAllChildren(source);
      try {
        await navigator.clipboard.writeText(source.textContent);
      } catch {
        document.execCommand("copy"); // Pages from disk may not have the clipboard.
      }
      says.textContent = "Copied";
      setTimeout(() => (says.textContent = "Copy"), 2000);
    });
    button.hidden = false;
  }

  function read(id) {
    return JSON.parse(document.getElementById(id).textContent);
  }

  /** Put the charts, and the lineage, of a part of the page in their places. */
  function fill(part) {
    for (const root of part.querySelectorAll("[data-charts]")) {
      const known = read(root.dataset.charts);
      envolve.charts(root, known.charts, root.dataset.heading);
      const lineage = part.querySelector(`[data-lineage="${root.dataset.charts}"]`);
      if (lineage) envolve.whenSeen(lineage, () => envolve.lineage(lineage, known.lineage));
    }
  }

  function populations() {
    const parts = [...document.querySelectorAll(".population")];
    const filled = new Set();
    const show = (id) => {
      for (const part of parts) part.hidden = part.id !== id;
      if (filled.has(id)) return;
      filled.add(id);
      fill(document.getElementById(id));
    };
    const select = document.getElementById("population");
    if (select) select.addEventListener("change", () => show(select.value));
    // A browser that goes back remembers what was selected.
    if (parts.length) show(select ? select.value : parts[0].id);
  }

  function printable() {
    let before = null;
    addEventListener("beforeprint", () => {
      before = envolve.theme.now;
      envolve.theme.show("light");
      for (const element of [...waiting.keys()]) if (element.offsetParent) reach(element);
    });
    addEventListener("afterprint", () => envolve.theme.show(before));
  }

  envolve.begin = () => {
    themeButton();
    document.querySelectorAll("table.sortable").forEach((table) => {
      sortable(table);
      filterable(table);
    });
    document.querySelectorAll("button.copy").forEach(copyable);
    const arms = document.getElementById("arms");
    if (arms) fill(arms);
    populations();
    printable();
  };
})();
