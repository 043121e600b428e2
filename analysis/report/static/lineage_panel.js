/* The panel of the lineage explorer: all that is known of a member at an iteration. */

(function () {
  "use strict";

  const MOST_MOVES = 12;
  const { html, short, named, percent, held, ancestry, copies, standing } =
    window.envolve.lineageParts;

  /** Draws into `root`; `go` is called with a member and an iteration that the reader turns to. */
  class Panel {
    constructor(root, data, go) {
      this.root = root;
      this.data = data;
      this.go = go;
      this.byMember = new Map(data.members.map((each) => [each.member, each]));
    }

    nothing() {
      this.root.replaceChildren(html("p", {}, "Nothing is selected."));
    }

    show(place) {
      const { member, stop } = place;
      const each = this.byMember.get(member);
      const at = this.data.stops[stop];
      const part = (title, ...content) =>
        content.length ? [html("h6", {}, title), ...content] : [];
      this.root.replaceChildren(
        html("h5", {}, `m${member} at iteration ${at}`),
        html("p", {}, standing(this.data, place)),
        ...part("Decided here", ...this.decided(each, stop)),
        ...part("Hyperparameters", ...this.hyperparameters(each, at)),
        ...part("Env distribution", ...this.distribution(each, at)),
        ...part("Its weights", this.wayOf(member, at)),
      );
    }

    wayOf(member, until) {
      const steps = ancestry(this.byMember, member, until).map((each) => {
        const label = `select m${each.member} at ${each.to}`;
        const button = html("button", { type: "button", "aria-label": label }, `m${each.member}`);
        button.addEventListener("click", () => this.go(each.member, each.to));
        return html("li", {}, button, ` trained them from ${each.from} to ${each.to}`);
      });
      return html("ol", { class: "lineage-way" }, ...steps);
    }

    decided(each, stop) {
      const at = this.data.stops[stop];
      const since = stop > 0 ? this.data.stops[stop - 1] : -1;
      const told = each.copies
        .filter((copy) => copy[0] === at)
        .map(([, donor, donorAt, score]) =>
          html("li", {}, `${copies(each.member, donor)} as of ${donorAt} (score ${short(score)})`),
        );
      const moves = each.moves.filter((move) => move[0] > since && move[0] <= at);
      for (const [when, by, why] of moves.slice(-MOST_MOVES)) {
        const { texts } = this.data;
        told.push(html("li", {}, `env distribution at ${when}, by the ${texts[by]}: ${texts[why]}`));
      }
      if (moves.length > MOST_MOVES) {
        told.push(html("li", {}, `and ${moves.length - MOST_MOVES} moves before these`));
      }
      for (const [when, what] of each.faults.filter((row) => row[0] > since && row[0] <= at)) {
        told.push(html("li", { class: "lineage-fault" }, `fault at ${when}: ${what}`));
      }
      return told.length ? [html("ul", {}, ...told)] : [];
    }

    hyperparameters(each, at) {
      const now = held(each.values, at);
      if (now === null || !this.data.keys.length) return [];
      const next = each.values.filter((row) => row[0] === at).pop();
      const rows = this.data.keys.map((key, place) => {
        const changed = next && JSON.stringify(next[1][place]) !== JSON.stringify(now[1][place]);
        const then = changed ? ` → ${named(next[1][place])}` : "";
        return html(
          "tr",
          {},
          html("th", { scope: "row" }, key),
          html("td", {}, `${named(now[1][place])}${then}`),
        );
      });
      return [html("table", {}, html("tbody", {}, ...rows))];
    }

    distribution(each, at) {
      const now = held(each.draws, at);
      if (now === null) return [];
      const next = each.draws.filter((row) => row[0] === at).pop();
      return this.data.knobs.map((knob, place) =>
        knob.values
          ? weightsOf(knob, now[1][place], next && next[1][place])
          : rangeOf(knob, now[1][place], next && next[1][place]),
      );
    }
  }

  // ---- how a knob is drawn

  function bar(left, width) {
    const fill = html("span", { class: "lineage-fill" });
    fill.style.left = `${100 * left}%`;
    fill.style.width = `max(2px, ${100 * width}%)`;
    return html("span", { class: "lineage-bar", "aria-hidden": "true" }, fill);
  }

  function span(ends) {
    return ends[0] === ends[1] ? short(ends[0]) : `${short(ends[0])} to ${short(ends[1])}`;
  }

  function rangeOf(knob, now, next) {
    const onto = knob.log ? Math.log : (value) => value;
    const whole = onto(knob.high) - onto(knob.low);
    const share = (value) => (whole > 0 ? (onto(value) - onto(knob.low)) / whole : 0);
    const known = now[0] !== null && now[1] !== null;
    const changed = next && span(next) !== span(now);
    return html(
      "div",
      { class: "lineage-knob" },
      html("strong", {}, knob.name),
      ` ${span(now)}${changed ? ` → ${span(next)}` : ""}`,
      known ? bar(share(now[0]), share(now[1]) - share(now[0])) : "",
      html("small", {}, `legal: ${short(knob.low)} to ${short(knob.high)}`),
    );
  }

  function weightsOf(knob, now, next) {
    const rows = knob.values.map((value, place) => {
      const changed = next && percent(next[place]) !== percent(now[place]);
      const then = changed ? ` → ${percent(next[place])}` : "";
      return html("li", {}, `${value} ${percent(now[place])}${then}`, bar(0, now[place]));
    });
    return html(
      "div",
      { class: "lineage-knob" },
      html("strong", {}, knob.name),
      html("ul", { class: "lineage-weights" }, ...rows),
    );
  }

  window.envolve.LineagePanel = Panel;
})();
