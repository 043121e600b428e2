/* The lineage explorer: members as lanes over iterations, exploits as branches between them.

   `envolve.lineage(root, data)` draws what `analysis.report.told_lineage` tells, into an empty element.
   What the user named is only ever set as text. */

(function () {
  "use strict";

  const ROW = 24; // pixels; what can be clicked is not smaller than this
  const EDGE = 14; // pixels left of iteration 0, and right of the last one
  const ZOOMS = [1, 2, 4, 8, 16];
  const { html, svg, short, counted, ancestry, lastScore, standing } = window.envolve.lineageParts;
  const { LANE, SHADES, ticks, lanes, branches, lineOfDescent } = window.envolve.lineagePicture;

  let explorers = 0; // on this page, so that ids differ

  // ---- the explorer

  class Explorer {
    constructor(root, data) {
      this.root = root;
      this.data = data;
      this.byMember = new Map(data.members.map((each) => [each.member, each]));
      this.end = Math.max(1, ...data.members.map((each) => each.end));
      this.prefix = `lineage-${++explorers}`;
      this.zoom = 0;
      this.cursor = { member: null, stop: data.stops.length - 1 };
      this.selected = null; // {member, stop}
      this.build();
      const stop = data.best === null ? -1 : data.stops.indexOf(data.best[1]);
      if (stop < 0) this.order();
      else this.select(data.best[0], stop, { quietly: true });
      const watcher = new ResizeObserver(() => {
        if (root.isConnected) this.draw();
        else watcher.disconnect();
      });
      watcher.observe(this.scroll);
    }

    // -- what stands still

    build() {
      const id = (name) => `${this.prefix}-${name}`;
      this.find = html("input", { type: "search", id: id("find"), placeholder: "m12", size: 8 });
      this.find.addEventListener("input", () => this.order());
      this.sorting = html(
        "select",
        { id: id("sort") },
        html("option", { value: "number" }, "number"),
        html("option", { value: "score" }, "last score"),
      );
      this.sorting.addEventListener("change", () => this.order());
      this.only = html("input", { type: "checkbox", id: id("only") });
      this.only.addEventListener("change", () => this.order());
      this.closer = this.button("+", "zoom in", () => this.zoomBy(1));
      this.farther = this.button("−", "zoom out", () => this.zoomBy(-1));
      this.best = this.button("the best", null, () => {
        this.find.value = "";
        this.select(this.data.best[0], Math.max(this.data.stops.indexOf(this.data.best[1]), 0));
        this.focus();
      });
      this.best.hidden = this.data.best === null;
      const tools = html(
        "div",
        { class: "lineage-tools" },
        html("span", {}, html("label", { for: id("find") }, "Find a member "), this.find),
        html("span", {}, html("label", { for: id("sort") }, "Order by "), this.sorting),
        html(
          "span",
          {},
          this.only,
          html("label", { for: id("only") }, " only ancestors of the selected"),
        ),
        html("span", {}, this.best, this.farther, this.closer),
      );
      const help = html(
        "p",
        { class: "lineage-help", id: id("help") },
        "Click a lane, or use the keys: up and down choose a member, left and right an " +
          "iteration, Enter selects it, Escape lets go.",
      );
      this.names = html("ul", {
        class: "lineage-names",
        role: "listbox",
        "aria-label": "Members",
        "aria-describedby": id("help"),
      });
      this.names.addEventListener("keydown", (event) => this.pressed(event));
      this.names.addEventListener("click", (event) => {
        const option = event.target.closest("[role=option]");
        if (!option) return;
        this.select(Number(option.dataset.member), this.cursor.stop);
        this.focus();
      });
      this.options = new Map(
        this.data.members.map((each) => [each.member, this.option(each, id(`m${each.member}`))]),
      );
      this.axis = svg("svg", { class: "lineage-axis", height: ROW, "aria-hidden": "true" });
      this.picture = svg("svg", { class: "lineage-picture", "aria-hidden": "true" });
      this.picture.addEventListener("click", (event) => this.clicked(event));
      this.picture.addEventListener("mousemove", (event) => this.hovered(event));
      this.picture.addEventListener("mouseleave", () => (this.hover.textContent = ""));
      this.scroll = html(
        "div",
        { class: "lineage-scroll" },
        html("div", { class: "lineage-corner" }, "member"),
        this.axis,
        this.names,
        this.picture,
      );
      this.hover = html("p", { class: "lineage-hover", "aria-hidden": "true" });
      this.nobody = html("p", { class: "lineage-nobody", role: "status" });
      this.status = html("p", { class: "lineage-status", role: "status" });
      this.panel = html("section", {
        class: "lineage-panel",
        "aria-live": "polite",
        "aria-label": "The selected member",
      });
      this.details = new window.envolve.LineagePanel(this.panel, this.data, (member, at) => {
        const stop = this.data.stops.indexOf(at);
        this.select(member, stop < 0 ? this.cursor.stop : stop);
        this.focus();
      });
      this.root.classList.add("lineage");
      this.root.replaceChildren(
        tools,
        help,
        this.legend(),
        html(
          "div",
          { class: "lineage-view" },
          html("div", { class: "lineage-left" }, this.scroll, this.nobody, this.hover),
          this.panel,
        ),
        this.status,
      );
      this.describe();
    }

    button(text, label, action) {
      const made = html("button", { type: "button", "aria-label": label }, text);
      made.addEventListener("click", action);
      return made;
    }

    option(member, id) {
      const name = `m${member.member}`;
      const score = short(lastScore(member));
      const copies = counted(member.copies.length, "exploit");
      return html(
        "li",
        {
          role: "option",
          id,
          tabindex: -1,
          "aria-selected": "false",
          "aria-label": `${name}, last score ${score}, ${copies}`,
          "data-member": member.member,
        },
        html("span", { class: "lineage-name" }, name),
        html("span", { class: "lineage-score" }, score),
      );
    }

    legend() {
      const shades = Array.from({ length: SHADES }, (_, shade) =>
        html("span", { class: `lineage-swatch lineage-shade-${shade}` }),
      );
      const [low, high] = this.data.range || [null, null];
      return html(
        "p",
        { class: "lineage-legend" },
        "score ",
        short(low),
        " ",
        html("span", { class: "lineage-ramp", "aria-hidden": "true" }, ...shades),
        " to ",
        short(high),
        this.data.note ? ` · ${this.data.note}` : "",
      );
    }

    // -- which lanes

    order() {
      const wanted = this.find.value.trim().toLowerCase().replace(/^m/, "");
      const kin = this.only.checked ? this.kin() : null;
      const shown = this.data.members.filter(
        (each) =>
          String(each.member).includes(wanted) && (kin === null || kin.has(each.member)),
      );
      if (this.sorting.value === "score") {
        const worth = (each) => lastScore(each) ?? -Infinity;
        shown.sort((one, other) => worth(other) - worth(one) || one.member - other.member);
      }
      this.shown = shown;
      this.rows = new Map(shown.map((each, row) => [each.member, row]));
      const had = this.names.contains(document.activeElement);
      this.names.replaceChildren(...shown.map((each) => this.options.get(each.member)));
      // A list without a single option would be one that nobody can get into.
      this.scroll.hidden = shown.length === 0;
      this.nobody.textContent = shown.length ? "" : "No member is called that.";
      if (!this.rows.has(this.cursor.member)) {
        this.cursor.member = shown.length ? shown[0].member : null;
      }
      this.rove();
      this.draw();
      // Whoever is moved within the page loses the focus.
      if (had) this.focus();
    }

    kin() {
      if (this.selected === null) return null;
      const { member, stop } = this.selected;
      return new Set(
        ancestry(this.byMember, member, this.data.stops[stop]).map((each) => each.member),
      );
    }

    rove() {
      for (const [member, option] of this.options) {
        option.tabIndex = member === this.cursor.member ? 0 : -1;
        const chosen = this.selected !== null && member === this.selected.member;
        option.setAttribute("aria-selected", String(chosen));
      }
    }

    // -- drawing

    x(iteration) {
      return EDGE + (iteration / this.end) * (this.width - 2 * EDGE);
    }

    y(member) {
      return this.rows.get(member) * ROW + ROW / 2;
    }

    draw() {
      const room = this.scroll.clientWidth - this.names.offsetWidth;
      if (room <= 0) return; // it is not shown now
      const first = this.width === undefined;
      this.width = Math.max(room, 120) * ZOOMS[this.zoom];
      const height = this.shown.length * ROW;
      this.closer.disabled = this.zoom === ZOOMS.length - 1;
      this.farther.disabled = this.zoom === 0;
      for (const [element, tall] of [[this.axis, ROW], [this.picture, height]]) {
        element.setAttribute("width", this.width);
        element.setAttribute("height", tall);
      }
      this.axis.replaceChildren(...ticks(this));
      this.over = svg("g");
      this.picture.replaceChildren(
        ...lanes(this),
        ...branches(this),
        ...lineOfDescent(this),
        this.over,
      );
      this.picture.classList.toggle("lineage-dim", this.selected !== null);
      this.mark();
      if (first) this.reveal();
    }

    /** Where the cursor is, and what is selected. */
    mark() {
      if (!this.over) return;
      const marks = [];
      const around = ({ member, stop }, name) => {
        if (!this.rows.has(member)) return;
        const left = this.x(stop > 0 ? this.data.stops[stop - 1] : 0);
        const width = Math.max(this.x(this.data.stops[stop]) - left, 4);
        const y = this.y(member) - LANE / 2 - 3;
        marks.push(svg("rect", { class: name, x: left, y, width, height: LANE + 6, rx: 3 }));
      };
      if (this.selected !== null) around(this.selected, "lineage-selected");
      if (this.cursor.member !== null) around(this.cursor, "lineage-cursor");
      this.over.replaceChildren(...marks);
    }

    zoomBy(step) {
      const middle = this.scroll.scrollLeft + this.scroll.clientWidth / 2;
      const share = middle / this.scroll.scrollWidth;
      this.zoom = Math.min(Math.max(this.zoom + step, 0), ZOOMS.length - 1);
      this.draw();
      this.scroll.scrollLeft = share * this.scroll.scrollWidth - this.scroll.clientWidth / 2;
    }

    // -- what the reader does

    pressed(event) {
      const row = this.rows.get(this.cursor.member);
      if (row === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      const last = this.shown.length - 1;
      const to = (next) => this.shown[Math.min(Math.max(next, 0), last)].member;
      const moves = {
        ArrowUp: () => (this.cursor.member = to(row - 1)),
        ArrowDown: () => (this.cursor.member = to(row + 1)),
        PageUp: () => (this.cursor.member = to(row - 10)),
        PageDown: () => (this.cursor.member = to(row + 10)),
        Home: () => (this.cursor.member = to(0)),
        End: () => (this.cursor.member = to(last)),
        ArrowLeft: () => this.step(-1),
        ArrowRight: () => this.step(1),
      };
      if (event.key in moves) {
        moves[event.key]();
        this.moved();
      } else if (event.key === "Enter" || event.key === " ") {
        this.select(this.cursor.member, this.cursor.stop);
      } else if (event.key === "Escape") {
        this.letGo();
      } else return;
      event.preventDefault();
    }

    step(by) {
      const last = this.data.stops.length - 1;
      this.cursor.stop = Math.min(Math.max(this.cursor.stop + by, 0), last);
    }

    moved() {
      this.rove();
      this.mark();
      this.focus();
      this.status.textContent = this.inWords(this.cursor);
    }

    focus() {
      const option = this.options.get(this.cursor.member);
      if (!option) return;
      option.focus({ preventScroll: true });
      this.reveal();
    }

    /** Scroll to the cursor; what is under the sticky axis or the sticky names is not seen. */
    reveal() {
      const { scroll } = this;
      if (!this.width || !this.rows.has(this.cursor.member)) return;
      const top = this.rows.get(this.cursor.member) * ROW;
      const x = this.x(this.data.stops[this.cursor.stop]);
      const [room, tall] = [scroll.clientWidth - this.names.offsetWidth, scroll.clientHeight - ROW];
      if (top < scroll.scrollTop) scroll.scrollTop = top;
      if (top + ROW > scroll.scrollTop + tall) scroll.scrollTop = top + ROW - tall;
      if (x < scroll.scrollLeft + 40) scroll.scrollLeft = x - 40;
      if (x > scroll.scrollLeft + room - 20) scroll.scrollLeft = x - room + 20;
    }

    at(event) {
      const box = this.picture.getBoundingClientRect();
      const each = this.shown[Math.floor((event.clientY - box.top) / ROW)];
      if (!each) return null;
      const iteration = ((event.clientX - box.left - EDGE) / (this.width - 2 * EDGE)) * this.end;
      const stop = this.data.stops.findIndex((at) => at >= iteration);
      return { member: each.member, stop: stop < 0 ? this.data.stops.length - 1 : stop };
    }

    clicked(event) {
      const place = this.at(event);
      if (place === null) return;
      this.select(place.member, place.stop);
      this.focus();
    }

    hovered(event) {
      const place = this.at(event);
      this.hover.textContent = place === null ? "" : this.inWords(place);
    }

    select(member, stop, { quietly = false } = {}) {
      this.selected = { member, stop };
      this.cursor = { member, stop };
      this.panel.setAttribute("aria-live", quietly ? "off" : "polite");
      this.describe();
      this.order();
    }

    letGo() {
      this.selected = null;
      this.only.checked = false;
      this.describe();
      this.order();
      this.focus();
    }

    // -- what is said

    inWords(place) {
      const at = this.data.stops[place.stop];
      return `m${place.member}, iteration ${at}: ${standing(this.data, place)}`;
    }

    describe() {
      this.only.disabled = this.selected === null;
      if (this.selected === null) this.details.nothing();
      else this.details.show(this.selected);
    }
  }

  window.envolve.lineage = function (root, data) {
    new Explorer(root, data);
  };
})();
